"""Several things tried in one sign-in: if it succeeds in the end, the program has withstood all of them.

If it does not, halves of them are tried in sign-ins of their own, until it is certain which one it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from loopback_auth.audit.programs.actions import End, Pass, ProgramActions, ProgramScenario
from loopback_auth.audit.programs.observed import ProgramResult, TrialResult
from loopback_auth.audit.programs.scenarios.steps import end_text, still_waits, waiting
from loopback_auth.audit.programs.trial import Question, Trial
from loopback_auth.compare.attacks.attack_actions import Exposed
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.compare.judging.verdicts import Judgement, failed, passed, unseen

SETTLED = 1.5
"""Seconds after which a program has noticed what it has taken for its response: many look once a second."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, and what came back.

    Args:
        said: that, in a sentence.
        seen: something shows that it arrived: an answer, or a connection that was made.
    """

    said: str
    seen: bool = True


Steps = Callable[[AttackContext, Exposed], ProgramActions[Sent]]
Judge = Callable[[ProgramResult], Mapping[str, Judgement]]


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that is tried, and the question that it answers.

    Args:
        question: that it answers.
        steps: send it.
    """

    question: Question
    steps: Steps


def withstood(result: ProgramResult) -> bool:
    """Return whether the sign-in succeeded in spite of all."""
    return result.succeeded


def nothing_more(result: ProgramResult) -> Mapping[str, Judgement]:
    """Return no further answers."""
    return {}


@dataclass(frozen=True, slots=True)
class Series:
    """A trial of several probes.

    Args:
        id: of the trial.
        title: of the trial.
        probes: in order.
        harmless: whether a sign-in shows that none of them did harm.
        judge: gives answers to further questions, from each sign-in.
        further: those questions.
    """

    id: str
    title: str
    probes: tuple[Probe, ...]
    harmless: Callable[[ProgramResult], bool] = withstood
    judge: Judge = nothing_more
    further: tuple[Question, ...] = ()

    def trial(self) -> Trial:
        """Return the trial."""
        questions = (*(probe.question for probe in self.probes), *self.further)
        return Trial(self.id, self.title, self.scenario, questions, needs=("port", "code"), parts=self.parts)

    def scenario(self, context: AttackContext) -> ProgramScenario:
        """Try them in order, for as long as the program waits."""
        exposed = yield from waiting()
        sent: dict[str, Sent] = {}
        for probe in self.probes:
            sent[probe.question.id] = yield from probe.steps(context, exposed)
            if not (yield from still_waits(exposed)):
                break
        yield from Pass(SETTLED)
        result = yield from End()
        answers = dict(self.judge(result))
        if self.harmless(result):
            return answers | {name: _withstood(one, result) for name, one in sent.items()}
        if len(sent) == 1:
            return answers | {name: failed(f"{one.said} {_harm(result)}") for name, one in sent.items()}
        return answers

    def parts(self, played: TrialResult) -> tuple[Trial, ...]:
        """Return the trials that are still needed: none, the rest, or two halves."""
        open_ones = tuple(probe for probe in self.probes if probe.question.id not in played.answers)
        if not played.finished or not open_ones or (len(self.probes) == 1):
            return ()
        if len(open_ones) < len(self.probes):
            return (self._of(open_ones),)
        middle = len(open_ones) // 2
        return (self._of(open_ones[:middle]), self._of(open_ones[middle:]))

    def _of(self, probes: tuple[Probe, ...]) -> Trial:
        return replace(self, probes=probes).trial()


def _withstood(sent: Sent, result: ProgramResult) -> Judgement:
    """Say that it did no harm, if it arrived."""
    return (passed if sent.seen else unseen)(f"{sent.said} {end_text(result)}")


def _harm(result: ProgramResult) -> str:
    """Say what the user got instead of a sign-in."""
    if result.succeeded:
        return "The user's own response then got no page, although the program has signed in."
    return f"After that the user's own response did not sign them in. {end_text(result)}"
