"""How a cell is filled: only what entries of the trace show is called observed; knowledge has a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loopback_auth.compare.model import Cell, Run

NOT_OBSERVED = Cell("not observed", "not observed")
NOT_IN_PROTOCOL = "not in protocol"


@dataclass(frozen=True, slots=True)
class Property:
    """One row to be: a property of flows, and how to tell it of a run."""

    id: str
    title: str
    group: str
    cell: Callable[[Run], Cell]


def seen(text: str, steps: tuple[int, ...], source: str = "") -> Cell:
    """Say what entries of the trace show; without such entries nothing was observed.

    Args:
        text: what they show.
        steps: their numbers.
        source: the clause behind the judgement, where there is one.
    """
    return Cell(text, "observed", source, steps) if steps else NOT_OBSERVED


def known(text: str, source: str) -> Cell:
    """Say what a public source says."""
    return Cell(text, "known", source)
