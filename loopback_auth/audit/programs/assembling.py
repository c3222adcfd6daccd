"""Make one column of the report out of the trials that were played on a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from loopback_auth.audit.programs.facts.evidence import Evidence
from loopback_auth.audit.programs.facts.table import FACTS
from loopback_auth.audit.programs.observed import ProgramResult, TrialResult
from loopback_auth.audit.programs.scenarios.copies import COPIES
from loopback_auth.audit.programs.scenarios.ordinary import PLAIN
from loopback_auth.audit.programs.scenarios.steps import end_text
from loopback_auth.audit.programs.trial import Question, Trial, not_applicable
from loopback_auth.audit.programs.trials import TRIALS
from loopback_auth.compare.judging.checks import with_attacks
from loopback_auth.compare.judging.verdicts import Judgement, found, idle, unseen
from loopback_auth.compare.model import Attack, Finding, Run, Tokens, Verdict
from loopback_auth.trace.records import Trace

WORST: tuple[Verdict, ...] = ("fail", "pass", "not applicable", "not observed")
"""Verdicts, the worst first: of several answers to one question the worst counts."""


@dataclass(frozen=True, slots=True)
class Audited:
    """One program with all that was found out about it.

    Args:
        run: its column.
        evidence: its sign-ins; they have secrets in them.
        answers: to every question, by its id.
    """

    run: Run
    evidence: Evidence = field(repr=False)
    answers: Mapping[str, Judgement] = field(repr=False)


def assemble(
    title: str, flow: str, played: Sequence[tuple[Trial, TrialResult]], *, trace: Trace, reason: str = ""
) -> Audited:
    """Make the column of a program.

    Args:
        title: name of the column.
        flow: name of the flow whose kind it is, such as `code`.
        played: the trials with what came of them, that which nothing disturbed among them; one that was
            played in parts may be there several times.
        trace: of the sign-in that nothing disturbed; it may be empty.
        reason: why that one did not succeed, where more is known than how it ended.
    """
    seen = [(trial.id, one.result) for trial, one in played if one.result is not None]
    plain = next((result for name, result in seen if name == PLAIN.id), ProgramResult())
    evidence = Evidence(plain, tuple(result for name, result in seen if name != PLAIN.id))
    answers = _answers(evidence, played)
    checks, attacks = _findings(answers)
    run = Run(
        flow=flow,
        outcome="signed in" if plain.succeeded else "failed",
        trace=trace,
        reason="" if plain.succeeded else reason or why_not(plain),
        tokens=_tokens(plain),
        findings=checks,
        name=title,
    )
    return Audited(with_attacks(run, attacks), evidence, answers)


def questions() -> Iterator[Question]:
    """Return every question, in the order of the findings."""
    yield from (fact.question for fact in FACTS)
    yield from (question for trial in TRIALS for question in trial.questions)


def why_not(plain: ProgramResult) -> str:
    """Say why the sign-in that nothing disturbed did not succeed."""
    if not plain.requests and not plain.link:
        asked = "The program sent no request to the server that it was given, and opened no link there."
        return f"{asked} {end_text(plain)}"
    if plain.repeated:
        return f"The server refused its link, which has {' and '.join(plain.repeated)} several times."
    if not plain.link and not plain.token_requests:
        return f"The program opened no authorization request. {end_text(plain)}"
    if not plain.token_requests:
        return f"The program opened the link, but sent no token request. {end_text(plain)}"
    refused = [str(one.status) for one in plain.token_requests if one.status >= 400]
    if refused and not plain.tokens:
        return f"The server refused its token request ({', '.join(refused)}). {end_text(plain)}"
    return end_text(plain)


def _answers(evidence: Evidence, played: Sequence[tuple[Trial, TrialResult]]) -> Mapping[str, Judgement]:
    if not evidence.plain.succeeded:
        return {one.id: unseen("The program did not sign in.") for one in questions()}
    answers = {fact.question.id: fact.judge(evidence) for fact in FACTS}
    for trial in TRIALS:
        parts = [one for other, one in played if other.id == trial.id]
        for question in trial.questions:
            given = [one.answers[question.id] for one in parts if question.id in one.answers]
            given = given or [_silent(trial, evidence, parts)]
            answers[question.id] = min(given, key=lambda one: WORST.index(one.verdict))
    if answers["page-shown"].verdict == "fail":
        # Whether a copy of the response takes its page away shows only where there is a page.
        answers |= {one.id: unseen("The program shows no page.") for one in COPIES.trial().questions}
    return answers


def _silent(trial: Trial, evidence: Evidence, parts: Sequence[TrialResult]) -> Judgement:
    """Say why there is no answer."""
    if reason := not_applicable(trial, evidence.plain):
        return idle(reason)
    if not parts:
        return unseen("This was not tried.")
    if not all(one.finished for one in parts):
        return unseen("The sign-in had ended before this could be tried.")
    return unseen("The trial did not show it.")


def _findings(answers: Mapping[str, Judgement]) -> tuple[tuple[Finding, ...], tuple[Attack, ...]]:
    asked = [(one, answers[one.id]) for one in questions()]
    return (
        tuple(found(one, answer, title=one.statement) for one, answer in asked if one.kind == "check"),
        tuple(_attack(one, answer) for one, answer in asked if one.kind == "attack"),
    )


def _attack(one: Question, answer: Judgement) -> Attack:
    return Attack(
        one.id,
        one.title,
        answer.verdict,
        answer.because,
        one.source,
        one.severity,
        one.statement,
        one.advice,
    )


def _tokens(plain: ProgramResult) -> Tokens | None:
    if not plain.succeeded:
        return None
    return Tokens(
        token_type=plain.tokens.get("token_type", ""),
        lifetime=None,
        refresh_token="refresh_token" in plain.tokens,
        id_token="not verified" if "id_token" in plain.tokens else "",
        scope_asked=plain.request.get("scope", ""),
        scope_granted=plain.tokens.get("scope", ""),
        account=plain.account,
    )
