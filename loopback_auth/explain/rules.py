"""Rules that a link or a token is checked against, and their findings.

A rule judges what it sees and nothing else. Where it does not apply, or where what it needs cannot be seen,
it says nothing, and there is no finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from loopback_auth.compare.judging.verdicts import Judgement, found
from loopback_auth.compare.model import Finding, Severity

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Rule(Generic[Thing]):
    """One rule.

    Args:
        id: name of the rule, which stays the same; checks of a trace have the same name for the same rule.
        severity: how bad a breach is.
        title: a statement that is true when the rule is kept.
        source: the clause that demands it.
        advice: one imperative sentence for a breach.
        judge: reads the thing; None: the rule does not apply to it.
    """

    id: str
    severity: Severity
    title: str
    source: str
    advice: str
    judge: Callable[[Thing], Judgement | None]


def judged(rules: Iterable[Rule[Thing]], thing: Thing) -> tuple[Finding, ...]:
    """Apply rules to a thing, in order."""
    pairs = ((rule, rule.judge(thing)) for rule in rules)
    return tuple(found(rule, judgement) for rule, judgement in pairs if judgement is not None)
