"""What is to be said of the flows side by side: a card each, and the table of all properties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from loopback_auth.compare.drawing.overview import IN_SHORT, SEVERITIES, succeeded
from loopback_auth.compare.drawing.report_text import clause, plain, rich
from loopback_auth.compare.nouns import Basis, Cell, Comparison, Finding, Outcome, Row, Run
from loopback_auth.trace.evidence import KINDS

Anchors = Sequence[Mapping[int, str]]
"""For each flow the ids of the elements that show its entries, by the numbers of the entries."""

LEGEND: dict[Basis, str] = {
    "observed": "seen in the recorded requests and answers of this run",
    "tried": "somebody tried it here as an attack, and this is how that ended",
    "known": "not of this run: a public source says so, and is named",
    "not observed": "nothing here shows it, so nothing is claimed",
}
_MARK_OF_OUTCOME: dict[Outcome, str] = {
    "signed in": "pass",
    "refused": "fail",
    "failed": "fail",
    "not possible": "not-applicable",
}
_ON_CARDS = {
    "status": "Status",
    "address-bar": "In the address bar",
    "person": "Steps of the person",
    "headless": "Over SSH, in a container",
    "delay": "From approval to tokens",
    "refresh-token": "Refresh token",
}
"""Rows that decide between flows, by the titles that they have there."""
_DRAWN = "order"
"""A row that the diagrams tell better."""
_MOST_LINKS = 5
_FEWER_LINKS = 3
"""Of more than the most: the count of the others takes room as well."""


def mark(name: str) -> str:
    """Draw one of the symbols of the page; what it means has to be said beside it."""
    return f'<svg class="mark {name}" aria-hidden="true"><use href="#m-{name}"/></svg>'


def steps(numbers: Iterable[int], anchors: Mapping[int, str], flow: str) -> str:
    """Link the entries that show something; those that cannot be found are left out."""
    found = list(dict.fromkeys((anchors[number], number) for number in numbers if number in anchors))
    if not found:
        return ""
    shown = found if len(found) <= _MOST_LINKS else found[:_FEWER_LINKS]
    links = [
        f'<a href="#{anchor}" aria-label="step {number} of {plain(flow)}">{number}</a>'
        for anchor, number in shown
    ]
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    return f'<span class="steps">step{"s" * (len(found) > 1)} {", ".join(links)}{more}</span>'


def outcome(run: Run) -> str:
    """Say how a flow ended, in a word and a sign."""
    name = _MARK_OF_OUTCOME[run.outcome]
    return f'<span class="outcome {name}">{mark(name)}{plain(run.outcome.capitalize())}</span>'


def legend() -> str:
    """Explain the four marks."""
    items = (
        f"<div><dt>{mark(_name(basis))}{basis.capitalize()}</dt><dd>{words}</dd></div>"
        for basis, words in LEGEND.items()
    )
    return f'<dl class="legend">{"".join(items)}</dl>'


def cards(comparison: Comparison) -> str:
    """Tell of each flow what matters first."""
    rows = {row.id: row for row in comparison.rows}
    places = finding_anchors(comparison)
    parts = []
    for at, run in enumerate(comparison.runs):
        title = f'<h3><a href="#flow-{at}">{plain(run.flow)}</a></h3>{outcome(run)}{_reason(run)}'
        short = f'<p class="short">{IN_SHORT[KINDS[run.flow]]}</p>' if run.flow in KINDS else ""
        facts = [_worst(run, places), _attacks(run)]
        facts += [_fact(rows[name], at) for name in _ON_CARDS if name in rows]
        parts.append(f'<li class="card"><div>{title}</div>{short}<dl>{"".join(facts)}</dl></li>')
    return "".join(parts)


def severity(finding: Finding) -> str:
    """Say how bad a failure is."""
    return f'<span class="severity {finding.severity}">{finding.severity.capitalize()}</span>'


def finding_anchors(comparison: Comparison) -> dict[str, str]:
    """Name the elements that tell of the findings, by the ids of these."""
    ids = dict.fromkeys(finding.id for run in comparison.runs for finding in run.findings)
    return {name: f"finding-{at}" for at, name in enumerate(ids)}


def table(comparison: Comparison, anchors: Anchors) -> str:
    """Write all properties of all flows."""
    heads = "".join(f'<th scope="col">{plain(run.flow)}</th>' for run in comparison.runs)
    bodies = (
        _group(name, tuple(rows), comparison.runs, anchors)
        for name, rows in groupby(
            (row for row in comparison.rows if row.id != _DRAWN), key=lambda row: row.group
        )
    )
    return (
        '<table><caption class="vh">Properties of the flows, side by side</caption>'
        f'<thead><tr><th scope="col">Property</th>{heads}</tr></thead>{"".join(bodies)}</table>'
    )


def _name(basis: Basis) -> str:
    return basis.replace(" ", "-")


def _reason(run: Run) -> str:
    return f'<p class="reason">{rich(run.reason)}</p>' if run.reason else ""


def _fact(row: Row, at: int) -> str:
    cell = row.cells[at]
    # Nearly all of it was observed, so that only the rest needs a mark here.
    words = rich(cell.text) if cell.basis == "observed" else _text(cell)
    return f"<div><dt>{_ON_CARDS[row.id]}</dt><dd>{words}</dd></div>"


def _worst(run: Run, places: Mapping[str, str]) -> str:
    failed = [finding for finding in run.findings if finding.verdict == "fail"]
    if not run.findings:
        return ""
    if not failed:
        # A flow that did not get to its end has shown nothing that could be found fault with.
        words = f"{mark('pass')}none" if run.outcome == "signed in" else "not checked"
        return f"<div><dt>Worst finding</dt><dd>{words}</dd></div>"
    worst = min(failed, key=lambda finding: SEVERITIES.index(finding.severity))
    more = f"<small>and {len(failed) - 1} more</small>" if len(failed) > 1 else ""
    # Not the title, which says what should have been.
    link = f'<a href="#{places[worst.id]}">{rich(worst.because)}</a>'
    return f"<div><dt>Worst finding</dt><dd>{severity(worst)} {link} {more}</dd></div>"


def _attacks(run: Run) -> str:
    if not run.attacks:
        return ""
    return f'<div><dt>Attacks succeeded</dt><dd><a href="#attacks">{_text(succeeded(run))}</a></dd></div>'


def _text(cell: Cell) -> str:
    # A cell that says no more than its basis says it for all.
    unseen = f'<span class="vh">{cell.basis}: </span>' if cell.text != cell.basis else ""
    return f"{mark(_name(cell.basis))}{unseen}{rich(cell.text)}"


def _group(name: str, rows: Sequence[Row], runs: Sequence[Run], anchors: Anchors) -> str:
    title = f'<th scope="rowgroup" colspan="{len(runs) + 1}"><span>{plain(name)}</span></th>'
    return f'<tbody><tr class="group">{title}</tr>{"".join(_row(row, runs, anchors) for row in rows)}</tbody>'


def _row(row: Row, runs: Sequence[Run], anchors: Anchors) -> str:
    alike = ' class="alike"' if len({cell.text for cell in row.cells}) == 1 and len(runs) > 1 else ""
    sources = {cell.source for cell in row.cells}
    # What is the same for all is said once.
    shared = sources.pop() if len(sources) == 1 else ""
    cells = "".join(_cells(row, runs, anchors, shared))
    return f'<tr{alike}><th scope="row">{plain(row.title)}{_small(clause(shared))}</th>{cells}</tr>'


def _cells(row: Row, runs: Sequence[Run], anchors: Anchors, shared: str) -> Iterator[str]:
    for cell, run, places in zip(row.cells, runs, anchors, strict=True):
        source = "" if cell.source == shared else clause(cell.source)
        grounds = _small(source, steps(cell.steps, places, run.flow))
        yield f'<td class="{_name(cell.basis)}" data-flow="{plain(run.flow)}">{_text(cell)}{grounds}</td>'


def _small(*texts: str) -> str:
    shown = " ".join(filter(None, texts))
    return f"<small>{shown}</small>" if shown else ""
