"""Findings and attacks in a report: the worst first, each told once, in words."""

from __future__ import annotations

import re
from dataclasses import replace

from page_reader import Reader, one_run, page, section

from loopback_auth.compare.judging.checks import with_attacks
from loopback_auth.compare.model import Attack, Finding

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
    assert '<span class="severity high">High</span> <span>' in page(one_run(FAILED))


def test_what_failed_is_not_told_as_if_it_held() -> None:
    """Titles of checks are true when these pass: beside a red word one would read the opposite."""
    shown = section(page(one_run(FAILED, PASSED)), "findings")

    assert '<span class="expected">Expected:</span> Bad thing' in shown
    assert '<span class="expected">Expected:</span> Good thing' not in shown


def test_headline_of_a_failure_is_what_happened() -> None:
    """It is what a reader looks for; the evidence follows, and is not said twice."""
    told = replace(FAILED, because="It sent the code. Sent: GET /a (1 request).")
    shown = section(page(one_run(told)), "findings")
    (heading,) = re.findall(r"<h3>(.*?)</h3>", shown, re.DOTALL)

    assert "It sent the code." in heading
    assert "Bad thing" not in heading
    assert shown.count("It sent the code.") == 1
    assert "Sent: GET /a (1 request)." in shown


def test_same_finding_of_several_flows_is_told_once() -> None:
    """Six flows fail for few reasons."""
    shown = page(
        one_run(FAILED), one_run(FAILED, flow="paste"), one_run(replace(FAILED, verdict="pass"), flow="x")
    )
    shown = section(shown, "findings")

    assert shown.count("Bad thing") == 1
    assert shown.count("Because.") == 1
    assert re.search(
        r"Because\..*Failed</span>.*>code</a>.*>paste</a>.*Passed</span>.*>x</a>", shown, re.DOTALL
    )


def test_card_leads_to_the_worst_finding() -> None:
    """The overview says which, and the finding says why."""
    html = page(one_run(PASSED, FAILED, replace(FAILED, id="d", severity="low")))
    [anchor] = re.findall(r'href="#([^"]+)">Because\.</a> <small>and 1 more</small>', html)

    assert anchor == "code/b"
    assert re.search(
        r'id="b"><h3><span class="severity high">High</span> .*Because.*id="code/b".*Bad thing', html, re.S
    )


def test_attack_that_succeeded_is_a_finding_on_the_card_too() -> None:
    """A card that says "none" beside attacks that succeeded is believed by nobody."""
    attack = Attack(
        "theft", "The code is stolen.", "fail", "It got tokens.", "RFC 7636 §1", "high", "Safe", "Act."
    )
    cards = section(page(with_attacks(one_run(PASSED), (attack,))), "overview")
    findings = section(page(with_attacks(one_run(PASSED), (attack,))), "findings")

    assert '<a href="#code/theft">An attack succeeded: the code is stolen.</a>' in cards
    assert 'id="theft"><h3><span class="severity high">High</span>' in findings
    assert "Act." in findings


def test_card_counts_the_attacks_and_its_colour_is_the_result() -> None:
    """The same sign for none of ten and for four of seven tells nobody anything."""
    held = Attack("a", "First", "pass", "It was refused.", "RFC 7636 §1")
    won, aside = replace(held, id="b", verdict="fail"), replace(held, id="c", verdict="not applicable")
    bad = section(page(one_run(PASSED, attacks=(held, won, aside))), "overview")
    good = section(page(one_run(PASSED, attacks=(held, aside))), "overview")

    assert re.search(r'class="tally fail" href="#attacks">.*#m_tried.*>1 of 2 succeeded<', bad)
    assert re.search(r'class="tally pass" href="#attacks">.*#m_pass.*>none of 1 succeeded<', good)
    assert "succeeded" not in section(page(one_run(PASSED)), "overview")


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
    assert "Prevented</span>" in shown
    assert "It got the token." in shown
    assert "<details" not in section(page(one_run()), "attacks")


def test_attack_says_of_every_flow_how_it_ended() -> None:
    """Which flow to choose is seen across, without opening anything; no flow is passed over in silence."""
    held = Attack("a", "First", "pass", "It was refused.", "RFC 7636 §1")
    runs = (
        one_run(attacks=(held,)),
        one_run(attacks=(replace(held, verdict="fail"),), flow="token"),
        one_run(attacks=(replace(held, verdict="not applicable"),), flow="device"),
        one_run(flow="paste"),
    )
    summary = section(page(*runs), "attacks").split("<summary>")[1].split("</summary>")[0]
    ends = re.findall(r'class="end ([a-z-]+)">.*?<span class="of">(\w+): </span>([a-z ]+)<', summary)

    assert ends == [
        ("pass", "code", "prevented"),
        ("fail", "token", "succeeded"),
        ("not-applicable", "device", "not applicable"),
        ("not-observed", "paste", "not tried"),
    ]
