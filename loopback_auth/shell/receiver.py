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
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType

from aiohttp import web

from loopback_auth import pages
from loopback_auth.effects import Invite
from loopback_auth.model import AuthorizationRequest, Callback, HttpRequest, HttpResponse
from loopback_auth.protocol.redirect import (
    BODY_LIMIT,
    RedirectEndpoint,
    RelayPage,
    TurnedAway,
    admission,
    redirect_endpoint,
    start_page,
)
from loopback_auth.shell.connection import Connection, Server, answer, report
from loopback_auth.shell.events import CallbackReceived, Event, Ignored, LinkOpened, LinkRenewed, Notify
from loopback_auth.shell.live import Ending, LiveTab
from loopback_auth.shell.loopback import BACKLOG, BoundRedirect, new_key

CONNECTIONS = 64
ACCEPTS = 8
"""Connections taken in at a time: far fewer than `CONNECTIONS`, so that a crowd that arrives all at once
cannot push out the one that matters before anybody has looked at what it says."""
PATIENCE = 10.0
"""Seconds that a connection gets to say what it wants."""
FLUSH = 2.0
"""Seconds that a browser gets to take the last page."""
TURNS = 3
"""Of the loop, after which whatever was accepted has become a connection, and can be dropped."""
SUSPICIOUS = 20
"""Forged callbacks after which the person is told that something is calling this port."""

Answer = HttpResponse | asyncio.Future[HttpResponse]
"""What a request gets at once, or when it is known."""


