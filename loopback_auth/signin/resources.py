"""What the flows of one sign-in share: one port, one browser, one set of connections, one list of secrets.

Each is opened when a flow first needs it; all are closed together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from types import TracebackType

from loopback_auth.effects import UNOBSERVED, Observer, Send
from loopback_auth.errors import BrowserUnavailable
from loopback_auth.events import Event, LinkReady, Notify, OpenerFailed, silent
from loopback_auth.model import HttpResponse, Network, Redirect, SignIn
from loopback_auth.network.browser import Opening, open_browser
from loopback_auth.network.connection import report_mistake
from loopback_auth.network.loopback import BoundRedirect, bind
from loopback_auth.network.receiver import Receiver
from loopback_auth.network.transport import Transport
from loopback_auth.pages import Pages
from loopback_auth.program import Program
from loopback_auth.trace.redactor import Redactor

OpenBrowser = Callable[[str], Opening | bool | None]

ARRIVAL_SECONDS = 5.0
"""Seconds that a browser which was started may take to come to our page; a cold one does."""

METADATA_STEP = "metadata request"


class Resources:
    """Owns what the flows of one sign-in share; an async context manager that closes it all.

    Args:
        notify: called with each event that a person may want to know.
        open_browser: starts a browser on a URL, or says why not.
        start_page: let the browser begin at a page on this machine instead of the provider's.
        any_port: the redirect URI may have any port; so a port by which the browser has come will do.
        bound: sockets that are listening already; the browser may be on its way to them.
        exchanges: report every HTTP exchange of this program too, redacted; that takes time.
        observer: sees everything, unredacted, to record it; in monotonic seconds.
        network: how the server is reached.
        program: who speaks on the pages; None: a program without a name.
    """

    def __init__(
        self,
        *,
        notify: Notify = silent,
        open_browser: OpenBrowser = open_browser,
        start_page: bool = True,
        any_port: bool = False,
        bound: BoundRedirect | None = None,
        exchanges: bool = False,
        observer: Observer = UNOBSERVED,
        network: Network | None = None,
        program: Program | None = None,
    ) -> None:
        self.pages: Pages = Pages(program, notify)
        self.notify = notify
        self.start_page = start_page
        self.observer = observer
        self.redactor: Redactor = Redactor()
        self.receiver: Receiver | None = None
        self._exchanges = exchanges
        self._network = network or Network()
        self._open_browser = open_browser
        self._any_port = any_port
        self._bound = bound
        self._stack = AsyncExitStack()
        self._transport: Transport | None = None
        self._metadata: dict[str, HttpResponse] = {}
        self._over = False
        self._sent_at: float | None = None

    async def __aenter__(self) -> Resources:
        """Listen at once if the browser is on its way: it must not wait for the first step of a flow."""
        if self._bound is not None:
            if opening := self._bound.opening:
                self._send_off(opening)
                watch(opening, self._tell_while_running)
                self.observer.opened(self._bound.start_url, opening.program)
            await self._listen(self._bound)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        try:
            await self._stack.aclose()
        finally:
            if self._bound is not None:
                self._bound.close()

    async def port(self, redirect: Redirect, *, opens: bool = True) -> BoundRedirect:
        """Own a port; the first time, open the browser on the start page if that is wanted."""
        if self._bound is None:
            self._bound = bind(redirect.host, redirect.ports, redirect.path)
            if self.start_page and opens:
                self._bound.opening = self.open(self._bound.start_url)
            await self._listen(self._bound)
        return self._bound

    def at_the_end(self, close: Callable[[], Awaitable[object]]) -> None:
        """Have something awaited before anything that was opened so far is closed."""
        self._stack.push_async_callback(close)

    def is_at(self, authority: str) -> bool:
        """Return whether this is the authority of our own port."""
        return self._bound is None or authority in ("", self._bound.authority)

    def own_receiver(self) -> Receiver:
        """Return what listens on the port.

        Raises:
            BrowserUnavailable: a flow asked for a browser before it had a redirect URI.
        """
        if self.receiver is None:
            raise BrowserUnavailable("The flow asked for a browser before it had a redirect URI.")
        return self.receiver

    def open(self, url: str) -> Opening:
        """Start a browser on a URL, and show the link whether or not that worked."""
        opening = self.start_browser(url)
        if self.start_page:
            self._send_off(opening)
        self.notify(LinkReady(url, opening.program, opening.why_not))
        return opening

    def start_browser(self, url: str) -> Opening:
        """Start a browser on a URL; an event reports later if its opener failed."""
        try:
            opening = _as_opening(self._open_browser(url))
        except Exception as exc:
            # The link is shown as well, and a person can open it.
            report_mistake("the program's way to open a page failed", exc)
            opening = Opening(why_not=f"what should have opened it failed ({type(exc).__name__})")
        self.observer.opened(url, opening.program)
        watch(opening, self._tell_while_running)
        return opening

    async def send(self, send: Send) -> HttpResponse:
        """Make one HTTP request; metadata is requested once, however many flows want it."""
        request, step = send.request, send.step
        known = self._metadata.get(request.url) if step == METADATA_STEP else None
        if known is not None:
            return known
        transport = await self._opened()
        begun = time.monotonic()
        self.redactor.learn_request(request)
        received: HttpResponse | None = None
        try:
            received = response = await transport.send(request, step=step)
        finally:
            self.observer.performed(send, received, begun=begun, ended=time.monotonic())
        answer = self.redactor.clean_response(response, send.secrets)
        if step == METADATA_STEP:
            self._metadata[request.url] = answer
        if self._exchanges:
            took = time.monotonic() - begun
            self.notify(self.redactor.exchanged(request, answer, step=step, seconds=took))
        return answer

    async def look_at(self, urls: tuple[str, ...]) -> None:
        """Refuse now the addresses that would be refused after the person has approved.

        Raises:
            TransportError: one of them leads inside from a public server.
            ConfigError: a proxy or a file of certificates cannot be used.
        """
        if urls:
            await (await self._opened()).look_at(urls)

    def start_link(self, exposed: bool) -> str:
        """Return a link to our start page that still works; empty where there is none."""
        return self.receiver.start.fresh_link(exposed=exposed) if self.receiver is not None else ""

    @property
    def doubted(self) -> bool:
        """Whether another person may have answered, so that the account has to be confirmed."""
        return self.receiver is not None and self.receiver.start.doubted

    def remembering(self, sign_in: SignIn) -> SignIn:
        """Return a sign-in that knows whether its server is a public one, for the processes after this."""
        if self._transport is None or not self._transport.seen_public:
            return sign_in
        return replace(sign_in, network=replace(sign_in.network, public=True))

    def ask_elsewhere(self, account: str) -> None:
        """Show in the browser that a question about an account is to be answered in the terminal."""
        if self.receiver is not None:
            self.receiver.ask_elsewhere(account)

    async def finish(self, page: HttpResponse, *, early: bool = False) -> None:
        """Show the last page in the browser, if it is waiting for it.

        Args:
            page: the last page.
            early: a browser that was started may not have come yet; wait a few seconds for it.
        """
        if self.receiver is not None:
            await self.receiver.finish(page, due=self._due() if early else 0.0)

    def _due(self) -> float:
        """Return for how many seconds a browser may still be on its way to our page."""
        if self._sent_at is None:
            return 0.0
        return max(0.0, self._sent_at + ARRIVAL_SECONDS - time.monotonic())

    async def _opened(self) -> Transport:
        if self._transport is None:
            self._transport = await self._stack.enter_async_context(Transport(self._network))
        return self._transport

    async def _listen(self, bound: BoundRedirect) -> None:
        receiver = Receiver(
            bound,
            self.notify,
            start_page=self.start_page,
            any_port=self._any_port,
            observer=self.observer,
            pages=self.pages,
        )
        self.receiver = await self._stack.enter_async_context(receiver)

    def _send_off(self, opening: Opening) -> None:
        if opening.program:
            self._sent_at = time.monotonic()

    def _tell_while_running(self, event: Event) -> None:
        if isinstance(event, OpenerFailed):
            self._sent_at = None
        # A browser that is its own opener may end hours later; then its exit status means nothing.
        if not self._over:
            self.notify(event)


def _as_opening(answer: object) -> Opening:
    """Turn what an opener returned into an `Opening`; `webbrowser.open` returns whether it worked."""
    if isinstance(answer, Opening):
        return answer
    if answer is False:
        return Opening(why_not="no browser could be started")
    return Opening(program="the program's own way")


def watch(opening: Opening, notify: Notify) -> None:
    """Tell when the program that should open the browser has failed; to be called in a running loop."""
    loop = asyncio.get_running_loop()

    def failed(status: int) -> None:
        # The sign-in may be over by then, and the loop with it.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(notify, OpenerFailed(opening.program, status))

    opening.watch(failed)
