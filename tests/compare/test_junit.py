"""JUnit XML of a comparison: which case fails, is skipped or passes, and that any text can be in it.

Against published schemas it is held in `tests/foreign/test_junit_schema.py`.
"""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from comparison_samples import COMPARISON
from hostile_samples import HOSTILE, PROPERTY, TEXTS, hostile
from hypothesis import given
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite

from loopback_auth.compare.drawing.junit import junit
from loopback_auth.compare.model import Comparison, Finding, Outcome, Run, Verdict
from loopback_auth.trace.records import Trace

EMPTY = Trace("code", "demo", "demo", ())


def suites(comparison: Comparison) -> list[TestSuite]:
    """The suites as a reader of others has them; what they count is there."""
    read = JUnitXml.fromstring(junit(comparison).encode())
    found = list(read)
    for suite in found:
        results = [type(result) for case in suite for result in case.result]
        counts = [results.count(kind) for kind in (Failure, Error, Skipped)]
        assert [suite.failures, suite.errors, suite.skipped] == counts
        assert suite.tests == len(list(suite))
    return found


def of(*runs: Run) -> Comparison:
    """A comparison of runs alone."""
    return replace(COMPARISON, runs=runs, rows=(), conclusions=())


def finding(name: str, verdict: Verdict) -> Finding:
    """A finding."""
    return Finding(name, "high", f"Title of {name}", verdict, f"Evidence of {name}.", "RFC 9700 §2.1.2")


def test_suite_for_each_run_and_case_for_each_finding() -> None:
    """In their order, after one for the outcome."""
    first, second = suites(COMPARISON)

    assert (first.name, second.name) == ("code", "ticket")
    assert [(case.classname, case.name) for case in first] == [
        ("code", "outcome"),
        ("code", "code-in-history"),
        ("code", "pkce"),
    ]
    assert float(first.time) == pytest.approx(2.3)
    assert 'name="ground" value="simulate"' in junit(COMPARISON)


@pytest.mark.parametrize(
    ("verdict", "kind", "text"),
    [
        ("fail", Failure, "Evidence of x."),
        ("not applicable", Skipped, "not applicable: Evidence of x."),
        ("not observed", Skipped, "not observed: Evidence of x."),
    ],
)
def test_verdict_is_a_result_with_its_reason(verdict: Verdict, kind: type, text: str) -> None:
    """The reason is the content: an attribute for it is not allowed everywhere."""
    (suite,) = suites(of(Run("code", "signed in", EMPTY, findings=(finding("x", verdict),))))
    _, case = suite
    (result,) = case.result

    assert isinstance(result, kind)
    assert result.text.startswith(text)


def test_failure_says_where_to_read_on() -> None:
    """In CI one sees a case without its page."""
    failed = replace(finding("x", "fail"), advice="Do this.")
    (suite,) = suites(of(Run("code", "signed in", EMPTY, findings=(failed,), name="code without pkce")))
    (result,) = list(suite)[1].result

    assert (result.message, result.type) == ("Evidence of x.", "high")
    assert result.text.splitlines()[1:] == [
        "Expected: Title of x.",
        "Source: RFC 9700 §2.1.2",
        "What to do: Do this.",
        "In the report: #code-without-pkce/x",
    ]


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [("failed", Error), ("refused", Skipped), ("not possible", Skipped), ("signed in", None)],
)
def test_outcome_is_a_case(outcome: Outcome, kind: type | None) -> None:
    """A run in which nothing was judged must not look like success."""
    (suite,) = suites(of(Run("code", outcome, EMPTY, reason="No answer.")))
    (case,) = suite

    assert [type(one) for one in case.result] == ([kind] if kind else [])
    assert all("No answer." in one.text for one in case.result)


def test_names_are_unique() -> None:
    """GitLab shows of cases with one name only the first."""
    several = (
        finding("x", "pass"),
        finding("x", "fail"),
        finding("outcome", "fail"),
        finding("\x1bx", "fail"),
    )
    runs = [
        Run("code", "signed in", EMPTY, findings=several, name=name) for name in ("a", "a", "a\u200b", "")
    ]
    found = suites(of(*runs))
    names = [(case.classname, case.name) for suite in found for case in suite]

    assert len({*names}) == len(names) == 20
    assert [suite.name for suite in found] == ["a", "a (2)", "a (3)", "code"]


@pytest.mark.parametrize("text", [*HOSTILE, "\ufffe\uffff\x0b]]>", "\U0001f600"])
def test_any_text_can_be_read_back(text: str) -> None:
    """XML has no way to write most control characters, and readers refuse the whole file then."""
    written = junit(hostile(text))
    root = ElementTree.fromstring(written)  # noqa: S314 - it is ours

    assert len(root.findall("testsuite")) == 2
    assert {child.tag for child in root.iter()} <= {
        "testsuites",
        "testsuite",
        "properties",
        "property",
        "testcase",
        "failure",
        "error",
        "skipped",
        "system-out",
        "system-err",
    }
    assert all(line.isprintable() for line in written.split("\n"))


@PROPERTY
@given(TEXTS)
def test_whatever_the_text_it_is_read_back(text: str) -> None:
    """The same for what nobody thought of."""
    assert len(suites(hostile(text))) == 2
