"""Judges what was observed of a server: findings, grade, and the column of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from loopback_auth.audit.servers import metadata_checks
from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.grades import Grade, grade
from loopback_auth.audit.servers.server_check import ServerCheck
from loopback_auth.compare.model import Cell, Finding, Row, Run
from loopback_auth.trace.records import Trace

CHECKS: tuple[ServerCheck, ...] = (*metadata_checks.CHECKS,)

FLOW = "code"
"""The flow whose traits a server's column has."""


def findings(observed: Observed) -> tuple[Finding, ...]:
    """Apply every check, in the order of the table."""
    return tuple(check.finding(observed) for check in CHECKS)


def examined(name: str, observed: Observed, trace: Trace) -> Run:
    """Make the column of a server.

    Args:
        name: of the server, for people.
        observed: what it answered.
        trace: of the requests.
    """
    trouble = unreachable(observed)
    if trouble:
        return Run(FLOW, "failed", trace, reason=trouble, name=name)
    return Run(FLOW, "examined", trace, findings=findings(observed), name=name)


def unreachable(observed: Observed) -> str:
    """Return why a server could not be examined: none of the requests was answered. Empty if one was."""
    made = list(observed.answers.values())
    if not made:
        return "Nothing is known of this server that could be asked: give its issuer."
    return "" if any(one.response is not None for one in made) else made[0].trouble


def rows(runs: Sequence[Run]) -> tuple[Row, ...]:
    """Return the properties of servers, side by side."""
    return (Row("grade", "Grade", "Grade", tuple(_grade_cell(run) for run in runs)),)


def _grade_cell(run: Run) -> Cell:
    given: Grade = grade(run.findings)
    return Cell("not graded", "not observed") if given == "-" else Cell(given, "observed")
