"""The ids by which a report can be linked to: of each run, of its steps, and of each finding.

Those of findings are what `anchor` gives, so that other documents can link without having seen the page.
Where two would be the same, the second gets a number, for an id has to be unique. The ids of the page's own
parts are in `SECTIONS`, or have an underscore, which no other id has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loopback_auth.compare.judging.anchors import anchor, titles
from loopback_auth.compare.model import Comparison
from loopback_auth.drawing.diagram_layout import Diagram

SECTIONS = frozenset(
    {
        *("conclusions", "changes", "overview", "diagrams", "without", "properties", "findings", "attacks"),
        *("exchanges", "again", "differ", "drawn", "follow", "dock"),
    }
)
"""Ids of the page's own parts to which people link."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The ids of what people link to.

    Args:
        findings: by the ids of the findings.
        of_runs: of a finding in one run, by the place of the run and the id of the finding.
        runs: one for each run.
        entries: for each run, by the numbers of its entries.
    """

    findings: Mapping[str, str]
    of_runs: Mapping[tuple[int, str], str]
    runs: Sequence[str]
    entries: Sequence[Mapping[int, str]]


def anchors(comparison: Comparison, diagrams: Sequence[Diagram]) -> Anchors:
    """Name what people link to in a comparison with these diagrams."""
    taken = set(SECTIONS)
    runs, names = comparison.runs, titles(comparison.runs)
    found = [(at, finding.id) for at, run in enumerate(runs) for finding in run.findings]
    return Anchors(
        findings={name: _unique(anchor(name), taken) for name in dict.fromkeys(name for _, name in found)},
        of_runs={(at, name): _unique(anchor(name, names[at]), taken) for at, name in dict.fromkeys(found)},
        runs=[_unique(anchor(name), taken) for name in names],
        entries=[_entries(name, diagram, taken) for name, diagram in zip(names, diagrams, strict=True)],
    )


def _entries(title: str, diagram: Diagram, taken: set[str]) -> Mapping[int, str]:
    """Name the steps of a run; entries that are drawn as one arrow have one name."""
    found: dict[int, str] = {}
    for arrow in diagram.arrows:
        name = _unique(anchor(str(arrow.number), title), taken)
        found.update((entry.number, name) for entry in arrow.entries)
    return found


def _unique(name: str, taken: set[str]) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}.{number}"
    taken.add(free)
    return free
