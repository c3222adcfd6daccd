"""The simulated world: an interpreter of effects without sockets, threads or waiting.

The authorization server, the browser and the person are pure code (`demo.server`, `demo.agent`), the clock
stands still unless it is moved. The same flow that signs a person in over the network runs here in well
under a millisecond, and what it did can be read off afterwards, effect by effect.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar, assert_never

from loopback_auth import pages
from loopback_auth.demo.agent import browse
from loopback_auth.demo.server import DemoServer
from loopback_auth.effects import Bind, Browse, Effect, Flow, Invite, Moment, Receive, Send, Sleep, Warn
from loopback_auth.errors import AttemptExpired, LoopbackAuthError
from loopback_auth.model import AuthorizationRequest, Callback, HttpRequest, HttpResponse
from loopback_auth.protocol.redirect import RedirectEndpoint, TurnedAway, redirect_endpoint

T = TypeVar("T")

AUTHORITY = "127.0.0.1:49152"


@dataclass(slots=True)
class MemoryWorld:
    """One person, one browser, one authorization server.

    Args:
        server: answers what is sent to its issuer.
        decision: what the person does on the consent page.
        now: the clock, Unix seconds.
        thinking: seconds that the person takes to approve what was shown by an `Invite`.
        watched: the person has our own tab open, and comes back to it after approving.
        disturb: may answer or fail any request of ours before the server sees it; None lets it pass.
        strangers: requests that reach the redirect endpoint before the real callback does.
    """

    server: DemoServer
    decision: Literal["approve", "deny"] = "approve"
    now: float = 1_700_000_000.0
    thinking: float = 0.0
    watched: bool = False
    disturb: Callable[[HttpRequest], HttpResponse | None] | None = None
    strangers: tuple[HttpRequest, ...] = ()
    effects: list[Effect] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    """Statuses that strangers got."""
    _url: str = field(default="", repr=False)
    _path: str = ""
    _invitation: Invite | None = None
    _approving_at: float = 0.0

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end; errors of ours come out as they would in the real world."""
        answer: object = None
        error: LoopbackAuthError | None = None
        try:
            while True:
                effect = flow.throw(error) if error is not None else flow.send(answer)
                self.effects.append(effect)
                answer, error = None, None
                try:
                    answer = self._perform(effect)
                except LoopbackAuthError as exc:
                    error = exc
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            flow.close()

    def warnings(self) -> tuple[str, ...]:
        """Return what the flow wanted the person to know."""
        return tuple(effect.text for effect in self.effects if isinstance(effect, Warn))

    def steps(self) -> tuple[str, ...]:
        """Return the names of the requests that the flow made itself, in order."""
        return tuple(effect.step for effect in self.effects if isinstance(effect, Send))

    def _perform(self, effect: Effect) -> object:
        match effect:
            case Bind(redirect):
                self._path = redirect.path
                return f"http://{AUTHORITY}{redirect.path}"
            case Browse(url):
                self._url = url
            case Receive(request):
                return self._receive(request)
            case Send(request):
                return self._send(request)
            case Sleep(seconds):
                return self._sleep(seconds)
            case Invite():
                self._invitation, self._approving_at = effect, self.now + self.thinking
            case Warn():
                pass
            case _:
                assert_never(effect)
        return None

    def _sleep(self, seconds: float) -> Moment:
        end, invitation = self.now + seconds, self._invitation
        if invitation is None or end < self._approving_at:
            self.now = end
            return Moment(end, end, watched=self.watched)
        self._invitation = None
        self.now = max(self.now, self._approving_at)
        self._visit(invitation)
        # Somebody who comes back wakes the flow; somebody who does not leaves it asleep.
        self.now = self.now if self.watched else end
        return Moment(self.now, self.now, returned=self.watched, watched=self.watched)

    def _visit(self, invitation: Invite) -> None:
        person = browse(invitation.url, decision=self.decision, user_code=invitation.user_code)
        request = next(person)
        with suppress(StopIteration):
            while True:
                request = person.send(self.server.handle(request, self.now))

    def _send(self, request: HttpRequest) -> HttpResponse:
        answer = self.disturb(request) if self.disturb is not None else None
        if answer is None:
            answer = self.server.handle(request, self.now)
        return replace(answer, received_at=self.now)

    def _receive(self, request: AuthorizationRequest) -> Callback:
        endpoint = RedirectEndpoint(
            AUTHORITY, self._path, request, relay_path="/relay/memory", relay_token="memory"
        )
        for stranger in self.strangers:
            verdict = redirect_endpoint(endpoint, stranger)
            if isinstance(verdict, Callback):
                return replace(verdict, received_at=self.now)
            self.refused.append(verdict.status if isinstance(verdict, TurnedAway) else 200)
        callback = self._browse(endpoint)
        if callback is None:
            raise AttemptExpired("Nobody came back from the browser.")
        return replace(callback, received_at=self.now)

    def _browse(self, endpoint: RedirectEndpoint) -> Callback | None:
        person = browse(self._url, decision=self.decision)
        request = next(person)
        with suppress(StopIteration):
            while True:
                if not request.url.startswith(f"http://{AUTHORITY}/"):
                    request = person.send(self.server.handle(request, self.now))
                    continue
                target = request.url.removeprefix(f"http://{AUTHORITY}")
                verdict = redirect_endpoint(endpoint, replace(request, url=target))
                if isinstance(verdict, Callback):
                    return verdict
                if isinstance(verdict, TurnedAway):
                    self.refused.append(verdict.status)
                    return None
                request = person.send(pages.relay(path=endpoint.relay_path, token=endpoint.relay_token))
        return None
