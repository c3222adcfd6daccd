"""The proxy's own port, or socket: who may connect, and how it comes to an end.

Only this user's programs are let in. A Unix socket has mode 0600 from its first moment, in a folder that no
other user can change; at a port on the loopback interface the kernel is asked who has the other end, where it
tells (`network.peer`). No word of the library gets into an answer or a log.
"""

from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse
from aiohttp.web_runner import ServerRunner, SockSite
from aiohttp.web_server import Server as WebServer

from loopback_auth.network.connection import SILENT
from loopback_auth.network.loopback import BACKLOG
from loopback_auth.network.peer import other_user
from loopback_auth.proxy.answers import refused
from loopback_auth.proxy.guards import Refusal
from loopback_auth.proxy.upstream import HEAD_LIMIT, MOST_FIELDS

IDLE_SECONDS = 75.0
"""Seconds after which a connection without a complete request is closed."""
LINGERING_SECONDS = 2.0
"""Seconds for which unwanted content is still read, so that the client gets the answer first."""
GRACE_SECONDS = 5.0
"""Seconds that requests under way get when the proxy ends."""

Handle = Callable[[BaseRequest], Awaitable[StreamResponse]]


@asynccontextmanager
async def served(
    bound: socket.socket, handle: Handle, tell: Callable[[str], None], *, grace: float = GRACE_SECONDS
) -> AsyncGenerator[None]:
    """Serve requests for as long as the block lasts; then those under way get some seconds.

    Args:
        bound: listens; it is closed at the end.
        handle: answers a request.
        tell: called with a line for the person.
        grace: seconds.
    """
    # The library waits as long once more after it has given up the content of a request; an open stream ends
    # by neither.
    runner = ServerRunner(_Server(handle, tell), shutdown_timeout=grace / 2)
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: _report(context, tell))
    try:
        await runner.setup()
        # The event loop takes so many connections at a time (one more since python/cpython#90871). If the
        # system has no file for one, it tries all of them in vain, and again a second later for each:
        # thousands of attempts a second in the end.
        await SockSite(runner, bound, backlog=1).start()
        bound.listen(BACKLOG)
        yield
    finally:
        await runner.cleanup()
        bound.close()
        loop.set_exception_handler(before)


def _report(context: dict[str, object], tell: Callable[[str], None]) -> None:
    """Say what failed outside of all requests.

    By itself the event loop writes a traceback, and when the system has no file left for another connection,
    a hundred of them each second.
    """
    exc = context.get("exception")
    if isinstance(exc, OSError):
        tell(f"The proxy could not take a connection: {exc.strerror or type(exc).__name__}.")
    elif isinstance(exc, BaseException):
        tell(f"A part of this proxy failed: {type(exc).__name__}.")


class _Connection(RequestHandler):
    """One connection of a client."""

    __slots__ = ("_tell",)

    def __init__(self, manager: WebServer, tell: Callable[[str], None]) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            access_log=SILENT,
            logger=SILENT,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=LINGERING_SECONDS,
            max_line_size=HEAD_LIMIT,
            max_field_size=HEAD_LIMIT,
            max_headers=MOST_FIELDS,
            auto_decompress=False,
        )
        self._tell = tell

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let a program of this user in, and no other."""
        ends = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if all(isinstance(one, tuple) for one in ends) and isinstance(transport, asyncio.Transport):
            user = other_user(*(one[:2] for one in ends))
            if user is not None:
                transport.abort()
                self.force_close()
                self._tell(f"A program of another user (user ID {user}) has tried to use this proxy.")
                return
        super().connection_made(transport)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> StreamResponse:
        """Answer a request that is not HTTP, or that failed here."""
        if request.writer.output_size > 0 or isinstance(exc, ConnectionError):
            raise ConnectionResetError("the answer has begun already, or the client is gone")
        if status >= 500:
            # Its place alone: the words of a foreign exception may quote a secret.
            place = traceback.extract_tb(exc.__traceback__)[-1] if exc is not None else None
            where = f"{Path(place.filename).name}:{place.lineno}" if place is not None else "nowhere"
            self._tell(f"A request failed in this proxy: {type(exc).__name__} at {where}.")
            refusal = Refusal(500, "Something went wrong in this proxy.", "proxy_internal_error")
        else:
            refusal = Refusal(400, "This request could not be understood.", "http_request_error")
        return refused(refusal, method=request.method)


class _Server(WebServer):
    """aiohttp's low-level server, which cancels the handler of a client that is gone."""

    def __init__(self, handle: Handle, tell: Callable[[str], None]) -> None:
        super().__init__(handle, handler_cancellation=True)
        self._tell = tell

    def __call__(self) -> RequestHandler:
        """Make a connection."""
        return _Connection(self, self._tell)
