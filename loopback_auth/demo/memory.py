"""The simulated world: an interpreter of effects without sockets, threads or waiting.

The authorization server, the browser and the person are pure code (`demo.server`, `demo.agent`), and the
clock stands still unless it is moved. A flow that signs a person in over the network runs here in well
under a millisecond, and `effects` has what it asked for.

With a `latency`, a start page and an observer the world also serves for comparisons: then every request takes
time, and the observer sees what it would see of the real driver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar, assert_never

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.demo.agent import PROGRAM, Navigation, follow
from loopback_auth.demo.browser_task import NEVER, BrowserTask, Pace, Reply
from loopback_auth.demo.server import DemoServer
from loopback_auth.effects import (
    UNOBSERVED,
    Bind,
    Browse,
    Effect,
    Flow,
    FlowResult,
    LocalEffect,
    Now,
    Observer,
    Receive,
    Send,
    Sleep,
    Tick,
    VerificationPrompt,
    Warn,
    resume_flow,
)
from loopback_auth.errors import AttemptExpired, LoopbackAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse, Stamp
from loopback_auth.pages import Pages, safe_headers
from loopback_auth.protocol.paste import NotAccepted, Pasted, pasted_callback
from loopback_auth.protocol.redirect import (
    RedirectEndpoint,
    RelayPage,
    Repeated,
    TurnedAway,
    redirect_endpoint,
)

T = TypeVar("T")

AUTHORITY = "127.0.0.1:49152"
OURS = f"http://{AUTHORITY}"


@dataclass(frozen=True, slots=True)
class PageKeys:
    """Paths and tokens of our own pages, which are random in the real world.

    Args:
        start: path of the start page; empty: there is none, and the browser begins at the provider's page.
        relay: path to which the relay page sends its fragment.
        token: with which the relay page proves itself.
    """

    start: str = field(default="", repr=False)
    relay: str = field(default="/relay/memory", repr=False)
    token: str = field(default="memory", repr=False)


@dataclass(slots=True)
class MemoryWorld:
    """One person, one browser, one authorization server.

    Args:
        server: answers the requests of browser and flow.
        decision: which button the person presses on the consent page.
        now: the time, in Unix seconds.
        thinking: seconds that the person takes to approve, and to paste.
        watched: the person has the tab with our waiting page open, and comes back to it after approving.
        disturb: called with each request of the flow before the server sees it; may return a response or
            raise an error in place of the server, or return None.
        strangers: requests that reach the redirect endpoint before the real callback does.
        latency: seconds that each request takes.
        keys: of our own pages.
        paste: the browser is on another machine and cannot reach us; the person pastes where it ended.
        observer: sees everything, in seconds of `now`.
        effects: what the flow asked for, in order.
        refused: statuses of the responses to strangers.
    """

    server: DemoServer
    decision: Literal["approve", "deny"] = "approve"
    now: float = 1_700_000_000.0
    thinking: float = 0.0
    watched: bool = False
    disturb: Callable[[HttpRequest], HttpResponse | None] | None = None
    strangers: tuple[HttpRequest, ...] = ()
    latency: float = 0.0
    keys: PageKeys = PageKeys()
    paste: bool = False
    observer: Observer = UNOBSERVED
    effects: list[Effect] = field(default_factory=list[Effect])
    refused: list[int] = field(default_factory=list[int])
    _path: str = ""
    _next_page: HttpResponse | None = field(default=None, repr=False)
    _endpoint: RedirectEndpoint = field(default_factory=lambda: RedirectEndpoint(AUTHORITY, ""), repr=False)
    _callback: Callback | None = field(default=None, repr=False)
    _task: BrowserTask | None = field(default=None, repr=False)
    _prompted: bool = False

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end; it raises the same errors as in the real world."""
        answer: object = None
        try:
            while not isinstance(step := resume_flow(flow, answer), FlowResult):
                self.effects.append(step)
                answer = self._answered(step)
            return step.value
        finally:
            flow.close()

    def finish(self, page: HttpResponse) -> None:
        """Give the browser its last page, if it waits for one."""
        task = self._task
        if task is None:
            return
        task.until(self.now)
        if task.held:
            task.resume(page, self.now)
            task.until(NEVER)

    def warnings(self) -> tuple[str, ...]:
        """Return the texts of the flow's warnings, in order."""
        return tuple(effect.text for effect in self.effects if isinstance(effect, Warn))

    def steps(self) -> tuple[str, ...]:
        """Return the names of the flow's own requests, in order."""
        return tuple(effect.step for effect in self.effects if isinstance(effect, Send))

    def judged(self, request: HttpRequest) -> Callback | RelayPage | Repeated | TurnedAway:
        """Decide whether a request is the callback."""
        return redirect_endpoint(self._endpoint, request)

    def unwrapped(self, text: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
        """Decide whether a pasted text is the response."""
        return pasted_callback(text, request)

    def _answered(self, effect: Effect) -> object:
        """Return the answer to an effect, or the error with which it failed."""
        begun = self.now
        try:
            if isinstance(effect, Send):
                return self._send(effect)
            answer = self._perform(effect)
        except LoopbackAuthError as exc:
            return exc
        self.observer.performed(effect, answer, begun=begun, ended=self.now)
        return answer

    def _perform(self, effect: LocalEffect) -> object:
        match effect:
            case Bind(redirect):
                self._path = redirect.path
                if self.keys.start and self._task is None:
                    self._open(OURS + self.keys.start)
                return f"{OURS}{redirect.path}"
            case Browse(url):
                self._lead(HttpResponse(302, (("Location", url), *safe_headers())), url)
            case Receive(request):
                return self._receive(request)
            case Sleep(seconds):
                return self._sleep(seconds)
            case Now():
                return Stamp(self.now, f"stamp-{len(self.effects)}")
            case VerificationPrompt():
                self._prompt(effect)
            case Warn():
                pass
            case _:
                assert_never(effect)
        return None

    def _open(self, url: str, user_code: str = "") -> None:
        self.observer.opened(url, "" if self.paste else PROGRAM)
        self._task = BrowserTask(
            follow(url, decision=self.decision, user_code=user_code),
            begun=self.now,
            pace=Pace(self.latency, self.thinking),
            answer=self._answer,
            observer=self.observer,
        )

    def _lead(self, next_page: HttpResponse, url: str, user_code: str = "") -> None:
        """Let the start page answer, or open the URL where there is none."""
        task = self._task
        if task is not None and self.keys.start:
            task.until(self.now)
        self._next_page = next_page
        if task is None or not self.keys.start:
            self._open(OURS + self.keys.start if self.keys.start else url, user_code)
        elif task.held:
            task.resume(next_page, self.now)

    def _prompt(self, prompt: VerificationPrompt) -> None:
        self._prompted = True
        page = Pages().waiting(
            path=self.keys.relay,
            token=self.keys.token,
            provider=prompt.provider,
            url=prompt.url,
            user_code=prompt.user_code,
        )
        self._lead(page, prompt.url, prompt.user_code)

    def _sleep(self, seconds: float) -> Tick:
        end, task = self.now + seconds, self._task
        if task is not None:
            task.until(end)
        if task is None or not self._prompted or task.over_at > end:
            self.now = end
            return Tick(end, end, watched=self.watched)
        self._prompted = False
        # A user who comes back to the tab of the program wakes the flow; otherwise it sleeps on.
        self.now = max(self.now, task.over_at) if self.watched else end
        return Tick(self.now, self.now, returned=self.watched, watched=self.watched)

    def _send(self, send: Send) -> HttpResponse:
        begun = self.now
        self.now += self.latency
        if self._prompted and self._task is not None:
            self._task.until(self.now)
        answer: HttpResponse | None = None
        try:
            answer = self.disturb(send.request) if self.disturb is not None else None
            if answer is None:
                answer = self.server.handle(send.request, self.now)
            answer = received = replace(answer, received_at=self.now)
        finally:
            self.observer.performed(send, answer, begun=begun, ended=self.now)
        return received

    def _receive(self, request: AuthorizationRequest) -> Callback:
        keys = self.keys
        self._endpoint = RedirectEndpoint(
            AUTHORITY, self._path, request, relay_path=keys.relay, relay_token=keys.token
        )
        for stranger in self.strangers:
            verdict = self.judged(stranger)
            if isinstance(verdict, Callback):
                return replace(verdict, received_at=self.now)
            self.refused.append(verdict.status if isinstance(verdict, TurnedAway) else 200)
        task = self._task
        if task is not None:
            task.until(NEVER)
            if self.paste and task.over_at != NEVER:
                self.now = max(self.now, task.over_at + self.thinking)
                pasted = self.unwrapped(task.address, request)
                self._callback = pasted.callback if isinstance(pasted, Pasted) else None
        if self._callback is None:
            raise AttemptExpired("The browser did not come back.")
        return replace(self._callback, received_at=self.now)

    def _answer(self, step: Navigation, now: float) -> Reply:
        """Answer the browser: as the server, as our own pages, or not at all."""
        request = step.request()
        if not request.url.startswith(f"{OURS}/"):
            return self.server.handle(request, now)
        if self.paste:
            return "lost"
        target = request.url.removeprefix(OURS)
        if target == self.keys.start:
            return self._next_page or "held"
        verdict = self.judged(replace(request, url=target))
        if isinstance(verdict, Callback):
            self.now = max(self.now, now)
            self._callback = verdict
            return "held"
        if isinstance(verdict, RelayPage):
            return Pages().relay(path=self.keys.relay, token=self.keys.token)
        if isinstance(verdict, Repeated):
            return "held"
        self.refused.append(verdict.status)
        return Pages().turned_away(status=verdict.status, reason=verdict.reason)
