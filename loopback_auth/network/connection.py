"""One connection of the receiver: aiohttp's, with a deadline, a size limit, and pages of ours for errors.

Knows nothing of sign-ins. No word of the framework gets into an answer or a log, because aiohttp quotes what
it could not parse, and that may hold a code.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

# `aiohttp.web` would also import router, applications and web sockets, a sixth of the CPU of a whole sign-in.
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse
from aiohttp.web_server import Server as WebServer

from loopback_auth.http_messages import HttpResponse
from loopback_auth.network.peer import is_open, other_user
from loopback_auth.network.threads import report_mistake
from loopback_auth.protocol.cookies import WithoutCookies
from loopback_auth.protocol.parameters import BODY_LIMIT
from loopback_auth.protocol.redirect import TurnedAway
from loopback_auth.words import Words

RECEIVED_LIMIT = 256 * 1024
"""Bytes of one request, head and body together."""

SILENT = logging.Logger("loopback_auth.receiver", level=logging.CRITICAL + 1)


class Owner(Protocol):
    """What a connection needs of the set that it belongs to.

    Attributes:
        request_seconds: how long it may take to send its whole request.
        closed: no connection is taken in any more.
    """

    request_seconds: float
    closed: bool

    def admit(self, connection: Connection, task: asyncio.Task[None] | None) -> None:
        """Take the connection in."""

    def forget(self, connection: Connection) -> None:
        """Note that the connection is gone."""


class Visited(Protocol):
    """What a connection needs of the receiver that it has come to."""

    def turn_away(self, refusal: TurnedAway) -> None:
        """Count a request that was not ours."""

    def encrypted(self) -> None:
        """Report that a client spoke https."""

    def refused(self, refusal: TurnedAway) -> HttpResponse:
        """Count a request that was not ours, and make the page for it."""
        ...

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Answer one request."""
        ...


class Connection(RequestHandler):
    """One connection: aiohttp's, with a deadline, a size limit, and pages of ours for errors.

    Args:
        manager: aiohttp's server.
        owner: the set of connections that it belongs to.
        visited: answers its request.
    """

    __slots__ = ("_encrypted", "_owner", "_received", "_timer", "_visited", "_without_cookies", "busy")

    def __init__(self, manager: WebServer, owner: Owner, visited: Visited) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            access_log=SILENT,
            logger=SILENT,
            keepalive_timeout=0,
            max_line_size=BODY_LIMIT,
            max_field_size=BODY_LIMIT,
            max_headers=256,
            lingering_time=0,
            auto_decompress=False,
        )
        self._owner = owner
        self._visited = visited
        self._timer: asyncio.TimerHandle | None = None
        self._received = 0
        self._without_cookies = WithoutCookies()
        self._encrypted = False
        self.busy: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read, unless the receiver is closed."""
        if self._owner.closed and isinstance(transport, asyncio.Transport):
            transport.abort()
            return
        super().connection_made(transport)
        self._timer = asyncio.get_running_loop().call_later(self._owner.request_seconds, self.drop)
        self._owner.admit(self, self._task_handler)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Note that either side has closed the connection."""
        if self._timer is not None:
            self._timer.cancel()
        self._owner.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, within limits."""
        if self.busy:  # One request a connection: what follows it is not even looked at.
            return
        if not self._encrypted and data[:1] == b"\x16" and not self._received:
            # RFC 8446 §5.1: a handshake; no HTTP begins like this.
            self._encrypted = True
            self._visited.encrypted()
        data = self._without_cookies.feed(data)
        self._received += len(data)
        if self._received > RECEIVED_LIMIT:
            self._visited.turn_away(TurnedAway(413, Words.REFUSED_TOO_MUCH))
            self.drop()
            return
        super().data_received(data)

    def understood(self) -> None:
        """Note that the request is complete: from now on no deadline applies."""
        self.busy = True
        if self._timer is not None:
            self._timer.cancel()

    @property
    def stands(self) -> bool:
        """Whether the other side has not closed the connection, as far as the system tells."""
        if self.transport is None or self.transport.is_closing():
            return False
        with self.transport.get_extra_info("socket").dup() as one:
            return is_open(one)

    def other_user(self) -> int | None:
        """Return the user id of another user of this machine at the other side; None: it is not known."""
        theirs, ours = (
            (self.transport.get_extra_info(one) for one in ("peername", "sockname"))
            if self.transport
            else (None, None)
        )
        return other_user(theirs[:2], ours[:2]) if theirs and ours else None

    def drop(self) -> None:
        """End the connection without an answer."""
        self.busy = True  # Some loops still deliver what has arrived.
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> StreamResponse:
        """Answer a request that is not HTTP, or that failed here, with a page of ours."""
        reason = Words.REFUSED_NOT_UNDERSTOOD
        if status >= 500:
            reason = Words.REFUSED_OUR_FAULT
            report_mistake("a request to the receiver failed", exc)
        elif isinstance(exc, LineTooLong):
            status, reason = 431, Words.REFUSED_LONG_LINE
        elif self._encrypted:
            reason = Words.REFUSED_HTTPS
        return answer(self._visited.refused(TurnedAway(status, reason)))


class Server(WebServer):
    """aiohttp's low-level server, which makes a `Connection` for each.

    Args:
        owner: the set of connections.
        visited: answers their requests.
    """

    def __init__(self, owner: Owner, visited: Visited) -> None:
        super().__init__(visited.handle)
        self._owner = owner
        self._visited = visited

    def __call__(self) -> RequestHandler:
        """Make a connection."""
        return Connection(self, self._owner, self._visited)


def answer(page: HttpResponse) -> Response:
    """Turn a page into aiohttp's response, the last of its connection."""
    # One request a connection: a reused one could bring the callback of the next sign-in to this one.
    # Without a header Server aiohttp would name itself and its version.
    headers = [*page.headers, ("Connection", "close"), ("Server", "loopback_auth")]
    response = Response(status=page.status, headers=headers, body=page.body)
    response.force_close()
    return response
