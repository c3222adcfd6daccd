"""JSON with one reading only."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import PROPERTY

from loopback_auth.errors import MalformedResponse
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.json import (
    BODY_LIMIT,
    DEPTH_LIMIT,
    LARGEST,
    is_json,
    is_page,
    number,
    object_or_none,
    parse_object,
    text_member,
)


def parse(body: bytes) -> dict[str, object]:
    """Parse something as a token response."""
    return parse_object(body, what="token response", source="RFC 6749 §5.1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"7",
        b"{",
        b"{}x",
        b"{'a': 1}",
        b"access_token=x&token_type=bearer",
        b"<!doctype html>",
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\xff"}',
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"x": {"a": 1, "a": 2}}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": -1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"a": "line\nbreak"}',
        b'{"a": "' + b"x" * BODY_LIMIT + b'"}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_one_plain_object_is_refused(body: bytes) -> None:
    """Whoever can choose between two readings of a document can choose a token (RFC 8259 §4)."""
    with pytest.raises(MalformedResponse, match="token response") as refusal:
        parse(body)

    assert refusal.value.source == "RFC 6749 §5.1"
    assert refusal.value.hint
    assert len(refusal.value.message) < 200


def test_byte_order_mark_is_passed_over() -> None:
    """RFC 8259 §8.1 allows that, and servers with a file for their metadata send one."""
    assert parse(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_refusal_does_not_quote_the_document() -> None:
    """A broken token response still holds a token."""
    with pytest.raises(MalformedResponse) as refusal:
        parse(b'{"access_token": "canary-canary" "x"}')

    assert "canary" not in str(refusal.value)


def nested(depth: int, inside: str = "") -> bytes:
    """Write an object that holds lists in lists, so many deep altogether."""
    return ('{"a": ' + "[" * (depth - 1) + inside + "]" * (depth - 1) + "}").encode()


def test_depth_has_a_limit_that_is_ours() -> None:
    """The decoder's own differs from one version of Python to the next (RFC 8259 §9)."""
    assert parse(nested(DEPTH_LIMIT))
    with pytest.raises(MalformedResponse, match="nested too deeply"):
        parse(nested(DEPTH_LIMIT + 1))


@pytest.mark.parametrize(
    "inside",
    [
        "[1], " * 100 + "{}",
        '"' + "[" * 100 + '"',
        '"\\"' + "{" * 100 + '"',
        '"\\\\", "' + "[" * 100 + '"',
    ],
    ids=["side by side", "in a string", "after an escaped quote", "after an escaped backslash"],
)
def test_brackets_that_nest_nothing_are_not_counted(inside: str) -> None:
    """A long list of keys is no deep one, and a string may hold anything."""
    assert parse(nested(3, inside))


@pytest.mark.parametrize("hidden", ['"\\\\", ', '"\\"", '], ids=["backslash", "quote"])
def test_depth_cannot_hide_behind_a_string(hidden: str) -> None:
    """Both readings of the document, ours and the decoder's, have to end a string at the same place."""
    with pytest.raises(MalformedResponse, match="nested too deeply"):
        parse(nested(2, hidden + "[" * 100 + "]" * 100))


NAMES = st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@PROPERTY
@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_well_formed_object_comes_out_as_it_went_in(document: dict[str, object]) -> None:
    """Strictness may refuse no document that is one."""
    assert parse(json.dumps(document).encode()) == document
    assert parse(json.dumps(document, ensure_ascii=False).encode()) == document


@PROPERTY
@given(st.binary(max_size=60) | st.builds(lambda inner: b'{"a": ' + inner + b"}", st.binary(max_size=30)))
def test_garbage_gives_an_object_or_our_error(body: bytes) -> None:
    """No foreign exception may leave the parser, whatever a server sends."""
    document: object = None
    with suppress(MalformedResponse):
        document = parse(body)

    assert document is None or isinstance(document, dict)
    assert object_or_none(body) == document


def test_object_is_found_in_text_as_in_bytes() -> None:
    """A recorded body is a text, one from the wire is not."""
    assert object_or_none('{"a": "\u00e9"}') == object_or_none('{"a": "\u00e9"}'.encode()) == {"a": "\u00e9"}
    assert object_or_none("a=b") is None


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/problem+json", True),
        ("text/json", False),
        ("text/html; application/json", False),
        ("application/jsonp", False),
        ("", False),
    ],
)
def test_json_is_told_by_its_media_type(content_type: str, expected: bool) -> None:
    """Where the body does not tell by itself (RFC 6749 §5.1, RFC 6839 §3.1)."""
    assert is_json(HttpResponse(200, (("content-type", content_type),))) is expected


@pytest.mark.parametrize(
    ("content_type", "page"),
    [
        ("text/html", True),
        ("application/xhtml+xml", True),
        ("", True),
        ("text/plain", True),
        ("application/xml", False),
        ("text/xml; charset=utf-8", False),
        ("application/json", False),
    ],
)
def test_page_is_what_a_browser_would_show(content_type: str, page: bool) -> None:
    """A refusal in XML is no wall in between, and there is nothing to look at."""
    assert is_page(HttpResponse(403, (("Content-Type", content_type),), b"<a>no</a>")) is page


@pytest.mark.parametrize("content_type", ["", "text/plain", "text/html", "application/octet-stream"])
def test_what_begins_like_an_object_is_json(content_type: str) -> None:
    """Proxies and simple servers name every document the same; an object cannot be read as anything else."""
    headers = (("Content-Type", content_type),)

    assert is_json(HttpResponse(200, headers, b' \r\n{"a": 1}'))
    assert is_json(HttpResponse(200, headers, b'\xef\xbb\xbf{"a": 1}'))
    assert not is_json(HttpResponse(200, headers, b"[1]"))
    assert not is_json(HttpResponse(200, headers, b"<p>{}"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3600, 3600),
        (0, 0),
        (3600.5, 3600.5),
        ("3600", 3600),
        ("3600.0", 3600),
        (" 7 ", 7),
        (10**400, LARGEST),
        (1e300, LARGEST),
        (float("inf"), LARGEST),
        ("9" * 300, LARGEST),
        (-1, None),
        ("-1", None),
        (float("nan"), None),
        (True, None),
        (False, None),
        (None, None),
        ("", None),
        ("soon", None),
        ("1e9", None),
        ("0x10", None),
        ("٣", None),
        ("9" * 301, None),
        ([], None),
        ([1], None),
        ({}, None),
    ],
)
def test_numbers_are_read_in_one_way(value: object, expected: float | None) -> None:
    """Lifetimes, intervals, dates and waits come as numbers, and as strings of digits."""
    assert number(value) == expected


def test_text_member_never_converts() -> None:
    """A number where a string belongs counts as absent, not as its digits."""
    document: dict[str, object] = {"a": "x", "b": 1, "c": None}

    assert [text_member(document, name) for name in "abcd"] == ["x", "", "", ""]
