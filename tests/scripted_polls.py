"""An interpreter for polling alone: two clocks that can disagree, and answers written down beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from loopback_auth.effects import Flow, Send, Sleep, Tick, Warn
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.http_messages import HttpResponse

T = TypeVar("T")

START = 1_700_000_000.0
JSON = (("Content-Type", "application/json"),)
HTML = (("Content-Type", "text/html"),)


def says(document: object, status: int = 200, *headers: tuple[str, str]) -> HttpResponse:
    """Answer with JSON."""
    return HttpResponse(status, (*headers, *JSON), json.dumps(document).encode())


def refuses(error: str, status: int = 400, *headers: tuple[str, str]) -> HttpResponse:
    """Answer with an error code."""
    return says({"error": error}, status, *headers)


NOT_YET = refuses("authorization_pending")
SLOWER = refuses("slow_down")
TOKENS = says({"access_token": "t", "token_type": "Bearer"})
Answer = HttpResponse | LoopbackAuthError


@dataclass(slots=True)
class ScriptedPolls:
    """Runs one poller; times are seconds since the start.

    Args:
        answers: to one poll each; the last one goes on for ever.
        latency: seconds that each poll takes.
        watched: our tab is open.
        returns: when the person comes back to it.
        jumps: when the wall clock is set, and by how much.
    """

    answers: Iterable[Answer]
    latency: float = 0.0
    watched: bool = False
    returns: tuple[float, ...] = ()
    jumps: tuple[tuple[float, float], ...] = ()
    now: float = 0.0
    polls: list[float] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)

    def run(self, flow: Flow[T]) -> T:
        """Run to the end."""
        answers = iter(self.answers)
        reply: Tick | HttpResponse | None = None
        error: LoopbackAuthError | None = None
        last: Answer = NOT_YET
        try:
            while True:
                effect = flow.throw(error) if error is not None else flow.send(reply)
                reply = error = None
                match effect:
                    case Sleep():
                        reply = self._sleep(effect)
                    case Send():
                        last = self._poll(answers, last)
                        if isinstance(last, LoopbackAuthError):
                            error = last
                        else:
                            reply = replace(last, received_at=self._wall())
                    case Warn(text):
                        self.warnings.append(text)
                    case _:
                        raise AssertionError(effect)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def gaps(self) -> list[float]:
        """Return the seconds between the polls, the first one counted from the start."""
        return [round(end - begin, 6) for begin, end in zip([0.0, *self.polls], self.polls, strict=False)]

    def _poll(self, answers: Iterator[Answer], last: Answer) -> Answer:
        assert len(self.polls) < 10_000, "It asks for ever."
        self.polls.append(self.now)
        self.now += self.latency
        return next(answers, last)

    def _sleep(self, effect: Sleep) -> Tick:
        assert effect.seconds >= 0
        end, back = self.now + effect.seconds, False
        self.spreads.append(effect.spread)
        due = [moment for moment in self.returns if moment <= end]
        if due and self.watched:
            end, back = max(self.now, due[0]), True
            self.returns = self.returns[1:]
        self.now = end
        return Tick(end, self._wall(), returned=back, watched=self.watched)

    def _wall(self) -> float:
        return START + self.now + sum(seconds for at, seconds in self.jumps if at <= self.now)
