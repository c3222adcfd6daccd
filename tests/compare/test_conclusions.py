"""What readers are told to do, and that it follows from what was found."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from comparison_samples import COMPARISON

from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.judging.anchors import anchor
from loopback_auth.compare.judging.checks import with_attacks
from loopback_auth.compare.judging.conclusions import conclusions
from loopback_auth.compare.judging.place_conclusions import IF_REACHED, NOT_JUDGED, place_conclusions
from loopback_auth.compare.model import Attack, Comparison, Finding, Run, Severity, Verdict
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.trace.records import Trace

NOTHING = Trace("code", "simulate", "demo", ())


@cache
def compared() -> Comparison:
    """Every flow, and the attacks on it."""
    return compare_simulated(attacks=lambda run: simulated_attacks(run.flow))


def run(flow: str, *severities: Severity, outcome: str = "signed in") -> Run:
    """Make a run with one check that passed, and a failed one of each severity."""
    found = (
        Finding("held", "high", "It holds", "pass", "It is so.", "RFC 9700"),
        *(
            Finding(f"{severity}-{number}", severity, "It holds", "fail", f"It is {severity}.", "RFC 9700")
            for number, severity in enumerate(severities)
        ),
    )
    return Run(flow, "signed in" if outcome == "signed in" else "failed", NOTHING, findings=found)


@pytest.mark.parametrize(
    ("flow", "severities", "advice"),
    [
        ("code", (), "use"),
        ("code", ("medium", "low", "info"), "use"),
        ("code", ("low", "high"), "avoid"),
        ("token", ("high",), "avoid"),
        ("device", ("high",), "use when"),
        ("device", ("medium",), "use"),
        ("paste", ("high", "high"), "use when"),
    ],
)
def test_advice_follows_from_findings(flow: str, severities: tuple[Severity, ...], advice: str) -> None:
    """The name of a flow alone says nothing."""
    (found,) = conclusions([run(flow, *severities)])

    assert found.advice == advice
    assert len(found.reasons) <= 2


def test_worst_comes_first() -> None:
    """There is room for two reasons."""
    (found,) = conclusions([run("token", "info", "low", "high", "medium")])

    assert [reason.finding for reason in found.reasons] == ["high-2", "medium-3"]


def test_flow_that_failed_is_not_judged() -> None:
    """It has no findings that count, so that it would look like the best."""
    failed = Run("code", "refused", NOTHING, reason="The server refused it.")
    (found,) = conclusions([failed])

    assert (found.advice, found.reasons[0].text) == ("not judged", "The server refused it.")
    assert {place.run for place in place_conclusions([failed], [found])} == {""}


@pytest.mark.parametrize("verdict", ["not observed", "not applicable", None])
def test_flow_of_which_nothing_was_seen_is_not_judged(verdict: Verdict | None) -> None:
    """No finding is not a clean one: it was once advised because 0 checks had found nothing."""
    found = () if verdict is None else (Finding("a", "high", "It holds", verdict, "Unseen.", "RFC 9700"),)
    unseen = Run("code", "signed in", NOTHING, findings=found)
    (concluded,) = conclusions([unseen])

    assert (concluded.advice, concluded.reasons) == ("not judged", ())
    assert {one.sentence for one in place_conclusions([unseen], [concluded])} == {NOT_JUDGED}


def test_flows_with_the_same_reasons_are_concluded_alike() -> None:
    """Not each check applies to each flow; each number of checks was a paragraph of its own."""
    one = run("code", "low")
    other = replace(one, findings=(replace(one.findings[0], id="also-held"), *one.findings))
    first, second = conclusions([one, other])

    assert first == second


def test_reason_says_that_no_attack_was_tried() -> None:
    """Some flows and real providers are not attacked, which is less than to withstand attacks."""
    (found,) = conclusions([run("id_token")])

    assert found.reasons[0].text == "Checks found nothing of high severity; no attack was tried."


def test_attack_that_succeeds_is_a_finding() -> None:
    """A flow without failed checks once stood as faultless beside three attacks that had succeeded."""
    won = Attack("a", "Something is stolen.", "fail", "It worked.", "RFC 9700", "high", "It is safe", "Do x.")
    held = Attack(
        "b", "Something is forged.", "pass", "Refused.", "RFC 6749", "low", "It is refused", "Do y."
    )
    attacked = with_attacks(run("token"), (won, held))
    (found,) = conclusions([attacked])

    assert [(one.id, one.verdict, one.title, one.advice, one.kind) for one in attacked.findings[1:]] == [
        ("a", "fail", "It is safe", "Do x.", "attack"),
        ("b", "pass", "It is refused", "", "attack"),
    ]
    assert (found.advice, found.reasons[0].text) == ("avoid", "An attack succeeded: something is stolen.")


def test_attacks_replace_earlier_ones() -> None:
    """A run that is attacked twice has each of them once."""
    once = with_attacks(run("code", "low"), (Attack("a", "A.", "fail", "x", "RFC 1"),))

    assert with_attacks(once, once.attacks) == once


def test_each_flow_of_a_comparison_is_concluded() -> None:
    """These are the answers that the README prints."""
    assert {one.run: one.advice for one in compared().conclusions} == {
        "code": "use",
        "code form_post": "use",
        "code + par": "use",
        "code + dpop": "use",
        "resource": "use",
        "token": "avoid",
        "ticket": "use when",
        "device": "use when",
        "paste": "use when",
    }


def test_each_place_has_a_flow() -> None:
    """A laptop has a browser that comes back; the others have not, and CI and agents do not wait."""
    places = {one.place: one for one in compared().places}

    assert {name: one.run for name, one in places.items()} == {
        "laptop": "code form_post",
        "ssh": "device",
        "container": "device",
        "ci": "device",
        "agent": "device",
    }
    assert {name for name, one in places.items() if "`start`" in one.sentence} == {"ci", "agent"}


def test_flow_to_avoid_is_recommended_nowhere() -> None:
    """Where it is the only one, nothing is recommended."""
    runs = [run("code", "high")]

    assert {one.run for one in place_conclusions(runs, conclusions(runs))} == {""}


def test_flow_to_avoid_is_not_said_to_be_impossible() -> None:
    """The token flow signs in on a laptop; it was said not to work there, and to sign in elsewhere."""
    runs = [run("token", "high")]
    (laptop,) = (one for one in place_conclusions(runs, conclusions(runs)) if one.place == "laptop")

    assert "another flow" in laptop.sentence


def test_flow_with_a_port_is_recommended_on_condition_where_the_port_may_be_out_of_reach() -> None:
    """Over SSH and in a container, somebody has to forward or publish the port first."""
    runs = [run("code")]
    places = {one.place: one.sentence for one in place_conclusions(runs, conclusions(runs))}

    assert places["laptop"] == "Use code."
    assert places["ssh"] == places["container"] == f"Use code{IF_REACHED}."


def test_flow_with_a_port_alone_is_not_recommended_where_nothing_waits() -> None:
    """`start` and `finish` cannot keep a port open between them."""
    runs = [run("code")]
    places = {one.place: one.run for one in place_conclusions(runs, conclusions(runs))}

    assert (places["laptop"], places["ci"], places["agent"]) == ("code", "", "")


@pytest.mark.parametrize(
    ("finding", "title", "expected"),
    [
        ("token-in-fragment", "", "token-in-fragment"),
        ("token-in-fragment", "code form_post", "code-form-post/token-in-fragment"),
        ("a", "code + par", "code-par/a"),
        ("a", "msal 1.34", "msal-1.34/a"),
        ("a", "<b>ä</b>", "b-b/a"),
        ("", "\x1b", "unnamed/unnamed"),
    ],
)
def test_anchor_is_a_plain_fragment(finding: str, title: str, expected: str) -> None:
    """Links to it are written in SARIF, in Markdown and in messages."""
    assert anchor(finding, title) == expected


def test_hand_made_comparison_has_no_conclusions() -> None:
    """They come from whoever makes a comparison, not from the model."""
    assert (COMPARISON.conclusions, COMPARISON.places, COMPARISON.kind) == ((), (), "flows")
