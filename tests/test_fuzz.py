"""Whatever strangers send, nothing but an error of ours comes out, soon, and fit to be shown."""

from __future__ import annotations

from contextlib import suppress

import pytest
from fuzz_targets import survives, targets
from hypothesis import given, settings
from hypothesis import strategies as st

from loopback_auth.errors import LoopbackAuthError

PIECES = [
    *(
        b"null",
        b"true",
        b"-1",
        b"0",
        b"1e999",
        b"1e5",
        b"9" * 400,
        b"NaN",
        b"-Infinity",
        b"3600.5",
        b'"3600"',
    ),
    *(b"{}", b"[]", b'""', b"[" * 3000, b'{"a":' * 3000, b'"\\ud800"', b"\\u0000", b'"', b"\\", b","),
    *(b"\x00", b"\xff", b"\xed\xa0\x80", b"\x1b[2J", b"\r\n", b"\n", b"\n\n", b"\xe2\x80\xae", b"\xc3\xa9"),
    *(
        b"%00",
        b"%ff",
        b"%25",
        b"%",
        b"&",
        b"=",
        b"#",
        b"?",
        b";",
        b"+",
        b" ",
        b"..",
        b"//",
        b"[",
        b"]",
        b"@",
        b":",
    ),
    *(
        b"&state=x",
        b"&code=b",
        b"&error=a",
        b"iss",
        b"a" * 5000,
        b"200",
        b"400",
        b"503",
        b"\nRetry-After: 1e999",
    ),
    *(
        b"\nContent-Type: text/html",
        b"\nContent-Encoding: gzip",
        b"http://127.0.0.1/",
        b"https://[::1",
        b"://",
    ),
    *(
        b"eyJhbGciOiJub25lIn0.e30.",
        b"expires_in",
        b"token_type",
        b"id_token",
        b"access_token",
        b"keys",
        b"alg",
    ),
]
"""What readers trip over; Hypothesis alone would not think of it soon."""

Edit = tuple[float, int, bytes]
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(PIECES) | st.binary(max_size=4)),
    min_size=1,
    max_size=4,
)


def edited(seed: bytes, edits: list[Edit]) -> bytes:
    """Put pieces in place of some bytes."""
    for place, gone, piece in edits:
        at = round(place * len(seed))
        seed = seed[:at] + piece + seed[at + gone :]
    return seed


@pytest.mark.slow
@pytest.mark.parametrize("name", targets())
@settings(max_examples=80)
@given(st.data())
def test_spoilt_input_is_survived(name: str, data: st.DataObject) -> None:
    """What nearly makes sense gets furthest."""
    seed = data.draw(st.sampled_from(targets()[name].seeds))

    survives(name, edited(seed, data.draw(EDITS)))


@pytest.mark.slow
@pytest.mark.parametrize("name", targets())
@settings(max_examples=20)
@given(st.binary(max_size=300))
def test_nonsense_is_survived(name: str, data: bytes) -> None:
    """What makes no sense at all has to be noticed."""
    survives(name, data)


@pytest.mark.parametrize("name", targets())
def test_good_day_is_read(name: str) -> None:
    """A target that reads nothing would find nothing."""
    for seed in targets()[name].seeds:
        with suppress(LoopbackAuthError):
            targets()[name].read(seed)
