"""What stands first on the page of a comparison: what to do with each column, and why; where it is from."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from comparison_samples import COMPARISON
from page_reader import Reader, one_run, section
from report_samples import programs, servers

from loopback_auth.compare.drawing.report import report
from loopback_auth.compare.model import (
    Advice,
    Comparison,
    Conclusion,
    Finding,
    PlaceConclusion,
    Reason,
)

FAILED = Finding("b", "high", "Bad thing", "fail", "Because.", "RFC 9700 §2.1", (5,), "Do better.")


def concluded(*conclusions: Conclusion, places: tuple[PlaceConclusion, ...] = ()) -> Comparison:
    """Draw conclusions for as many runs, in each of which one check failed."""
    runs = tuple(replace(one_run(FAILED), name=one.run) for one in conclusions)
    return replace(COMPARISON, runs=runs, rows=(), conclusions=conclusions, places=places)


@pytest.mark.parametrize(
    ("advice", "word"),
    [("use", "Use"), ("use when", "Use when"), ("avoid", "Avoid"), ("not judged", "Not judged")],
)
def test_each_run_has_its_conclusion_in_a_sentence(advice: Advice, word: str) -> None:
    """Whoever has to choose reads no tables."""
    html = report(concluded(Conclusion("mine", advice, "Take this one.", ())))
    shown = Reader(section(html, "conclusions").partition(">")[2])

    assert re.search(rf"{word}\s*mine\s*Take this one\.", shown.words)


def test_conclusions_come_before_everything_else() -> None:
    """The rest is what they rest on."""
    html = report(concluded(Conclusion("mine", "use", "Take this one.", ())))
    ids = [name for name in Reader(html).values("id") if name in ("conclusions", "overview", "findings")]

    assert ids == ["conclusions", "overview", "findings"]


def test_reason_leads_to_its_finding_and_others_have_their_clause() -> None:
    """Advice without a reason that can be followed is a claim."""
    reasons = (Reason("It was seen.", "RFC 9700 §2.1", "b"), Reason("It is known.", "RFC 8628 §1"))
    shown = section(report(concluded(Conclusion("mine", "avoid", "Leave it.", reasons))), "conclusions")

    assert '<a href="#mine/b">It was seen.</a>' in shown
    assert 'It is known. <small><a href="https://www.rfc-editor.org/rfc/rfc8628#section-1"' in shown


def test_each_place_has_its_flow() -> None:
    """A container is not a laptop."""
    place = PlaceConclusion(
        "ssh", "over SSH", "mine", "Use mine, and `finish` it.", (Reason("So.", "", "b"),)
    )
    html = report(concluded(Conclusion("mine", "use", "Take this one.", ()), places=(place,)))

    assert "<dt>Over SSH</dt><dd>Use mine, and <code>finish</code> it." in html
    assert html.count('<a href="#mine/b">So.</a>') == 1


def test_comparison_without_conclusions_has_the_outcomes() -> None:
    """An earlier format had none."""
    shown = section(report(COMPARISON), "conclusions")

    assert "Signed in" in shown
    assert "Refused" in shown


def test_server_has_its_grade_and_its_name() -> None:
    """One letter says it, and the sentence why; there is no diagram of requests that have no order."""
    html = report(servers())
    words = Reader(html).words

    assert "Two authorization servers, side by side" in words
    assert re.search(r'class="advice use">B</span>\s*<h3><a href="#github">GitHub</a>', html)
    assert 'class="advice avoid">F</span>' in html
    assert "real browser" not in words
    assert "compare github https://id.example -o report.html" in words
    assert {"diagrams", "attacks"}.isdisjoint(Reader(html).values("id"))
    assert '<section id="exchanges"' in html
    assert html.count('<a href="#github/pkce">S256 is not there.</a>') == 2


def test_one_server_is_examined_again_by_its_issuer() -> None:
    """Its name is for people."""
    whole = servers()
    one = replace(whole, runs=whole.runs[1:], rows=(), conclusions=whole.conclusions[1:])

    assert "audit https://id.example -o report.html" in Reader(report(one)).words


def test_programs_stand_beside_each_other_whatever_was_seen_of_them() -> None:
    """One of them was recorded, one was not, and one never signed in."""
    reader = Reader(report(programs()))
    ids = set(reader.values("id"))

    assert "Three programs put to the test, side by side" in reader.words
    assert "It never opened a browser." in reader.words
    assert {"ours-1.0", "tool-2.0", "other", "tool-2.0/stolen-code", "stolen-code", "diagrams"} <= ids
    assert "The browser is redirected" not in reader.words
    assert "audit -o report.html -- COMMAND" in reader.words


def test_nothing_is_drawn_where_nothing_was_recorded() -> None:
    """What a link leads to is there all the same."""
    whole = programs()
    reader = Reader(report(replace(whole, runs=whole.runs[1:], rows=(), conclusions=())))
    ids = set(reader.values("id"))

    assert not {"diagrams", "exchanges", "properties", "without"} & ids
    assert {one[1:] for one in reader.values("href") if one.startswith("#")} <= ids
    assert {"tool-2.0", "other"} <= ids
