"""The progress of a comparison, for the user: one line that is redrawn, or a line for each stage."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from loopback_auth import words
from loopback_auth.terminal.line import Line

ENDS = (words.RUN_SIGNED_IN, words.RUN_FAILED, words.RUN_ATTACKED)
"""The last stages."""


class RunProgress:
    """Shows on stderr how far each flow is; a context manager that leaves no line behind."""

    def __init__(self, names: Sequence[str]) -> None:
        self._stages = dict.fromkeys(names, words.RUN_NOT_BEGUN)
        self._line = Line()

    def tell(self, name: str, stage: str) -> None:
        """Note how far a flow is, and show it."""
        self._stages[name] = stage
        if not self._line.live:
            self._line.say(words.RUN_STAGE.format(flow=name, stage=stage))
            return
        if all(one == words.RUN_ATTACKED for one in self._stages.values()):
            self._line.draw(words.RUN_ATTACKS)
            return
        every = [words.RUN_STAGE.format(flow=flow, stage=one) for flow, one in self._stages.items()]
        still_open = [flow for flow, one in self._stages.items() if one not in ENDS]
        ended, number = len(self._stages) - len(still_open), len(self._stages)
        count = words.RUN_COUNT.format(ended=ended, count=number)
        waiting = words.RUN_COUNT_OPEN.format(ended=ended, count=number, flows=", ".join(still_open))
        now = words.RUN_STAGE.format(flow=name, stage=stage)
        longest = words.RUN_NOW.format(now=now, count=waiting if still_open else count)
        self._line.draw(", ".join(every), longest, words.RUN_NOW.format(now=now, count=count), count)

    def __enter__(self) -> RunProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.clear()
