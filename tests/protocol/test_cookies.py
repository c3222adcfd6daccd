"""Cookies are taken out of a request, in whatever pieces it comes, and nothing else is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.protocol.cookies import WithoutCookies

HEAD = b"GET /cookie:x HTTP/1.1\r\nHost: x\r\n%sAccept: */*\r\nCookies: kept\r\n\r\n"
BODY = b"Cookie: of the body\r\n\r\nCookie: x"


def left(*pieces: bytes) -> bytes:
    """Feed pieces; return what is left."""
    without = WithoutCookies()
    return b"".join(without.feed(piece) for piece in pieces)


@pytest.mark.parametrize(
    "cookies",
    [
        b"",
        b"Cookie: a=b\r\n",
        b"cOOKIE:a=b; c=d\r\nCookie: e\r\n",
        b"Cookie: " + b"x" * 100_000 + b"\r\n",
        b"Cookie: a\r\n b\r\n\tc\r\n",
        b"Cookie:\r\n",
        b"Cookie: a\n",
    ],
)
def test_nothing_but_cookies_is_taken_out(cookies: bytes) -> None:
    """What comes after the head is no field, whatever it looks like."""
    assert left(HEAD % cookies + BODY) == HEAD % b"" + BODY


@given(st.lists(st.integers(min_value=0, max_value=140), max_size=12))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    """A browser's request may come byte by byte."""
    whole = HEAD % b"Cookie: a=b\r\n c\r\ncookie: d\r\n" + BODY
    ends = [0, *sorted(cuts), len(whole)]

    pieces = [whole[begin:end] for begin, end in pairwise(ends)]

    assert left(*pieces) == HEAD % b"" + BODY


@given(st.lists(st.binary(max_size=20)))
def test_whatever_is_no_request_is_passed_on(pieces: list[bytes]) -> None:
    """Whether it is one is not decided here."""
    joined = b"".join(pieces)
    if b"cookie:" not in joined.lower():
        without = WithoutCookies()
        kept = b"".join(without.feed(piece) for piece in pieces)
        assert joined.startswith(kept)
        held = joined[len(kept) :].lower()
        assert held == b"\r" or b"cookie:".startswith(held)
