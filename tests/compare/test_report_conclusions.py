"""What stands first on the page of a comparison: what to do with each column, and why; where it is from."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from comparison_samples import CODE, COMPARISON
from page_reader import Reader, one_run, section

from loopback_auth.compare.drawing.report import report
from loopback_auth.compare.model import (
    Advice,
    Cell,
    Comparison,
    Conclusion,
    Finding,
    PlaceConclusion,
    Reason,
    Row,
    Run,
)
from loopback_auth.trace.records import Trace

FAILED = Finding("b", "high", "Bad thing", "fail", "Because.", "RFC 9700 §2.1", (5,), "Do better.")
EMPTY = Trace("code", "demo", "demo", ())


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
    runs = tuple(
        Run("code", "not possible", replace(CODE, provider=name.lower()), name=name)
        for name in ("Acme", "Umbrella")
    )
    grades = Row("grade", "Grade", "Grade", (Cell("B", "observed"), Cell("F", "observed")))
    conclusions = (Conclusion("Acme", "use", "Nearly all.", ()), Conclusion("Umbrella", "avoid", "No.", ()))
    html = report(
        replace(COMPARISON, kind="servers", ground="live", runs=runs, rows=(grades,), conclusions=conclusions)
    )
    words = Reader(html).words

    assert "Two authorization servers, side by side" in words
    assert re.search(r'class="advice use">B</span>\s*<h3><a href="#acme">Acme</a>', html)
    assert re.search(r'class="advice avoid">F</span>', html)
    assert "real browser" not in words
    assert "audit acme umbrella -o report.html" in words
    assert '<section id="diagrams"' not in html
    assert '<section id="exchanges"' in html


def test_program_without_a_recording_has_no_diagram_and_no_steps() -> None:
    """Nothing is drawn of what nobody saw; what a link leads to is there all the same."""
    runs = tuple(replace(one_run(FAILED), trace=EMPTY, name=name) for name in ("tool 1.0", "other 2.0"))
    html = report(replace(COMPARISON, kind="programs", ground="demo", runs=runs, rows=()))
    reader = Reader(html)

    assert "Two programs put to the test" in reader.words
    assert not {"diagrams", "exchanges", "properties", "without"} & set(reader.values("id"))
    assert {one[1:] for one in reader.values("href") if one.startswith("#")} <= set(reader.values("id"))
    assert {"tool-1.0", "tool-1.0/b", "other-2.0/b", "b"} <= set(reader.values("id"))
    assert "The browser is redirected" not in reader.words
    assert "audit -o report.html -- COMMAND" in reader.words
