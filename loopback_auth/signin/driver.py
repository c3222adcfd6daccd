"""The driver: the only interpreter of effects against the real world.

Theory of operation. A flow yields an effect; one `match` arm awaits it; the answer is sent back in, or one
of our errors is thrown in at the very line that asked. Whatever an arm opens belongs to the exit stack of
`Resources`, so that success, refusal, Ctrl-C and a cancelled task close the same things in the same order.

One driver runs one flow. Flows that are open side by side have a driver each and share one port, one
browser, one set of connections and one `Redactor`, which learns the secrets; racing them is
`signin.race`'s work.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Protocol, TypeVar, assert_never

from loopback_auth.authorization_messages import Attempt, AuthorizationRequest, Callback
from loopback_auth.effects import (
    Bind,
    Browse,
    Effect,
    Flow,
    FlowResult,
    LocalEffect,
    Now,
    Receive,
    Send,
    Sleep,
    Tick,
    VerificationPrompt,
    Warn,
    resume_flow,
)
from loopback_auth.errors import LoopbackAuthError, RedirectUnavailable, Unavailable
from loopback_auth.events import PasteReady, VerificationPrompted, Warned
from loopback_auth.http_messages import Stamp
from loopback_auth.model import Redirect
from loopback_auth.network.browser import Opening
from loopback_auth.network.waiting_page import WaitingPage
from loopback_auth.protocol.pkce import base64url, code_verifier
from loopback_auth.protocol.urls import check_browser_url
from loopback_auth.signin.resources import Resources

T = TypeVar("T")

Paste = Callable[[AuthorizationRequest], Awaitable[Callback]]


class RunFlow(Protocol):
    """What runs a flow to its end: `Driver.run`, or its like for a sign-in in two steps."""

    async def __call__(self, flow: Flow[T], /) -> T:
        """Run the flow."""
        ...


def new_attempt(*, bound: bool = False) -> Attempt:
    """Draw all randomness of one sign-in: independent values from the operating system (RFC 9700 §2.1.1).

    Args:
        bound: the tokens will be bound to a key, which is made too.

    Raises:
        ConfigError: the extra `oidc` is missing, which makes keys.
    """
    key: Mapping[str, str] = {}
    if bound:
        from loopback_auth.signin.dpop_keys import new_key  # Start-up.

        key = new_key()
    return Attempt(
        state=base64url(os.urandom(24)),
        code_verifier=code_verifier(os.urandom(32)),
        nonce=base64url(os.urandom(24)),
        dpop_key=key,
    )


def new_stamp(now: float) -> Stamp:
    """Return a time in Unix seconds with an identifier that was never used before."""
    return Stamp(now, base64url(os.urandom(16)))


class Driver:
    """Performs the effects of one flow.

    Args:
        resources: what this flow shares with other open flows.
        flow: its name, for events.
        paste: asks the person for the address on which the browser ended, while the redirect is awaited; the
            first answer counts. None: only the redirect is awaited.
        authority: host and port by which the browser has reached the start page, if not the port's own.
        beside: another flow has the port and the browser.
    """

    def __init__(
        self,
        resources: Resources,
        *,
        flow: str = "",
        paste: Paste | None = None,
        authority: str = "",
        beside: bool = False,
    ) -> None:
        self._resources = resources
        self._flow = flow
        self._paste = paste
        self._beside = beside
        self._reached_by, self._authority = authority, ""
        self._waiting_page: WaitingPage | None = None
        self._state = ""
        self.asked: bool = False
        """Whether a person has been sent somewhere by this flow."""
        self.led: bool = False
        """Whether the start page leads to the URL of this flow."""
        self._prompted: VerificationPrompt | None = None

    def anew(self) -> Driver:
        """Return a driver with the same arguments, to run the same flow again from its beginning."""
        return Driver(
            self._resources,
            flow=self._flow,
            paste=self._paste,
            authority=self._reached_by,
            beside=self._beside,
        )

    def reached_by(self, authority: str) -> bool:
        """Return whether this flow's redirect URI has, or would have, this authority."""
        return self._resources.is_at(authority) if not self._reached_by else authority == self._reached_by

    @property
    def answered(self) -> bool:
        """Whether the callback that this flow waits for has arrived."""
        return self._resources.receiver is not None and self._resources.receiver.has_answer(self._state)

    def lead(self) -> bool:
        """Let the start page lead here, if this flow is approved at an address; return whether it does."""
        receiver = self._resources.receiver
        if self._prompted is None or receiver is None:
            return False
        self.led = True
        self._waiting_page = receiver.prompt_instead(self._prompted)
        return True

    def lead_nowhere(self) -> None:
        """Let the start page say that its link is not valid any more."""
        if self._waiting_page is not None and self._resources.receiver is not None:
            self._resources.receiver.withdraw_prompt()

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end.

        Raises:
            LoopbackAuthError: what the flow raises, without secrets in its texts.
        """
        answer: object = None
        try:
            while not isinstance(step := resume_flow(flow, answer), FlowResult):
                answer = await self._answered(step)
            return step.value
        except LoopbackAuthError as exc:
            self._resources.redactor.clean_error(exc)
            # The frames below have tokens in their locals, which some reporters of errors write down.
            raise exc.with_traceback(None) from None
        except asyncio.CancelledError:
            # Another flow goes on. An answer to this one would end the waiting, but nothing would use it.
            if self._state:
                self._resources.own_receiver().withdraw(self._state)
            raise
        finally:
            flow.close()

    async def _answered(self, effect: Effect) -> object:
        """Return the answer to an effect, or the error with which it failed."""
        begun = time.monotonic()
        try:
            if isinstance(effect, Send):
                return await self._resources.send(effect)
            answer = await self._perform(effect)
        except LoopbackAuthError as exc:
            return exc
        self._resources.observer.performed(effect, answer, begun=begun, ended=time.monotonic())
        return answer

    async def _perform(self, effect: LocalEffect) -> object:
        match effect:
            case Bind(redirect):
                return await self._bind(redirect)
            case Browse(url, request):
                await self._resources.look_at(effect.leads_to)
                await self._browse(url, request)
            case VerificationPrompt():
                await self._resources.look_at(effect.leads_to)
                await self._prompt(effect)
            case Receive(request):
                return self._resources.redactor.clean_callback(await self._receive(request))
            case Sleep(seconds, spread):
                return await self._sleep(seconds * (1 + spread * secrets.randbelow(1000) / 1000))
            case Now():
                return new_stamp(time.time())
            case Warn(text):
                self._resources.notify(Warned(text))
            case _:
                assert_never(effect)
        return None

    async def _bind(self, redirect: Redirect) -> str:
        bound = await self._resources.port(redirect, opens=self._paste is None)
        if not self._reached_by:
            return bound.redirect_uri
        # The host stays as it is registered; a browser that reaches one loopback name reaches the others.
        host, port = bound.authority.rpartition(":")[0], self._reached_by.rpartition(":")[2]
        self._authority = f"{host}:{port}"
        return f"http://{self._authority}{bound.path}"

    async def _receive(self, request: AuthorizationRequest) -> Callback:
        arriving = asyncio.ensure_future(self._resources.own_receiver().receive(request))
        waiting = {arriving}
        if self._paste is not None:
            waiting.add(asyncio.ensure_future(self._paste(request)))
        try:
            while True:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                first = arriving if arriving in done else done.pop()
                failure = first.exception()
                # If no address can be pasted, the redirect may still arrive.
                if first is arriving or not isinstance(failure, Unavailable):
                    return first.result()
                self._resources.notify(Warned(f"{failure.message} {failure.hint}"))
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _sleep(self, seconds: float) -> Tick:
        if self._waiting_page is None:
            await asyncio.sleep(seconds)
            return Tick(time.monotonic(), time.time())
        returned = await self._waiting_page.sleep(seconds)
        return Tick(time.monotonic(), time.time(), returned=returned, watched=self._waiting_page.watched)

    async def _browse(self, url: str, request: AuthorizationRequest | None) -> None:
        self._resources.redactor.learn_url(url)
        check_browser_url(url)
        self.asked = True
        receiver = self._resources.own_receiver()
        if request is not None:
            self._state = request.state
            receiver.expect(request, self._authority)
        if self._paste is not None and request is not None:
            self._resources.notify(PasteReady(url, request.redirect_uri))
        elif self._resources.start_page:
            self.led = True
            receiver.send_browser_to(url, self._reached_by, self._state)
        else:
            receiver.exposed((await self._resources.open(url)).program, self._state)

    async def _prompt(self, prompt: VerificationPrompt) -> None:
        self._resources.redactor.learn_url(prompt.url)
        check_browser_url(prompt.url)
        self.asked = True
        self._prompted = prompt
        opening = Opening(why_not="another flow is open already")
        if not self._beside or self._resources.receiver is None:
            opening = await self._show(prompt)
        self._resources.notify(
            VerificationPrompted(
                prompt.url,
                prompt.user_code,
                prompt.plain_url,
                prompt.lifetime,
                opening.program,
                opening.why_not,
                prompt.redeemable,
                self._flow,
            )
        )

    async def _show(self, prompt: VerificationPrompt) -> Opening:
        if self._resources.start_page:
            # Without a port no tab reports that the person is back; polling works without it.
            with suppress(RedirectUnavailable):
                await self._resources.port(Redirect())
        if self._resources.receiver is None or not self._resources.start_page:
            if prompt.redeemable:  # Every user of the machine can read the command line of a program.
                return Opening(why_not="other users could read the link in the browser's command line")
            return await self._resources.start_browser(prompt.url)
        self.led = True
        self._waiting_page = self._resources.receiver.prompt(prompt)
        return Opening(why_not="the start page has a button that opens it")
