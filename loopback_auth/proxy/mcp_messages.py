"""Messages of the Model Context Protocol as lines of text: found in bytes, read, and answered with errors.

A message is passed on as it was written. It is read only to learn what it is, and written anew only if it has
more than one line. This module refuses to know what the methods mean.

Source: MCP 2025-11-25, Transports, "stdio"; MCP 2026-07-28, stdio; JSON-RPC 2.0 §4, §5.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Literal, NoReturn

from loopback_auth.narrow import is_mapping
from loopback_auth.records import dataclass, field

MOST_BYTES = 32 * 1024 * 1024
"""Bytes of one message."""

PARSE_ERROR, INVALID_REQUEST, SERVER_ERROR = -32700, -32600, -32000
"""JSON-RPC 2.0 §5.1; the last one is for errors of this program, which are described in words."""

VERSION = "io.modelcontextprotocol/protocolVersion"
"""The member of `_meta` with which each request says its version, since MCP 2026-07-28."""

Kind = Literal["request", "notification", "response"]
Id = str | int | float


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Args:
        text: as it was written, in one line, without the end of that line.
        kind: what it is.
        document: what was read.
    """

    text: bytes = field(repr=False)
    kind: Kind
    document: Mapping[str, object] = field(repr=False)

    @property
    def id(self) -> object:
        """Of the request, or of the one that is answered; None for a notification."""
        return self.document.get("id")

    @property
    def key(self) -> tuple[str, object]:
        """What tells the request from all others: the number 1 is not the text 1."""
        return type(self.id).__name__, self.id

    @property
    def method(self) -> str:
        """Of a request or a notification; empty for a response."""
        method = self.document.get("method")
        return method if isinstance(method, str) else ""

    @property
    def params(self) -> Mapping[str, object]:
        """Of a request or a notification; empty when it has none with names."""
        params = self.document.get("params")
        return params if is_mapping(params) else {}

    @property
    def version(self) -> str:
        """Of the protocol, as a message of MCP 2026-07-28 or later says it; empty in those before."""
        meta = self.params.get("_meta")
        version = meta.get(VERSION) if is_mapping(meta) else None
        return version if isinstance(version, str) else ""


class NotAMessage(ValueError):
    """A line is not a message.

    Args:
        message: what it is instead.
        code: of the JSON-RPC error that says so.
        id: of the request, where that can be read.
    """

    def __init__(self, message: str, code: int = INVALID_REQUEST, id: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.id = id


def read_message(text: bytes) -> Message:
    """Read a message; white space around it and within it is allowed.

    Raises:
        NotAMessage: it is something else.
    """
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        # The decoder's message may quote what was sent.
        raise NotAMessage("This is not JSON.", PARSE_ERROR) from None
    if isinstance(document, list):
        raise NotAMessage("Batches of messages are not part of MCP since version 2025-06-18.")
    if not is_mapping(document):
        raise NotAMessage("A message is a JSON object.")
    line = text.strip()
    if b"\n" in line or b"\r" in line:
        # MCP, "stdio": messages MUST NOT contain embedded newlines. JSON has them between its tokens only.
        line = line.replace(b"\r", b" ").replace(b"\n", b" ")
    return Message(line, _kind(document), document)


def _kind(document: Mapping[str, object]) -> Kind:
    has_id, id = "id" in document, document.get("id")
    known = id if _is_id(id) else None
    if document.get("jsonrpc") != "2.0":
        raise NotAMessage('A message has the member "jsonrpc" with the value "2.0".', id=known)
    if isinstance(document.get("method"), str):
        if not has_id:
            return "notification"
        # MCP, "Requests": unlike in base JSON-RPC, the ID MUST NOT be null.
        if _is_id(id):
            return "request"
        raise NotAMessage("The id of a request is a string or a number.")
    # JSON-RPC 2.0 §5: an error that is about no known request has the id null.
    if has_id and ("result" in document or "error" in document):
        return "response"
    raise NotAMessage("A message is a request, a notification or a response.", id=known)


def _is_id(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and infinities are not JSON")


def error_line(id: object, code: int, message: str, data: Mapping[str, object] | None = None) -> bytes:
    """Return the answer to a request that has failed, as a line.

    Args:
        id: of the request; None: it is not known.
        code: of the error.
        message: what happened, in a sentence.
        data: more about it.

    Source: JSON-RPC 2.0 §5.1.
    """
    error: dict[str, object] = {"code": code, "message": message}
    if data:
        error["data"] = dict(data)
    document = {"jsonrpc": "2.0", "id": id if _is_id(id) else None, "error": error}
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


class Lines:
    """Finds the lines in pieces of bytes.

    Args:
        limit: bytes of one line.
    """

    def __init__(self, limit: int = MOST_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._scanned = 0
        self._too_long = False

    def feed(self, piece: bytes) -> Iterator[bytes | None]:
        """Take more bytes, and yield the lines that they complete; None for one that was too long.

        What is too long is not held.
        """
        self._rest += piece
        start = 0
        while (end := self._rest.find(b"\n", max(start, self._scanned))) >= 0:
            too_long, self._too_long = self._too_long or end - start > self._limit, False
            line = None if too_long else bytes(self._rest[start:end])
            start = end + 1
            if line is None or line.strip():
                yield line
        del self._rest[:start]
        if len(self._rest) > self._limit:
            self._rest.clear()
            self._too_long = True
        self._scanned = len(self._rest)

    def end(self) -> Iterator[bytes | None]:
        """Yield the last line if its end is missing."""
        yield from self.feed(b"\n")
