"""What a comparison is made of, and the only input of every renderer.

Nothing here is a claim without a ground: each cell says whether it was observed in the trace, tried as an
attack, or is knowledge with a public source; and `not observed` is an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from loopback_auth.trace import Ground, Trace

Outcome = Literal["signed in", "refused", "failed", "not possible"]
Verdict = Literal["pass", "fail", "not applicable", "not observed"]
Severity = Literal["info", "low", "medium", "high"]
Basis = Literal["observed", "tried", "known", "not observed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check against one trace.

    Args:
        id: stable, such as `token-in-fragment`.
        severity: how bad a failure is.
        title: what is checked, as a short statement that is true when it passes.
        verdict: `fail` is what needs attention.
        because: one sentence with the evidence.
        source: clause, such as `RFC 9700 §2.1.2`.
        steps: numbers of the trace entries that show it.
        advice: what to do, where it failed.
    """

    id: str
    severity: Severity
    title: str
    verdict: Verdict
    because: str
    source: str
    steps: tuple[int, ...] = ()
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Attack:
    """Something that was tried against one flow, and how that ended.

    Args:
        id: stable, such as `stolen-code`.
        title: what was tried, in one sentence.
        verdict: `pass` when the attack did not succeed.
        because: what happened.
        source: clause.
    """

    id: str
    title: str
    verdict: Verdict
    because: str
    source: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """What came out, without the tokens.

    Args:
        token_type: as the server said.
        lifetime: seconds; None when the server did not say.
        refresh_token: whether one came.
        id_token: empty, `verified` or `not verified` (its signature).
        scope_asked: space separated.
        scope_granted: space separated.
        account: for people.
    """

    token_type: str
    lifetime: float | None
    refresh_token: bool
    id_token: str
    scope_asked: str
    scope_granted: str
    account: str


@dataclass(frozen=True, slots=True)
class Run:
    """One flow that was run.

    Args:
        outcome: how it ended.
        reason: what said so, where it did not end with tokens.
        tokens: where it did.
    """

    flow: str
    outcome: Outcome
    trace: Trace
    reason: str = ""
    tokens: Tokens | None = None
    findings: tuple[Finding, ...] = ()
    attacks: tuple[Attack, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """What is to be said of one flow under one heading.

    Args:
        text: short, at most some 30 characters where possible.
        basis: what it rests on.
        source: clause or page, for `known`; empty or the clause behind the judgement otherwise.
        steps: numbers of the trace entries that show it.
    """

    text: str
    basis: Basis
    source: str = ""
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One property of all flows; `cells` are in the order of the runs."""

    id: str
    title: str
    group: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that a report is drawn from.

    Args:
        ground: where the flows ran.
        provider: name of the provider.
        made_at: Unix seconds.
        version: of this package.
        runs: one a flow.
        rows: what they have and do, side by side.
    """

    ground: Ground
    provider: str
    made_at: float
    version: str
    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
