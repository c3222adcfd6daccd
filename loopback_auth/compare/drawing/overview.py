"""The overview, and the order of everything else: the same for the terminal and for Markdown.

The overview consists of rows like all others, so that each of its cells has a basis. A finding or attack is
written once, with the flows that it applies to, because six flows fail for few reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import get_args

from loopback_auth.compare.judging.cells import NOT_OBSERVED
from loopback_auth.compare.model import Attack, Basis, Cell, Comparison, Finding, Row, Run, Severity, Verdict
from loopback_auth.redact import server_text

SEVERITIES: tuple[Severity, ...] = tuple(reversed(get_args(Severity)))
"""Severities, the worst first."""

GROUNDS = {
    "simulate": "simulated in memory",
    "demo": "on real sockets of this machine",
    "live": "with a real browser",
    "file": "read from a recording",
}
TITLES = {
    "person": "User actions",
    "address-bar": "In the address bar",
    "learnt": "Approval learned by",
}
"""Rows that are in the overview, by shorter names."""

MARKS: Mapping[Basis, str] = {"observed": "", "tried": "*", "known": "", "not observed": "?"}
LEGEND = (
    "Without a mark: seen in this run. *: tried as an attack. ?: not observed. [1]: known, from source 1."
)

HOW_ATTACKS_ENDED: dict[Verdict, str] = {
    "fail": "SUCCEEDED",
    "pass": "prevented",
    "not observed": "not observed",
    "not applicable": "not applicable",
}
"""Words for how attacks ended, the worst first."""

Told = list[tuple[str, str]]
"""Names of flows, and a sentence about them."""


def overview(comparison: Comparison) -> list[Row]:
    """Return the rows that come first."""
    runs, rows = comparison.runs, {row.id: row for row in comparison.rows}
    any_tried = any(run.attacks for run in runs)
    return [
        Row("outcome", "Outcome", "", tuple(Cell(run.outcome, "observed") for run in runs)),
        *(replace(rows[name], title=title) for name, title in TITLES.items() if name in rows),
        Row("failed", "Findings", "", tuple(Cell(_failed(run), "observed") for run in runs)),
        *([Row("attacks", "Attacks succeeded", "", tuple(map(succeeded, runs)))] if any_tried else []),
    ]


def succeeded(run: Run) -> Cell:
    """Count the attacks that succeeded among those that could be tried."""
    ended = [attack.verdict for attack in run.attacks if attack.verdict in ("fail", "pass")]
    return Cell(f"{ended.count('fail')} of {len(ended)}", "tried") if ended else NOT_OBSERVED


def groups(comparison: Comparison) -> Iterator[tuple[str, list[Row]]]:
    """Iterate over the groups of all other rows."""
    rows = [row for row in comparison.rows if row.id not in (*TITLES, "outcome")]
    for name in dict.fromkeys(row.group for row in rows):
        yield name, [row for row in rows if row.group == name]


def sources(comparison: Comparison) -> dict[str, int]:
    """Return the sources of known facts, each once, with its number."""
    cells = (cell for row in comparison.rows for cell in row.cells)
    found = dict.fromkeys(cell.source for cell in cells if cell.basis == "known" and cell.source)
    return {source: number for number, source in enumerate(found, 1)}


def cell_text(cell: Cell, numbers: Mapping[str, int]) -> tuple[str, str]:
    """Return what a cell says, and the mark behind it.

    Args:
        cell: what is written.
        numbers: of the sources.
    """
    if cell.basis == "not observed" == cell.text:
        return "", MARKS[cell.basis]
    if cell.basis == "known" and cell.source:
        return cell.text, f"[{numbers[cell.source]}]"
    return cell.text, MARKS[cell.basis]


def failed(comparison: Comparison) -> list[tuple[Finding, Told]]:
    """Return the findings that need attention, worst first, each with its runs and reasons."""
    found: dict[tuple[str, ...], tuple[Finding, list[tuple[str, str]]]] = {}
    for run in comparison.runs:
        for finding in run.findings:
            if finding.verdict == "fail":
                key = (finding.id, finding.severity, finding.title, finding.source, finding.advice)
                found.setdefault(key, (finding, []))[1].append((run.title, finding.because))
    in_order = sorted(found.values(), key=lambda one: SEVERITIES.index(one[0].severity))
    return [(finding, _together(told)) for finding, told in in_order]


def attacked(comparison: Comparison) -> list[tuple[Attack, list[tuple[Verdict, str, str]]]]:
    """Return the attacks with their results: worst first, each with its flows and reasons."""
    found: dict[tuple[str, str, str], tuple[Attack, dict[Verdict, Told]]] = {}
    for run in comparison.runs:
        for attack in run.attacks:
            ended = found.setdefault((attack.id, attack.title, attack.source), (attack, {}))[1]
            ended.setdefault(attack.verdict, []).append((run.title, attack.because))
    return [
        (
            attack,
            [(verdict, *told) for verdict in HOW_ATTACKS_ENDED for told in _together(ended.get(verdict, []))],
        )
        for attack, ended in found.values()
    ]


def unseen(comparison: Comparison) -> list[tuple[str, str]]:
    """Return why checks of programs and servers could not be decided, and which they are.

    Those of flows need another run, of which there is nothing to say; here each reason says what to do.
    """
    found: dict[str, dict[str, None]] = {}
    for run in comparison.runs if comparison.kind != "flows" else ():
        for finding in run.findings:
            if finding.verdict == "not observed":
                found.setdefault(finding.because, {})[finding.id] = None
    return [(because, ", ".join(names)) for because, names in found.items()]


def checked(comparison: Comparison) -> str:
    """Count the findings by their verdicts."""
    verdicts = [finding.verdict for run in comparison.runs for finding in run.findings]
    counts = [
        f"{verdicts.count(verdict)} {word}" for verdict, word in _COUNTED.items() if verdict in verdicts
    ]
    return (
        f"{_count(len(verdicts), 'findings')}: {', '.join(counts)}." if verdicts else "Nothing was checked."
    )


_COUNTED: dict[Verdict, str] = {
    "fail": "failed",
    "pass": "passed",
    "not applicable": "not applicable",
    "not observed": "not observed",
}


def heading(comparison: Comparison) -> str:
    """Say what was compared."""
    if comparison.kind == "servers":
        how = "without a sign-in" if comparison.ground == "live" else "with a simulated user"
        return f"{server_text(comparison.provider)}, {how}"
    twins = [run for run in comparison.runs if run.name] if comparison.kind == "flows" else []
    counted = [_count(len(comparison.runs) - len(twins), comparison.kind)]
    counted += [_count(len(twins), "twins")] if twins else []
    return f"{' and '.join(counted)} with {server_text(comparison.provider)}, {GROUNDS[comparison.ground]}"


def _count(number: int, nouns: str) -> str:
    return f"{number} {nouns.removesuffix('s') if number == 1 else nouns}"


def _together(told: Told) -> Told:
    """Join the flows that have the same sentence."""
    joined: dict[str, list[str]] = {}
    for flow, because in told:
        joined.setdefault(because, []).append(flow)
    return [(", ".join(flows), because) for because, flows in joined.items()]


def _failed(run: Run) -> str:
    severities = [finding.severity for finding in run.findings if finding.verdict == "fail"]
    if not severities:
        return "none" if run.findings and run.outcome in ("signed in", "examined") else "not checked"
    worst = min(severities, key=SEVERITIES.index)
    others = len(severities) - (count := severities.count(worst))
    return f"{count} {worst}" + (f", {others} more" if others else "")
