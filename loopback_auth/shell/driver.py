"""The driver: the only interpreter of effects against the real world.

Theory of operation. A flow yields an effect; one `match` arm awaits it; the answer is sent back in, or one
of our errors is thrown in at the very line that asked. Whatever an arm opens belongs to the driver's exit
stack, so that success, refusal, Ctrl-C and a cancelled task all close the same things in the same order.

All traffic passes here, so this is where it is timed, and where a `Witness` learns what must not be told.

Weak spot, admitted: one flow at a time. Racing several is a layer above this one.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import TypeVar, assert_never

from loopback_auth.effects import Bind, Browse, Effect, Flow, Invite, Moment, Receive, Send, Sleep, Warn
from loopback_auth.errors import (
    BrowserUnavailable,
    LoopbackAuthError,
    RedirectUnavailable,
    Unavailable,
)
from loopback_auth.model import Attempt, AuthorizationRequest, Callback, HttpResponse, Redirect
from loopback_auth.protocol.pkce import base64url, code_verifier
from loopback_auth.protocol.urls import check_browser_url
from loopback_auth.shell.browser import Opening, open_browser
from loopback_auth.shell.events import (
    Event,
    Invited,
    LinkReady,
    Notify,
    OpenerFailed,
    Warned,
    silent,
)
from loopback_auth.shell.live import Ending, LiveTab
from loopback_auth.shell.loopback import BoundRedirect, bind
from loopback_auth.shell.receiver import Receiver
from loopback_auth.shell.transport import Transport
from loopback_auth.shell.witness import Witness

T = TypeVar("T")

OpenBrowser = Callable[[str], Opening]
Paste = Callable[[AuthorizationRequest], Awaitable[Callback]]


def new_attempt() -> Attempt:
    """Draw all randomness of one sign-in: independent values from the operating system (RFC 9700 §2.1.1)."""
    return Attempt(
        state=base64url(os.urandom(24)),
        code_verifier=code_verifier(os.urandom(32)),
        nonce=base64url(os.urandom(24)),
        started_at=time.time(),
    )


class Driver:
    """Performs the effects of one flow; an async context manager that owns all it opens.

    Args:
        notify: told of everything that a person may want to know.
        open_browser: starts a browser on a URL, or says why not.
        start_page: let the browser begin at a page of ours instead of the provider's.
        bound: sockets that are listening already, on which the browser has been sent off.
        exchanges: tell of every HTTP exchange of ours too, redacted; that takes time.
        paste: asks the person for the address on which the browser ended; whatever comes first counts.
    """

    def __init__(
        self,
        *,
        notify: Notify = silent,
        open_browser: OpenBrowser = open_browser,
        start_page: bool = True,
        bound: BoundRedirect | None = None,
        exchanges: bool = False,
        paste: Paste | None = None,
    ) -> None:
        self._notify = notify
        self._exchanges = exchanges
        self._paste = paste
        self._open_browser = open_browser
        self._start_page = start_page
        self._bound = bound
        self._witness = Witness()
        self._stack = AsyncExitStack()
        self._transport: Transport | None = None
        self._receiver: Receiver | None = None
        self._live: LiveTab | None = None
        self._over = False

    async def __aenter__(self) -> Driver:
        # The browser is on its way already: it should not have to wait for the flow's first step.
        if self._bound is not None:
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

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end.

        Raises:
            LoopbackAuthError: whatever the flow raises, scrubbed of secrets.
        """
        answer: object = None
        error: LoopbackAuthError | None = None
        try:
            while True:
                effect = flow.throw(error) if error is not None else flow.send(answer)
                answer, error = None, None
                try:
                    answer = await self._perform(effect)
                except LoopbackAuthError as exc:
                    error = exc
        except StopIteration as stop:
            result: T = stop.value
            return result
        except LoopbackAuthError as exc:
            self._witness.scrub(exc)
            raise
        finally:
            flow.close()

    async def finish(self, ending: Ending) -> None:
        """Show the browser how it ended, if it is waiting to know."""
        if self._receiver is not None:
            await self._receiver.finish(ending)

    async def _perform(self, effect: Effect) -> object:
        match effect:
            case Bind(redirect):
                return await self._bind(redirect)
            case Browse(url, request):
                self._browse(url, request)
            case Invite():
                await self._invite(effect)
            case Receive(request):
                return self._witness.callback(await self._receive(request))
            case Send():
                return await self._send(effect)
            case Sleep(seconds, spread):
                return await self._sleep(seconds * (1 + spread * secrets.randbelow(1000) / 1000))
            case Warn(text):
                self._notify(Warned(text))
            case _:
                assert_never(effect)
        return None

    async def _bind(self, redirect: Redirect) -> str:
        bound = self._bound
        if bound is None:
            bound = await self._tab(redirect)
        return bound.redirect_uri

    async def _tab(self, redirect: Redirect) -> BoundRedirect:
        """Own a port, and send the browser to a page of ours there."""
        bound = self._bound = bind(redirect.host, redirect.ports, redirect.path)
        if self._start_page:
            self._open(bound.start_url)
        await self._listen(bound)
        return bound

    async def _listen(self, bound: BoundRedirect) -> None:
        receiver = Receiver(bound, self._notify, start_page=self._start_page)
        self._receiver = await self._stack.enter_async_context(receiver)

    async def _receive(self, request: AuthorizationRequest) -> Callback:
        arriving = asyncio.ensure_future(self._own_receiver().receive(request))
        ways = {arriving}
        if self._paste is not None:
            ways.add(asyncio.ensure_future(self._paste(request)))
        try:
            while True:
                done, ways = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                first = arriving if arriving in done else done.pop()
                nobody = first.exception()
                # With nobody to paste anything the redirect may still arrive.
                if first is arriving or not isinstance(nobody, Unavailable):
                    return first.result()
                self._notify(Warned(f"{nobody.message} {nobody.hint}"))
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _sleep(self, seconds: float) -> Moment:
        if self._live is None:
            await asyncio.sleep(seconds)
            return Moment(time.monotonic(), time.time())
        returned = await self._live.sleep(seconds)
        return Moment(time.monotonic(), time.time(), returned=returned, watched=self._live.watched)

    def _browse(self, url: str, request: AuthorizationRequest | None) -> None:
        self._witness.url(url)
        check_browser_url(url)
        receiver = self._own_receiver()
        if request is not None:
            receiver.expect(request)
        receiver.send_browser_to(url)
        if not self._start_page:
            self._open(url)

    def _open(self, url: str) -> None:
        opening = self._open_browser(url)
        self._notify(LinkReady(url, opening.program, opening.why_not))
        watch(opening, self._tell_while_running)

    async def _invite(self, invite: Invite) -> None:
        self._witness.url(invite.url)
        check_browser_url(invite.url)
        if self._start_page and self._receiver is None:
            # Without a port of ours there is no tab that could tell of a return; the sign-in can do without.
            with suppress(RedirectUnavailable):
                await self._tab(Redirect())
        opening = Opening(why_not="the button is on the page of ours")
        if self._receiver is not None and self._start_page:
            self._live = self._receiver.invite(invite)
        else:
            opening = self._open_browser(invite.url)
            watch(opening, self._tell_while_running)
        self._notify(
            Invited(
                invite.url,
                invite.user_code,
                invite.plain_url,
                invite.lifetime,
                opening.program,
                opening.why_not,
            )
        )

    def _tell_while_running(self, event: Event) -> None:
        # A browser that is its own opener may end hours later, and then its exit status is nobody's business.
        if not self._over:
            self._notify(event)

    async def _send(self, send: Send) -> HttpResponse:
        request, step = send.request, send.step
        if self._transport is None:
            self._transport = await self._stack.enter_async_context(Transport())
        begun = time.monotonic()
        self._witness.request(request)
        answer = self._witness.response(await self._transport.send(request, step=step), send.secrets)
        if self._exchanges:
            took = time.monotonic() - begun
            self._notify(self._witness.exchange(request, answer, step=step, seconds=took))
        return answer

    def _own_receiver(self) -> Receiver:
        if self._receiver is None:
            raise BrowserUnavailable("The flow asked for a browser before it had a redirect URI.")
        return self._receiver


def watch(opening: Opening, notify: Notify) -> None:
    """Tell when the program that should open the browser has failed; to be called in a running loop."""
    loop = asyncio.get_running_loop()

    def failed(status: int) -> None:
        # The sign-in may be over by then, and the loop with it.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(notify, OpenerFailed(opening.program, status))

    opening.watch(failed)
