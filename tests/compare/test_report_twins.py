"""A flow without one of its defences, on the page beside the whole flow: what it loses is said."""

from __future__ import annotations

from dataclasses import replace

from comparison_samples import COMPARISON
from page_reader import Reader, one_run, section

from loopback_auth.compare.drawing.report import report
from loopback_auth.compare.drawing.report_twins import twins
from loopback_auth.compare.judging.checks import with_attacks
from loopback_auth.compare.model import Attack, Cell, Comparison, Row, Run

STOLEN = Attack("stolen-code", "It is exchanged.", "pass", "Refused.", "RFC 7636 §1", "high", "Safe")
GUESSED = Attack("guessed", "The state is guessed.", "fail", "It fits.", "RFC 6749 §10.12", "low", "Long")


def run(title: str, *attacks: Attack) -> Run:
    """Attack a flow."""
    return with_attacks(replace(one_run(), name=title), attacks)


def compared(*runs: Run) -> Comparison:
    """Put runs side by side, with one property that is the same for the first two, and one for none."""
    texts = ["sent", *(f"not sent {at}" for at in range(1, len(runs)))]
    rows = (
        Row("pkce", "PKCE", "Group", tuple(Cell(text, "observed") for text in texts)),
        Row("state", "State", "Group", tuple(Cell("sent", "observed") for _ in runs)),
    )
    return replace(COMPARISON, runs=runs, rows=rows)


WHOLE = run("code", STOLEN, GUESSED)
TWIN = run("code without pkce", replace(STOLEN, verdict="fail", because="It got tokens."), GUESSED)


def test_twin_shows_what_its_defence_stops() -> None:
    """What also fails with the defence is no lesson about it."""
    [twin] = twins(compared(WHOLE, TWIN)).values()

    assert (twin.at, twin.whole_at, twin.defence) == (1, 0, "pkce")
    assert [loss.finding.id for loss in twin.losses] == ["stolen-code"]
    assert twin.changed == ("PKCE",)


def test_twin_is_told_on_the_page_with_its_clause() -> None:
    """The lesson of the comparison is which clause stops which attack."""
    html = report(compared(WHOLE, TWIN))
    shown = section(html, "without")

    assert '<a href="#code-without-pkce/stolen-code">An attack succeeded: it is exchanged.</a>' in shown
    assert "rfc7636#section-1" in shown
    assert "guessed" not in shown
    assert 'class="observed changed" data-column="code without pkce"' in html
    assert html.count("observed changed") == 1


def test_twin_that_loses_nothing_is_said_to() -> None:
    """Several defences may hold against the same attack."""
    shown = report(compared(WHOLE, run("code without iss", STOLEN, GUESSED)))

    assert "Nothing more fails" in section(shown, "without")


def test_twin_without_its_whole_flow_is_a_run_like_others() -> None:
    """There is nothing that it could be held against."""
    html = report(compared(TWIN, run("without", STOLEN), run("device without ")))

    assert twins(compared(TWIN)) == {}
    assert '<section id="without"' not in html


def test_command_runs_the_flows_without_their_defences_again() -> None:
    """A name of a column is not a name of a flow."""
    words = Reader(report(compared(WHOLE, TWIN, run("code without state")))).words

    assert "compare --flows code --without pkce,state -o report.html" in words
