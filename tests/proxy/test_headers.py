"""Which header fields pass the proxy, each way."""

from __future__ import annotations

import pytest

from loopback_auth.proxy.headers import (
    HOP_BY_HOP,
    content_length,
    request_fields,
    response_fields,
    wants_upgrade,
)

Fields = list[tuple[str, str]]


def sent(*fields: tuple[str, str], method: str = "GET") -> Fields:
    """Return what reaches the server, without our own entry in `Via`."""
    return request_fields(fields, method=method, via="1.1 us")[:-1]


def passed(*fields: tuple[str, str], secret: str = "") -> Fields:
    """Return what reaches the client."""
    return response_fields(fields, secret=secret)[0]


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
def test_rfc9110_7_6_1_what_is_about_one_connection_ends_here(name: str) -> None:
    """An intermediary MUST NOT forward these."""
    assert sent((name.title(), "x"), ("Accept", "*/*")) == [("Accept", "*/*")]
    assert passed((name.upper(), "x"), ("ETag", '"1"')) == [("ETag", '"1"')]


def test_rfc9110_7_6_1_fields_that_connection_names_are_removed() -> None:
    """An intermediary MUST parse `Connection` and remove each field of these names."""
    hop = ("Connection", "close, X-Hop"), ("connection", "x-other , "), ("X-Hop", "1"), ("X-OTHER", "2")

    assert sent(*hop, ("X-Kept", "3")) == [("X-Kept", "3")]
    assert passed(*hop, ("X-Kept", "3")) == [("X-Kept", "3")]


def test_rfc9110_7_6_3_a_gateway_says_in_each_request_that_it_was_there() -> None:
    """It MUST send `Via`, after the entries of those before it."""
    assert request_fields([("Via", "1.0 before")], method="GET", via="1.1 us") == [
        ("Via", "1.0 before"),
        ("Via", "1.1 us"),
    ]


@pytest.mark.parametrize(
    ("method", "before", "after"), [("OPTIONS", "3", "2"), ("OPTIONS", "x", "x"), ("GET", "3", "3")]
)
def test_rfc9110_7_6_2_max_forwards_counts_down_for_options(method: str, before: str, after: str) -> None:
    """Each intermediary MUST update it; for other methods it MAY be ignored."""
    assert sent(("Max-Forwards", before), method=method) == [("Max-Forwards", after)]


def test_who_asks_and_what_frames_the_message_is_written_anew() -> None:
    """A client's own token, proof or host must not reach the server beside ours."""
    theirs = (
        ("Authorization", "Bearer theirs"),
        ("DPoP", "proof"),
        ("Host", "127.0.0.1:1"),
        ("Content-Length", "9"),
    )

    assert sent(*theirs, ("Expect", "100-continue"), ("Cookie", "a=b"), ("Range", "bytes=0-1")) == [
        ("Cookie", "a=b"),
        ("Range", "bytes=0-1"),
    ]


def test_repeated_fields_stay_apart_and_in_order() -> None:
    """RFC 9110 §5.3: a proxy MUST NOT change their order; `Set-Cookie` cannot be joined."""
    cookies = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]

    assert passed(*cookies) == cookies


def test_rfc9110_11_6_1_challenges_pass_unchanged() -> None:
    """A proxy MUST NOT modify `WWW-Authenticate`."""
    challenge = ("WWW-Authenticate", 'Bearer realm="x", error="invalid_token"')

    assert passed(challenge) == [challenge]


def test_a_field_that_repeats_the_token_is_left_out() -> None:
    """The client is not to have it; a debugging header of the server would hand it over."""
    fields = [("X-Debug", "Authorization: Bearer canary"), ("canary-x", "1"), ("X-Kept", "1")]

    assert response_fields(fields, secret="canary") == ([("X-Kept", "1")], True)
    assert response_fields(fields, secret="") == (fields, False)


@pytest.mark.parametrize(
    ("value", "written"),
    [("caf\u00e9", "caf\u00e9"), ("caf\udce9", "caf\u00e9"), ("a\rb\nc\0d", "a b c d"), ("a\tb", "a\tb")],
)
def test_rfc9110_5_5_a_value_cannot_end_its_line(value: str, written: str) -> None:
    """CR, LF and NUL are replaced by a blank; bytes that are not UTF-8 are read as ISO-8859-1."""
    assert passed(("X-Name", value)) == [("X-Name", written)]


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ([], None),
        ([("Content-Length", "5")], 5),
        ([("content-length", "5"), ("Content-Length", "5")], 5),
        ([("Content-Length", "5"), ("Transfer-Encoding", "chunked")], None),
    ],
)
def test_rfc9112_6_3_the_length_of_an_answer(fields: Fields, length: int | None) -> None:
    """Chunks count more than a length that is stated beside them."""
    assert content_length(fields) == length


@pytest.mark.parametrize("values", [("5", "6"), ("-1",), ("+5",), ("5, 5",), ("0x5",), ("",), ("9" * 40,)])
def test_rfc9112_6_3_an_answer_of_no_certain_length_is_refused(values: tuple[str, ...]) -> None:
    """The proxy MUST respond with 502, and must not guess where the next answer begins."""
    with pytest.raises(ValueError, match="length"):
        content_length([("Content-Length", value) for value in values])


def test_rfc9112_6_1_an_answer_in_a_coding_that_was_not_asked_for_is_refused() -> None:
    """Its content would look like something that it is not."""
    with pytest.raises(ValueError, match="coding"):
        content_length([("Transfer-Encoding", "gzip, chunked")])


@pytest.mark.parametrize(
    ("method", "upgrade", "connection", "wants"),
    [
        ("GET", "websocket", "Upgrade", True),
        ("GET", "WebSocket", "keep-alive, upgrade", True),
        ("GET", "websocket", "keep-alive", False),
        ("GET", "h2c", "Upgrade", False),
        ("POST", "websocket", "Upgrade", False),
    ],
)
def test_only_a_websocket_is_asked_for_as_another_protocol(
    method: str, upgrade: str, connection: str, wants: bool
) -> None:
    """RFC 9110 §7.8: what is not understood may be ignored; h2c would hide requests from the rules."""
    assert wants_upgrade(method, [("Upgrade", upgrade), ("Connection", connection)]) is wants
