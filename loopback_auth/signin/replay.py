"""The interpreter of sign-ins in two steps: gives a flow its journal, then performs the effects that follow.

It stops where the program would have to wait for a person, and gives the flow an answer only after it is
kept. An answer of another type than the flow asks for means that the flow has changed since; then the sign-in
ends. `two_step` says why a journal is enough.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.effects import (
    Bind,
    Browse,
    Effect,
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
from loopback_auth.errors import (
    LoopbackAuthError,
    MalformedResponse,
    StillPending,
    StoreError,
    TransportError,
)
from loopback_auth.events import Notify, Warned
from loopback_auth.flows.catalog import FlowOptions, flow_named
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, Redirect
from loopback_auth.network.threads import to_the_end
from loopback_auth.protocol.urls import check_browser_url
from loopback_auth.signin.driver import Paste, new_stamp
from loopback_auth.signin.world import World
from loopback_auth.store.pending_sign_in import Failure, JournalEntry, PendingSignIn
from loopback_auth.tokens import SignIn
from loopback_auth.trace.redactor import Redactor

ENDING_SECONDS = 5.0
"""Seconds that a request gets to end when it is cancelled: its answer may be the only one that there is."""

CODE_EXCHANGE = "token request"
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "Bind": ("text",),
    "Receive": ("callback",),
    "Send": ("response", "failure"),
    "Sleep": ("moment",),
    "Now": ("stamp",),
}
"""What in a journal answers an effect, by the name of the effect; other effects have no answer."""

READ = ("content-type", "date", "dpop-nonce", "retry-after", "www-authenticate", "x-ratelimit-reset")
"""The headers of answers that flows read; only these are kept."""

Save = Callable[[PendingSignIn], None]


class Replay:
    """Runs one flow, from its journal on.

    Args:
        pending: the sign-in as it was kept last; its journal grows with every answer.
        client: the client, with its secret.
        world: the network and the clock.
        notify: called with warnings that are new.
        save: called with the sign-in before the flow is given an answer; None: nothing is kept.
        wait: seconds that may be spent sleeping.
        paste: gets the pasted address; None: there is none.
    """

    def __init__(
        self,
        pending: PendingSignIn,
        client: ClientConfig,
        world: World,
        *,
        notify: Notify,
        save: Save | None = None,
        wait: float = 0.0,
        paste: Paste | None = None,
    ) -> None:
        self.pending: PendingSignIn = pending
        self._client = client
        self._world = world
        self._notify = notify
        self._save = save
        self._wait = wait
        self._paste = paste
        self._redactor = Redactor()
        self._redactor.learn("client_secret", client.client_secret or "")
        self._told = 0
        self._live = False

    async def run(self) -> SignIn:
        """Run the flow to its end, or until a person has to do something."""
        while True:
            try:
                return await self._run()
            except TransportError:
                # It is asked for again: at once if it failed in an earlier process, or else next time.
                if not self._forget_failure() or self._live:
                    raise

    async def _run(self) -> SignIn:
        self._told = 0
        while self.pending.journal[-1:] and self.pending.journal[-1].effect == "Now":
            # What is signed next has to be new: a server takes it once, for a minute (RFC 7523 §3, 4 and 7).
            self._keep(self.pending.journal[:-1])
        pending = self.pending
        options = FlowOptions(verify_signature=pending.verify_signature, message=pending.message)
        flow = flow_named(pending.flow, self._client, pending.attempt, options)
        answer: object = None
        try:
            while not isinstance(step := resume_flow(flow, answer), FlowResult):
                entry = await self._answered(step)
                answer = _error(entry) or _answer(entry)
        except LoopbackAuthError as exc:
            self._check_all_told()
            self._redactor.clean_error(exc)
            # The frames below have tokens in their locals, which some reporters of errors write down.
            raise exc.with_traceback(None) from None
        finally:
            flow.close()
        self._check_all_told()
        return step.value

    async def _answered(self, effect: Effect) -> JournalEntry:
        journal = self.pending.journal
        if self._told == len(journal):
            self._live = True
            if isinstance(effect, Send) and self._save is not None:
                await to_the_end(self._send(effect), ENDING_SECONDS)
            elif isinstance(effect, Send):
                await self._send(effect)
            else:
                self._record(await self._perform(effect))
        elif not _fits(journal[self._told], effect):
            raise self._unfit()
        elif isinstance(effect, Send):
            self._learn(effect, journal[self._told].response)
        self._told += 1
        return self.pending.journal[self._told - 1]

    async def _perform(self, effect: LocalEffect) -> JournalEntry:
        name = type(effect).__name__
        match effect:
            case Bind(redirect):
                return JournalEntry(name, text=redirect_uri_of(redirect, self._world))
            case Browse(url, request):
                await self._world.look_at(effect.leads_to)
                redirect_uri = request.redirect_uri if request is not None else ""
                self.pending = replace(self.pending, url=check_browser_url(url), redirect_uri=redirect_uri)
            case VerificationPrompt():
                await self._world.look_at(effect.leads_to)
                self._prompt(effect)
            case Receive(request):
                return JournalEntry(name, callback=await self._receive(request))
            case Sleep(seconds, spread):
                return JournalEntry(name, moment=await self._sleep(seconds, spread))
            case Now():
                return JournalEntry(name, stamp=new_stamp(self._world.now()))
            case Warn(text):
                self._notify(Warned(text))
            case _:
                assert_never(effect)
        return JournalEntry(name)

    def _prompt(self, prompt: VerificationPrompt) -> None:
        self.pending = replace(
            self.pending,
            url=check_browser_url(prompt.url),
            user_code=prompt.user_code,
            verification_uri=prompt.plain_url,
            expires_at=self._world.now() + prompt.lifetime,
        )

    async def _receive(self, request: AuthorizationRequest) -> Callback:
        if self._paste is None:
            raise self._pending("the address on which the browser ended has not been pasted yet", None)
        callback = self._redactor.clean_callback(await self._paste(request))
        return replace(callback, received_at=self._world.now())

    async def _sleep(self, seconds: float, spread: float) -> Tick:
        now = self._world.now()
        moments = [each.moment for each in self.pending.journal if each.moment]
        last = moments[-1].wall if moments else now
        if seconds > 0 and self._save is not None and not any(each.returned for each in moments):
            # The first call comes from the person; later ones may come from a script that only polls.
            return Tick(max(now, last), max(now, last), returned=True)
        # The last bound is for a clock that was set back by a day.
        left = min(last + seconds - now, seconds)
        if left > self._wait:
            self.pending = replace(self.pending, interval=self.pending.interval or seconds)
            raise self._pending("the login has not been approved yet", float(math.ceil(left)))
        if left > 0:
            pause = min(left * (1 + spread * secrets.randbelow(1000) / 1000), self._wait)
            self._wait -= pause
            await self._world.sleep(pause)
        moment = max(self._world.now(), last + seconds)
        return Tick(moment, moment)

    async def _send(self, send: Send) -> None:
        name = type(send).__name__
        self._redactor.learn_request(send.request)
        try:
            response = await self._world.send(send.request, step=send.step)
        except TransportError as exc:
            failure = Failure("TransportError", exc.message, exc.hint, parameter=exc.parameter)
        except MalformedResponse as exc:
            message = exc.message.removesuffix(f" [{exc.source}]")
            failure = Failure("MalformedResponse", message, exc.hint, exc.source, exc.parameter)
        else:
            kept = _kept(self._redactor.clean_response(response, send.secrets))
            self._record(JournalEntry(name, send.step, response=kept))
            return
        self._record(JournalEntry(name, send.step, failure=failure))

    def _record(self, answered: JournalEntry) -> None:
        self._keep((*self.pending.journal, answered))

    def _keep(self, journal: tuple[JournalEntry, ...]) -> None:
        pending = replace(self.pending, journal=journal)
        if self._save is not None:
            self._save(pending)
        self.pending = pending

    def _learn(self, send: Send, response: HttpResponse | None) -> None:
        self._redactor.learn_request(send.request)
        if response is not None:
            self._redactor.learn_response(response, send.secrets)

    def _forget_failure(self) -> bool:
        """Forget the answer of which the flow has failed, if it may be asked for again; return whether."""
        *journal, last = self.pending.journal or (JournalEntry(""),)
        spent = last.step == CODE_EXCHANGE and last.response is not None
        if last.effect != "Send" or spent:
            return False
        self._keep(tuple(journal))
        return True

    def _pending(self, what: str, retry_after: float | None) -> StillPending:
        pending = self.pending
        return StillPending(
            f"{pending.handle} is not finished: {what}.",
            handle=pending.handle,
            expires_at=pending.expires_at,
            retry_after=retry_after,
        )

    def _check_all_told(self) -> None:
        if self._told < len(self.pending.journal):
            raise self._unfit()

    def _unfit(self) -> StoreError:
        return StoreError(
            f"What is kept of {self.pending.handle} was written by another version of this program.",
            hint="Forget it, then begin again.",
            parameter="handle",
        )


def _answer(answered: JournalEntry) -> object:
    return next(
        (each for name in ANSWERS.get(answered.effect, ()) if (each := getattr(answered, name))), None
    )


def _error(answered: JournalEntry) -> LoopbackAuthError | None:
    failure = answered.failure
    if failure is None:
        return None
    if failure.error == "TransportError":
        return TransportError(failure.message, hint=failure.hint, parameter=failure.parameter)
    return MalformedResponse(
        failure.message, source=failure.source, hint=failure.hint, parameter=failure.parameter
    )


def _fits(answered: JournalEntry, effect: Effect) -> bool:
    if answered.effect != type(effect).__name__ or answered.step != getattr(effect, "step", ""):
        return False
    return (answered.effect in ANSWERS) == (_answer(answered) is not None)


def _kept(response: HttpResponse) -> HttpResponse:
    """Leave of an answer what a flow can read: a failing network's pages would fill the journal."""
    headers = tuple((name, value) for name, value in response.headers if name.lower() in READ)
    try:
        json.loads(response.body)
    except (ValueError, RecursionError):
        return replace(response, headers=headers, body=b"")
    return replace(response, headers=headers)


def redirect_uri_of(redirect: Redirect, world: World) -> str:
    """Return the redirect URI of a sign-in for which nothing will listen."""
    return f"http://{redirect.host}:{redirect.ports[0] or world.free_port(redirect.host)}{redirect.path}"
