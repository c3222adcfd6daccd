"""The simulated user agent in simulated time: one task from the first page to the last.

Each request takes `latency`, and the person takes `thinking` before they decide. Nothing happens by itself:
the owner of the clock lets the task go on until some moment.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal

from loopback_auth.demo.agent import Navigation
from loopback_auth.effects import Observer
from loopback_auth.http_messages import HttpResponse

NEVER = float("inf")

Reply = HttpResponse | Literal["held", "lost"]
"""A response; `held`: it comes later, by `resume`; `lost`: there will be none, and the task ends."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the simulated world is.

    Args:
        latency: seconds from a request to its answer.
        thinking: seconds that the person takes before they press a button that decides.
    """

    latency: float = 0.0
    thinking: float = 0.0


class BrowserTask:
    """A browser between its first page and its last; times are in the seconds of the simulated clock.

    Args:
        way: from `agent.follow`.
        begun: when the first request is sent.
        pace: of this world.
        answer: called with a step and the time of its arrival; returns the reply.
        observer: sees every request with its response.
    """

    def __init__(
        self,
        way: Generator[Navigation, HttpResponse, HttpResponse],
        *,
        begun: float,
        pace: Pace,
        answer: Callable[[Navigation, float], Reply],
        observer: Observer,
    ) -> None:
        self.address: str = ""
        """What the address bar shows."""
        self.over_at: float = NEVER
        """When the last page has come; `NEVER` before that."""
        self.held: bool = False
        self._way = way
        self._pace = pace
        self._answer = answer
        self._observer = observer
        self._step = next(way)
        self._begun = begun

    def until(self, moment: float) -> None:
        """Do all that happens up to a moment, as long as the browser is not kept waiting."""
        while not self.held and self.over_at == NEVER and self._arrives_at() <= moment:
            arrived_at = self._arrives_at()
            self.address = self._step.address or self.address
            reply = self._answer(self._step, arrived_at)
            if reply == "held":
                self.held = True
            elif reply == "lost":
                self._see(None, arrived_at)
                self.over_at = arrived_at
            else:
                self.resume(reply, arrived_at)

    def resume(self, response: HttpResponse, moment: float) -> None:
        """Give the browser the response that it waits for."""
        self.held = False
        self._see(response, moment)
        self.over_at = moment  # Also when the browser gives up with an error.
        try:
            self._step = self._way.send(response)
        except StopIteration:
            return
        self.over_at = NEVER
        thinking = self._pace.thinking if self._pace.thinking and self._step.decides else 0.0
        self._begun = moment + thinking

    def _arrives_at(self) -> float:
        return self._begun + self._pace.latency

    def _see(self, answer: HttpResponse | None, ended: float) -> None:
        step = self._step
        self._observer.browsed(step.request(), answer, address=step.address, begun=self._begun, ended=ended)
