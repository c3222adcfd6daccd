"""An MCP server on stdin and stdout, whose answers come from one behind HTTP that wants an access token.

Each request of the client is a task with a POST of its own, so that a slow one holds up no other.
Notifications and responses are sent one after the other. Before version 2026-07-28 of MCP there is a GET
besides, for what the server says by itself.

What the client does not read is not read from the server either: each answer waits until it is written. The
number of requests under way and their bytes are bounded. A failure answers the request that it is about; the
bridge ends with its stdin, when stdout breaks, or when it is cancelled.

Source: MCP 2025-11-25, Transports, "stdio", "Streamable HTTP"; MCP 2026-07-28, Streamable HTTP.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress

from loopback_auth.clients.bearer import check_destination
from loopback_auth.errors import LoopbackAuthError, TransportError
from loopback_auth.invocation import as_typed
from loopback_auth.model import Network
from loopback_auth.network.threads import report_mistake
from loopback_auth.proxy.answers import in_one_line
from loopback_auth.proxy.mcp_connection import McpConnection
from loopback_auth.proxy.mcp_endpoint import McpEndpoint
from loopback_auth.proxy.mcp_messages import (
    INVALID_REQUEST,
    MOST_BYTES,
    SERVER_ERROR,
    Lines,
    Message,
    NotAMessage,
    error_line,
    read_message,
)
from loopback_auth.proxy.source import Source

MOST_REQUESTS = 256
"""Requests under way at the same time; a client gets an error for more."""
MOST_WAITING_BYTES = 128 * 1024 * 1024
"""Bytes of all messages of the client that are under way."""
ENDING_SECONDS = 1.0
"""Time for requests that are under way when stdin ends; clients end the process two seconds later."""
NOTIFICATION_SECONDS = 30.0
"""Time for the server to take a notification, before the next one is sent."""
CANCELLED, INITIALIZED = "notifications/cancelled", "notifications/initialized"


async def bridge(
    source: Source,
    url: str,
    *,
    network: Network,
    read: Callable[[], Awaitable[bytes]],
    write: Callable[[bytes], Awaitable[None]],
    tell: Callable[[str], None],
) -> None:
    """Pass messages between a client and a server until the client has no more.

    Args:
        source: of the access token.
        url: of the MCP server.
        network: how it is reached.
        read: returns bytes from the client, as soon as there are some; empty at the end.
        write: writes bytes to the client, and returns when it has taken them.
        tell: called with a line for the person.

    Raises:
        ConfigError: the token would be sent without encryption.
        BrokenPipeError: the client does not read any longer.
    """
    check_destination(url)
    async with McpEndpoint(source, url, network) as endpoint:
        connection = _Bridge(endpoint, write, tell)
        try:
            await connection.run(read)
        finally:
            await connection.close()


class _Request:
    """A request of the client that is under way.

    Args:
        message: of the client.
    """

    def __init__(self, message: Message) -> None:
        self.message = message
        self.task: asyncio.Task[None] | None = None
        self.waits = True
        """The client waits for the response."""

    def cancel(self) -> None:
        """Give it up: the client does not wait any longer."""
        self.waits = False
        if self.task is not None:
            self.task.cancel()


class _Bridge:
    """Passes messages between one client and one server.

    Args:
        endpoint: the server.
        write: writes to the client.
        tell: called with a line for the person.
    """

    def __init__(
        self, endpoint: McpEndpoint, write: Callable[[bytes], Awaitable[None]], tell: Callable[[str], None]
    ) -> None:
        self._server = McpConnection(endpoint)
        self._heard = self._server.session
        self._tell = tell
        self._requests: dict[tuple[str, object], _Request] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._bytes = 0
        self._last_note: asyncio.Task[None] | None = None
        self._ready: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        # A request that is given up must not leave half a line: it is written in another task.
        self._lines: asyncio.Queue[bytes] = asyncio.Queue(1)
        self._writing = asyncio.create_task(self._write_all(write))

    async def run(self, read: Callable[[], Awaitable[bytes]]) -> None:
        """Pass messages on until the client has no more, and what is under way has had its time.

        Raises:
            BrokenPipeError: the client does not read any longer.
        """
        reading = asyncio.create_task(self._read_all(read))
        try:
            await asyncio.wait({reading, self._writing}, return_when=asyncio.FIRST_COMPLETED)
            if not self._writing.done():
                await reading
                with suppress(TimeoutError):
                    async with asyncio.timeout(ENDING_SECONDS):
                        await self._under_way()
            if self._writing.done():
                self._writing.result()
        finally:
            reading.cancel()

    async def close(self) -> None:
        """Give up what is under way, and end the session."""
        tasks = [*self._tasks, self._writing, *([self._listening] if self._listening is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.end()

    async def _under_way(self) -> None:
        """Wait until every message has been answered, and every answer written."""
        while self._tasks and not self._writing.done():
            await asyncio.wait({*self._tasks, self._writing}, return_when=asyncio.FIRST_COMPLETED)
        if not self._writing.done():
            joined = asyncio.ensure_future(self._lines.join())
            await asyncio.wait({joined, self._writing}, return_when=asyncio.FIRST_COMPLETED)
            joined.cancel()

    async def _write_all(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        while True:
            line = await self._lines.get()
            await write(line)
            self._lines.task_done()

    async def _read_all(self, read: Callable[[], Awaitable[bytes]]) -> None:
        lines = Lines()
        while piece := await read():
            for line in lines.feed(piece):
                await self._take(line)
        for line in lines.end():
            await self._take(line)

    async def _take(self, line: bytes | None) -> None:
        """Begin with one line of the client."""
        if line is None:
            await self._lines.put(
                error_line(None, INVALID_REQUEST, f"A message is at most {MOST_BYTES} bytes long.")
            )
            return
        try:
            message = read_message(line)
        except NotAMessage as exc:
            await self._lines.put(error_line(exc.id, exc.code, str(exc)))
            return
        if message.method == CANCELLED:
            await self._cancel(message)
        elif message.kind != "request":
            await self._send(message)
        elif len(self._requests) >= MOST_REQUESTS or self._bytes + len(line) > MOST_WAITING_BYTES:
            await self._lines.put(error_line(message.id, SERVER_ERROR, "Too many requests are under way."))
        else:
            self._begin(message)

    def _begin(self, message: Message) -> None:
        if earlier := self._requests.get(message.key):
            earlier.cancel()  # The client has used its id again, and waits for this one.
        request = _Request(message)
        self._requests[message.key] = request
        # A client that does not wait for the session, as a pipe, sends what belongs into it all the same.
        before = None if message.version or message.method == "initialize" else self._ready
        request.task = self._task(self._answer(request, before), message)
        if message.method == "initialize":
            self._ready = request.task

    def _task(self, work: Coroutine[object, object, None], message: Message) -> asyncio.Task[None]:
        """Begin a piece of work for a message, whose bytes count until it is done."""

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._bytes -= len(message.text)
            if not task.cancelled() and task.exception() is not None:
                report_mistake("a message of the client", task.exception())

        task = asyncio.create_task(work)
        self._bytes += len(message.text)
        self._tasks.add(task)
        task.add_done_callback(ended)
        return task

    async def _cancel(self, message: Message) -> None:
        """Pass on that the client does not wait for a request any longer.

        Source: MCP 2026-07-28, Streamable HTTP, "Cancellation" (the end of the connection says so); MCP
        2025-11-25, Transports (a notification says so, and the end of the connection does not).
        """
        id = message.params.get("requestId")
        request = self._requests.get((type(id).__name__, id))
        if request is not None and request.message.version:
            request.cancel()
        elif request is not None or self._server.session.version:
            await self._send(message, then=request)

    async def _send(self, message: Message, then: _Request | None = None) -> None:
        """Send a notification or a response, after those before it.

        Args:
            message: of the client.
            then: a request that is given up afterwards.
        """
        if then is not None:
            then.waits = False
        if self._bytes > MOST_WAITING_BYTES or len(self._tasks) > 2 * MOST_REQUESTS:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        before = {each for each in (self._last_note, self._ready) if each is not None}
        self._last_note = self._task(self._sent(message, before, then), message)
        if message.method == INITIALIZED:
            self._ready = self._last_note

    async def _sent(self, message: Message, before: set[asyncio.Task[None]], then: _Request | None) -> None:
        if before:
            await asyncio.wait(before)
        try:
            async with asyncio.timeout(NOTIFICATION_SECONDS):
                async for _ in self._server.exchange(message):
                    pass
        except LoopbackAuthError as exc:
            self._say(exc)
            return
        except TimeoutError:
            self._say(TransportError("The MCP server did not take a notification in time."))
            return
        finally:
            if then is not None:
                then.cancel()
        if message.method == INITIALIZED:
            self._listen()

    async def _answer(self, request: _Request, before: asyncio.Task[None] | None) -> None:
        """Get the response to a request, and write it, and what comes before it."""
        try:
            if before is not None:
                await asyncio.wait({before})
            async with aclosing(self._server.exchange(request.message)) as messages:
                async for message in messages:
                    await self._pass_on(message)
            if self._heard is not self._server.session:
                self._listen()
            if request.waits:
                raise TransportError("The MCP server has answered another request than this one.")
        except Exception as raised:
            exc = raised if isinstance(raised, LoopbackAuthError) else _mistake(raised)
            self._say(exc)
            if request.waits:
                data = {"error": type(exc).__name__, **({"hint": as_typed(exc.hint)} if exc.hint else {})}
                await self._lines.put(
                    error_line(request.message.id, SERVER_ERROR, as_typed(_words(exc)), data)
                )
        finally:
            if self._requests.get(request.message.key) is request:
                del self._requests[request.message.key]

    def _listen(self) -> None:
        """Begin to pass on what the server sends by itself."""

        async def listening() -> None:
            try:
                async with aclosing(self._server.listen()) as messages:
                    async for message in messages:
                        await self._pass_on(message)
            except LoopbackAuthError as exc:
                self._say(exc)

        if self._listening is not None:
            self._listening.cancel()
        self._heard = self._server.session
        self._listening = asyncio.create_task(listening()) if self._server.session.version else None

    async def _pass_on(self, message: Message) -> None:
        """Write a message of the server, if it is not a response that the client does not wait for."""
        text = message.text
        if message.kind == "response":
            request = self._requests.get(message.key)
            if request is None or not request.waits:
                return
            request.waits = False
            if request.message.method == "tools/list" and request.message.version:
                text = self._without_wrong_tools(message)
        await self._lines.put(text + b"\n")

    def _without_wrong_tools(self, message: Message) -> bytes:
        document, wrong = self._server.session.without_wrong_tools(message)
        if document is None:
            return message.text
        for name in wrong:
            self._say(
                TransportError(f"The tool {ascii(name)[:80]} is left out: its x-mcp-header breaks the rules.")
            )
        return json.dumps(document, separators=(",", ":")).encode()

    def _say(self, exc: LoopbackAuthError) -> None:
        self._tell(_words(exc))


def _mistake(exc: Exception) -> LoopbackAuthError:
    """Describe a fault of ours by its kind alone: the words of a foreign exception may quote a secret."""
    return LoopbackAuthError(f"Internal error: {type(exc).__name__}.", hint="Report this line.")


def _words(exc: LoopbackAuthError) -> str:
    return in_one_line(f"{exc.message}\n{exc.hint}")
