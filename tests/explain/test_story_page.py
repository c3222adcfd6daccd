"""An explanation as a page: of one piece, readable without a script, and no stranger's to steer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hostile_samples import HOSTILE, PROPERTY, TEXTS
from hypothesis import given
from page_reader import Reader, asset, harmless, policy, source_of
from story_samples import hostile_story, rehearsed, without_trace

from loopback_auth.errors import ConfigError
from loopback_auth.explain.errors.error_story import error_story
from loopback_auth.explain.page import (
    FORMS,
    SCRIPTS,
    STYLES,
    check_story_target,
    story_diagram,
    story_page,
    write_story,
)

ROOM = "loopback_auth.explain"
STYLE, SCRIPT = asset(*STYLES, package=ROOM), asset(*SCRIPTS, package=ROOM)
FLOWS = ("code", "token", "ticket", "device", "paste", "code + dpop", "resource")

every_flow = pytest.mark.parametrize("flow", FLOWS)


@every_flow
def test_page_is_well_formed_and_loads_nothing(flow: str) -> None:
    """It is opened from disk, and sent around."""
    reader = Reader(story_page([rehearsed(flow)]))
    ids = reader.values("id")

    assert harmless(reader, STYLE, SCRIPT)
    assert len(set(ids)) == len(ids)
    assert {one[1:] for one in reader.values("href") if one.startswith("#")} <= set(ids)


def test_policy_allows_exactly_what_is_inlined() -> None:
    """A hash that does not fit leaves the page unstyled, a wider source lets injected code run."""
    reader = Reader(story_page([rehearsed("code")]))

    assert policy(reader) == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "style-src": source_of(STYLE),
        "script-src": source_of(SCRIPT),
    }


@every_flow
def test_every_step_is_there_with_its_arrow_its_reason_and_who_knows_what(flow: str) -> None:
    """Also where scripts are switched off."""
    story = rehearsed(flow)
    html = story_page([story])
    steps = html.split('<li class="step"')[1:]

    assert len(steps) == len(story.scenes)
    for number, (shown, step) in enumerate(zip(steps, story.scenes, strict=True), 1):
        words = Reader("<li" + shown.split("</ol>")[0]).words

        assert f'id="step-{number}"' in shown
        assert step.words in words
        assert all(value.name in words for value in (*step.sent, *step.received))
        assert '<div class="alone diagram"' in shown
        assert "Who knows what now" in words


@every_flow
def test_every_arrow_leads_to_its_step(flow: str) -> None:
    """The diagram is the table of contents."""
    story = rehearsed(flow)
    arrows = Reader(story_page([story])).with_class("arrow")
    numbers = [int(arrow["href"].removeprefix("#step-")) for arrow in arrows]

    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, len(story.scenes) + 1))
    assert all(
        arrow["aria-label"].startswith(f"{number} ") for arrow, number in zip(arrows, numbers, strict=True)
    )


def test_what_a_step_told_somebody_is_marked_in_words() -> None:
    """Never by colour alone."""
    html = story_page([rehearsed("code")])
    response = html.split('id="step-7"')[1].split("</li>")[0]

    assert re.search(
        r'class="learned"><span [^>]*data-secret="code#1">.*?<span class="tag">new</span>', response
    )
    assert "nothing yet" in html


def test_several_sign_ins_have_ids_of_their_own() -> None:
    """A recording may have more than one."""
    reader = Reader(story_page([rehearsed("code"), rehearsed("device")]))
    ids = reader.values("id")

    assert len(set(ids)) == len(ids)
    assert {"step-1", "2-step-1", "steps", "2-steps", "2-questions"} <= set(ids)
    assert {one[1:] for one in reader.values("href") if one.startswith("#")} <= set(ids)
    assert "2 sign-ins, as recorded" in reader.words


def test_what_has_no_trace_has_its_parts_and_no_diagram() -> None:
    """A token is not sent while it is read."""
    reader = Reader(story_page([without_trace()]))

    assert "What the token says" in reader.words
    assert "how it is signed" in reader.words
    assert "Renew it." in reader.words
    assert not reader.with_class("arrow")
    assert not reader.with_class("pager")
    assert "Who knows what now" not in reader.words


def test_finding_says_what_was_found_before_what_was_expected() -> None:
    """A title alone reads as if the opposite had been found."""
    html = story_page([without_trace()])
    [finding] = html.split('<ul class="findings">')[1].split("</ul>")[0].split("<li>")[1:]
    words = Reader(f"<li>{finding}").words
    places = [words.index(said) for said in ("High", "exp", "It has.", "Expected: It has not expired.")]

    assert places == sorted(places)


def test_page_without_steps_has_no_link_to_them() -> None:
    """The explanation of an error code has nothing but questions and answers."""
    reader = Reader(story_page([error_story("invalid_grant")]))
    inner = {one[1:] for one in reader.values("href") if one.startswith("#")}

    assert inner <= set(reader.values("id"))


def test_diagram_is_refused_where_there_is_none() -> None:
    """An empty file would look like one."""
    with pytest.raises(ConfigError):
        story_diagram([without_trace()])
    assert story_diagram([without_trace(), rehearsed("code")]).count("sequenceDiagram") == 1


def test_account_of_the_demonstration_is_not_shown() -> None:
    """It is nobody's."""
    story = rehearsed("code")

    assert all("demo@example.com" not in write([story]) for write in FORMS.values())


@pytest.mark.slow
@PROPERTY
@given(TEXTS)
def test_no_text_becomes_markup(text: str) -> None:
    """Whoever made the recording writes into this page."""
    html = story_page([hostile_story(text)])
    html.encode("utf-8")
    reader = Reader(html)

    assert harmless(reader, STYLE, SCRIPT)
    assert len(set(reader.values("id"))) == len(reader.values("id"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_samples_are_drawn_in_every_form(text: str) -> None:
    """Each of them by itself, so that none depends on luck."""
    story = hostile_story(text)

    assert harmless(Reader(story_page([story])), STYLE, SCRIPT)
    assert all(write([story]).encode("utf-8") for write in FORMS.values())


@pytest.mark.parametrize("text", ["<b>&amp;\"'</b>", "</script><script>alert(1)</script>"])
def test_hostile_text_is_still_shown(text: str) -> None:
    """Escaping must not eat the evidence."""
    assert text in Reader(story_page([hostile_story(text)])).words


@pytest.mark.parametrize("suffix", list(FORMS))
def test_file_has_the_form_that_its_name_says(tmp_path: Path, suffix: str) -> None:
    """And it is there whole."""
    path = check_story_target(str(tmp_path / f"story{suffix.upper()}"))
    write_story([rehearsed("code")], path)

    assert Path(path).read_text("utf-8") == FORMS[suffix]([rehearsed("code")])


@pytest.mark.parametrize("name", ["story", "story.json", "story.pdf", ".html", "missing/story.html"])
def test_file_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is asked or run."""
    with pytest.raises(ConfigError):
        check_story_target(str(tmp_path / name))
