"""The driver: the only interpreter of effects against the real world.

Theory of operation. A flow yields an effect; one `match` arm awaits it; the answer is sent back in, or one
of our errors is thrown in at the very line that asked. Whatever an arm opens belongs to the exit stack of
`Resources`, so that success, refusal, Ctrl-C and a cancelled task close the same things in the same order.

One driver runs one flow. Flows that are open side by side have a driver each and share one port, one
browser, one set of connections and one `Witness`, which learns what must not be told; racing them is
`signin.race`'s work.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import TypeVar, assert_never

from loopback_auth.effects import (
    UNOBSERVED,
    Bind,
    Browse,
    Effect,
    Flow,
    Observer,
    Receive,
    Send,
    Sleep,
    Tick,
    VerificationPrompt,
    Warn,
)
from loopback_auth.errors import LoopbackAuthError, RedirectUnavailable, Unavailable
from loopback_auth.events import Notify, PasteReady, VerificationPrompted, Warned, silent
from loopback_auth.model import (
    Attempt,
    AuthorizationRequest,
    Callback,
    HttpResponse,
    Network,
    Redirect,
    SignIn,
)
from loopback_auth.network.browser import Opening, open_browser
from loopback_auth.network.loopback import BoundRedirect
from loopback_auth.network.waiting_page import WaitingPage
from loopback_auth.protocol.pkce import base64url, code_verifier
from loopback_auth.protocol.urls import check_browser_url
from loopback_auth.signin.resources import OpenBrowser, Resources

T = TypeVar("T")

Paste = Callable[[AuthorizationRequest], Awaitable[Callback]]


def new_attempt() -> Attempt:
    """Draw all randomness of one sign-in: independent values from the operating system (RFC 9700 §2.1.1)."""
    return Attempt(
        state=base64url(os.urandom(24)),
        code_verifier=code_verifier(os.urandom(32)),
        nonce=base64url(os.urandom(24)),
    )


class Driver:
    """Performs the effects of one flow; an async context manager that owns all it opens.

    Args:
        notify: told of everything that a person may want to know.
        open_browser: starts a browser on a URL, or says why not.
        start_page: let the browser begin at a page of ours instead of the provider's.
        any_port: the redirect URI may have whatever port the browser proves to reach us by.
        bound: sockets that are listening already, on which the browser has been sent off.
        exchanges: tell of every HTTP exchange of ours too, redacted; that takes time.
        observer: sees everything, unredacted, to record it; in monotonic seconds.
        paste: asks the person for the address on which the browser ended; whatever comes first counts.
        network: how the server is reached.
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
        paste: Paste | None = None,
        network: Network | None = None,
    ) -> None:
        self._shared = Resources(
            notify=notify,
            open_browser=open_browser,
            start_page=start_page,
            any_port=any_port,
            bound=bound,
            exchanges=exchanges,
            observer=observer,
            network=network or Network(),
        )
        self._paste = paste
        self._beside = False
        self._reached_by = self._authority = ""
        self._live: WaitingPage | None = None
        self._state = ""
        self.asked = False
        """Whether a person has been sent somewhere by this flow."""
        self.led = False
        """Whether our start page leads to what this flow asks for."""

    def beside(self, *, paste: Paste | None = None, authority: str = "") -> Driver:
        """Return a driver for one more flow, which leaves port and browser to those that have them.

        Args:
            paste: as above, for this flow alone.
            authority: by which the browser has proven to reach our port, where that is not the port's own.
        """
        other = Driver(paste=paste)
        other._shared = self._shared
        other._beside, other._reached_by = True, authority
        return other

    def anew(self) -> Driver:
        """Return a driver for the same flow from its beginning, with what this one had."""
        other = self.beside(paste=self._paste, authority=self._reached_by)
        other._beside = self._beside
        return other

    def at_the_end(self, close: Callable[[], Awaitable[object]]) -> None:
        """Have something awaited before what the flows share is closed."""
        self._shared.at_the_end(close)

    def reached_by(self, authority: str) -> bool:
        """Return whether an authority is the one that this flow's redirect URI has, or would have."""
        return self._shared.is_at(authority) if not self._reached_by else authority == self._reached_by

    def keep_from_telling(self, kind: str, secret: str) -> None:
        """Have a secret replaced in all that is told from now on."""
        self._shared.witness.secret(kind, secret)

    def start_link(self, exposed: bool) -> str:
        """Return a link to our start page that still works; empty where there is none."""
        receiver = self._shared.receiver
        return receiver.start.fresh(exposed=exposed) if receiver is not None else ""

    @property
    def doubted(self) -> bool:
        """Whether somebody else may have answered in the person's place: the account has to be looked at."""
        return self._shared.receiver is not None and self._shared.receiver.start.doubted

    @property
    def answered(self) -> bool:
        """Whether the callback that this flow waits for has arrived."""
        return self._shared.receiver is not None and self._shared.receiver.has_answer(self._state)

    async def __aenter__(self) -> Driver:
        await self._shared.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._shared.end()

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
            self._shared.witness.scrub(exc)
            # The frames below have tokens in their locals, which some reporters of errors write down.
            raise exc.with_traceback(None) from None
        except asyncio.CancelledError:
            # Another flow goes on; an answer to this one would end the waiting, and nobody would take it.
            if self._state:
                self._shared.own_receiver().withdraw(self._state)
            raise
        finally:
            flow.close()

    def remembering(self, sign_in: SignIn) -> SignIn:
        """Return a sign-in that knows whether its server is a public one, for the processes after this."""
        if not self._shared.seen_public:
            return sign_in
        return replace(sign_in, network=replace(sign_in.network, public=True))

    def ask_elsewhere(self, account: str) -> None:
        """Let the browser say that a question about an account is to be answered in the terminal."""
        if self._shared.receiver is not None:
            self._shared.receiver.ask_elsewhere(account)

    async def finish(self, page: HttpResponse, *, early: bool = False) -> None:
        """Show the browser how it ended, if it is waiting to know.

        Args:
            page: its last one.
            early: it may have ended before a browser that was started has come: it should find a page, too.
        """
        if self._shared.receiver is not None:
            await self._shared.receiver.finish(page, due=self._shared.due() if early else 0.0)

    async def _perform(self, effect: Effect) -> object:
        if isinstance(effect, Send):
            return await self._shared.send(effect)
        begun = time.monotonic()
        answer = await self._performed(effect)
        self._shared.observer.performed(effect, answer, begun=begun, ended=time.monotonic())
        return answer

    async def _performed(self, effect: Bind | Browse | VerificationPrompt | Receive | Sleep | Warn) -> object:
        match effect:
            case Bind(redirect):
                return await self._bind(redirect)
            case Browse(url, request):
                await self._shared.look_at(effect.leads_to)
                self._browse(url, request)
            case VerificationPrompt():
                await self._shared.look_at(effect.leads_to)
                await self._invite(effect)
            case Receive(request):
                return self._shared.witness.callback(await self._receive(request))
            case Sleep(seconds, spread):
                return await self._sleep(seconds * (1 + spread * secrets.randbelow(1000) / 1000))
            case Warn(text):
                self._shared.notify(Warned(text))
            case _:
                assert_never(effect)
        return None

    async def _bind(self, redirect: Redirect) -> str:
        bound = await self._shared.port(redirect, opens=self._paste is None)
        if not self._reached_by:
            return bound.redirect_uri
        # The host stays as it is registered; a browser that reaches one loopback name reaches the others.
        host, port = bound.authority.rpartition(":")[0], self._reached_by.rpartition(":")[2]
        self._authority = f"{host}:{port}"
        return f"http://{self._authority}{bound.path}"

    async def _receive(self, request: AuthorizationRequest) -> Callback:
        arriving = asyncio.ensure_future(self._shared.own_receiver().receive(request))
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
                self._shared.notify(Warned(f"{nobody.message} {nobody.hint}"))
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _sleep(self, seconds: float) -> Tick:
        if self._live is None:
            await asyncio.sleep(seconds)
            return Tick(time.monotonic(), time.time())
        returned = await self._live.sleep(seconds)
        return Tick(time.monotonic(), time.time(), returned=returned, watched=self._live.watched)

    def _browse(self, url: str, request: AuthorizationRequest | None) -> None:
        self._shared.witness.url(url)
        check_browser_url(url)
        self.asked = True
        receiver = self._shared.own_receiver()
        if request is not None:
            self._state = request.state
            receiver.expect(request, self._authority)
        if self._paste is not None and request is not None:
            self._shared.notify(PasteReady(url, request.redirect_uri))
        elif self._shared.start_page:
            self.led = True
            receiver.send_browser_to(url, self._reached_by, self._state)
        else:
            receiver.exposed(self._shared.open(url).program, self._state)

    async def _invite(self, invite: VerificationPrompt) -> None:
        self._shared.witness.url(invite.url)
        check_browser_url(invite.url)
        self.asked = True
        opening = Opening(why_not="another way is open already")
        if not self._beside or self._shared.receiver is None:
            opening = await self._show(invite)
        self._shared.notify(
            VerificationPrompted(
                invite.url,
                invite.user_code,
                invite.plain_url,
                invite.lifetime,
                opening.program,
                opening.why_not,
                invite.redeemable,
            )
        )

    async def _show(self, invite: VerificationPrompt) -> Opening:
        if self._shared.start_page:
            # Without a port of ours there is no tab that could tell of a return; the sign-in can do without.
            with suppress(RedirectUnavailable):
                await self._shared.port(Redirect())
        if self._shared.receiver is None or not self._shared.start_page:
            if invite.redeemable:  # The command line of a program is for everybody to read.
                return Opening(why_not="whoever reads the link could use it, and a browser's shows to others")
            return self._shared.start_browser(invite.url)
        self.led = True
        self._live = self._shared.receiver.invite(invite)
        return Opening(why_not="the button is on the page of ours")
