"""How far the flows of a comparison are, for people: one line that is drawn again, or a line a stage."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from loopback_auth.terminal.line import Line

ATTACKED = "under attack"
ENDS = ("signed in", "failed", ATTACKED)
"""The last stages."""


class Headway:
    """Tells on stderr how far each flow is; a context manager that leaves no line behind."""

    def __init__(self, names: Sequence[str]) -> None:
        self._stages = dict.fromkeys(names, "not begun")
        self._line = Line()

    def tell(self, name: str, stage: str) -> None:
        """Note how far a flow is, and show it."""
        self._stages[name] = stage
        if not self._line.live:
            self._line.say(f"{name}: {stage}")
            return
        under_way = [flow for flow, one in self._stages.items() if one not in ENDS]
        count = f"{len(self._stages) - len(under_way)} of {len(self._stages)} flows have ended"
        if all(one == ATTACKED for one in self._stages.values()):
            self._line.draw("All flows have ended, and are attacked now.")
            return
        every = ", ".join(f"{flow}: {one}" for flow, one in self._stages.items())
        waiting = f"{count}; under way: {', '.join(under_way)}" if under_way else count
        now = f"{name}: {stage}"
        self._line.draw(every, f"{now}. {waiting}", f"{now}. {count}", count)

    def __enter__(self) -> Headway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.clear()
