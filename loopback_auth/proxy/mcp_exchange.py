"""The messages with which an MCP server answers one request, and those that it sends by itself.

An answer is one JSON document, or a stream of events; a stream that is cut off before the response is resumed
if the server has said how. What comes is untrusted: it is a message, or the request has failed.

Source: MCP 2025-11-25, Transports, "Sending Messages to the Server", "Listening for Messages from the
Server", "Resumability and Redelivery"; MCP 2026-07-28, Streamable HTTP, "Receiving Messages".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from http import HTTPStatus

import aiohttp

from loopback_auth.errors import LoopbackAuthError, TransportError
from loopback_auth.narrow import is_mapping
from loopback_auth.protocol.event_stream import EventStream
from loopback_auth.proxy.mcp_endpoint import McpEndpoint
from loopback_auth.proxy.mcp_messages import MOST_BYTES, Message, NotAMessage, read_message
from loopback_auth.proxy.mcp_session import SESSION_ID, McpSession

JSON, EVENTS = "application/json", "text/event-stream"
RETRY_SECONDS = 1.0
"""Before a stream is resumed, if the server does not say."""
LONGEST_RETRY_SECONDS = 60.0
"""Between attempts that bring nothing."""
MOST_ATTEMPTS = 5
"""Attempts to resume an answer without a new event."""
REST_SECONDS = 0.5
"""Seconds for a stream to end after the response, so that its connection can be used again."""


class SessionLost(TransportError):
    """The server does not know the session any longer."""

    def __init__(self, session_id: str) -> None:
        super().__init__("The MCP server does not know the session any longer.", hint="Begin a new session.")
        self.session_id = session_id


async def exchange(endpoint: McpEndpoint, session: McpSession, message: Message) -> AsyncGenerator[Message]:
    """Send a message, and yield what the server sends for it; after a request this ends with the response.

    Raises:
        SessionLost: the session has to begin anew.
        LoopbackAuthError: there is no response.
    """
    headers = {"Accept": f"{JSON}, {EVENTS}", "Content-Type": JSON, **session.headers(message)}
    stream = EventStream(MOST_BYTES)
    async with endpoint.request("POST", headers, message.text) as response:
        if response.status == HTTPStatus.NOT_FOUND and SESSION_ID in headers:
            raise SessionLost(headers[SESSION_ID])
        if message.kind != "request":
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise _refused(response)
            return
        if _media_type(response) == EVENTS and response.status < HTTPStatus.BAD_REQUEST:
            async with aclosing(_streamed(endpoint, response, stream)) as events:
                async for each in events:
                    answered = _answers(each, message, session, response)
                    yield each
                    if answered:
                        await _rest(response)
                        return
        else:
            answer = await _document(endpoint, response, message)
            _answers(answer, message, session, response)
            yield answer
            return
    async with aclosing(_resumed(endpoint, session, message, stream)) as events:
        async for each in events:
            yield each
            if each.kind == "response" and each.key == message.key:
                return


async def listen(endpoint: McpEndpoint, session: McpSession) -> AsyncGenerator[Message]:
    """Yield what the server sends by itself, until it offers nothing of the kind.

    Raises:
        LoopbackAuthError: no usable token is left.

    Source: MCP 2025-11-25, Transports, "Listening for Messages from the Server".
    """
    pause, last_event_id = RETRY_SECONDS, ""
    while True:
        stream = EventStream(MOST_BYTES)
        headers = {"Accept": EVENTS, **session.headers(), **_resuming(last_event_id)}
        came = False
        try:
            async with endpoint.request("GET", headers) as response:
                if response.status < 500 and (response.status >= 300 or _media_type(response) != EVENTS):
                    return
                if response.status < 300:
                    async with aclosing(_streamed(endpoint, response, stream)) as events:
                        async for each in events:
                            came = True
                            yield each
        except TransportError:
            if not came and not last_event_id and pause > LONGEST_RETRY_SECONDS:
                return
        last_event_id = stream.last_event_id or last_event_id
        pause = RETRY_SECONDS if came else min(2 * pause, LONGEST_RETRY_SECONDS)
        await asyncio.sleep(pause if stream.retry is None else max(stream.retry, 0.0 if came else pause))


async def _resumed(
    endpoint: McpEndpoint, session: McpSession, message: Message, stream: EventStream
) -> AsyncGenerator[Message]:
    """Yield the rest of an answer that was cut off.

    Source: MCP 2025-11-25, Transports, "Resumability and Redelivery" (always by GET).
    """
    attempts = 0
    # MCP 2026-07-28: resumable streams are not supported.
    while stream.last_event_id and not message.version and attempts < MOST_ATTEMPTS:
        # "The client MUST respect the retry field."
        await asyncio.sleep(RETRY_SECONDS if stream.retry is None else stream.retry)
        before, attempts = stream.last_event_id, attempts + 1
        following = EventStream(MOST_BYTES)
        headers = {"Accept": EVENTS, **session.headers(), **_resuming(before)}
        with suppress(TransportError):  # It is tried again.
            async with endpoint.request("GET", headers) as response:
                if response.status >= 300 or _media_type(response) != EVENTS:
                    break
                async with aclosing(_streamed(endpoint, response, following)) as events:
                    async for each in events:
                        yield each
        if following.last_event_id not in ("", before):
            attempts = 0
        following.last_event_id = following.last_event_id or before
        following.retry = stream.retry if following.retry is None else following.retry
        stream = following
    raise TransportError(
        "The connection to the MCP server ended before the response came.",
        hint="Try again, if the request may be made twice.",
    )


async def _streamed(
    endpoint: McpEndpoint, response: aiohttp.ClientResponse, stream: EventStream
) -> AsyncGenerator[Message]:
    """Yield the messages of one connection, until it ends or is cut off."""
    pieces = response.content.iter_any()
    while True:
        try:
            piece = await anext(pieces, b"")
        except (aiohttp.ClientError, OSError, TimeoutError):
            if stream.last_event_id:
                return
            raise TransportError(
                "The connection to the MCP server was cut off.", hint="Check the network, then try again."
            ) from None
        if not piece:
            return
        for event in stream.feed(piece):
            if event.data and event.kind in ("", "message"):
                yield _message(event.data)


async def _document(endpoint: McpEndpoint, response: aiohttp.ClientResponse, message: Message) -> Message:
    """Return the response in the body of an answer."""
    if response.status == HTTPStatus.ACCEPTED:
        raise TransportError("The MCP server accepted the request, but it does not answer it.")
    if _media_type(response) != JSON:
        raise _refused(response)
    body = bytearray()
    try:
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > MOST_BYTES:
                raise TransportError(f"The answer of the MCP server is larger than {MOST_BYTES} bytes.")
    except (aiohttp.ClientError, OSError, TimeoutError) as exc:
        raise endpoint.failed(exc) from None
    if response.status < HTTPStatus.BAD_REQUEST:
        return _message(bytes(body))
    try:
        error = json.loads(body)
    except (ValueError, RecursionError):
        error = None
    if not (is_mapping(error) and is_mapping(error.get("error"))):
        raise _refused(response)
    # Its id may be null: the server may have refused the request before it was read.
    found = {"jsonrpc": "2.0", "id": message.id, "error": error["error"]}
    return Message(json.dumps(found).encode(), "response", found)


def _message(text: bytes) -> Message:
    try:
        return read_message(text)
    except NotAMessage as exc:
        raise TransportError(
            f"The MCP server sent something that is not a message. {exc}",
            hint="Check the address of the server.",
        ) from None


def _answers(got: Message, message: Message, session: McpSession, response: aiohttp.ClientResponse) -> bool:
    """Return whether this is the response; remember what that to `initialize` says."""
    if got.kind != "response" or got.key != message.key:
        return False
    if message.method == "initialize":
        session.begun(message, got, response.headers.get(SESSION_ID, ""))
    return True


def _resuming(last_event_id: str) -> dict[str, str]:
    usable = last_event_id.isprintable() and last_event_id == last_event_id.strip()
    return {"Last-Event-ID": last_event_id} if last_event_id and usable else {}


def _refused(response: aiohttp.ClientResponse) -> LoopbackAuthError:
    kind = _media_type(response)[:80]
    detail = f" with {ascii(kind)[1:-1]}" if kind and response.status < HTTPStatus.BAD_REQUEST else ""
    return TransportError(
        f"The MCP server answered with HTTP status {response.status}{detail}.",
        hint="Check the address of the server, then try again.",
    )


def _media_type(response: aiohttp.ClientResponse) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


async def _rest(response: aiohttp.ClientResponse) -> None:
    with suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with asyncio.timeout(REST_SECONDS):
            async for _ in response.content.iter_any():
                continue
