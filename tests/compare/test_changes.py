"""What changed since an earlier comparison: how a finding can move, and columns that came or went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from comparison_samples import COMPARISON

from loopback_auth.compare.drawing.changes import change_heading, change_lines, change_remarks
from loopback_auth.compare.judging.anchors import titles
from loopback_auth.compare.judging.changes import (
    Earlier,
    EarlierConclusion,
    EarlierFinding,
    EarlierRun,
    against,
)
from loopback_auth.compare.judging.gate import breaches
from loopback_auth.compare.model import (
    Change,
    Changes,
    Comparison,
    Conclusion,
    Difference,
    Finding,
    Outcome,
    Run,
    Severity,
    Verdict,
)
from loopback_auth.trace.records import Trace


def finding(verdict: Verdict, severity: Severity = "medium", name: str = "check") -> Finding:
    """A finding of the comparison of now."""
    return Finding(name, severity, f"Title of {name}", verdict, "Evidence of now.", "RFC 9700 §2.1.2")


def run(name: str, *findings: Finding, outcome: Outcome = "signed in") -> Run:
    """A run of now."""
    return Run("code", outcome, Trace("code", "demo", "demo", ()), findings=findings, name=name)


def now(*runs: Run) -> Comparison:
    """The comparison of now."""
    advice = tuple(Conclusion(one.title, "use", "Use it.", ()) for one in runs)
    return replace(COMPARISON, runs=runs, rows=(), conclusions=advice)


def earlier(*runs: Run) -> Earlier:
    """The same as it would have been read from a file."""
    return Earlier(
        "flows",
        "simulate",
        "demo",
        1_700_000_000.0,
        "0.1.0",
        tuple(
            EarlierRun(
                one.title,
                one.outcome,
                tuple(EarlierFinding(f.id, f.severity, f.title, f.verdict, f.kind) for f in one.findings),
            )
            for one in runs
        ),
        tuple(EarlierConclusion(one.title, "use") for one in runs),
    )


def changes(before: Sequence[Run], after: Sequence[Run]) -> Changes:
    """What changed from some runs to others."""
    found = against(now(*after), earlier(*before)).changes
    assert found is not None
    return found


def moved(before: Finding | None, after: Finding | None) -> list[tuple[str, Severity]]:
    """How one finding moved, and its severity."""
    old, new = ([one] if one else [] for one in (before, after))
    return [(one.movement, one.severity) for one in changes([run("a", *old)], [run("a", *new)]).findings]


FAILED = finding("fail")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (finding("pass"), FAILED, [("new", "medium")]),
        (finding("not observed"), FAILED, [("new", "medium")]),
        (finding("not applicable"), FAILED, [("new", "medium")]),
        (None, FAILED, [("new", "medium")]),
        (FAILED, FAILED, []),
        (finding("fail", "low"), FAILED, [("worse", "medium")]),
        (finding("fail", "high"), FAILED, [("better", "medium")]),
        (finding("fail", "high"), finding("pass"), [("fixed", "high")]),
        (FAILED, finding("not applicable"), [("fixed", "medium")]),
        (FAILED, finding("not observed"), [("not observed", "medium")]),
        (FAILED, None, [("not observed", "medium")]),
        (finding("pass"), finding("not observed"), []),
        (finding("pass"), None, []),
        (None, finding("pass"), []),
    ],
)
def test_finding_moves(
    before: Finding | None, after: Finding | None, expected: list[tuple[str, Severity]]
) -> None:
    """Every pair of verdicts; what cannot be seen any longer is not called fixed."""
    assert moved(before, after) == expected


def test_check_and_attack_of_one_name_are_two_findings() -> None:
    """Else the fixed one would hide the new one."""
    attack = replace(FAILED, kind="attack")

    assert [(one.kind, one.movement) for one in changes([run("a", FAILED)], [run("a", attack)]).findings] == [
        ("attack", "new"),
        ("check", "not observed"),
    ]


def test_worst_news_come_first() -> None:
    """New before fixed, and high before low."""
    before = run("a", finding("fail", name="gone"), finding("pass", name="x"), finding("pass", name="y"))
    after = run(
        "a",
        finding("pass", name="gone"),
        finding("fail", "low", name="x"),
        finding("fail", "high", name="y"),
    )

    assert [(one.movement, one.finding) for one in changes([before], [after]).findings] == [
        ("new", "y"),
        ("new", "x"),
        ("fixed", "gone"),
    ]


def test_columns_come_and_go() -> None:
    """What a new column has is new; what went with a column is neither fixed nor told for each finding."""
    found = changes([run("a"), run("old", FAILED)], [run("a"), run("b", FAILED)])

    assert (found.came, found.went) == (("b",), ("old",))
    assert [(one.run, one.movement) for one in found.findings] == [("b", "new")]
    assert found.differences == ()


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (["msal 1.33"], ["msal 1.34.2"], True),
        (["msal"], ["msal 1.34"], True),
        (["oauth2c v1.2.0-rc.1"], ["oauth2c v1.3.0"], True),
        (["msal 1.33"], ["authlib 1.33"], False),
        (["msal 1.32", "msal 1.33"], ["msal 1.34"], False),
        (["code"], ["code + par"], False),
        (["https://id.example/v1"], ["https://id.example/v2"], False),
    ],
)
def test_other_version_of_a_program_is_the_same_column(
    before: list[str], after: list[str], *, same: bool
) -> None:
    """An upgrade is what one wants to hold against; what is ambiguous stays apart."""
    found = changes([run(name, FAILED) for name in before], [run(name, FAILED) for name in after])

    assert (found.differences == (Difference(after[0], "title", before[0], after[0]),)) is same
    assert (found.came == ()) is same
    assert (found.findings == ()) is same


def test_outcome_and_advice_are_held_against() -> None:
    """A flow that no longer signs in has no findings to tell of it."""
    after = now(run("a", outcome="failed"))
    after = replace(after, conclusions=(Conclusion("a", "not judged", "Not judged.", ()),))
    found = against(after, earlier(run("a"))).changes

    assert found is not None
    assert found.differences == (
        Difference("a", "outcome", "signed in", "failed"),
        Difference("a", "advice", "use", "not judged"),
    )


def test_columns_of_one_name_are_told_apart() -> None:
    """The same program twice is two columns, here and in the JSON that is read later."""
    several = [run("a", FAILED), run("a"), run("a (2)")]

    assert titles(several) == ("a", "a (2)", "a (2) (2)")
    assert changes([run("a"), run("a (2)")], [run("a"), run("a", FAILED)]).findings == (
        Change("a (2)", "check", "check", "new", "medium", "Title of check", "Evidence of now."),
    )


def test_words_of_changes() -> None:
    """One line for the same evidence in several runs; what makes a comparison unequal is said."""
    before = earlier(run("a", finding("fail", "low")), run("b"), run("old 1"))
    before = replace(before, ground="demo", version="0.0.9", provider="other")
    after = against(now(run("a", FAILED), run("b", FAILED), run("c", FAILED), run("old 2")), before)
    assert after.changes is not None
    remarks = list(change_remarks(after))

    assert change_heading(after.changes) == (
        "Findings since the earlier run of 2023-11-14 22:13 UTC: 2 new, 1 worse."
    )
    assert [(one.movement, one.runs) for one in change_lines(after.changes)] == [
        ("new", ("b", "c")),
        ("worse", ("a",)),
    ]
    assert [any(word in remark for remark in remarks) for word in ("old 1", "c", "0.0.9", "sockets", "other")]
    assert len(remarks) == 5


def test_no_change_is_said() -> None:
    """And no date of a simulation, whose clock tells nothing."""
    assert change_heading(changes([run("a", FAILED)], [run("a", FAILED)])) == (
        "Findings since the earlier run: no change."
    )


@pytest.mark.parametrize(
    ("threshold", "counted"),
    [("high", ["high"]), ("medium", ["high", "medium"]), ("low", ["high", "medium", "low"])],
)
def test_gate_counts_at_and_above_the_threshold(threshold: Severity, counted: list[str]) -> None:
    """The worst first; what passed, or is for information, never counts."""
    several = [
        *(finding("fail", severity, severity) for severity in ("info", "low", "high", "medium")),
        finding("pass", "high", "passed"),
        finding("not observed", "high", "unseen"),
    ]

    assert [one.finding for one in breaches(now(run("a", *several)), threshold)] == counted


def test_gate_counts_a_run_that_failed() -> None:
    """Nothing was judged there, which must not look like success."""
    (breach,) = breaches(now(run("a"), run("b", outcome="failed")), "high")

    assert (breach.run, breach.finding) == ("b", "")
    assert breaches(now(run("a"), run("b", outcome="refused"), run("c", outcome="not possible")), "low") == ()


@pytest.mark.parametrize("outcome", ["refused", "not possible"])
def test_gate_counts_a_comparison_in_which_nothing_was_judged(outcome: Outcome) -> None:
    """A provider that refuses every flow, such as for a wrong client ID, let builds pass."""
    whole = now(run("a", outcome=outcome), run("b", outcome="refused"))

    assert [(one.run, one.finding) for one in breaches(whole, "high")] == [("a", ""), ("b", "")]
    assert breaches(against(whole, earlier(*whole.runs)), "high") == breaches(whole, "high")


@pytest.mark.parametrize("outcome", ["examined", "signed in"])
def test_gate_counts_a_run_that_could_not_be_judged(outcome: Outcome) -> None:
    """A server whose metadata cannot be read, so that it gets no grade, let builds pass."""
    unclear = Conclusion("a", "not judged", "No grade: too little could be seen.", ())
    clear = replace(unclear, advice="use")
    whole = replace(now(run("a", outcome=outcome), run("a")), conclusions=(unclear, clear))
    (breach,) = breaches(whole, "high")

    assert (breach.run, breach.finding, breach.because) == ("a", "", unclear.sentence)
    assert breaches(replace(whole, conclusions=(clear, clear)), "high") == ()

    before = replace(earlier(*whole.runs), conclusions=(EarlierConclusion("a", "not judged"),))
    assert breaches(against(whole, before), "high") == (breach,)


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        (run("a", FAILED), run("a", FAILED), 0),
        (run("a", finding("pass")), run("a", FAILED), 1),
        (run("a", finding("fail", "low")), run("a", FAILED), 1),
        (run("a", finding("fail", "high")), run("a", FAILED), 0),
        (run("b"), run("a", FAILED), 1),
        (run("a"), run("a", outcome="failed"), 1),
        (run("b"), run("a", outcome="failed"), 1),
        (run("a", outcome="failed"), run("a", outcome="failed"), 1),
    ],
)
def test_gate_counts_only_news_against_an_earlier_run(before: Run, after: Run, count: int) -> None:
    """What was known stays known; what is new or worse stops the build."""
    assert len(breaches(against(now(after), earlier(before)), "medium")) == count
