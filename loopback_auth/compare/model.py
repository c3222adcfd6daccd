"""What a comparison is made of, and the only input of every renderer.

Nothing here is a claim without a ground: each cell says whether it was observed in the trace, tried as an
attack, or is knowledge with a public source; and `not observed` is an answer.
"""

from __future__ import annotations

from typing import Literal

from loopback_auth.records import dataclass
from loopback_auth.trace.records import Ground, Trace

FORM_POST = "code form_post"
"""The run of the code flow whose response comes by form_post."""
PAR = "code + par"
"""The run of the code flow whose request is pushed."""
DPOP = "code + dpop"
"""The run of the code flow whose tokens are bound to a key."""
RESOURCE = "resource"
"""The run of the code flow that begins at a protected resource."""

Kind = Literal["flows", "programs", "servers"]
Outcome = Literal["signed in", "refused", "failed", "not possible", "examined"]
Verdict = Literal["pass", "fail", "not applicable", "not observed"]
Severity = Literal["info", "low", "medium", "high"]
Basis = Literal["observed", "tried", "known", "not observed"]
IdTokenState = Literal["", "verified", "not verified"]
Advice = Literal["use", "use when", "avoid", "not judged"]
Movement = Literal["new", "worse", "better", "fixed", "not observed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one run, or one attack on it.

    Args:
        id: name of the check or attack, which stays the same; such as `token-in-fragment`.
        severity: how bad a failure is.
        title: what is checked, as a short statement that is true when the check passes.
        verdict: `fail` needs attention.
        because: one sentence with the evidence.
        source: clause that demands it, such as `RFC 9700 §2.1.2`.
        steps: numbers of the trace entries that show it.
        advice: what to do when the check failed; empty otherwise.
        kind: whether a trace was read, or an attack was tried.
    """

    id: str
    severity: Severity
    title: str
    verdict: Verdict
    because: str
    source: str
    steps: tuple[int, ...] = ()
    advice: str = ""
    kind: Literal["check", "attack"] = "check"


@dataclass(frozen=True, slots=True)
class Attack:
    """An attack that was tried on one flow, and how it ended.

    Args:
        id: name of the attack, which stays the same; such as `stolen-code`.
        title: what was tried, in one sentence.
        verdict: `pass` when the attack did not succeed.
        because: what happened, in one sentence.
        source: clause that describes the attack or the defence.
        severity: how bad it is when the attack succeeds.
        statement: a short statement that is true when the attack does not succeed; empty: the title says it.
        advice: what to do when it succeeded, one imperative sentence.
    """

    id: str
    title: str
    verdict: Verdict
    because: str
    source: str
    severity: Severity = "high"
    statement: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the server issued, without the tokens themselves.

    Args:
        token_type: as the server said it, such as `Bearer`.
        lifetime: of the access token, in seconds, if the server said so.
        refresh_token: whether the server issued a refresh token.
        id_token: state of its signature; empty when there was no ID token.
        scope_asked: scope in the request, separated by spaces.
        scope_granted: scope of the access token, separated by spaces.
        account: name or email address of the account, for people.
    """

    token_type: str
    lifetime: float | None
    refresh_token: bool
    id_token: IdTokenState
    scope_asked: str
    scope_granted: str
    account: str


@dataclass(frozen=True, slots=True)
class Run:
    """One column of a comparison: a flow that was run, or a program or a server that was tried.

    Args:
        flow: name of the flow, by which its kind is known.
        outcome: how it ended.
        trace: what happened.
        reason: why it did not end with tokens, or what was examined in place of what was asked for; empty
            where neither has to be said.
        tokens: what was issued, if it ended with tokens.
        findings: the checks of this run, then its attacks.
        attacks: the attacks that were tried.
        name: of the column; empty: the name of the flow.
    """

    flow: str
    outcome: Outcome
    trace: Trace
    reason: str = ""
    tokens: Tokens | None = None
    findings: tuple[Finding, ...] = ()
    attacks: tuple[Attack, ...] = ()
    name: str = ""

    @property
    def title(self) -> str:
        """Name of the column, for people and for links."""
        return self.name or self.flow


@dataclass(frozen=True, slots=True)
class Cell:
    """One property of one run.

    Args:
        text: the answer, at most some 30 characters where possible.
        basis: how it is known: seen in the trace, tried as an attack, or known from a public source.
        source: clause or page that says so; empty where the trace alone does.
        steps: numbers of the trace entries that show it.
    """

    text: str
    basis: Basis
    source: str = ""
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One property of all runs.

    Args:
        id: name of the property, which stays the same.
        title: the property, for people.
        group: heading above it.
        cells: one for each run, in their order.
    """

    id: str
    title: str
    group: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a conclusion was drawn.

    Args:
        text: one sentence.
        source: clause or public page that it rests on; empty where the run alone does.
        finding: id of the finding that it is about; empty where there is none.
    """

    text: str
    source: str = ""
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a reader should do with a run: the answer that its findings add up to.

    Args:
        run: title of the run.
        advice: what to do.
        sentence: the advice in one sentence.
        reasons: at most two, the most important first.
    """

    run: str
    advice: Advice
    sentence: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class PlaceConclusion:
    """Which flow to use in a place where sign-ins happen.

    Args:
        place: name of the place, which stays the same; such as `ssh`.
        title: the place, for people; such as "over SSH".
        run: title of the run that is best there; empty where none of them works.
        sentence: the advice in one sentence.
        reasons: at most two, the most important first.
    """

    place: str
    title: str
    run: str
    sentence: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that is not what it was in an earlier comparison.

    Args:
        run: title of the run.
        finding: id of the finding.
        kind: of the finding.
        movement: `new`: it fails, and did not; `worse` and `better`: it fails as before, with another
            severity; `fixed`: it failed, and does no longer; `not observed`: it failed, and cannot be told
            now.
        severity: how bad the failure is; where it is fixed or not observed, how bad it was.
        title: what is checked, as a short statement that is true when the check passes.
        because: one sentence with the evidence of now.
    """

    run: str
    finding: str
    kind: Literal["check", "attack"]
    movement: Movement
    severity: Severity
    title: str
    because: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Something else about a run that is not what it was in an earlier comparison.

    Args:
        run: title of the run.
        about: what differs: how it ended, the advice, or the title, where a program has another version.
        before: what it was.
        after: what it is.
    """

    run: str
    about: Literal["outcome", "advice", "title"]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """How a comparison differs from an earlier one.

    Args:
        ground: where the earlier one ran.
        provider: of the earlier one.
        made_at: when the earlier one was made, in Unix seconds.
        version: of the program that made the earlier one.
        findings: what changed, the most important first.
        differences: what else changed.
        came: titles of runs that the earlier one does not have.
        went: titles of runs that only the earlier one has.
    """

    ground: Ground
    provider: str
    made_at: float
    version: str
    findings: tuple[Change, ...] = ()
    differences: tuple[Difference, ...] = ()
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Flows, programs or servers side by side, with labels such as <code#1> in place of secrets.

    Args:
        ground: where they ran: in memory, on loopback sockets, at a real provider, or in a recording.
        provider: name of the provider.
        made_at: when the comparison was made, in Unix seconds.
        version: of the program that made it.
        runs: one for each column.
        rows: the properties of the runs, side by side.
        kind: what the columns are.
        conclusions: one for each run, in their order.
        places: what to use where; empty where the columns are not flows.
        changes: how it differs from an earlier comparison; None where it was held against none.
    """

    ground: Ground
    provider: str
    made_at: float
    version: str
    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
    kind: Kind = "flows"
    conclusions: tuple[Conclusion, ...] = ()
    places: tuple[PlaceConclusion, ...] = ()
    changes: Changes | None = None
