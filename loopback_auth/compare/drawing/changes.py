"""What changed since an earlier comparison, in sentences: for the terminal, and for Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from loopback_auth.compare.drawing.overview import GROUNDS
from loopback_auth.compare.judging.changes import ORDER
from loopback_auth.compare.model import Changes, Comparison, Movement, Severity

DIFFERENCES = {
    "outcome": "it ended with {!r}, and now with {!r}",
    "advice": "the advice was {!r}, and is {!r}",
}
"""The sentences for a change, by what differs."""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One line about findings.

    Args:
        movement: what happened to the finding.
        severity: how bad a failure is.
        finding: id of the finding.
        runs: titles of the runs to which it happened.
        because: one sentence with the evidence.
    """

    movement: Movement
    severity: Severity
    finding: str
    runs: tuple[str, ...]
    because: str


def change_heading(changes: Changes) -> str:
    """Count what changed, in one sentence."""
    counts = [
        f"{count} {movement}"
        for movement in ORDER
        if (count := sum(one.movement == movement for one in changes.findings))
    ]
    made = ""
    if changes.ground != "simulate":  # The clock of a simulation tells nothing.
        made = f" of {datetime.fromtimestamp(changes.made_at, UTC):%Y-%m-%d %H:%M} UTC"
    return f"Findings since the earlier run{made}: {', '.join(counts) or 'no change'}."


def change_lines(changes: Changes) -> list[ChangeLine]:
    """Return the findings that changed; those with the same evidence in one line."""
    found: dict[tuple[Movement, Severity, str, str], list[str]] = {}
    for one in changes.findings:
        found.setdefault((one.movement, one.severity, one.finding, one.because), []).append(one.run)
    return [
        ChangeLine(movement, severity, finding, tuple(runs), because)
        for (movement, severity, finding, because), runs in found.items()
    ]


def change_remarks(comparison: Comparison) -> Iterator[str]:
    """Say what else has changed."""
    changes = comparison.changes
    if changes is None:
        return
    for one in changes.differences:
        if one.about == "title":
            yield f"{one.after} is compared with {one.before} of the earlier run."
        else:
            yield f"{one.run}: {DIFFERENCES[one.about].format(one.before or 'none', one.after or 'none')}."
    if changes.came:
        yield f"Not in the earlier run: {', '.join(changes.came)}."
    if changes.went:
        yield f"Only in the earlier run: {', '.join(changes.went)}."
    if changes.version != comparison.version:
        yield (
            f"The earlier run was made by version {changes.version} of this program, whose checks may differ "
            f"from those of {comparison.version}."
        )
    if changes.ground != comparison.ground:
        yield f"The earlier run was made elsewhere: {GROUNDS[changes.ground]}."
    if changes.provider != comparison.provider:
        yield f"The earlier run was made with {changes.provider}, this one with {comparison.provider}."
