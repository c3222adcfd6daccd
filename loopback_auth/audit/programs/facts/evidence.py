"""What facts are judged from, and what a fact is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from loopback_auth.audit.programs.observed import ProgramResult
from loopback_auth.audit.programs.trial import Question
from loopback_auth.compare.judging.verdicts import Judgement
from loopback_auth.compare.model import Severity


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sign-ins of one program, from which facts are judged.

    Args:
        plain: the one that nothing disturbed.
        others: those of the trials, in any order.
    """

    plain: ProgramResult
    others: tuple[ProgramResult, ...] = field(default=(), repr=False)

    def all(self) -> Iterator[ProgramResult]:
        """Return every sign-in."""
        yield self.plain
        yield from self.others


@dataclass(frozen=True, slots=True)
class Fact:
    """A question that is answered without a trial of its own.

    Args:
        question: what is looked at.
        judge: answers it.
    """

    question: Question
    judge: Callable[[Evidence], Judgement]


def fact(
    id: str,
    severity: Severity,
    title: str,
    statement: str,
    fault: str,
    source: str,
    advice: str,
    judge: Callable[[Evidence], Judgement],
) -> Fact:
    """Make a fact; the arguments are those of `Question`, and the judge."""
    return Fact(Question(id, severity, title, statement, fault, source, advice), judge)
