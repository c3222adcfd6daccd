"""An explanation as Markdown: all of it is there, and no text of a recording is markup."""

from __future__ import annotations

import re

import pytest
from hostile_samples import PROPERTY, TEXTS
from hypothesis import example, given
from markdown_it import MarkdownIt
from story_samples import hostile_story, rehearsed, without_trace

from loopback_auth.explain.story_markdown import markdown


def tokens(text: str) -> list[str]:
    """Read Markdown as code hosts do, and return the kinds of its blocks and spans."""
    found = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    return [one.type for block in found for one in (block, *(block.children or ()))]


@pytest.mark.parametrize("flow", ["code", "ticket", "device"])
def test_all_of_it_is_there(flow: str) -> None:
    """The steps in order, the diagram, and who learns what."""
    story = rehearsed(flow)
    text = markdown([story])

    assert text.count("```mermaid") == 1
    assert re.findall(r"^### (\d+)\\?\. ", text, re.MULTILINE) == [
        str(number) for number in range(1, len(story.scenes) + 1)
    ]
    assert "Who learns what: " in text
    failed = [one for one in story.findings if one.verdict == "fail"]
    assert text.count("**") == 2 * (len(story.answers) + len(story.short) + len(failed))
    assert len(story.by_hand) == 0 or "```sh" in text


def test_token_has_no_diagram() -> None:
    """Nobody sends anything."""
    text = markdown([without_trace()])

    assert "mermaid" not in text


def test_finding_says_what_was_found_before_what_was_expected() -> None:
    """A title alone reads as if the opposite had been found."""
    text = markdown([without_trace()])

    assert (
        "**high** exp (RFC 7519 §4.1.4)\n\n- It has.\n- Expected: It has not expired.\n- What to do: " in text
    )


@PROPERTY
@given(TEXTS)
@example("```\n# title")
def test_no_text_becomes_markup(text: str) -> None:
    """Neither a link nor HTML nor another block."""
    kinds = tokens(markdown([hostile_story(text)]))
    plain = tokens(markdown([hostile_story("plain")]))

    assert not {"html_block", "html_inline", "image", "link_open", "hr"} & set(kinds)
    for kind in ("heading_open", "fence", "table_open"):
        assert kinds.count(kind) == plain.count(kind)
