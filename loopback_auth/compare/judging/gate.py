"""Which findings stop a build: those that failed with a severity at or above a threshold.

Where the comparison was held against an earlier one, only findings that are new or worse count. A run that
failed counts always, whatever the threshold, and one that could not be judged: that must not look like
success, however often it happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loopback_auth.compare.judging.anchors import titles
from loopback_auth.compare.judging.changes import WEIGHTS
from loopback_auth.compare.judging.conclusions import failed
from loopback_auth.compare.model import Changes, Comparison, Outcome, Severity

THRESHOLDS: tuple[Severity, ...] = ("high", "medium", "low")
JUDGED: frozenset[Outcome] = frozenset({"signed in", "examined"})
"""How runs end whose findings count."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A finding, or a run that judged nothing, because of which a build is stopped.

    Args:
        run: title of the run.
        finding: id of the finding; empty: nothing was judged in the run.
        severity: of the finding; `high` where nothing was judged.
        because: one sentence with the evidence, or why nothing was judged.
    """

    run: str
    finding: str
    severity: Severity
    because: str


def breaches(comparison: Comparison, threshold: Severity) -> tuple[Breach, ...]:
    """Return what is at or above a threshold, in the order of the runs, the worst first."""
    named = list(zip(titles(comparison.runs), comparison.runs, strict=True))
    fails = [
        (title, finding)
        for title, run in named
        for finding in failed(run)
        if WEIGHTS.index(finding.severity) >= WEIGHTS.index(threshold)
    ]
    if comparison.changes is not None:
        news = _news(comparison.changes)
        fails = [(title, one) for title, one in fails if (title, one.kind, one.id) in news]
    found = [Breach(title, "", WEIGHTS[-1], reason) for title, reason in _unjudged(comparison)]
    found += [Breach(title, one.id, one.severity, one.because) for title, one in fails]
    order = [title for title, _ in named]
    return tuple(sorted(found, key=lambda one: order.index(one.run)))


def _unjudged(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Iterate over the runs in which nothing was judged and should have been, each with the reason.

    That a provider refuses a flow, or does not offer it, is an answer as long as another one was judged.
    """
    advised = dict(zip(titles(comparison.runs), comparison.conclusions, strict=False))
    nothing = all(run.outcome not in JUDGED for run in comparison.runs)
    for title, run in zip(titles(comparison.runs), comparison.runs, strict=True):
        if nothing or run.outcome == "failed":
            yield title, run.reason or f"{run.outcome}."
        elif run.outcome in JUDGED and title in advised and advised[title].advice == "not judged":
            yield title, advised[title].sentence


def _news(changes: Changes) -> set[tuple[str, str, str]]:
    """Return the findings that are new or worse, by run, kind and id."""
    moved = (one for one in changes.findings if one.movement in ("new", "worse"))
    return {(one.run, one.kind, one.finding) for one in moved}
