"""What the flows of one sign-in share: one port, one browser, one set of connections, one list of secrets.

Each is opened when a flow first needs it; all are closed together.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType

from loopback_auth.effects import UNOBSERVED, Observer, Send
from loopback_auth.environment import is_terminal
from loopback_auth.errors import BrowserUnavailable, Unavailable
from loopback_auth.events import Event, LinkReady, Notify, OpenerFailed, silent
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import Network, Redirect
from loopback_auth.network.browser import Opening, open_browser
from loopback_auth.network.loopback import BoundRedirect, bind
from loopback_auth.network.opener import OpenerCall
from loopback_auth.network.receiver import Receiver
from loopback_auth.network.transport import Transport
from loopback_auth.pages import Pages
from loopback_auth.program import Program
from loopback_auth.records import replace
from loopback_auth.signin.browsers import Browsers
from loopback_auth.tokens import SignIn
from loopback_auth.trace.redactor import Redactor

OpenBrowser = Callable[[str], object]
"""Opens a page: any function of a URL, plain or async, which may block and may fail.

It returns an `Opening`; or a string, which says why no page was opened; or False. Anything else means that
one was opened. An awaitable is awaited beside the sign-in, and cancelled with it.
"""

ARRIVAL_SECONDS = 5.0
"""Seconds that a browser which was started may take to come to our page; a cold one does."""

METADATA_STEP = "metadata request"


class Resources:
    """Owns what the flows of one sign-in share; an async context manager that closes it all.

    Args:
        notify: called with each event that a person may want to know.
        open_browser: begins to open a URL.
        start_page: let the browser begin at a page on this machine instead of the provider's.
        any_port: the redirect URI may have any port; so a port by which the browser has come will do.
        bound: sockets that are listening already; the browser may be on its way to them.
        exchanges: report every HTTP exchange of this program too, redacted; that takes time.
        observer: sees everything, unredacted, to record it; in monotonic seconds.
        network: how the server is reached.
        program: who speaks on the pages; None: a program without a name.
        not_waiting: makes the error for a program that must not wait for a user, given why no page was
            opened; None: the program waits.
    """

    def __init__(
        self,
        *,
        notify: Notify = silent,
        open_browser: Callable[[str], Opening | OpenerCall] = open_browser,
        start_page: bool = True,
        any_port: bool = False,
        bound: BoundRedirect | None = None,
        exchanges: bool = False,
        observer: Observer = UNOBSERVED,
        network: Network | None = None,
        program: Program | None = None,
        not_waiting: Callable[[str], Unavailable] | None = None,
    ) -> None:
        self.pages: Pages = Pages(program, notify, terminal=is_terminal(sys.stderr))
        self.notify = notify
        self.start_page = start_page
        self.observer = observer
        self.redactor: Redactor = Redactor()
        self.receiver: Receiver | None = None
        self._exchanges = exchanges
        self._network = network or Network()
        self._open_browser = open_browser
        self._browsers = Browsers(self._opener_failed, observer)
        self._not_waiting = not_waiting
        self._any_port = any_port
        self._bound = bound
        self._stack = AsyncExitStack()
        self._transport: Transport | None = None
        self._metadata: dict[str, HttpResponse] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._sent_at: float | None = None
        self._early: list[Event] | None = None
        """What the port reports before the link is shown; None: it is reported at once."""

    async def __aenter__(self) -> Resources:
        """Listen at once if the browser is on its way: it must not wait for the first step of a flow."""
        if self._bound is not None:
            await self._listen(self._bound)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._stack.aclose()
        finally:
            await self._browsers.close(at_once=isinstance(exc, asyncio.CancelledError))
            if self._bound is not None:
                self._bound.close()

    async def port(self, redirect: Redirect, *, opens: bool = True) -> BoundRedirect:
        """Own a port; the first time, open the browser on the start page if that is wanted."""
        if self._bound is None:
            bound = self._bound = bind(redirect.host, redirect.ports, redirect.path)
            if self.start_page and opens:
                bound.opening, bound.shown = self._open_browser(bound.start_url), False
            await self._listen(bound)
            await self.send_off()
        return self._bound

    async def send_off(self) -> None:
        """Find out whether a browser is on its way to the start page, and show the link unless that was done.

        Raises:
            Unavailable: none is, and the program must not wait for a user.
        """
        bound = self._bound
        if bound is None or bound.opening is None:
            return
        opening = await self._begun(bound.opening, bound.start_url)
        if opening.program:
            self._sent_at = time.monotonic()
        if not bound.shown:
            bound.shown = True
            self.notify(LinkReady(bound.start_url, opening.program, opening.why_not))
            early, self._early = self._early or (), None
            for event in early:
                self.notify(event)

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

    async def open(self, url: str) -> Opening:
        """Start a browser on a URL, and show the link whether or not that worked.

        Raises:
            Unavailable: it did not, and the program must not wait for a user.
        """
        opening = await self.start_browser(url)
        self.notify(LinkReady(url, opening.program, opening.why_not))
        return opening

    async def start_browser(self, url: str) -> Opening:
        """Start a browser on a URL; an event reports later if its opener failed.

        Raises:
            Unavailable: it has failed already, and the program must not wait for a user.
        """
        return await self._begun(self._open_browser(url), url)

    async def _begun(self, begun: Opening | OpenerCall, url: str) -> Opening:
        opening = await self._browsers.begun(begun, url)
        if opening.why_not and self._not_waiting is not None:
            raise self._not_waiting(opening.why_not)
        return opening

    async def send(self, send: Send) -> HttpResponse:
        """Make one HTTP request; metadata is requested once, however many flows want it at a time."""
        if send.step != METADATA_STEP:
            return await self._sent(send)
        url = send.request.url
        async with self._asking.setdefault(url, asyncio.Lock()):
            if url not in self._metadata:
                self._metadata[url] = await self._sent(send)
        return self._metadata[url]

    async def _sent(self, send: Send) -> HttpResponse:
        request, step = send.request, send.step
        transport = await self._opened()
        begun = time.monotonic()
        self.redactor.learn_request(request)
        received: HttpResponse | None = None
        try:
            received = response = await transport.send(request, step=step)
        finally:
            self.observer.performed(send, received, begun=begun, ended=time.monotonic())
        answer = self.redactor.clean_response(response, send.secrets)
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
        if bound.opening is not None and not bound.shown:
            self._early = []
        receiver = Receiver(
            bound,
            self._notice,
            start_page=self.start_page,
            any_port=self._any_port,
            observer=self.observer,
            pages=self.pages,
        )
        self.receiver = await self._stack.enter_async_context(receiver)

    def _notice(self, event: Event) -> None:
        """Report an event of the port, but after the link: a browser may be faster than its opener."""
        if self._early is None:
            self.notify(event)
        else:
            self._early.append(event)

    def _opener_failed(self, event: OpenerFailed) -> None:
        self._sent_at = None
        self.notify(event)
