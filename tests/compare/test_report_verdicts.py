"""Findings and attacks in a report: the worst first, each told once, in words."""

from __future__ import annotations

import re
from dataclasses import replace

from page_reader import Reader, one_run, page, section

from loopback_auth.compare.nouns import Attack, Finding

FAILED = Finding("b", "high", "Bad thing", "fail", "Because.", "RFC 9700 §2.1", (5,), "Do better.")
PASSED = Finding("a", "info", "Good thing", "pass", "Fine.", "RFC 9700 §2.1")


def test_failures_come_first_and_the_worst_of_them_before_all() -> None:
    """Nobody reads to the end of what went well."""
    low = replace(FAILED, id="c", severity="low", title="Small thing")
    shown = Reader("<section" + section(page(one_run(PASSED, low, FAILED)), "findings") + "</section>").words

    assert shown.index("Bad thing") < shown.index("Small thing") < shown.index("Good thing")
    assert "Do better." in shown


def test_severity_is_a_word() -> None:
    """Never colour alone."""
    assert '<span class="severity high">High</span> Bad thing' in page(one_run(FAILED))


def test_same_finding_of_several_flows_is_told_once() -> None:
    """Six flows fail for few reasons."""
    shown = page(
        one_run(FAILED), one_run(FAILED, flow="paste"), one_run(replace(FAILED, verdict="pass"), flow="x")
    )
    shown = section(shown, "findings")

    assert shown.count("Bad thing") == 1
    assert shown.count("Because.") == 1
    assert re.search(r"Failed</span>.*<b>code</b>.*<b>paste</b>.*Because\..*Passed</span>.*<b>x</b>", shown)


def test_card_leads_to_the_worst_finding() -> None:
    """The overview says which, and the finding says why."""
    html = page(one_run(PASSED, FAILED, replace(FAILED, id="d", severity="low")))
    [anchor] = re.findall(r'href="#(finding-\d+)">b</a> <small>and 1 more</small>', html)

    assert re.search(rf'id="{anchor}"><h3><span class="severity high">High</span> Bad thing', html)


def test_nothing_failed_is_said() -> None:
    """Silence could also mean that nobody looked."""
    assert "Nothing failed." in section(page(one_run(PASSED)), "findings")
    assert "Nothing was checked." in section(page(one_run()), "findings")


def test_attacks_tell_how_they_ended() -> None:
    """What succeeded comes first."""
    held = Attack("a", "First", "pass", "It was refused.", "RFC 7636 §1")
    won = Attack("b", "Second", "fail", "It got the token.", "RFC 9700 §4.3")
    shown = section(page(one_run(attacks=(held, won))), "attacks")

    assert shown.index("Second") < shown.index("First")
    assert "Succeeded</span>" in shown
    assert "Withstood</span>" in shown
    assert "Nothing was tried" in section(page(one_run()), "attacks")
