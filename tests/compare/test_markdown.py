"""Markdown: tables that stay tables, and no text that becomes markup, a link or a mention."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from comparison_samples import COMPARISON
from hostile_samples import HOSTILE, PROPERTY, TEXTS, hostile
from hypothesis import example, given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from loopback_auth.compare.drawing.markdown import markdown
from loopback_auth.compare.model import Cell, Comparison, Row
from loopback_auth.drawing.mermaid import mermaid
from loopback_auth.redact import server_text

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
    "ordered_list",
    "list_item",
    "fence",
    "inline",
}
INLINE = {"text", "code_inline", "strong_open", "strong_close", "softbreak", "text_special"}


def tokens(comparison: Comparison) -> list[Token]:
    """What a reader of Markdown makes of it, HTML allowed."""
    return READER.parse(markdown(comparison))


def shown(token: Token) -> str:
    """The text of a line as people see it."""
    return "".join(child.content for child in token.children or ())


def cells(comparison: Comparison) -> list[str]:
    """The texts of all cells of tables, in order."""
    found = tokens(comparison)
    return [shown(inline) for cell, inline in pairwise(found) if cell.type in ("td_open", "th_open")]


def test_tables_are_tables() -> None:
    """Overview first, then each group, flow by flow."""
    assert cells(COMPARISON) == [
        *["", "Outcome", "Findings", "Attacks succeeded"],
        *["code", "signed in", "1 low", "0 of 1*"],
        *["ticket", "refused", "not checked", "?"],
        *["", "code", "ticket", "Left in the browser's history", "<code#1>", "<ticket#1>?"],
        *["", "code", "ticket", "Standard", "RFC 6749 §4.1[1]", "none, vendor API[2]"],
    ]


def test_cells_say_what_they_rest_on() -> None:
    """A claim without its ground is what this program is not to make."""
    texts = (Cell("withstood", "tried"), Cell("not observed", "not observed"))

    assert cells(replace(COMPARISON, rows=(Row("x", "Title", "Group", texts),)))[-3:] == [
        "Title",
        "withstood*",
        "?",
    ]


def test_findings_and_attacks_are_told() -> None:
    """What failed, and how attacks ended."""
    written = markdown(COMPARISON)

    assert (
        "**low** code-in-history (RFC 9700 §4.3.1)\n\n"
        "- code: The callback address with `<code#1>` was shown as a page.\n"
        "- Expected: No code stays in the browser's history.\n"
        "- What to do: Use response_mode=form_post where the server offers it.\n"
    ) in written
    assert "- **prevented**: code. The server answered invalid_grant: the verifier was missing.\n" in written


def test_sources_are_linked() -> None:
    """Where what is known is known from."""
    assert markdown(COMPARISON).endswith(
        "## Sources\n\n1. RFC 6749 §4.1\n2. <https://github.com/netlify/open-api>\n"
    )


def test_every_flow_has_its_diagram() -> None:
    """In a block that code hosts draw."""
    fences = [token for token in tokens(COMPARISON) if token.type == "fence"]

    assert [(fence.info, fence.content) for fence in fences] == [
        ("mermaid", mermaid(run.trace)) for run in COMPARISON.runs
    ]


def test_raw_text_stays_readable() -> None:
    """It is read as it is, too: only what would be markup is escaped."""
    written = markdown(hostile("form_post of id_token, (x) {y} 1.5 - 2"))

    assert "form_post of id_token, (x) {y} 1.5 - 2" in written


def check(text: str) -> None:
    """Assert that a text is text and nothing else, wherever it stands."""
    comparison = hostile(text)
    found = tokens(comparison)
    blocks = {re.sub("_(open|close)$", "", token.type) for token in found}
    inline = {child.type for token in found for child in token.children or ()}
    links = [child for token in found for child in token.children or () if child.type == "link_open"]

    assert all(line.isprintable() for line in markdown(comparison).split("\n"))
    assert blocks <= BLOCKS
    assert inline <= INLINE | {"link_open", "link_close"}
    assert all(link.info == "auto" for link in links)
    assert len([token for token in found if token.type == "fence"]) == 2
    assert len(cells(comparison)) == 2 * 5 + 3 * 4 + 3 * 3
    assert [cells(comparison)[number] for number in (7, 9, 25)] == [server_text(text)] * 3


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_markup(text: str) -> None:
    """No element, no link, no new row, and it reads as it was sent."""
    check(text)


@pytest.mark.slow
@PROPERTY
@example("__0__")
@given(TEXTS)
def test_any_text_is_no_markup(text: str) -> None:
    """The same for what nobody thought of."""
    check(text)


@pytest.mark.parametrize(
    "word", ["@somebody", "owner/repo#1", "#12", "https://evil.example/x", "www.evil.example"]
)
def test_mentions_and_links_are_code(word: str) -> None:
    """A report in an issue must not call people or lead anywhere."""
    found = tokens(hostile(f"see {word} now"))
    plain = [child.content for token in found for child in token.children or () if child.type == "text"]

    assert f"see `{word}` now" in markdown(hostile(f"see {word} now"))
    assert not any(word in text for text in plain)
