"""What a flow loses without one of its defences: the attacks and checks that fail only then."""

from __future__ import annotations

from dataclasses import dataclass

from loopback_auth.compare.drawing.report_words import WITHOUT
from loopback_auth.compare.judging.conclusions import failed, fault
from loopback_auth.compare.model import Cell, Comparison, Finding, Row, Run

TOLD = ("left-out", "still-stopped")
"""Rows of which a twin is told, by their ids."""
ABOUT_TWINS = frozenset({*TOLD, "lets-through"})
"""Rows that say nothing about the whole flow."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that fails without the defence, and not with it.

    Args:
        finding: of the flow without the defence.
        text: what happened, in one sentence.
    """

    finding: Finding
    text: str


@dataclass(frozen=True, slots=True)
class Twin:
    """A flow without one of its defences, beside the whole flow.

    Args:
        at: its place among the runs, from 0.
        whole_at: the place of the whole flow.
        run: the flow without the defence.
        defence: name of the defence.
        losses: what fails only without it, the worst first.
        changed: titles of the properties that differ.
        told: what is told of the twin alone: titles of rows, with its cells.
    """

    at: int
    whole_at: int
    run: Run
    defence: str
    losses: tuple[Loss, ...]
    changed: tuple[str, ...]
    told: tuple[tuple[str, Cell], ...]


def twins(comparison: Comparison) -> dict[int, Twin]:
    """Return the runs without a defence, by their places."""
    places = {run.title: at for at, run in enumerate(comparison.runs)}
    found: dict[int, Twin] = {}
    for at, run in enumerate(comparison.runs):
        whole, _, defence = run.title.partition(WITHOUT)
        if defence and whole in places:
            found[at] = _twin(comparison, at, places[whole], defence)
    return found


def _twin(comparison: Comparison, at: int, whole_at: int, defence: str) -> Twin:
    run, whole = comparison.runs[at], comparison.runs[whole_at]
    known = {finding.id for finding in failed(whole)}
    losses = tuple(
        Loss(finding, fault(run, finding).text) for finding in failed(run) if finding.id not in known
    )
    rows = {row.id: row for row in comparison.rows}
    changed = tuple(
        row.title for row in comparison.rows if row.id not in ABOUT_TWINS and differs(row, at, whole_at)
    )
    told = tuple((rows[name].title, rows[name].cells[at]) for name in TOLD if name in rows)
    return Twin(at, whole_at, run, defence, losses, changed, told)


def differs(row: Row, at: int, whole_at: int) -> bool:
    """Return whether a property of a run is another one than that of the whole flow."""
    return row.cells[at].text != row.cells[whole_at].text
