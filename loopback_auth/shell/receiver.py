"""The receiver: a temporary aiohttp server on sockets that are already bound.

What a request means is decided by `protocol.redirect`; this file turns aiohttp's requests into values, keeps
strangers from tying us down, and holds the one answer that matters until the sign-in has ended, so that the
page can tell the truth (a redirect to a "done" page would race against our own end).

Keeping strangers out: 10 s for a request to be complete, 64 connections of which the oldest unfinished one
goes first and one that is being held never, bounded lines, headers and bodies, one request a connection, and
no word of the framework in any answer or log, because aiohttp quotes what it could not parse.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType

from aiohttp import web

from loopback_auth import pages
from loopback_auth.model import AuthorizationRequest, Callback, HttpRequest, HttpResponse
from loopback_auth.protocol.redirect import (
    BODY_LIMIT,
    RedirectEndpoint,
    TurnedAway,
    admission,
    redirect_endpoint,
    start_page,
)
from loopback_auth.shell.events import CallbackReceived, Ignored, LinkOpened, LinkRenewed, Notify
from loopback_auth.shell.loopback import BACKLOG, BoundRedirect, new_key

CONNECTIONS = 64
PATIENCE = 10.0
"""Seconds that a connection gets to say what it wants."""
FLUSH = 2.0
"""Seconds that a browser gets to take the last page."""
SUSPICIOUS = 20
"""Forged callbacks after which the person is told that something is calling this port."""

_SILENT = logging.Logger("loopback_auth.receiver", level=logging.CRITICAL + 1)


class _Connection(web.RequestHandler):
    """One connection: aiohttp's, with a deadline, and with our own words when it cannot be understood."""

    __slots__ = ("_receiver", "_timer", "busy")

    def __init__(self, manager: web.Server, receiver: Receiver) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            access_log=_SILENT,
            logger=_SILENT,
            max_line_size=BODY_LIMIT,
            max_field_size=BODY_LIMIT,
            max_headers=256,
            lingering_time=0,
            auto_decompress=False,
        )
        self._receiver = receiver
        self._timer: asyncio.TimerHandle | None = None
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, self.drop)
        self._receiver.admit(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._receiver.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if data[:2] == b"\x16\x03" and not self.busy:
            self._receiver.turn_away(TurnedAway(400, "Something spoke https to this http address."))
            self.drop()
            return
        super().data_received(data)

    def understood(self) -> None:
        """Note that the request is complete: from now on it is our turn."""
        self.busy = True
        if self._timer is not None:
            self._timer.cancel()

    def drop(self) -> None:
        """End the connection without an answer."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, or our own failure, with a page of ours."""
        refusal = TurnedAway(status, "This request could not be understood.")
        self._receiver.turn_away(refusal)
        return _answer(pages.turned_away(status=status, reason=refusal.reason))


class _Server(web.Server):
    """aiohttp's low-level server, making connections of our kind."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(receiver.handle)
        self._receiver = receiver

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, self._receiver)


class Receiver:
    """Serves the start page and the redirect endpoint of one sign-in; an async context manager."""

    def __init__(self, bound: BoundRedirect, notify: Notify) -> None:
        self._bound = bound
        self._notify = notify
        self._endpoint = RedirectEndpoint(bound.authority, bound.path)
        self._key = bound.key
        self._key_used = False
        self._old_keys: set[str] = set()
        loop = asyncio.get_running_loop()
        self._way_on: asyncio.Future[HttpResponse] = loop.create_future()
        self._callback: asyncio.Future[Callback] = loop.create_future()
        self._outcome: asyncio.Future[HttpResponse] = loop.create_future()
        self._connections: dict[_Connection, None] = {}
        self._drained: asyncio.Event = asyncio.Event()
        self._ignored = 0
        self._forged = 0
        self._server = _Server(self)
        self._listeners: list[asyncio.Server] = []

    async def __aenter__(self) -> Receiver:
        loop = asyncio.get_running_loop()
        for one in self._bound.sockets:
            self._listeners.append(await loop.create_server(self._server, sock=one, backlog=BACKLOG))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener in self._listeners:
            listener.close()
        self._bound.close()
        for connection in list(self._connections):
            connection.drop()
        await self._server.shutdown(0)

    def send_browser_to(self, url: str) -> None:
        """Let the start page lead on to a URL."""
        if not self._way_on.done():
            self._way_on.set_result(HttpResponse(302, (("Location", url), *pages.safe_headers())))

    async def receive(self, request: AuthorizationRequest) -> Callback:
        """Wait for the callback of a request; there is no deadline here, callers have one."""
        self.expect(request)
        return await self._callback

    def expect(self, request: AuthorizationRequest) -> None:
        """Begin to recognise the callback of a request."""
        self._endpoint = RedirectEndpoint(self._bound.authority, self._bound.path, request)

    async def finish(self, page: HttpResponse) -> None:
        """Give the waiting browser its last page, and wait until it has been taken or `FLUSH` is over."""
        for waiting in (self._outcome, self._way_on):
            if not waiting.done():
                waiting.set_result(page)
        if any(connection.busy for connection in self._connections):
            try:
                async with asyncio.timeout(FLUSH):
                    await self._drained.wait()
            except TimeoutError:
                return

    # What follows is called from connections.

    def admit(self, connection: _Connection) -> None:
        """Take a connection in, and let the oldest unfinished one go when there are too many."""
        self._connections[connection] = None
        if len(self._connections) > CONNECTIONS:
            oldest = next((one for one in self._connections if not one.busy), None)
            if oldest is not None:
                oldest.drop()
                self.forget(oldest)

    def forget(self, connection: _Connection) -> None:
        """Note that a connection is gone."""
        self._connections.pop(connection, None)
        if self._outcome.done() and not any(one.busy for one in self._connections):
            self._drained.set()

    def turn_away(self, refusal: TurnedAway) -> None:
        """Count a request that was not ours."""
        self._ignored += 1
        self._forged += refusal.forged
        suspicious = refusal.forged and self._forged == SUSPICIOUS
        self._notify(Ignored(self._ignored, refusal.status, refusal.reason, suspicious))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        head = HttpRequest(request.method, request.raw_path, _headers(request.raw_headers))
        connection = request.protocol
        if not isinstance(connection, _Connection):
            raise TypeError("a connection of another server")
        path = head.url.partition("?")[0]
        if path[1:] == self._key or path[1:] in self._old_keys:
            connection.understood()
            return _answer(await self._start(head))
        refusal = admission(self._endpoint, head)
        if refusal is None and head.method == "POST":
            body = await _body(request)
            refusal = TurnedAway(413, "This is more than an answer can hold.") if body is None else None
            head = HttpRequest(head.method, head.url, head.headers, body or b"")
        connection.understood()
        verdict = refusal or redirect_endpoint(self._endpoint, head)
        if isinstance(verdict, TurnedAway):
            return _answer(self._refused(verdict))
        # Set before anything is awaited: of two equal callbacks exactly one is the first.
        self._endpoint = RedirectEndpoint(
            self._bound.authority, self._bound.path, self._endpoint.request, answered=True
        )
        self._callback.set_result(verdict)
        self._notify(CallbackReceived())
        return _answer(await asyncio.shield(self._outcome))

    def _refused(self, refusal: TurnedAway) -> HttpResponse:
        self.turn_away(refusal)
        page = pages.turned_away(status=refusal.status, reason=refusal.reason)
        # RFC 9110 §15.5.6: a 405 MUST say which methods would have done.
        return replace(page, headers=(*page.headers, ("Allow", "GET"))) if page.status == 405 else page

    async def _start(self, head: HttpRequest) -> HttpResponse:
        used = head.url.partition("?")[0][1:] != self._key or self._key_used
        key = head.url.partition("?")[0][1:]
        refusal = start_page(head, authority=self._bound.authority, key=key, used=used)
        if refusal is not None:
            if refusal.status == 410:
                self._renew_link()
            return self._refused(refusal)
        self._key_used = True
        self._notify(LinkOpened())
        return await asyncio.shield(self._way_on)

    def _renew_link(self) -> None:
        # Only the terminal learns the new key, so whoever took the old link from the process list is out.
        self._old_keys.add(self._key)
        self._key, self._key_used = new_key(), False
        self._notify(LinkRenewed(f"http://{self._bound.authority}/{self._key}"))


def _headers(raw: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)


async def _body(request: web.BaseRequest) -> bytes | None:
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > BODY_LIMIT:
            return None
    return body


def _answer(page: HttpResponse) -> web.Response:
    response = web.Response(status=page.status, headers=list(page.headers), body=page.body)
    # One request a connection: a kept one could bring the next sign-in's callback to a flow that is over.
    response.force_close()
    return response
