"""Scenarios in memory: the simulated world with an attacker in it, and the same outcome each time.

The world runs the user's login in one go, so the scenario runs inside it: where the browser comes to a point
at which the attacker wants to act, the scenario goes on, until it lets the login go on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.compare.attacks.attack_actions import (
    NO_ANSWER,
    NOT_SO_FAR,
    OVER,
    Ask,
    BindAgain,
    End,
    Exposed,
    LoginResult,
    Outcome,
    Paste,
    Point,
    Scenario,
    Until,
    not_begun,
    redeeming,
    seen,
)
from loopback_auth.compare.running.choices import Choice
from loopback_auth.compare.running.simulate import simulate, simulated_world
from loopback_auth.demo.agent import Navigation
from loopback_auth.demo.browser_task import Reply
from loopback_auth.demo.memory import AUTHORITY, OURS, MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.pages import Pages
from loopback_auth.protocol.paste import NotAccepted
from loopback_auth.protocol.redirect import RelayPage, Repeated, TurnedAway, start_page
from loopback_auth.trace.redactor import Redactor


class AttackedWorld(MemoryWorld):
    """A simulated world in which the attacker reaches the program's port too; the first response counts.

    Args:
        flow: name of the run whose world it is.
        server: that both the program and the attacker use.
        start_page: the browser is started with the address of the program's start page; otherwise with the
            link itself.
    """

    def __init__(self, flow: str, server: DemoServer, *, start_page: bool = True) -> None:
        like = simulated_world(flow)
        super().__init__(
            server,
            now=like.now,
            thinking=like.thinking,
            latency=like.latency,
            keys=like.keys if start_page else replace(like.keys, start=""),
            paste=like.paste,
        )
        self.at: Callable[[Point, Navigation], None] = lambda _point, _step: None
        """Called before the browser's step arrives."""
        self.moment: float = self.now
        self._opened = False
        self._started_with = ""
        self.first: Callback | None = None
        """What the attacker delivered and the program accepted as the response."""

    def exposed(self, answer: Navigation | None) -> Exposed:
        """Return what can be read now."""
        return seen(self.effects, start_url=self._started_with, answer=answer)

    def visit(self, request: HttpRequest) -> HttpResponse:
        """Respond to the attacker at the program's port."""
        request = replace(request, url=request.url.removeprefix(OURS))
        if self.keys.start and request.url == self.keys.start:
            refusal = self.opening(request)
            return _page(refusal) if refusal is not None else self._next_page or NO_ANSWER
        verdict = self.judged(request)
        if isinstance(verdict, Callback):
            self._take(verdict)
            return NO_ANSWER
        if isinstance(verdict, RelayPage):
            return Pages().relay(path=self.keys.relay, token=self.keys.token)
        return NO_ANSWER if isinstance(verdict, Repeated) else _page(verdict)

    def offered(self, text: str) -> str:
        """Let the user paste a text; return why it was refused, empty if it was accepted."""
        request = self._endpoint.request
        if not isinstance(request, AuthorizationRequest) or self.first is not None:
            return OVER
        verdict = self.unwrapped(text, request)
        if isinstance(verdict, NotAccepted):
            return verdict.reason
        self._take(verdict.callback)
        return ""

    def opening(self, request: HttpRequest) -> TurnedAway | None:
        """Decide whether a request may open the start page."""
        return start_page(request, authority=AUTHORITY, key=self.keys.start[1:], used=self._opened)

    def _open(self, url: str, user_code: str = "") -> None:
        self._started_with = "" if self.paste else url
        super()._open(url, user_code)

    def _take(self, callback: Callback) -> None:
        self.first = self._callback = callback
        self._endpoint = replace(self._endpoint, answered=True)

    def _receive(self, request: AuthorizationRequest) -> Callback:
        callback = super()._receive(request)
        return callback if self.first is None else replace(self.first, received_at=self.now)

    def _answer(self, step: Navigation, now: float) -> Reply:
        self.moment, page = now, step.url.partition("#")[0].partition("?")[0]
        if step.decides:
            self.at("link", step)
        elif page == OURS + self._path and not step.relay:
            self.at("answer", step)
        self._opened = self._opened or page == OURS + self.keys.start
        reply = super()._answer(step, now)
        if step.decides:
            self.at("approved", step)
        return reply


class InMemory:
    """Plays one scenario.

    Args:
        world: fresh.
        one: the user's login.
    """

    def __init__(self, world: AttackedWorld, one: Choice) -> None:
        self._world = world
        self._one = one
        self._redactor = Redactor()
        self._waits: Until | End | None = None
        self._outcome: Outcome | None = None

    def play(self, scenario: Scenario) -> Outcome:
        """Play a scenario to its end; the outcome has no secrets."""
        self._go_on(scenario, None)
        if self._outcome is None:
            self._sign_in(scenario)
        scenario.close()
        outcome = self._outcome or NOT_SO_FAR
        return replace(outcome, because=self._redactor.excerpt(outcome.because))

    def _sign_in(self, scenario: Scenario) -> None:
        self._world.at = lambda point, step: self._reached(scenario, point, step)
        recorder, end = simulate(self._one, self._world)
        if isinstance(self._waits, End):
            self._go_on(
                scenario,
                LoginResult(end, redeeming(self._world.effects), taken=self._world.first is not None),
            )
        if self._outcome is not None:
            self._outcome = replace(self._outcome, because=recorder.text(self._outcome.because))

    def _reached(self, scenario: Scenario, point: Point, step: Navigation) -> None:
        if isinstance(self._waits, Until) and self._waits.point == point:
            self._go_on(scenario, self._world.exposed(step if point == "answer" else None))

    def _go_on(self, scenario: Scenario, answer: Exposed | LoginResult | None) -> None:
        """Let the attacker act until the login is to go on, or the scenario ends."""
        self._waits = None
        try:
            action = scenario.send(answer)
            while not isinstance(action, Until | End):
                action = scenario.send(self._performed(action))
            self._waits = action
        except StopIteration as stop:
            self._outcome = stop.value
        except LoopbackAuthError as exc:
            self._outcome = not_begun(exc)

    def _performed(self, action: Ask | Paste | BindAgain) -> HttpResponse | str:
        match action:
            case Ask(request):
                return self._asked(request)
            case Paste(text):
                return self._world.offered(text)
            case BindAgain():
                return ""

    def _asked(self, request: HttpRequest) -> HttpResponse:
        ours, world = request.url.startswith(f"{OURS}/"), self._world
        answer = world.visit(request) if ours else world.server.handle(request, max(world.now, world.moment))
        self._redactor.learn_request(request, guess=True)
        self._redactor.learn_response(answer)
        return answer


def _page(refusal: TurnedAway) -> HttpResponse:
    return Pages().turned_away(status=refusal.status, reason=refusal.reason)
