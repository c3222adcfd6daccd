"""Judges what was observed of a server: findings, grade, and the column of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.catalog import CHECKS
from loopback_auth.audit.servers.conclusions import conclusions
from loopback_auth.audit.servers.rows import Examined, rows
from loopback_auth.compare.judging.checks import with_attacks
from loopback_auth.compare.model import Attack, Comparison, Finding, Run
from loopback_auth.records import replace
from loopback_auth.trace.records import Ground, Trace

SHOWN_BY = {
    "refresh-rotation": "refresh-twice",
    "pkce-enforced": "no-pkce",
    "iss-announced": "mix-up",
    "token-stored": "tokens-stored",
    "userinfo-query": "token-in-url",
    **dict.fromkeys(
        ("redirect-host", "redirect-user-info", "redirect-suffix", "redirect-traversal"), "redirect-approved"
    ),
    **dict.fromkeys(
        ("redirect-query", "redirect-fragment", "redirect-escape", "redirect-case"), "redirect-similar"
    ),
}
"""Checks that a sign-in decides better, and the attacks that do; then the attack stands for both."""
FLOW = "code"
"""The flow whose traits a server's column has."""


def findings(observed: Observed) -> tuple[Finding, ...]:
    """Apply every check, in the order of the table."""
    return tuple(check.finding(observed) for check in CHECKS)


def judged(name: str, observed: Observed, trace: Trace) -> Examined:
    """Judge a server.

    Args:
        name: of the server, for people.
        observed: what it answered.
        trace: of the requests.
    """
    trouble = unreachable(observed)
    if trouble:
        return Examined(Run(FLOW, "failed", trace, reason=trouble, name=name), None)
    run = Run(FLOW, "examined", trace, reason=observed.remark, findings=findings(observed), name=name)
    return Examined(run, observed)


def attacked(examined: Examined, attacks: tuple[Attack, ...]) -> Examined:
    """Add the attacks to what was found; each decides what only a sign-in could show."""
    run = with_attacks(examined.run, attacks)
    decided = {one.id for one in attacks if one.verdict in ("pass", "fail")}
    left = tuple(one for one in run.findings if SHOWN_BY.get(one.id) not in decided)
    return Examined(replace(run, findings=left), examined.observed)


def side_by_side(
    servers: Sequence[Examined], *, made_at: float, version: str, ground: Ground = "live"
) -> Comparison:
    """Put servers side by side.

    Args:
        servers: in the order of the columns.
        made_at: Unix seconds.
        version: of this program.
        ground: `demo` where they were attacked on this machine.
    """
    runs = tuple(one.run for one in servers)
    return Comparison(
        ground=ground,
        provider=", ".join(run.title for run in runs),
        made_at=made_at,
        version=version,
        runs=runs,
        rows=rows(servers),
        kind="servers",
        conclusions=conclusions(runs),
    )


def unreachable(observed: Observed) -> str:
    """Return why a server could not be examined: none of the requests was answered. Empty if one was."""
    made = list(observed.answers.values())
    if not made:
        return "Nothing is known of this server that could be asked: give its issuer."
    return "" if any(one.response is not None for one in made) else made[0].trouble
