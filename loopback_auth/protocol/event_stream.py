"""Read a stream of server-sent events, in pieces of any size.

Bytes are untrusted, and so is their number: an event that is larger than the limit ends the reading. What is
in an event is for the caller to know.

Source: HTML Living Standard §9.2.5 (parsing), §9.2.6 (interpreting an event stream).
"""

from __future__ import annotations

import re

from loopback_auth.errors import MalformedResponse
from loopback_auth.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"
_LF = 10


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream.

    Args:
        data: its lines, joined by line feeds, without the last line feed; may be empty.
        kind: the event's type; empty: `message`.
        last_event_id: what a request that resumes the stream names; empty: the stream cannot be resumed.

    Source: HTML Living Standard §9.2.6.
    """

    data: bytes = field(repr=False)
    kind: str
    last_event_id: str = field(repr=False)


class EventStream:
    """Parses one stream of events.

    Args:
        limit: bytes of one event.

    Source: HTML Living Standard §9.2.5, §9.2.6.
    """

    def __init__(self, limit: int) -> None:
        self.last_event_id: str = ""
        """The ID of the latest event, with or without data; it stays until the next one (§9.2.6)."""
        self.retry: float | None = None
        """Seconds to wait before the stream is resumed; None: the server did not say."""
        self._limit = limit
        self._rest = bytearray()
        self._scanned = 0
        self._after_cr = False
        self._began = False
        self._data: list[bytes] = []
        self._size = 0
        self._kind = ""

    def feed(self, piece: bytes) -> Iterator[ServerEvent]:
        """Take more bytes, and yield the events that they complete.

        An event that the stream does not complete is discarded (§9.2.6).

        Raises:
            MalformedResponse: an event is larger than the limit.

        Source: HTML Living Standard §9.2.6.
        """
        self._rest += piece
        for line in self._lines():
            if not line:
                yield from self._dispatched()
            else:
                self._field(line)
        if self._size + len(self._rest) > self._limit:
            raise MalformedResponse(
                f"An event of the stream is larger than {self._limit} bytes",
                source="HTML Living Standard §9.2.6",
            )

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines that are complete."""
        if self._after_cr and self._rest:
            # A CR at the end of a piece was taken for a whole end of line.
            self._after_cr = False
            if self._rest[0] == _LF:
                del self._rest[0]
        start = 0
        while found := _LINE_END.search(self._rest, max(start, self._scanned)):
            line = bytes(self._rest[start : found.start()])
            start = found.end()
            self._after_cr = found[0] == b"\r" and start == len(self._rest)
            if not self._began:
                self._began = True
                line = line.removeprefix(_BOM)
            yield line
        del self._rest[:start]
        self._scanned = len(self._rest)

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif name == b"event":
            self._kind = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self.last_event_id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            self.retry = int(value[:12]) / 1000

    def _dispatched(self) -> Iterator[ServerEvent]:
        data, kind = self._data, self._kind
        self._data, self._size, self._kind = [], 0, ""
        if data:
            yield ServerEvent(b"\n".join(data), kind, self.last_event_id)
