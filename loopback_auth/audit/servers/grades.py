"""The grade of a server: what its findings add up to.

A  nothing worse than two failures of severity low
B  up to five low ones, or one medium one besides
C  more low ones, or up to three medium ones
D  more medium ones, or one high one
F  two or more of severity high
-  too little was seen to give a grade: fewer than `FEWEST` checks were decided

Only decided checks count. What was not observed lowers no grade, and raises none: the sentence beside the
grade says how much was not seen.
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
    if sum(one.verdict in ("pass", "fail") for one in findings) < FEWEST:
        return "-"
    severities: list[str] = [one.severity for one in findings if one.verdict == "fail"]
    high, medium, low = map(severities.count, ("high", "medium", "low"))
    if high:
        return "D" if high == 1 else "F"
    if medium:
        return "B" if medium == 1 and low <= 5 else "C" if medium <= 3 else "D"
    return "A" if low <= 2 else "B" if low <= 5 else "C"
