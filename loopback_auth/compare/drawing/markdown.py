"""A comparison as Markdown for code hosts: conclusions, tables, findings, attacks, a diagram for each run.

Every text may come from a server, so each is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from loopback_auth.compare.drawing.advice import TYPICAL, Advised, advised, advised_places
from loopback_auth.compare.drawing.changes import change_heading, change_lines, change_remarks
from loopback_auth.compare.drawing.overview import (
    HOW_ATTACKS_ENDED,
    LEGEND,
    attacked,
    cell_text,
    checked,
    failed,
    groups,
    heading,
    overview,
    sources,
    unseen,
)
from loopback_auth.compare.model import Cell, Comparison, Row
from loopback_auth.drawing.markdown_text import escaped, linked, table
from loopback_auth.drawing.mermaid import mermaid


def markdown(comparison: Comparison) -> str:
    """Write the comparison."""
    flows = [escaped(run.title) for run in comparison.runs]
    numbers = sources(comparison)
    first = overview(comparison)
    columns = zip(flows, *(_cells(row, numbers) for row in first), strict=True)
    parts = [f"# {escaped(heading(comparison))}", *changed(comparison), *conclusions(comparison)]
    parts.append(table(["", *(row.title for row in first)], columns))
    parts += [f"{escaped(run.title)}: {escaped(run.reason)}" for run in comparison.runs if run.reason]
    parts.append(escaped(LEGEND))
    for name, rows in groups(comparison):
        body = ([escaped(row.title), *_cells(row, numbers)] for row in rows)
        parts += [f"## {escaped(name)}", table(["", *flows], body)]
    parts += ["## Findings", *_findings(comparison), checked(comparison)]
    if left := unseen(comparison):
        lines = (f"- {escaped(names)}: {escaped(because)}" for because, names in left)
        parts += ["## Not observed", "\n".join(lines)]
    parts += ["## Attacks that were tried", *_attacks(comparison)]
    for run in comparison.runs:
        parts += [f"## What happened: {escaped(run.title)}", f"```mermaid\n{mermaid(run.trace)}```"]
    if numbers:
        parts += [
            "## Sources",
            "\n".join(f"{number}. {linked(source)}" for source, number in numbers.items()),
        ]
    return "\n\n".join(parts) + "\n"


def changed(comparison: Comparison) -> Iterator[str]:
    """Write what changed since the earlier run, if there was one."""
    if comparison.changes is None:
        return
    yield escaped(change_heading(comparison.changes))
    if lines := change_lines(comparison.changes):
        body = (
            (
                f"**{one.movement}**",
                one.severity,
                escaped(one.finding),
                escaped(", ".join(one.runs)),
                escaped(one.because),
            )
            for one in lines
        )
        yield table(["Change", "Severity", "Finding", "In", "Evidence"], body)
    if remarks := "\n".join(f"- {escaped(remark)}" for remark in change_remarks(comparison)):
        yield remarks


def conclusions(comparison: Comparison) -> Iterator[str]:
    """Write the advice for each run, those with the same together, then the advice for each place."""
    if comparison.conclusions:
        because = (
            (
                escaped(one.advice),
                escaped(", ".join(one.runs)),
                escaped(" ".join((one.sentence, *_reasons(one)))),
            )
            for one in advised(comparison)
        )
        yield table(["Conclusion", "", "Why"], ((f"**{advice}**", *rest) for advice, *rest in because))
    if comparison.places:
        yield TYPICAL
        yield "\n".join(
            f"- {escaped(titles)}: {escaped(text)}" for titles, text in advised_places(comparison)
        )


def _reasons(one: Advised) -> Iterator[str]:
    return (reason.text for reason in one.reasons)


def _cells(row: Row, numbers: Mapping[str, int]) -> list[str]:
    return [_cell(cell, numbers) for cell in row.cells]


def _cell(cell: Cell, numbers: Mapping[str, int]) -> str:
    return "".join(map(escaped, cell_text(cell, numbers)))


def _findings(comparison: Comparison) -> Iterator[str]:
    for finding, told in failed(comparison):
        lines = [f"**{finding.severity}** {escaped(finding.id)} ({linked(finding.source)})", ""]
        lines += [f"- {escaped(flows)}: {escaped(because)}" for flows, because in told]
        lines.append(f"- Expected: {escaped(finding.title)}.")
        if finding.advice:
            lines.append(f"- What to do: {escaped(finding.advice)}")
        yield "\n".join(lines)


def _attacks(comparison: Comparison) -> Iterator[str]:
    for attack, endings in attacked(comparison):
        lines = [f"{escaped(attack.title)} ({linked(attack.source)})", ""]
        lines += [
            f"- **{HOW_ATTACKS_ENDED[verdict]}**: {escaped(flows)}. {escaped(because)}"
            for verdict, flows, because in endings
        ]
        yield "\n".join(lines)
