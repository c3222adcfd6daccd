"""The receiver: a temporary aiohttp server on sockets that are already bound.

What a request means is decided by `protocol.redirect`; this file turns aiohttp's requests into values, finds
the page for each, and holds the one answer that matters until the sign-in has ended, so that the page can
show the true result (a redirect to a "done" page would race against our own end).

Keeping strangers out: 10 s for a request to be complete, a limited number of connections (`connections`),
bounded lines, headers and bodies, one request a connection, and no word of the framework in any answer or
log (`connection`), because aiohttp quotes what it could not parse.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import TracebackType

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from loopback_auth.authorization_messages import Callback
from loopback_auth.effects import UNOBSERVED, Observer, VerificationPrompt
from loopback_auth.events import (
    CallbackReceived,
    CallbackTurnedAway,
    Event,
    HttpsTried,
    Notify,
    RequestIgnored,
)
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.network.connection import Connection, answer
from loopback_auth.network.connections import Connections
from loopback_auth.network.incoming_request import body_of, head_of, path_of
from loopback_auth.network.last_page import LastPage, brief_page
from loopback_auth.network.loopback import BoundRedirect
from loopback_auth.network.peer import runs_as_another
from loopback_auth.network.pending_callbacks import PendingCallbacks
from loopback_auth.network.start_page import ANOTHER_USER, StartLink, StartPage
from loopback_auth.network.threads import report_mistake
from loopback_auth.network.waiting_page import WaitingPage
from loopback_auth.pages import Pages, safe_headers
from loopback_auth.protocol.redirect import (
    NOTHING_HERE,
    WITHDRAWN,
    ExpectedRequest,
    RelayPage,
    Repeated,
    TurnedAway,
    error_in_callback,
)

REQUEST_SECONDS = 10.0
"""Seconds that a connection gets to send its whole request."""
LAST_PAGE_SECONDS = 2.0
"""Seconds that a browser gets to take the last page."""
SUSPICIOUS = 20
"""Number of forged callbacks after which the person is warned that a program is calling this port."""

Answer = HttpResponse | asyncio.Future[HttpResponse]
"""What a request gets at once, or when it is known."""


class Receiver:
    """Serves the pages and the redirect endpoint of one sign-in; an async context manager.

    Args:
        bound: listening sockets; closed at the end.
        notify: called with the events of requests.
        start_page: serve one; without it there is only the redirect endpoint.
        any_port: the start page may be reached under another loopback port; an event reports that port.
        request_seconds: how long a connection may take to send its whole request.
        observer: sees every request and the status that it got.
        pages: of the sign-in; None: those of a program without a name.
    """

    def __init__(
        self,
        bound: BoundRedirect,
        notify: Notify,
        *,
        start_page: bool = True,
        any_port: bool = False,
        request_seconds: float = REQUEST_SECONDS,
        observer: Observer = UNOBSERVED,
        pages: Pages | None = None,
    ) -> None:
        self.pages: Pages = pages or Pages()
        self._bound = bound
        self._notify = notify
        self._observer = observer
        self._expected = PendingCallbacks(bound.authority, bound.path)
        opener = bound.opening.program if bound.opening is not None else ""
        self._same_user = not runs_as_another(opener)
        self.start: StartPage = StartPage(
            bound.authority,
            bound.key if start_page else "",
            exposed=bool(opener),
            any_port=any_port,
            expected=self._expected,
            tell=self._tell,
        )
        loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[HttpResponse] = loop.create_future()
        self._held: set[Connection] = set()
        self._last: HttpResponse | None = None
        self._visited_once = asyncio.Event()
        self._released = asyncio.Event()
        self._ignored = 0
        self._forged = 0
        self._https_told = False
        self._waiting_page: WaitingPage | None = None
        self._connections = Connections(bound, self, request_seconds=request_seconds, forgotten=self._forget)

    async def __aenter__(self) -> Receiver:
        await self._connections.accept()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._connections.stop_accepting()
        finally:
            if self._last is not None and self._bound.lingers and self._expected.answered:
                last = LastPage(self._last, self._expected, self.start, self.pages, same_user=self._same_user)
                self._bound.after_exit = tuple(one.dup() for one in self._bound.sockets), last
            self._connections.drop()
        await self._connections.ended()

    def send_browser_to(self, url: str, authority: str = "", state: str | None = "") -> None:
        """Let the start page redirect to a URL.

        Args:
            url: at the provider.
            authority: host and port under which the start page was reached; empty: our own.
            state: that the URL has, by which its callback is known; None: of a protocol without one.
        """
        page = HttpResponse(302, (("Location", url), *safe_headers()))
        self.start.lead(authority, page, state=state)

    def prompt(self, prompt: VerificationPrompt) -> WaitingPage:
        """Let the start page be a waiting page, with a button that opens the provider in another tab."""
        self._end_waiting_page()
        self._waiting_page = WaitingPage(self._bound.authority, self.pages)
        return self._led_to(self._waiting_page, prompt)

    def prompt_instead(self, prompt: VerificationPrompt) -> WaitingPage:
        """Do the same when what the page led to has expired: a tab that shows it turns into the new page."""
        return self._led_to(self._waiting_page, prompt) if self._waiting_page else self.prompt(prompt)

    def withdraw_prompt(self) -> None:
        """Let the start page and the waiting page lead nowhere: what they led to has expired."""
        self.start.lead("", self._end_waiting_page())

    def _led_to(self, waiting: WaitingPage, prompt: VerificationPrompt) -> WaitingPage:
        page = waiting.page(provider=prompt.provider, url=prompt.url, user_code=prompt.user_code)
        self.start.lead("", page)
        return waiting

    def _end_waiting_page(self) -> HttpResponse:
        page = self.pages.turned_away(status=WITHDRAWN.status, reason=WITHDRAWN.reason)
        if self._waiting_page is not None:
            self._waiting_page.end(page)
        return page

    def exposed(self, program: str, state: str = "") -> None:
        """Note that a program was started with a link in its command line, which other users can read.

        Args:
            program: that was started; empty: none was.
            state: that the link has.
        """
        self._same_user = self._same_user and not runs_as_another(program)
        if program and state:
            self._expected.guard(state)

    def guard(self, state: str | None) -> None:
        """Note that other users can read a state, so that only our own user may bring the callback."""
        self._expected.guard(state)

    def expect(self, request: ExpectedRequest, authority: str = "") -> None:
        """Begin to recognise the callback of a request, at our authority or at one that led here."""
        self._expected.expect(request, authority)

    async def receive(self, request: ExpectedRequest) -> Callback:
        """Wait for the callback of a request; there is no deadline here, callers have one."""
        return await asyncio.shield(self._expected.expect(request, ""))

    def has_answer(self, state: str | None) -> bool:
        """Return whether the callback of the request with this state has arrived."""
        return self._expected.has_answer(state)

    def withdraw(self, state: str) -> None:
        """Accept the callback of a request no longer, unless it has arrived."""
        self._expected.withdraw(state)

    def ask_elsewhere(self, account: str) -> None:
        """Show in the waiting browser that a question about an account is to be answered in the terminal."""
        self._waiting_page = self._waiting_page or WaitingPage(self._bound.authority, self.pages)
        page = self._waiting_page.question(account, taken=bool(self._held))
        if not self._outcome.done():
            self._outcome.set_result(page)

    async def finish(self, page: HttpResponse, *, due: float = 0.0) -> None:
        """Give the waiting browser its last page, and wait for at most `LAST_PAGE_SECONDS` until it has it.

        Args:
            page: the last page.
            due: seconds to wait for a browser that has not come to the start page yet.
        """
        self._last = page
        if not self._outcome.done():
            self._outcome.set_result(page)
        self.start.end(page)
        if self._waiting_page is not None:
            self._waiting_page.end(page)
        if due and not self._visited_once.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(due):
                    await self._visited_once.wait()
        if self._awaited():
            try:
                async with asyncio.timeout(LAST_PAGE_SECONDS):
                    await self._released.wait()
            except TimeoutError:
                return

    def _awaited(self) -> bool:
        """Return whether a browser waits for a page, or is about to ask for the last one."""
        return bool(self._held) or (self._waiting_page is not None and self._waiting_page.owed)

    # What follows is called from connections.

    def _forget(self, connection: Connection) -> None:
        self._held.discard(connection)
        if self._waiting_page is not None:
            self._waiting_page.forget(connection)
        if self._last is not None and not self._awaited():
            self._released.set()

    def turn_away(self, refusal: TurnedAway) -> None:
        """Count a request that was not ours."""
        self._ignored += 1
        self._forged += refusal.forged
        suspicious = refusal.forged and self._forged == SUSPICIOUS
        self._tell(RequestIgnored(self._ignored, refusal.status, refusal.reason, suspicious))

    def encrypted(self) -> None:
        """Report, once, that a client spoke https."""
        if not self._https_told:
            self._https_told = True
            self._tell(HttpsTried(self._bound.authority))

    def refused(self, refusal: TurnedAway) -> HttpResponse:
        """Count a request that was not ours, and make the page for it."""
        self.turn_away(refusal)
        return self.pages.turned_away(status=refusal.status, reason=refusal.reason, allow=refusal.allow)

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Answer one request."""
        head = head_of(request)
        connection = request.protocol
        if not isinstance(connection, Connection):
            raise TypeError("a connection of another server")
        link = self.start.link(path_of(head))
        if link is not None:
            page = self._told(self.start.answer(link, head, partial(self._another_user, connection)))
        elif self._waiting_page is not None and path_of(head).startswith(self._waiting_page.path):
            page = self._told(self._waiting_page.answer(head, connection))
        else:
            page = await self._answered(request, head, connection)
        connection.understood()
        if isinstance(page, asyncio.Future):
            if link is not None:
                self._visited_once.set()
            self._held.add(connection)
            page = await asyncio.shield(page)
            if link is not None:
                page = self._handed(link, head, page, connection)
        self._observer.visited(head, page.status)
        return answer(page)

    def _told(self, verdict: Answer | TurnedAway) -> Answer:
        return self.refused(verdict) if isinstance(verdict, TurnedAway) else verdict

    def _handed(
        self, link: StartLink, head: HttpRequest, page: HttpResponse, connection: Connection
    ) -> HttpResponse:
        if not connection.stands:  # It may ask again, with a link that is as good as before.
            connection.drop()
            return page
        refusal = self.start.use_up(link, head)
        return page if refusal is None else self.refused(refusal)

    def _another_user(self, connection: Connection) -> int | None:
        return connection.other_user() if self._same_user else None

    async def _answered(self, request: BaseRequest, head: HttpRequest, connection: Connection) -> Answer:
        endpoints = self._expected.admitted(head)
        if isinstance(endpoints, TurnedAway):
            return self._no_answer(endpoints, head)
        if head.method == "POST":
            body = await body_of(request)
            if isinstance(body, TurnedAway):
                return self._no_answer(body, head)
            head = HttpRequest(head.method, head.url, head.headers, body)
        verdict = self._expected.judged(endpoints, head)
        if self._last is not None and (page := brief_page(verdict, self._last, self.pages)) is not None:
            return page
        if isinstance(verdict, TurnedAway):
            return self._no_answer(verdict, head)
        endpoint, found = verdict
        if isinstance(found, RelayPage):
            return self.pages.relay(path=endpoint.relay_path, token=endpoint.relay_token)
        if endpoint.guarded:
            if (user := self._another_user(connection)) is not None:
                why = f"was brought by another user of this machine (user id {user})"
                return self._no_answer(replace(ANOTHER_USER, forged=True, why=why), head)
            if (
                not connection.stands
            ):  # It is not known any more whose request it was; a browser will try again.
                connection.drop()
                return self.refused(NOTHING_HERE)
        if not isinstance(found, Repeated) and not self._outcome.done():
            self._expected.answer(endpoint, found)
            self._tell(CallbackReceived(refused="error" in dict(found.parameters)))
        return self._outcome

    def _no_answer(self, refusal: TurnedAway, head: HttpRequest) -> HttpResponse:
        """Refuse a request that is not the callback, and tell the person who waits (RFC 6749 §10.12)."""
        here = path_of(head) == (self._bound.path or "/") or self._expected.relays(path_of(head))
        if here and refusal.why and not self._expected.answered:
            self._tell(CallbackTurnedAway(refusal.why, error_in_callback(head)))
        return self.refused(refusal)

    def _tell(self, event: Event) -> None:
        try:
            self._notify(event)
        except Exception as exc:
            # A failing callback must not come between the browser and its answer.
            report_mistake("a watcher of the sign-in failed", exc)
