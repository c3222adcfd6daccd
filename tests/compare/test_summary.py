"""The summary for a CI job: short, what changed first, and no text that becomes markup or a link."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from comparison_samples import COMPARISON
from hostile_samples import HOSTILE, PROPERTY, TEXTS, hostile
from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.drawing.summary import MOST, summary
from loopback_auth.compare.model import Change, Changes, Comparison, Finding, Run
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.trace.records import Trace

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
BLOCKS = {
    "heading",
    "paragraph",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "bullet_list",
    "list_item",
    "inline",
}
INLINE = {
    "text",
    "code_inline",
    "strong_open",
    "strong_close",
    "softbreak",
    "text_special",
    "link_open",
    "link_close",
}


def children(comparison: Comparison) -> list[Token]:
    """The pieces of all lines, as a reader of Markdown has them."""
    return [child for token in READER.parse(summary(comparison)) for child in token.children or ()]


def test_failed_findings_stand_in_a_table_with_their_clause_and_their_place() -> None:
    """The clause is a link; the place in the report is a fragment to copy."""
    (line,) = (line for line in summary(COMPARISON).splitlines() if line.startswith("| **low**"))

    assert line == (
        "| **low** | `#code-in-history` | code | No code stays in the browser's history. "
        "[RFC 9700 §4.3.1](https://www.rfc-editor.org/rfc/rfc9700#section-4.3.1) "
        "| Use response_mode=form_post where the server offers it. |"
    )


def test_changes_come_first() -> None:
    """That is what the summary is opened for."""
    change = Change("code", "pkce", "check", "new", "high", "PKCE with S256", "S256 was not sent.")
    changes = Changes("simulate", "demo", 1.0, "0.1.0", (change,))
    lines = [line for line in summary(replace(COMPARISON, changes=changes)).splitlines() if line]

    assert lines[1] == "Findings since the earlier run: 1 new."
    assert lines[4] == "| **new** | high | pkce | code | S256 was not sent. |"


def test_all_flows_make_a_short_page() -> None:
    """GitHub takes a mebibyte; a person takes less."""
    written = summary(compare_simulated(attacks=lambda run: simulated_attacks(run.flow)))

    assert len(written.encode()) < 20_000
    assert "mermaid" not in written


def test_long_list_is_cut_and_says_so() -> None:
    """The report has the rest."""
    findings = tuple(
        Finding(f"finding-{number}", "low", "Title", "fail", "Evidence.", "RFC 9700 §2.1.2")
        for number in range(MOST + 7)
    )
    run = Run("code", "signed in", Trace("code", "demo", "demo", ()), findings=findings)
    written = summary(replace(COMPARISON, runs=(run,), rows=(), conclusions=()))

    assert written.count("| **low** |") == MOST
    assert "And 7 more." in written


def test_nothing_failed_is_said_without_a_table() -> None:
    """A heading over nothing would look like a fault."""
    passed = tuple(replace(run, findings=run.findings[1:]) for run in COMPARISON.runs)
    written = summary(replace(COMPARISON, runs=passed))

    assert "What failed" not in written
    assert "1 passed" in written


def check(text: str) -> None:
    """Assert that a text is text, wherever it stands; only clauses of RFCs are links."""
    found = READER.parse(summary(hostile(text)))
    blocks = {re.sub("_(open|close)$", "", token.type) for token in found}
    inline = children(hostile(text))
    links = [str(child.attrs["href"]) for child in inline if child.type == "link_open"]

    assert all(line.isprintable() for line in summary(hostile(text)).split("\n"))
    assert blocks <= BLOCKS
    assert {child.type for child in inline} <= INLINE
    assert all(link.startswith("https://www.rfc-editor.org/rfc/rfc") for link in links)
    assert len([token for token in found if token.type == "tr_open"]) == 4


@pytest.mark.parametrize("text", [*HOSTILE, "RFC 9700 §4.3.1) [x](https://evil.example"])
def test_hostile_text_is_no_markup(text: str) -> None:
    """A job's page is read by people who trust it."""
    check(text)


@PROPERTY
@given(TEXTS)
def test_any_text_is_no_markup(text: str) -> None:
    """The same for what nobody thought of."""
    check(text)
