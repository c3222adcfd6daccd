"""Streams of server-sent events, whole, in pieces, and broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.errors import MalformedResponse
from loopback_auth.protocol.event_stream import EventStream, ServerEvent

EXAMPLES = [
    pytest.param(
        b"data: YHOO\ndata: +2\ndata: 10\n\n", [ServerEvent(b"YHOO\n+2\n10", "", "")], id="three lines"
    ),
    pytest.param(
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [
            ServerEvent(b"first event", "", "1"),
            ServerEvent(b"second event", "", ""),
            ServerEvent(b" third event", "", ""),
        ],
        id="comment, then an id that is reset",
    ),
    pytest.param(
        b"data\n\ndata\ndata\n\ndata:",
        [ServerEvent(b"", "", ""), ServerEvent(b"\n", "", "")],
        id="empty, and one that is not completed",
    ),
    pytest.param(
        b"data:test\n\ndata: test\n\n",
        [ServerEvent(b"test", "", ""), ServerEvent(b"test", "", "")],
        id="with and without a space",
    ),
]
"""Those of §9.2.6 of the HTML Living Standard."""


def read(pieces: list[bytes], limit: int = 1000) -> list[ServerEvent]:
    """Return the events of a stream."""
    stream = EventStream(limit)
    return [event for piece in pieces for event in stream.feed(piece)]


@pytest.mark.parametrize(("text", "events"), EXAMPLES)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_html_9_2_6_examples(text: bytes, events: list[ServerEvent], end: bytes, size: int) -> None:
    """However the network cuts them, and however the server ends its lines."""
    sent = text.replace(b"\n", end)

    assert read([sent[at : at + size] for at in range(0, len(sent), size)]) == events


def test_html_9_2_5_byte_order_mark_is_skipped_once() -> None:
    """It may stand at the beginning of the stream alone."""
    mark = b"\xef\xbb\xbf"

    assert read([mark + b"data:1\n\n" + mark + b"data:2\n\n"]) == [ServerEvent(b"1", "", "")]


def test_an_event_is_complete_with_its_last_byte() -> None:
    """A server that ends lines with CR sends nothing more until the next event."""
    stream = EventStream(100)

    assert [one.data for one in stream.feed(b"data: 1\r\r")] == [b"1"]
    assert [one.data for one in stream.feed(b"\ndata: 2\r\n\r")] == [b"2"]


def test_id_and_retry_outlive_their_event() -> None:
    """An event without data, sent so that the stream can be resumed, is none for the caller."""
    stream = EventStream(100)

    assert list(stream.feed(b"id: 7\nretry: 250\ndata\n\nid: 8\n\n")) == [ServerEvent(b"", "", "7")]
    assert (stream.last_event_id, stream.retry) == ("8", 0.25)


@pytest.mark.parametrize("line", [b"retry: soon", b"retry: -1", b"retry: 1.5", b"id: a\0b"])
def test_html_9_2_6_values_that_are_ignored(line: bytes) -> None:
    """A number is digits alone, and an id has no NULL."""
    stream = EventStream(100)
    list(stream.feed(line + b"\n\n"))

    assert (stream.last_event_id, stream.retry) == ("", None)


@pytest.mark.parametrize("endless", [b"x" * 60, b"data:" + b"x" * 54 + b"\n", b"data:\n" * 10])
def test_an_event_without_an_end_is_refused(endless: bytes) -> None:
    """Memory is bounded, whether the line or the event has no end."""
    with pytest.raises(MalformedResponse):
        read([endless] * 200, limit=100)


@given(st.lists(st.sampled_from([b"data:a", b"\r", b"\n", b"id:1", b":", b"\xff", b"data", b"event:x"])))
def test_pieces_make_no_difference(parts: list[bytes]) -> None:
    """The same bytes are the same events."""
    whole = b"".join(parts)

    assert read([whole]) == read([whole[at : at + 1] for at in range(len(whole))])
