"""How a comparison differs from an earlier one: findings that came, went, or weigh differently.

A finding is known by its kind, its id and the title of its run. Where a title ends in a version, a run that
differs in nothing else is the same program. What cannot be observed any longer is not fixed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from loopback_auth.compare.judging.anchors import titles
from loopback_auth.compare.model import (
    Advice,
    Change,
    Changes,
    Comparison,
    Difference,
    Finding,
    Kind,
    Movement,
    Outcome,
    Severity,
    Verdict,
)
from loopback_auth.records import dataclass, replace
from loopback_auth.trace.records import Ground

ORDER: tuple[Movement, ...] = get_args(Movement)
"""The kinds of changes, those that demand attention first."""
WEIGHTS: tuple[Severity, ...] = get_args(Severity)
"""Severities, the lightest first."""

_VERSION = re.compile(r"[ @=]v?[0-9]+(?:[.+-]?[0-9A-Za-z]+)*$")


@dataclass(frozen=True, slots=True)
class EarlierFinding:
    """What is needed of a finding of the earlier comparison.

    Args:
        id: as in `Finding`, like all of these.
        severity: how bad a failure was.
        title: a statement that was true when the check passed.
        verdict: how it ended.
        kind: check or attack.
    """

    id: str
    severity: Severity
    title: str
    verdict: Verdict
    kind: Literal["check", "attack"]


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """What is needed of a run of the earlier comparison.

    Args:
        name: title of the run.
        outcome: how it ended.
        findings: its checks and attacks.
    """

    name: str
    outcome: Outcome
    findings: tuple[EarlierFinding, ...]


@dataclass(frozen=True, slots=True)
class EarlierConclusion:
    """What is needed of a conclusion of the earlier comparison.

    Args:
        run: title of the run.
        advice: what was to be done with it.
    """

    run: str
    advice: Advice


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is needed of the earlier comparison.

    Args:
        kind: what its columns are.
        ground: where it ran.
        provider: name of the provider.
        made_at: when it was made, in Unix seconds.
        version: of the program that made it.
        runs: one for each column.
        conclusions: one for each run.
    """

    kind: Kind
    ground: Ground
    provider: str
    made_at: float
    version: str
    runs: tuple[EarlierRun, ...]
    conclusions: tuple[EarlierConclusion, ...]


def against(comparison: Comparison, earlier: Earlier) -> Comparison:
    """Return a comparison with what changed since an earlier one of the same kind."""
    old = {run.name: run for run in earlier.runs}
    new = dict(zip(titles(comparison.runs), comparison.runs, strict=True))
    pairs = _pairs(tuple(new), tuple(old))
    found = [
        change
        for title, run in new.items()
        for change in _moved(title, run.findings, old[pairs[title]].findings if title in pairs else ())
    ]
    found.sort(key=lambda one: (ORDER.index(one.movement), -WEIGHTS.index(one.severity)))
    advised = {one.run: one.advice for one in earlier.conclusions}
    advice = dict(zip(new, (one.advice for one in comparison.conclusions), strict=False))
    differences = [
        difference
        for title, before in pairs.items()
        for difference in (
            Difference(title, "title", before, title),
            Difference(title, "outcome", old[before].outcome, new[title].outcome),
            Difference(title, "advice", advised.get(before, ""), advice.get(title, "")),
        )
        if difference.before != difference.after
    ]
    changes = Changes(
        ground=earlier.ground,
        provider=earlier.provider,
        made_at=earlier.made_at,
        version=earlier.version,
        findings=tuple(found),
        differences=tuple(differences),
        came=tuple(title for title in new if title not in pairs),
        went=tuple(title for title in old if title not in pairs.values()),
    )
    return replace(comparison, changes=changes)


def _pairs(now: Sequence[str], earlier: Sequence[str]) -> dict[str, str]:
    """Find for each title the one of the same column in the earlier comparison, as far as there is one."""
    found = {title: title for title in now if title in earlier}
    here = _by_stem([title for title in now if title not in found])
    there = _by_stem([title for title in earlier if title not in found])
    for stem, here_titles in here.items():
        there_titles = there.get(stem, [])
        if len(here_titles) == len(there_titles) == 1:
            found[here_titles[0]] = there_titles[0]
    return found


def stems(several: Sequence[str]) -> tuple[str, ...]:
    """Return titles without their versions, where they stay apart without them."""
    bare = [_VERSION.sub("", title) for title in several]
    return tuple(one if bare.count(one) == 1 else title for one, title in zip(bare, several, strict=True))


def _by_stem(several: Sequence[str]) -> dict[str, list[str]]:
    """Sort titles by what they are without a version."""
    stems: dict[str, list[str]] = {}
    for title in several:
        stems.setdefault(_VERSION.sub("", title), []).append(title)
    return stems


def _moved(run: str, now: Sequence[Finding], before: Sequence[EarlierFinding]) -> Iterator[Change]:
    old = {(one.kind, one.id): one for one in before}
    for one in now:
        was = old.pop((one.kind, one.id), None)
        failed = was is not None and was.verdict == "fail"
        movement = _movement(one, was if failed else None)
        if movement is not None:
            severity = one.severity if one.verdict == "fail" or was is None else was.severity
            yield Change(run, one.id, one.kind, movement, severity, one.title, one.because)
    for gone in old.values():
        if gone.verdict == "fail":
            because = "It is not among the checks and attacks of this run."
            yield Change(run, gone.id, gone.kind, "not observed", gone.severity, gone.title, because)


def _movement(now: Finding, failed: EarlierFinding | None) -> Movement | None:
    """Say how a finding moved; None where it did not.

    Args:
        now: the finding.
        failed: what it was; None where it did not fail.
    """
    if now.verdict == "fail":
        if failed is None:
            return "new"
        heavier = WEIGHTS.index(now.severity) - WEIGHTS.index(failed.severity)
        return "worse" if heavier > 0 else "better" if heavier < 0 else None
    if failed is None:
        return None
    return "not observed" if now.verdict == "not observed" else "fixed"
