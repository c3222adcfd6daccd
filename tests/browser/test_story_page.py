"""The page of an explanation in a browser: one step at a time, by buttons, keys and links, or all as a list.

Pictures for the eye are left in `tests/artefacts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from story_samples import rehearsed, without_trace

from browser.accessibility import grave
from browser.conftest import PATIENCE, Tab
from browser.test_appearance import PICTURES, SCHEMES, WIDTHS
from loopback_auth.explain.page import story_page

pytestmark = pytest.mark.browser

STEPS = len(rehearsed("code").scenes)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of one flow as a file."""
    written = tmp_path_factory.mktemp("story") / "story.html"
    written.write_text(story_page([rehearsed("code")]), "utf-8")
    return written


@pytest.fixture(scope="module")
def path_of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two flows, as of a recording."""
    written = tmp_path_factory.mktemp("story") / "stories.html"
    written.write_text(story_page([rehearsed("code"), rehearsed("device")]), "utf-8")
    return written


@pytest.fixture
def opened(tab: Tab, path: Path) -> Iterator[Tab]:
    """The page in a browser, where it complains of nothing and asks nobody."""
    tab.page.emulate_media(reduced_motion="reduce")
    tab.page.goto(path.as_uri())
    yield tab
    assert {request.url for request in tab.requests} == {path.as_uri()}
    assert tab.complaints == []


def shown(page: Page) -> list[str]:
    """Return the ids of the steps that can be seen."""
    ids: list[str] = page.locator(".step").evaluate_all(
        "all => all.filter((one) => one.getBoundingClientRect().height).map((one) => one.id)"
    )
    return ids


def where(page: Page) -> str:
    """Return what the page says about where the reader is."""
    return page.locator(".where").first.inner_text()


def test_page_looks_like_this(opened: Tab) -> None:
    """Pictures of a step and of all of them, and nothing is wider than the screen."""
    PICTURES.mkdir(exist_ok=True)
    page = opened.page
    page.goto(f"{page.url}#step-7")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=PICTURES / f"story-{scheme}-{width}.png", full_page=True)

            assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("All steps").check()
    page.screenshot(path=PICTURES / "story-all.png", full_page=True)


def test_one_step_is_shown_and_the_buttons_lead_on(opened: Tab) -> None:
    """From the first to the last; at the ends the buttons say that there is no more."""
    page = opened.page
    before, after = (page.get_by_role("button", name=name) for name in ("Previous step", "Next step"))

    assert (shown(page), where(page)) == (["step-1"], f"Step 1 of {STEPS}")
    assert before.is_disabled()
    for number in range(2, STEPS + 1):
        after.click()
        assert (shown(page), where(page)) == ([f"step-{number}"], f"Step {number} of {STEPS}")
    assert after.is_disabled()
    before.click()
    assert shown(page) == [f"step-{STEPS - 1}"]
    assert page.url.endswith(f"#step-{STEPS - 1}")


def test_keys_lead_from_step_to_step(opened: Tab) -> None:
    """Arrows, Home and End; with another key held down they are the browser's."""
    page = opened.page
    for key, expected in (
        ("ArrowRight", 2),
        ("ArrowRight", 3),
        ("ArrowLeft", 2),
        ("End", STEPS),
        ("ArrowRight", STEPS),
        ("Home", 1),
        ("ArrowLeft", 1),
        ("Shift+ArrowRight", 1),
    ):
        page.keyboard.press(key)
        assert shown(page) == [f"step-{expected}"], key


def mark_scrolling(page: Page) -> None:
    """Let the root say how far the page was scrolled, as its policy lets no condition be evaluated twice."""
    page.evaluate(
        """addEventListener("scroll", () => {
          document.documentElement.dataset.scrolled = scrollY === 0 ? "top" : scrollY > 1000 ? "far" : "near";
        })"""
    )


def in_window(page: Page, locator: str) -> bool:
    """Return whether the beginning of something can be seen, below the bar that stays at the top."""
    box, bar = (page.locator(one).first.bounding_box() for one in (locator, ".bar"))
    assert box is not None
    assert bar is not None
    height: int = page.evaluate("innerHeight")
    return max(bar["y"] + bar["height"], 0) <= box["y"] < height - 40


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("far", ["0", "document.documentElement.scrollHeight"])
def test_arrow_key_brings_its_step_into_view(opened: Tab, width: int, far: str) -> None:
    """From the top and from the questions below: a step that changes out of sight looks like no change."""
    page = opened.page
    page.set_viewport_size({"width": width, "height": 700})
    for number in range(2, STEPS + 1):
        page.evaluate(f"scrollTo(0, {far})")
        page.keyboard.press("ArrowRight")
        assert in_window(page, f"#step-{number} h3"), number


def test_home_and_end_are_the_browser_s_where_no_step_is_in_view(opened: Tab) -> None:
    """Who reads the questions below wants the ends of the page."""
    page = opened.page
    page.set_viewport_size({"width": 1280, "height": 700})
    page.keyboard.press("ArrowRight")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    mark_scrolling(page)
    page.keyboard.press("Home")

    page.locator("html[data-scrolled=top]").wait_for()
    page.evaluate("document.querySelector('.about').style.marginBottom = '200vh'")
    page.keyboard.press("End")
    page.locator("html[data-scrolled=far]").wait_for()
    assert shown(page) == ["step-2"]


@pytest.mark.parametrize("width", [1280, 390])
def test_keys_are_named_beside_the_counter(opened: Tab, width: int) -> None:
    """Below a long step they would be found last; they are in sight whenever the counter is."""
    page = opened.page
    page.set_viewport_size({"width": width, "height": 700})
    page.keyboard.press("ArrowRight")
    counter, keys = (page.locator(name).bounding_box() for name in (".where", ".keys"))

    assert counter is not None
    assert keys is not None
    assert abs(counter["y"] + counter["height"] / 2 - keys["y"] - keys["height"] / 2) < 50
    page.get_by_label("All steps").check()
    assert page.locator(".keys").is_hidden()


