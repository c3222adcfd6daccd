"""The badge: one line of SVG that shows in any README, to everybody."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from loopback_auth.compare.drawing.badge import COLOURS, GREY, badge
from loopback_auth.compare.model import Cell, Comparison, Conclusion, Row, Run
from loopback_auth.trace.records import Trace

SVG = "{http://www.w3.org/2000/svg}"


def graded(**grades: str) -> Comparison:
    """Make a comparison of servers."""
    runs = tuple(
        Run("code", "examined", Trace("code", "live", name, ()), name=name.replace("_", "."))
        for name in grades
    )
    cells = tuple(Cell(one, "observed") for one in grades.values())
    return Comparison(
        ground="live",
        provider="servers",
        made_at=0.0,
        version="",
        runs=runs,
        rows=(Row("grade", "Grade", "Verdict", cells),),
        kind="servers",
        conclusions=tuple(
            Conclusion(run.title, "use", f"Grade {given}: a sentence.", ())
            for run, given in zip(runs, grades.values(), strict=True)
        ),
    )


def drawn(comparison: Comparison) -> ElementTree.Element:
    """Draw a badge, and parse it."""
    return ElementTree.fromstring(badge(comparison))  # noqa: S314 - it is our own


def texts(root: ElementTree.Element) -> list[str]:
    """Return what is written on a badge."""
    return ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(part * share for part, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_grade_of_one_server() -> None:
    """Its name is not on it, for it stands in the README of that server."""
    root = drawn(graded(id_example="B"))

    assert texts(root) == ["OAuth audit", "B"]
    assert root.findtext(f"{SVG}title") == root.get("aria-label") == "id.example: Grade B: a sentence."
    assert root.get("role") == "img"


def test_several_servers_have_the_colour_of_the_worst() -> None:
    """Nobody is to take an A for that of all."""
    root = drawn(graded(one="A", two="D", three="B"))

    assert texts(root) == ["3 servers", "A, D, B"]
    assert [one.get("fill") for one in root.iter(f"{SVG}rect")] == [GREY, COLOURS["D"]]


@pytest.mark.parametrize("given", ["A", "F", "not graded"])
def test_texts_fit_into_their_parts(given: str) -> None:
    """Whatever the font is, each text has the width that its part leaves for it."""
    root = drawn(graded(id_example=given))
    parts = [(int(one.get("x", "0")), int(one.get("width", "0"))) for one in root.iter(f"{SVG}rect")]
    written = [(int(one.get("x", "0")), int(one.get("textLength", "0"))) for one in root.iter(f"{SVG}text")]

    assert sum(width for _, width in parts) == int(root.get("width", "0"))
    for (left, width), (start, length) in zip(parts, written, strict=True):
        assert left < start < start + length < left + width


def test_flows_and_programs_have_the_advice() -> None:
    """They have no grade."""
    comparison = replace(
        graded(tool_login="x"),
        kind="programs",
        rows=(),
        conclusions=(Conclusion("tool.login", "avoid", "Avoid it.", ()),),
    )

    assert texts(drawn(comparison)) == ["tool.login", "avoid"]


def test_nothing_of_a_server_is_markup() -> None:
    """Names come from the command line and from servers."""
    comparison = graded(x="A")
    run = replace(comparison.runs[0], name='<script>"&')
    conclusions = (Conclusion(run.title, "use", "Say <b>\x00\u202e]]>", ()),)
    root = drawn(replace(comparison, runs=(run,), conclusions=conclusions, kind="flows", rows=()))

    assert texts(root)[0] == '<script>"&'
    assert {one.tag.removeprefix(SVG) for one in root.iter()} == {"svg", "title", "rect", "g", "text"}


def test_nothing_is_loaded_from_elsewhere() -> None:
    """A README shows it without asking anybody."""
    text = badge(graded(x="A")).replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert not any(word in text for word in ("http", "href", "url(", "@import", "<style", "<script"))


@pytest.mark.parametrize("colour", [GREY, *sorted(set(COLOURS.values()))])
def test_letters_can_be_read(colour: str) -> None:
    """White on each colour: 4.5 to 1 or more (WCAG 2.2 §1.4.3)."""
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


def test_comparison_without_runs_has_a_badge() -> None:
    """Nothing was judged then, and it says so."""
    empty = replace(graded(), rows=(), conclusions=())

    assert texts(drawn(empty)) == ["0 servers", "nothing judged"]
