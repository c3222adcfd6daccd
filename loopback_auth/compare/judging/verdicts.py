"""What a check is, and how it says what it found.

A check is applied where its clause applies; there it passes, fails, or has too little to see. It never passes
for want of evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loopback_auth.compare.model import Run, Severity, Verdict
from loopback_auth.trace.evidence import POLLED, kind_of

CODES = ("code", "form_post", "hybrid", "paste")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, one sentence of evidence, and the numbers of the entries that show it."""

    verdict: Verdict
    because: str
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One rule to hold a sign-in against.

    Args:
        id: stable.
        severity: how bad a failure is.
        title: true when it passes.
        source: the clause.
        advice: one imperative sentence for where it fails.
        judge: reads the trace.
        excuse: why the rule does not concern a run; empty when it does.
    """

    id: str
    severity: Severity
    title: str
    source: str
    advice: str
    judge: Callable[[Run], Judgement]
    excuse: Callable[[Run], str]


def passed(because: str, steps: tuple[int, ...]) -> Judgement:
    """Say that a rule was kept; without evidence it was not observed."""
    return Judgement("pass", because, steps) if steps else unseen("Nothing in the trace shows it.")


def failed(because: str, steps: tuple[int, ...]) -> Judgement:
    """Say that a rule was broken."""
    return Judgement("fail", because, steps)


def unseen(because: str) -> Judgement:
    """Say that there was too little to see."""
    return Judgement("not observed", because)


def idle(because: str) -> Judgement:
    """Say that the rule had nothing to apply to after all."""
    return Judgement("not applicable", because)


def always(_run: Run) -> str:
    """Excuse no flow."""
    return ""


def by_redirect(run: Run) -> str:
    """Excuse flows in which no authorization response comes back."""
    return "Nothing comes back through the browser." if kind_of(run.flow) in POLLED else ""


def with_code(run: Run) -> str:
    """Excuse flows without an authorization code."""
    return "" if kind_of(run.flow) in CODES else "No authorization code is used."


def by_polling(run: Run) -> str:
    """Excuse flows that learn of the approval by themselves."""
    return "" if kind_of(run.flow) in POLLED else "Nothing is polled: the browser brings the answer."


def with_user_code(run: Run) -> str:
    """Excuse flows without a user code."""
    return "" if kind_of(run.flow) == "device" else "There is no user code."


def at_token_endpoint(run: Run) -> str:
    """Excuse flows whose tokens do not come from a token endpoint."""
    kind = kind_of(run.flow)
    if kind == "ticket":
        return "The vendor's exchange is no token endpoint."
    return "" if kind == "device" or kind in CODES else "The tokens come through the browser."