def test_keys_are_the_browser_s_where_all_steps_are_shown(opened: Tab) -> None:
    """Who reads a list scrolls it."""
    page = opened.page
    page.get_by_label("All steps").check()
    mark_scrolling(page)
    page.keyboard.press("End")

    assert len(shown(page)) == STEPS
    page.locator("html[data-scrolled=far]").wait_for()
    page.get_by_label("All steps").uncheck()
    assert shown(page) == ["step-1"]


def test_diagram_shows_where_one_is_and_leads_there(opened: Tab) -> None:
    """What is still to come steps back, and an arrow is a link to its step."""
    page = opened.page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator(".arrow[href='#step-8']").click()

    assert shown(page) == ["step-8"]
    current = page.locator(".arrow.current")
    assert current.get_attribute("href") == "#step-8"
    assert page.locator(".arrow.later").evaluate_all("all => all.map((one) => one.getAttribute('href'))") == [
        f"#step-{number}" for number in range(9, STEPS + 1)
    ]
    page.keyboard.press("End")
    box = page.locator(".arrow.current .hit").bounding_box()
    assert box is not None
    assert 0 <= box["y"] <= box["y"] + box["height"] <= 900


def test_arrow_can_be_followed_by_keys(opened: Tab) -> None:
    """Whoever has no mouse goes through the diagram as well."""
    page = opened.page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator(".arrow[href='#step-4']").focus()
    page.keyboard.press("Enter")

    assert shown(page) == ["step-4"]


@pytest.mark.parametrize("width", WIDTHS)
def test_link_to_a_step_shows_it(tab: Tab, path: Path, width: int) -> None:
    """A teacher sends the link to the step that the question is about."""
    tab.page.set_viewport_size({"width": width, "height": 900})
    tab.page.goto(f"{path.as_uri()}#step-5")
    box = tab.page.locator("#step-5").bounding_box()

    assert shown(tab.page) == ["step-5"]
    assert box is not None
    assert box["y"] < 900
    assert "is asked" not in tab.page.title()


def test_malformed_link_does_no_harm(tab: Tab, path: Path) -> None:
    """A fragment is whatever somebody wrote behind the address."""
    for fragment in ("%", "step-99", "step-", "__proto__"):
        tab.page.goto(f"{path.as_uri()}#{fragment}")
        tab.page.reload()
        assert shown(tab.page) == ["step-1"]

    assert tab.complaints == []


def test_step_says_who_knows_what_now(opened: Tab) -> None:
    """The code is in the browser's history, and the tokens never come there."""
    page = opened.page
    page.goto(f"{page.url}#step-7")
    row = page.locator("#step-7 .knows tr", has_text="history")

    assert row.locator(".learned").all_text_contents() == ["<code#1>new"]
    page.keyboard.press("End")
    assert "access_token" not in page.locator(f"#step-{STEPS} .knows tr", has_text="history").inner_text()
    assert "access_token" in page.locator(f"#step-{STEPS} .knows tr", has_text="Program").inner_text()


def test_secret_lights_up_wherever_it_is(opened: Tab) -> None:
    """In the diagram as in the table."""
    page = opened.page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{page.url}#step-7")
    page.locator("#step-7 .values [data-secret='code#1']").hover()

    assert page.locator(".picture .cargo.lit").count() >= 2


def test_keys_belong_to_the_sign_in_that_is_used(tab: Tab, path_of_two: Path) -> None:
    """A recording may have several."""
    page = tab.page
    page.goto(f"{path_of_two.as_uri()}#2-step-3")

    assert shown(page) == ["step-1", "2-step-3"]
    page.keyboard.press("ArrowRight")
    assert shown(page) == ["step-1", "2-step-4"]
    page.get_by_role("button", name="Next step").first.click()
    page.keyboard.press("ArrowRight")
    assert shown(page) == ["step-3", "2-step-4"]


def test_without_a_script_all_steps_are_a_list(browser: Browser, path: Path) -> None:
    """With their arrows and who knows what; nothing asks for what only a script can do."""
    with browser.new_context(java_script_enabled=False, reduced_motion="reduce") as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{path.as_uri()}#step-8")

        assert page.locator(".step:visible").count() == STEPS
        assert page.locator(".step .alone:visible").count() == STEPS
        assert page.locator(".pager").is_hidden()
        assert page.locator(".keys").is_hidden()
        box = page.locator("#step-8").bounding_box()
        assert box is not None
        assert -100 < box["y"] < 700


def test_all_steps_are_on_paper(opened: Tab) -> None:
    """Nobody can press Next there."""
    page = opened.page
    page.emulate_media(media="print")

    assert page.locator(".step:visible").count() == STEPS
    assert page.locator(".step .alone:visible").count() == STEPS
    assert page.locator(".pager").is_hidden()
    assert page.locator(".picture").is_hidden()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1280, 390])
def test_page_shuts_nobody_out(tab: Tab, path_of_two: Path, tmp_path: Path, scheme: Any, width: int) -> None:
    """No serious and no critical violation: step by step, with all steps, and for what has no steps."""
    page = tab.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{path_of_two.as_uri()}#step-7")

    assert grave(page) == []
    for every in page.get_by_label("All steps").all():
        every.check()
    assert grave(page) == []
    token = tmp_path / "token.html"
    token.write_text(story_page([without_trace()]), "utf-8")
    page.goto(token.as_uri())
    assert grave(page) == []
