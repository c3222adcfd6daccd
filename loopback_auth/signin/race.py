"""The race: flows that are open side by side, of which the first valid answer wins.

Theory of operation. A plan says which flows begin at once and which only on evidence: the browser's opener
has failed, no browser has come to our page in time, or one has gone on from there and has not come back
(a server must not redirect where it does not know the redirect URI, RFC 6749 §4.1.2.1). Each runs in a task
of its own and ends the race itself, so that a single flow is slower here than alone by at most one turn of
the loop. The other flows are then cancelled, with their requests, tickets and codes.

Some failures end the race, others do not. `Unavailable` says that a flow cannot run here: the next one
begins. A ticket, a device code or a paste that fails before the person was asked for anything is dropped, and
so is one whose time is over while others are open. A ticket or a device code that fails while a redirect is
open is dropped, too, unless the person has refused: the flow that goes on is not weaker. Every other failure,
above all a refusal or a broken rule, ends the sign-in: to try another flow would be a silent downgrade
(RFC 9700 §2.1.2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable

from loopback_auth.errors import (
    DENIALS,
    AttemptCancelled,
    AttemptExpired,
    LoopbackAuthError,
    NoFlowAvailable,
    OAuthError,
    Unavailable,
)
from loopback_auth.events import (
    CallbackReceived,
    Event,
    HttpsTried,
    LinkOpened,
    LinkOpenedTwice,
    LinkRequested,
    Notify,
    OpenerFailed,
    RouteBegan,
    RouteEnded,
)
from loopback_auth.flow_table import NO_REDIRECT, POLLED
from loopback_auth.plan.model import AT_ONCE, Plan, Route
from loopback_auth.plan.routes import parameters_of
from loopback_auth.signin.driver import Driver
from loopback_auth.tokens import SignIn
from loopback_auth.words import Words

Run = Callable[[str, Driver], Coroutine[object, object, SignIn]]
MakeDriver = Callable[[str, str], Driver]

AS_ASKED = "You asked for it."
INSTEAD = "It takes over."
HTTPS_ONLY = "All requests to the link so far used https, which this port does not answer."

REFUSALS = (*DENIALS, "denied_or_expired")
"""The last is our own code for tickets, whose vendors do not say which of the two it was."""


def did_not_open(failed: OpenerFailed, words: Words | None = None) -> str:
    """Return the sentence for a browser that did not open; it may be why another flow begins."""
    words = words or Words()
    if failed.why:
        why = words.clause(failed.why)
        return words.OPENER_FAILED_AS.format(why=why) if why else words.OPENER_FAILED_SOMEHOW
    return words.OPENER_FAILED.format(opener=words.of(failed.program), status=failed.status)


def _refused(error: LoopbackAuthError) -> bool:
    """Return whether the person has refused, or may have: vendors of tickets do not say."""
    return isinstance(error, AttemptCancelled) or (isinstance(error, OAuthError) and error.error in REFUSALS)


def _seconds(number: float) -> str:
    return f"{number:g} second{'s' * (number != 1)}"


class Race:
    """Runs the routes of a plan; await `close` after `run`.

    Args:
        plan: which routes there are, and when each begins.
        drive: makes the driver for a flow, given its name and the authority by which a browser has come.
        run: runs a flow in a driver.
        notify: called when a route begins or ends.
        provider: name of the provider, for messages.
    """

    def __init__(self, plan: Plan, *, drive: MakeDriver, run: Run, notify: Notify, provider: str) -> None:
        self._plan = plan
        self._drive = drive
        self._run = run
        self._notify = notify
        self._provider = provider
        self._left = list(plan.routes)
        self._open: dict[asyncio.Task[None], tuple[Route, Driver]] = {}
        self._lost: dict[str, LoopbackAuthError] = {}
        self._outcome: asyncio.Future[tuple[Route, SignIn]] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._answered = self._https = False

    async def run(self, early: Iterable[Event] = ()) -> tuple[Route, SignIn]:
        """Return the route that won, and its sign-in.

        Args:
            early: events from before: a browser may fail before the race begins.

        Raises:
            NoFlowAvailable: no route is left; the error lists the reasons.
            LoopbackAuthError: what ended the sign-in.
        """
        try:
            if not self._left:
                raise self._nothing_left()
            for route in self._plan.starting(AT_ONCE) or self._plan.routes[:1]:
                self._begin(route)
            if self._plan.start_page:
                self._look_again(self._plan.patience, self._nobody_came)
            else:  # Without a start page a visit cannot be seen, but a callback can.
                self._look_again(self._plan.patience + self._plan.second_look, self._nobody_came_back)
            for event in early:
                self.evidence(event)
            return await self._outcome
        finally:
            self._give_up()

    async def close(self) -> None:
        """Wait until nothing is left of the flows that have not won."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def begin(self, flow: str) -> None:
        """Begin a flow because the person asked for it."""
        for route in self._left:
            if route.flow == flow:
                self._begin(route, AS_ASKED)
                return

    def waiting(self) -> tuple[str, ...]:
        """Return the flows that have not begun."""
        return () if self._answered else tuple(route.flow for route in self._left)

    def evidence(self, event: Event) -> None:
        """Begin or end flows because of an event."""
        match event:
            case LinkRequested(authority, windowless):
                if not windowless:
                    self._look_again(self._plan.second_look, self._nobody_came_back)
                self._follow(authority)
            case LinkOpened(windowless_program=""):
                self._look_again(self._plan.second_look, self._nobody_came_back)
            case HttpsTried():
                self._https = True
            case LinkOpenedTwice():
                self._begin_anew()
            case OpenerFailed():
                self._unreached(did_not_open(event))
            case CallbackReceived():
                self._answered = True
                self._stop_timer()
                self._drop_others()
            case _:
                pass

    def _begin(self, route: Route, why: str = "") -> None:
        self._left.remove(route)
        # The event that happened is a better reason than the one in the plan.
        route = Route(route.flow, route.starts, why or route.why)
        if self._tasks and not (route.starts == AT_ONCE and not why):
            self._notify(RouteBegan(route.flow, route.why))
        self._start(route, self._drive(route.flow, ""))

    def _start(self, route: Route, driver: Driver) -> None:
        task = asyncio.ensure_future(self._enter(route, driver))
        self._open[task] = route, driver
        self._tasks.add(task)

    async def _enter(self, route: Route, driver: Driver) -> None:
        try:
            sign_in = await self._run(route.flow, driver)
        except LoopbackAuthError as exc:
            self._failed(route, driver, exc)
        except Exception as exc:
            self._end(exc)
        else:
            if not self._outcome.done():
                self._outcome.set_result((route, sign_in))

    def _failed(self, route: Route, driver: Driver, error: LoopbackAuthError) -> None:
        self._open = {task: one for task, one in self._open.items() if one[1] is not driver}
        lapsed = isinstance(error, AttemptExpired) and bool(self._open)
        others = bool(self._open or self._left)
        unasked = others and not driver.asked and route.flow in NO_REDIRECT
        broken = route.flow in POLLED and not _refused(error) and self._comes_back()
        if self._answered or not (isinstance(error, Unavailable) or lapsed or unasked or broken):
            self._end(error)
            return
        self._lost[route.flow] = error
        if not self._open and not self._left:
            self._end(self._nothing_left())
            return
        if driver.led and self._open:
            self._lead_on(driver)
        self._notify(RouteEnded(route.flow, error.message))
        # A flow without a redirect is open already, and goes on when the redirect fails.
        replaced = route.flow in NO_REDIRECT or not self._open
        if self._left and replaced and not lapsed:
            self._begin(self._left[0], INSTEAD)

    def _lead_on(self, ended: Driver) -> None:
        """Let the start page lead to another flow than the one that has ended, or nowhere."""
        others = [driver for _, driver in self._open.values()]
        if not any(driver.led or driver.lead() for driver in others):
            ended.lead_nowhere()

    def _comes_back(self) -> bool:
        """Return whether a flow is open whose browser comes back to this machine."""
        return any(route.flow not in NO_REDIRECT for route, _ in self._open.values())

    def _nothing_left(self) -> LoopbackAuthError:
        if len({error.message for error in self._lost.values()}) == 1:
            return next(iter(self._lost.values()))
        reasons = {flow: error.message for flow, error in self._lost.items()}
        hints = dict.fromkeys(error.hint for error in self._lost.values() if error.hint)
        named = [*(error.parameter for error in self._lost.values()), parameters_of(self._plan.refused)]
        parameter = " ".join(dict.fromkeys(" ".join(named).split()))
        return NoFlowAvailable({**reasons, **self._plan.refused}, hint=" ".join(hints), parameter=parameter)

    def _look_again(self, seconds: float, look: Callable[[], None]) -> None:
        """Call `look` after some seconds, unless something happens before."""
        self._stop_timer()
        if not self._answered and self._waiting():
            self._timer = asyncio.get_running_loop().call_later(seconds, look)

    def _end(self, error: Exception) -> None:
        if not self._outcome.done():
            self._outcome.set_exception(error)

    def _waiting(self, *, visited: bool = False) -> tuple[Route, ...]:
        return tuple(route for route in self._plan.beside(visited=visited) if route in self._left)

    def _nobody_came(self) -> None:
        why = f"No browser has come to the link within {_seconds(self._plan.patience)}."
        self._unreached(HTTPS_ONLY if self._https else why)

    def _nobody_came_back(self) -> None:
        self._unreached(
            f"Your browser went to {self._provider} and has not come back within "
            f"{_seconds(self._plan.second_look)}.",
            visited=True,
        )

    def _unreached(self, why: str, *, visited: bool = False) -> None:
        self._stop_timer()
        if not self._answered:
            for route in self._waiting(visited=visited):
                self._begin(route, why)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _follow(self, authority: str) -> None:
        """Begin the redirect flow anew for a port that was forwarded under another number."""
        for task, (route, driver) in list(self._open.items()):
            if route.flow not in NO_REDIRECT and not driver.reached_by(authority):
                # A browser that has come by another authority does not come back by the first.
                del self._open[task]
                task.cancel()
                self._start(route, self._drive(route.flow, authority))

    def _begin_anew(self) -> None:
        """Begin the flows again that the start page led to: another person may have their requests."""
        for task, (route, driver) in list(self._open.items()):
            if driver.led and not driver.answered:
                del self._open[task]
                task.cancel()
                self._start(route, driver.anew())

    def _drop_others(self) -> None:
        """Cancel the flows that have no answer: one has, and its result will be known in a moment."""
        for task, (_, driver) in list(self._open.items()):
            if not driver.answered:
                del self._open[task]
                task.cancel()

    def _give_up(self) -> None:
        """Cancel the flows that have not won; `close` waits for their end."""
        self._answered = True
        self._stop_timer()
        for task in self._tasks:
            task.cancel()
