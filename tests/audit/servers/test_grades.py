"""The grade of a server: a rule that can be read, so it can be tested whole."""

from __future__ import annotations

import pytest

from loopback_auth.audit.servers.grades import FEWEST, grade
from loopback_auth.compare.model import Finding, Severity, Verdict


def found(severity: Severity, verdict: Verdict) -> Finding:
    """Make a finding."""
    return Finding("x", severity, "It is so", verdict, "It was seen.", "RFC 0")


@pytest.mark.parametrize(
    ("high", "medium", "low", "expected"),
    [
        (0, 0, 0, "A"),
        (0, 0, 2, "A"),
        (0, 0, 3, "B"),
        (0, 0, 5, "B"),
        (0, 0, 6, "C"),
        (0, 1, 0, "B"),
        (0, 1, 5, "B"),
        (0, 1, 6, "C"),
        (0, 2, 0, "C"),
        (0, 3, 0, "C"),
        (0, 4, 0, "D"),
        (1, 0, 0, "D"),
        (1, 9, 9, "D"),
        (2, 0, 0, "F"),
    ],
)
def test_failures_decide(high: int, medium: int, low: int, expected: str) -> None:
    """By severity and number, whatever else was checked."""
    failures = [found("high", "fail")] * high + [found("medium", "fail")] * medium
    failures += [found("low", "fail")] * low + [found("info", "fail")] * 9

    assert grade([*failures, *[found("high", "pass")] * FEWEST]) == expected


def test_too_little_is_not_graded() -> None:
    """A server that hides everything has not earned an A."""
    seen, unseen = found("low", "pass"), found("high", "not observed")

    assert grade([seen] * (FEWEST - 1)) == "-"
    assert grade([found("high", "not applicable")] * 99) == "-"
    assert grade([seen] * FEWEST) == "A"
    assert grade([seen] * 11 + [unseen] * 47) == "-"


@pytest.mark.parametrize(
    ("decided", "failures", "expected"),
    [
        (20, 0, "A"),
        (19, 0, "B"),
        (10, 0, "B"),
        (9, 0, "-"),
        (10, 5, "B"),
        (9, 5, "-"),
        (9, 6, "C"),
    ],
)
def test_a_good_grade_takes_a_share_of_the_checks(decided: int, failures: int, expected: str) -> None:
    """Half of 40 for an A, a quarter for a B; what is bad is seen by what was seen."""
    passes = [found("low", "pass")] * (decided - failures)
    unseen = [found("high", "not observed")] * (40 - decided)
    besides = [found("high", "not applicable")] * 40

    assert grade([*passes, *[found("low", "fail")] * failures, *unseen, *besides]) == expected


def test_more_failures_never_raise_a_grade() -> None:
    """The order of the grades is that of the letters."""
    severities: tuple[Severity, ...] = ("low", "medium", "high")
    for severity in severities:
        grades = [grade([found(severity, "fail")] * count + [found("low", "pass")] * 5) for count in range(9)]

        assert grades == sorted(grades)
