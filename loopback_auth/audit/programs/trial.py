"""One trial: a sign-in of the program under a scenario, and the questions that it answers.

Some trials try several things in one sign-in, which a careful program takes without harm. Where the sign-in
fails, `again` gives the smaller trials that show which of them did it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from loopback_auth.audit.programs.actions import ProgramScenario
from loopback_auth.audit.programs.observed import ProgramResult, TrialResult
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.compare.model import Severity
from loopback_auth.demo.faults import Faults

Need = Literal["port", "code", "openid", "metadata"]
"""What a trial needs: a redirect to a port of this machine; the code flow; an ID token; a request for the
server's metadata."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is found out about a program.

    Args:
        id: name of the finding, which stays the same; such as `forged-code`.
        severity: how bad it is when a program falls to it.
        title: what is tried or looked at, in one sentence.
        statement: the finding's title, true when the program passes.
        fault: what is wrong when it does not pass, in one sentence.
        source: clause that demands it or describes the attack.
        advice: what the author of the program can do.
        kind: an attack is tried by an attacker; a check looks at what the program does.
    """

    id: str
    severity: Severity
    title: str
    statement: str
    fault: str
    source: str
    advice: str
    kind: Literal["check", "attack"] = "check"


def keeps_every_rule(issuer: str) -> Faults:
    """Return no fault."""
    return Faults()


@dataclass(frozen=True, slots=True)
class Trial:
    """One sign-in of the program under a scenario.

    Args:
        id: name of the trial, which stays the same.
        title: what happens in it, in one or two plain sentences.
        scenario: makes the scenario out of what the attacker has from the start.
        questions: that the scenario answers.
        faults: rules that the server breaks, from its issuer.
        hang: paths of the server that never answer.
        needs: what the program must do for this to apply.
        parts: smaller trials for the questions that this one leaves open.
    """

    id: str
    title: str
    scenario: Callable[[AttackContext], ProgramScenario]
    questions: tuple[Question, ...] = ()
    faults: Callable[[str], Faults] = keeps_every_rule
    hang: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    parts: Callable[[TrialResult], tuple[Trial, ...]] = lambda _: ()


def again(trial: Trial, played: TrialResult) -> tuple[Trial, ...]:
    """Return the trials that are still to be played after this one; each is smaller."""
    return trial.parts(played)


def not_applicable(trial: Trial, plain: ProgramResult) -> str:
    """Return why a trial does not apply to a program; empty when it does.

    Args:
        trial: to be played.
        plain: how a sign-in went that nothing disturbed.
    """
    for need in trial.needs:
        if reason := _LACKS[need](plain):
            return reason
    return ""


def _no_port(plain: ProgramResult) -> str:
    uri = plain.request.get("redirect_uri", "")
    return "" if uri.startswith("http://") else "The program does not listen for a response."


def _no_code(plain: ProgramResult) -> str:
    kind = plain.request.get("response_type", "")
    return "" if kind == "code" else "The program does not use the code flow."


def _no_openid(plain: ProgramResult) -> str:
    return "" if "id_token" in plain.tokens else "The program does not ask for an ID token."


def _no_metadata(plain: ProgramResult) -> str:
    asked = any(one.path.startswith("/.well-known/") for one in plain.requests)
    return "" if asked else "The program does not read the server's metadata."


_LACKS: dict[Need, Callable[[ProgramResult], str]] = {
    "port": _no_port,
    "code": _no_code,
    "openid": _no_openid,
    "metadata": _no_metadata,
}
