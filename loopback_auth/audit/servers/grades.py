"""The grade of a server: what its findings add up to.

A  nothing worse than two failures of severity low; at least half of the checks were decided
B  up to five low ones, or one medium one besides; at least a quarter of the checks were decided
C  more low ones, or up to three medium ones
D  more medium ones, or one high one
F  two or more of severity high
-  too little was seen for a B, and it did not show worse; or fewer than `FEWEST` checks were decided

A failure that was seen is one, however little else was. A good grade says that rules are kept, so it needs to
have been seen that they are: of the checks that apply to the server, those that were decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from loopback_auth.compare.model import Finding

Grade = Literal["A", "B", "C", "D", "F", "-"]

FEWEST = 5
"""Decided checks below which there is no grade."""


def grade(findings: Sequence[Finding]) -> Grade:
    """Return the grade that findings add up to."""
    verdicts = [one.verdict for one in findings]
    decided, unseen = verdicts.count("pass") + verdicts.count("fail"), verdicts.count("not observed")
    shown = by_failures(findings)
    if decided < FEWEST:
        return "-"
    if shown in ("A", "B") and decided * 4 < decided + unseen:
        return "-"
    return "B" if shown == "A" and decided * 2 < decided + unseen else shown


def by_failures(findings: Sequence[Finding]) -> Grade:
    """Return the grade of a server whose failures are these, and of which nothing was left unseen."""
    severities: list[str] = [one.severity for one in findings if one.verdict == "fail"]
    high, medium, low = map(severities.count, ("high", "medium", "low"))
    if high:
        return "D" if high == 1 else "F"
    if medium:
        return "B" if medium == 1 and low <= 5 else "C" if medium <= 3 else "D"
    return "A" if low <= 2 else "B" if low <= 5 else "C"
