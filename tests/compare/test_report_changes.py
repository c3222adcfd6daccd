"""What changed since an earlier comparison, on the page."""

from __future__ import annotations

from dataclasses import replace

from comparison_samples import COMPARISON
from page_reader import Reader, one_run, section

from loopback_auth.compare.drawing.report import report
from loopback_auth.compare.model import Change, Changes, Comparison, Difference, Finding

FAILED = Finding("pkce", "high", "PKCE with S256", "fail", "No challenge.", "RFC 7636 §4.2")
NEW = Change("code", "pkce", "check", "new", "high", "PKCE with S256", "No <challenge>.")
GONE = Change("other", "nonce", "check", "fixed", "low", "A nonce", "It was sent.")


def changed(*findings: Change, came: tuple[str, ...] = (), went: tuple[str, ...] = ()) -> Comparison:
    """Hold a run against an earlier one."""
    changes = Changes("demo", "demo", 1_700_000_000.0, "0.1.0", findings, came=came, went=went)
    return replace(COMPARISON, ground="demo", runs=(one_run(FAILED),), rows=(), changes=changes)


def test_changes_stand_behind_the_conclusions_and_lead_to_their_findings() -> None:
    """Whoever runs it every week asks first what is new."""
    html = report(changed(NEW, GONE))
    shown = section(html, "changes")
    ids = [one for one in Reader(html).values("id") if one in ("conclusions", "changes", "overview")]

    assert ids == ["conclusions", "changes", "overview"]
    assert '<a class="self" href="#code/pkce">code</a>: <a href="#pkce">pkce</a>' in shown
    assert "No &lt;challenge&gt;." in shown
    assert "<b>other</b>: nonce" in shown
    assert shown.index("New") < shown.index("Fixed")
    assert "1 new, 1 fixed" in shown


def test_what_else_changed_is_said() -> None:
    """Another ending, and columns that only one of the two has."""
    comparison = changed(came=("device",), went=("ticket",))
    assert comparison.changes is not None
    difference = Difference("code", "outcome", "signed in", "failed")
    words = report(replace(comparison, changes=replace(comparison.changes, differences=(difference,))))
    shown = Reader(section(words, "changes").partition(">")[2]).words

    assert "no change" in shown
    assert "code: it ended with 'signed in', and now with 'failed'." in shown
    assert "device" in shown
    assert "ticket" in shown


def test_comparison_that_was_held_against_nothing_says_nothing() -> None:
    """Not even that nothing changed."""
    assert '<section id="changes"' not in report(COMPARISON)
