"""The driver: the only interpreter of effects against the real world.

Theory of operation. A flow yields an effect; one `match` arm awaits it; the answer is sent back in, or one
of our errors is thrown in at the very line that asked. Whatever an arm opens belongs to the driver's exit
stack, so that success, refusal, Ctrl-C and a cancelled task all close the same things in the same order.

This is also the one place where exchanges are timed and told to whoever listens, already redacted, and
where every error on its way out is scrubbed of the secrets that a server may have echoed into it.

Weak spot, admitted: one flow at a time. Racing several is a layer above this one.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TypeVar, assert_never
from urllib.parse import parse_qsl

from loopback_auth.effects import Bind, Browse, Effect, Flow, Receive, Send, Warn
from loopback_auth.errors import BrowserUnavailable, LoopbackAuthError, OAuthError
from loopback_auth.model import Attempt, HttpRequest, HttpResponse, Redirect
from loopback_auth.protocol.json import parse_object
from loopback_auth.protocol.pkce import base64url, code_verifier
from loopback_auth.protocol.urls import check_browser_url
from loopback_auth.redact import Redactor
from loopback_auth.shell.browser import Opening, open_browser
from loopback_auth.shell.events import Exchanged, LinkReady, Notify, OpenerFailed, Warned, silent
from loopback_auth.shell.loopback import BoundRedirect, bind
from loopback_auth.shell.receiver import Receiver
from loopback_auth.shell.transport import Transport

T = TypeVar("T")

OpenBrowser = Callable[[str], Opening]


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
    """

    def __init__(
        self,
        *,
        notify: Notify = silent,
        open_browser: OpenBrowser = open_browser,
        start_page: bool = True,
        bound: BoundRedirect | None = None,
    ) -> None:
        self._notify = notify
        self._open_browser = open_browser
        self._start_page = start_page
        self._bound = bound
        self._redactor = Redactor()
        self._stack = AsyncExitStack()
        self._transport: Transport | None = None
        self._receiver: Receiver | None = None

    async def __aenter__(self) -> Driver:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()
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
            scrub(exc, self._redactor)
            raise
        finally:
            flow.close()

    async def finish(self, page: HttpResponse) -> None:
        """Show the browser how it ended, if it is waiting to know."""
        if self._receiver is not None:
            await self._receiver.finish(page)

    async def _perform(self, effect: Effect) -> object:
        match effect:
            case Bind(redirect):
                return await self._bind(redirect)
            case Browse(url):
                self._browse(url)
            case Receive(request):
                callback = await self._own_receiver().receive(request)
                self._redactor.learn_parameters(callback.parameters)
                return callback
            case Send(request, step):
                return await self._send(request, step)
            case Warn(text):
                self._notify(Warned(text))
            case _:
                assert_never(effect)
        return None

    async def _bind(self, redirect: Redirect) -> str:
        bound = self._bound
        if bound is None:
            bound = self._bound = bind(redirect.host, redirect.ports, redirect.path)
            if self._start_page:
                self._open(bound.start_url)
        self._receiver = await self._stack.enter_async_context(Receiver(bound, self._notify))
        return bound.redirect_uri

    def _browse(self, url: str) -> None:
        check_browser_url(url)
        self._redactor.learn_url(url)
        receiver = self._own_receiver()
        receiver.send_browser_to(url)
        if not self._start_page:
            self._open(url)

    def _open(self, url: str) -> None:
        opening = self._open_browser(url)
        self._notify(LinkReady(url, opening.program, opening.why_not))
        watch(opening, self._notify)

    async def _send(self, request: HttpRequest, step: str) -> HttpResponse:
        if self._transport is None:
            self._transport = await self._stack.enter_async_context(Transport())
        begun = time.monotonic()
        self._redactor.learn_parameters(parse_qsl(request.body.decode("latin-1")))
        answer = await self._transport.send(request, step=step)
        self._learn(answer)
        self._notify(
            Exchanged(
                step=step,
                method=request.method,
                url=self._redactor.text(request.url),
                request=self._redactor.text(request.body.decode("latin-1")),
                status=answer.status,
                response=self._redactor.text(answer.body[:4000].decode("utf-8", "replace")),
                seconds=time.monotonic() - begun,
            )
        )
        return answer

    def _learn(self, answer: HttpResponse) -> None:
        try:
            members = parse_object(answer.body, what="answer", source="")
        except LoopbackAuthError:
            return
        self._redactor.learn_parameters(members.items())

    def _own_receiver(self) -> Receiver:
        if self._receiver is None:
            raise BrowserUnavailable("The flow asked for a browser before it had a redirect URI.")
        return self._receiver


def watch(opening: Opening, notify: Notify) -> None:
    """Tell when the program that should open the browser has failed; to be called in a running loop."""
    loop = asyncio.get_running_loop()

    def failed(status: int) -> None:
        # The sign-in may be over by then, and the loop with it.
        if not loop.is_closed():
            loop.call_soon_threadsafe(notify, OpenerFailed(opening.program, status))

    opening.watch(failed)


def scrub(error: LoopbackAuthError, redactor: Redactor) -> None:
    """Replace in an error every secret that a server may have put into its words."""
    error.message = redactor.text(error.message)
    error.args = (error.message,)
    if isinstance(error, OAuthError):
        error.error_description = redactor.text(error.error_description)
        error.error_uri = redactor.text(error.error_uri)
