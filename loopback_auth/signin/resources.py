"""What the flows of one sign-in share: one port, one browser, one set of connections, one memory of secrets.

Opened when first needed, closed together, whoever of them comes first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

from loopback_auth.effects import Observer, Send
from loopback_auth.errors import BrowserUnavailable
from loopback_auth.events import Event, LinkReady, Notify, OpenerFailed
from loopback_auth.model import HttpResponse, Network, Redirect
from loopback_auth.network.browser import Opening
from loopback_auth.network.connection import report
from loopback_auth.network.loopback import BoundRedirect, bind
from loopback_auth.network.receiver import Receiver
from loopback_auth.network.transport import Transport
from loopback_auth.trace.witness import Witness

OpenBrowser = Callable[[str], Opening | bool | None]

ON_ITS_WAY = 5.0
"""Seconds that a browser which was started may take to come to our page; a cold one does."""

METADATA_STEP = "metadata request"


class Resources:
    """The arguments are those of `Driver`."""

    def __init__(
        self,
        *,
        notify: Notify,
        open_browser: OpenBrowser,
        start_page: bool,
        any_port: bool,
        bound: BoundRedirect | None,
        exchanges: bool,
        observer: Observer,
        network: Network,
    ) -> None:
        self.notify = notify
        self.start_page = start_page
        self.observer = observer
        self.witness = Witness()
        self.receiver: Receiver | None = None
        self._exchanges = exchanges
        self._network = network
        self._open_browser = open_browser
        self._any_port = any_port
        self._bound = bound
        self._stack = AsyncExitStack()
        self._transport: Transport | None = None
        self._metadata: dict[str, HttpResponse] = {}
        self._over = False
        self._sent_at: float | None = None

    async def begin(self) -> None:
        """Listen where the browser is on its way to: it should not have to wait for a flow's first step."""
        if self._bound is None:
            return
        if opening := self._bound.opening:
            self._send_off(opening)
            watch(opening, self._tell_while_running)
            self.observer.opened(self._bound.start_url, opening.program)
        await self._listen(self._bound)

    async def end(self) -> None:
        """Close everything."""
        self._over = True
        try:
            await self._stack.aclose()
        finally:
            if self._bound is not None:
                self._bound.close()

    async def port(self, redirect: Redirect, *, opens: bool = True) -> BoundRedirect:
        """Own a port; the first time, send the browser to a page of ours there if that is wanted."""
        if self._bound is None:
            self._bound = bind(redirect.host, redirect.ports, redirect.path)
            if self.start_page and opens:
                self._bound.opening = self.open(self._bound.start_url)
            await self._listen(self._bound)
        return self._bound

    def due(self) -> float:
        """Return for how many seconds a browser may still be on its way to our page."""
        if self._sent_at is None:
            return 0.0
        return max(0.0, self._sent_at + ON_ITS_WAY - time.monotonic())

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
        """Start a browser on a URL; tell later if its opener failed."""
        try:
            opening = _as_opening(self._open_browser(url))
        except Exception as exc:
            # The link is shown as well, and whoever follows it signs in all the same.
            report("the program's way to open a page failed", exc)
            opening = Opening(why_not=f"what should have opened it failed ({type(exc).__name__})")
        self.observer.opened(url, opening.program)
        watch(opening, self._tell_while_running)
        return opening

    async def send(self, send: Send) -> HttpResponse:
        """Make one request of ours; metadata is asked for once, however many flows want it."""
        request, step = send.request, send.step
        known = self._metadata.get(request.url) if step == METADATA_STEP else None
        if known is not None:
            return known
        transport = await self._opened()
        begun = time.monotonic()
        self.witness.request(request)
        received: HttpResponse | None = None
        try:
            received = await transport.send(request, step=step)
        finally:
            self.observer.performed(send, received, begun=begun, ended=time.monotonic())
        answer = self.witness.response(received, send.secrets)
        if step == METADATA_STEP:
            self._metadata[request.url] = answer
        if self._exchanges:
            took = time.monotonic() - begun
            self.notify(self.witness.exchange(request, answer, step=step, seconds=took))
        return answer

    async def look_at(self, urls: tuple[str, ...]) -> None:
        """Refuse, before a person is sent away, what would be refused when they come back.

        Raises:
            TransportError: one of them leads inside from a public server.
            ConfigError: a proxy or a file of certificates cannot be used.
        """
        if urls:
            await (await self._opened()).look_at(urls)

    @property
    def seen_public(self) -> bool:
        """Whether a public server has been spoken to."""
        return self._transport is not None and self._transport.seen_public

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
        )
        self.receiver = await self._stack.enter_async_context(receiver)

    def _send_off(self, opening: Opening) -> None:
        if opening.program:
            self._sent_at = time.monotonic()

    def _tell_while_running(self, event: Event) -> None:
        if isinstance(event, OpenerFailed):
            self._sent_at = None
        # A browser that is its own opener may end hours later, and then its exit status is nobody's business.
        if not self._over:
            self.notify(event)


def _as_opening(answer: object) -> Opening:
    """Take what an opener returned: ours an `Opening`, `webbrowser.open` and its like whether it worked."""
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
