"""What a check is, and the verdicts that it gives.

A check is applied to the flows that its clause is about. There it passes, fails, or has too little evidence;
without evidence it never passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from loopback_auth.compare.model import Finding, Run, Severity, Verdict
from loopback_auth.trace.evidence import traits_of


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one check found: of a trace, a server, a program, a link or a token.

    Args:
        verdict: of the check.
        because: one sentence with the evidence.
        steps: numbers of the trace entries that show it, where there is a trace.
    """

    verdict: Verdict
    because: str
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One rule that a login is checked against.

    Args:
        id: name of the check, which stays the same.
        severity: how bad a failure is.
        title: a statement that is true when the check passes.
        source: the clause that demands it.
        advice: one imperative sentence for a failure.
        judge: reads the trace.
        excuse: why the rule does not apply to a run; empty when it does.
    """

    id: str
    severity: Severity
    title: str
    source: str
    advice: str
    judge: Callable[[Run], Judgement]
    excuse: Callable[[Run], str]


class Rule(Protocol):
    """What a finding takes from the rule that it is about, whatever that is checked on."""

    @property
    def id(self) -> str:
        """Name of the rule, which stays the same."""
        ...

    @property
    def severity(self) -> Severity:
        """How bad a breach is."""
        ...

    @property
    def title(self) -> str:
        """A statement that is true when the rule is kept."""
        ...

    @property
    def source(self) -> str:
        """The clause that demands it."""
        ...

    @property
    def advice(self) -> str:
        """One imperative sentence for a breach."""
        ...


def found(
    rule: Rule, judgement: Judgement, *, title: str = "", kind: Literal["check", "attack"] = "check"
) -> Finding:
    """Return what was found about a rule.

    Args:
        rule: that was applied.
        judgement: that came of it.
        title: in place of the rule's.
        kind: whether it was read, or tried as an attack.
    """
    return Finding(
        id=rule.id,
        severity=rule.severity,
        title=title or rule.title,
        verdict=judgement.verdict,
        because=judgement.because,
        source=rule.source,
        steps=judgement.steps,
        advice=rule.advice if judgement.verdict == "fail" else "",
        kind=kind,
    )


def passed(because: str) -> Judgement:
    """Return that a rule was kept."""
    return Judgement("pass", because)


def passed_at(because: str, steps: tuple[int, ...]) -> Judgement:
    """Return that a rule was kept at these steps of a trace; without any, that it was not observed."""
    return Judgement("pass", because, steps) if steps else unseen("The trace does not show it.")


def failed(because: str, steps: tuple[int, ...] = ()) -> Judgement:
    """Return that a rule was broken."""
    return Judgement("fail", because, steps)


def unseen(because: str) -> Judgement:
    """Return that there was too little evidence."""
    return Judgement("not observed", because)


def idle(because: str) -> Judgement:
    """Return that the rule does not apply to what was seen."""
    return Judgement("not applicable", because)


def always(_run: Run) -> str:
    """Excuse no flow."""
    return ""


def by_redirect(run: Run) -> str:
    """Excuse flows in which no authorization response comes back."""
    return "No response comes through the browser." if traits_of(run.flow).polled else ""


def with_code(run: Run) -> str:
    """Excuse flows without an authorization code."""
    return "" if traits_of(run.flow).brings_code else "No authorization code is used."


def by_polling(run: Run) -> str:
    """Excuse flows that do not poll."""
    return "" if traits_of(run.flow).polled else "The program does not poll: the browser brings the response."


def with_user_code(run: Run) -> str:
    """Excuse flows without a user code."""
    return "" if run.flow == "device" else "There is no user code."


def at_token_endpoint(run: Run) -> str:
    """Excuse flows whose tokens do not come from a token endpoint."""
    flow = traits_of(run.flow)
    if flow.name == "ticket":
        return "The ticket exchange is not a token endpoint."
    return "" if flow.polled or flow.brings_code else "The tokens come through the browser."