class Receiver:
    """Serves the start page and the redirect endpoint of one sign-in; an async context manager.

    Args:
        bound: listening sockets; closed at the end.
        notify: told of visitors.
        start_page: serve one; without it there is nothing but the redirect endpoint.
        patience: seconds that a connection gets to say what it wants.
    """

    def __init__(
        self, bound: BoundRedirect, notify: Notify, *, start_page: bool = True, patience: float = PATIENCE
    ) -> None:
        self.patience = patience
        self.closed = False
        self._bound = bound
        self._notify = notify
        self._endpoint = RedirectEndpoint(bound.authority, bound.path)
        self._key = bound.key
        self._key_used = False
        self._keys = {bound.key} if start_page else set()
        loop = asyncio.get_running_loop()
        self._way_on: asyncio.Future[HttpResponse] = loop.create_future()
        self._callback: asyncio.Future[Callback] = loop.create_future()
        self._outcome: asyncio.Future[HttpResponse] = loop.create_future()
        self._connections: dict[Connection, None] = {}
        self._held: set[Connection] = set()
        self._released = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ignored = 0
        self._forged = 0
        self._live: LiveTab | None = None
        self._server = Server(self)
        self._listeners: list[asyncio.Server] = []

    async def __aenter__(self) -> Receiver:
        loop = asyncio.get_running_loop()
        try:
            for one in self._bound.sockets:
                self._listeners.append(await loop.create_server(self._server, sock=one, backlog=ACCEPTS))
                one.listen(BACKLOG)  # asyncio has just lowered the kernel's queue to `ACCEPTS` as well.
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True
        try:
            await self._stop_accepting()
        finally:
            self._close()
            for connection in list(self._connections):
                connection.drop()
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stop_accepting(self) -> None:
        # A server of asyncio that is closed loses the sockets of which it has not yet made connections.
        loop = asyncio.get_running_loop()
        for one in self._bound.sockets:
            with suppress(NotImplementedError, ValueError):  # Windows; somebody else has closed it.
                loop.remove_reader(one)
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._bound.close()

    def send_browser_to(self, url: str) -> None:
        """Let the start page lead on to a URL."""
        if not self._way_on.done():
            self._way_on.set_result(HttpResponse(302, (("Location", url), *pages.safe_headers())))

    def invite(self, invite: Invite) -> LiveTab:
        """Let the start page be one that leads to the provider in another tab, and stays."""
        live = self._live = LiveTab(self._bound.authority)
        if not self._way_on.done():
            page = live.page(provider=invite.provider, url=invite.url, user_code=invite.user_code)
            self._way_on.set_result(page)
        return live

    def expect(self, request: AuthorizationRequest) -> None:
        """Begin to recognise the callback of a request."""
        if self._endpoint.request is None:
            self._endpoint = replace(
                self._endpoint, request=request, relay_path=f"/{new_key()}", relay_token=new_key()
            )

    async def receive(self, request: AuthorizationRequest) -> Callback:
        """Wait for the callback of a request; there is no deadline here, callers have one."""
        self.expect(request)
        return await asyncio.shield(self._callback)

    async def finish(self, ending: Ending) -> None:
        """Give the waiting browser its last page, and wait until it has been taken or `FLUSH` is over."""
        for waiting in (self._outcome, self._way_on):
            if not waiting.done():
                waiting.set_result(ending.page)
        if self._live is not None:
            self._live.end(ending)
        if self._held:
            try:
                async with asyncio.timeout(FLUSH):
                    await self._released.wait()
            except TimeoutError:
                return

    # What follows is called from connections.

    def admit(self, connection: Connection, task: asyncio.Task[None] | None) -> None:
        """Take a connection in, and let the oldest unfinished one go when there are too many."""
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._connections[connection] = None
        if len(self._connections) > CONNECTIONS:
            oldest = next((one for one in self._connections if not one.busy), None)
            if oldest is not None:
                oldest.drop()
                self.forget(oldest)

    def forget(self, connection: Connection) -> None:
        """Note that a connection is gone."""
        self._connections.pop(connection, None)
        self._held.discard(connection)
        if self._live is not None:
            self._live.forget(connection)
        if self._outcome.done() and not self._held:
            self._released.set()

    def turn_away(self, refusal: TurnedAway) -> None:
        """Count a request that was not ours."""
        self._ignored += 1
        self._forged += refusal.forged
        suspicious = refusal.forged and self._forged == SUSPICIOUS
        self._tell(Ignored(self._ignored, refusal.status, refusal.reason, suspicious))

    def refused(self, refusal: TurnedAway, allow: str = "GET") -> HttpResponse:
        """Count a request that was not ours, and make the page for it."""
        self.turn_away(refusal)
        page = pages.turned_away(status=refusal.status, reason=refusal.reason)
        # RFC 9110 §15.5.6: a 405 MUST say which methods would have done.
        return replace(page, headers=(*page.headers, ("Allow", allow))) if page.status == 405 else page

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        head = HttpRequest(request.method, request.raw_path, _headers(request.raw_headers))
        connection = request.protocol
        if not isinstance(connection, Connection):
            raise TypeError("a connection of another server")
        if _path(head)[1:] in self._keys:
            page = self._start(head)
        elif self._live is not None and _path(head).startswith(self._live.path):
            page = self._told(self._live.answer(head, connection))
        else:
            page = await self._answered(request, head)
        connection.understood()
        if isinstance(page, asyncio.Future):
            self._held.add(connection)
            page = await asyncio.shield(page)
        if _path(head) == self._endpoint.relay_path and page.status == 200:
            # The script of our relay page asks only how it ended, and shows that itself.
            page = HttpResponse(204, pages.safe_headers())
        return answer(page)

    def _told(self, verdict: Answer | TurnedAway) -> Answer:
        return self.refused(verdict, allow="GET, POST") if isinstance(verdict, TurnedAway) else verdict

    def _start(self, head: HttpRequest) -> Answer:
        key = _path(head)[1:]
        used = key != self._key or self._key_used
        refusal = start_page(head, authority=self._bound.authority, key=key, used=used)
        if refusal is None:
            self._key_used = True
            self._tell(LinkOpened())
            return self._way_on
        page = self.refused(refusal)
        # As long as nobody has used the newest link it stays: an old one must not be good for ending it.
        if refusal.status == 410 and self._key_used and not self._endpoint.answered:
            self._renew_link()
        return page

    def _renew_link(self) -> None:
        # Only the terminal learns the new key, so whoever took the old link from the process list is out.
        self._key, self._key_used = new_key(), False
        self._keys.add(self._key)
        self._tell(LinkRenewed(f"http://{self._bound.authority}/{self._key}"))

    async def _answered(self, request: web.BaseRequest, head: HttpRequest) -> Answer:
        refusal = admission(self._endpoint, head)
        if refusal is None and head.method == "POST":
            body = await _body(request)
            refusal = body if isinstance(body, TurnedAway) else None
            head = HttpRequest(head.method, head.url, head.headers, body if isinstance(body, bytes) else b"")
        verdict = refusal or redirect_endpoint(self._endpoint, head)
        if isinstance(verdict, RelayPage):
            return pages.relay(path=self._endpoint.relay_path, token=self._endpoint.relay_token)
        if isinstance(verdict, TurnedAway):
            asked = self._endpoint.request
            both = asked is not None and asked.response_mode == "form_post"
            return self.refused(verdict, allow="GET, POST" if both else "GET")
        # Set before anything is awaited: of two equal callbacks exactly one is the first.
        self._endpoint = replace(self._endpoint, answered=True)
        if not self._outcome.done():
            self._callback.set_result(replace(verdict, received_at=time.time()))
            self._tell(CallbackReceived())
        return self._outcome

    def _tell(self, event: Event) -> None:
        try:
            self._notify(event)
        except Exception as exc:
            # Whoever watches must not come between the browser and its answer.
            report("a watcher of the sign-in failed", exc)


def _path(head: HttpRequest) -> str:
    return head.url.partition("?")[0]


def _headers(raw: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)


async def _body(request: web.BaseRequest) -> bytes | TurnedAway:
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > BODY_LIMIT:
                return TurnedAway(413, "This is more than an answer can hold.")
    except (web.RequestPayloadError, ConnectionError):
        return TurnedAway(400, "The body of this request could not be read.")
    return bytes(body)
