"""How a cell is made: an observed cell names entries of the trace, and a known fact names its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loopback_auth.compare.model import Cell, Run

NOT_OBSERVED = Cell("not observed", "not observed")
NOT_IN_PROTOCOL = "not in protocol"


@dataclass(frozen=True, slots=True)
class Property:
    """A property of runs: how the cell of each is made.

    Args:
        id: name of the property, which stays the same.
        title: the property, for people.
        group: heading above it.
        cell: makes the cell for a run.
    """

    id: str
    title: str
    group: str
    cell: Callable[[Run], Cell]


def seen(text: str, steps: tuple[int, ...], source: str = "") -> Cell:
    """Return a cell that entries of the trace show; without such entries, that nothing was observed.

    Args:
        text: what the entries show.
        steps: numbers of the entries.
        source: the clause behind the judgement, where there is one.
    """
    return Cell(text, "observed", source, steps) if steps else NOT_OBSERVED


def known(text: str, source: str) -> Cell:
    """Return a cell with what a public source says."""
    return Cell(text, "known", source)
