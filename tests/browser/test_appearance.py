"""Every page as people see it, light and dark, wide and narrow: pictures for the eye in `tests/artefacts`.

What a program can see of it is asserted: nothing is cut off at the side, and the buttons can be reached.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from command_line import CommandLine
from playwright.sync_api import BrowserContext

from browser.conftest import Chromium, Tab

pytestmark = pytest.mark.browser

PICTURES = Path(__file__).parent.parent / "artefacts"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (1280, 400)
LOGIN = ("login", "--no-browser")


def photograph(tab: Tab, name: str) -> None:
    """Take the four pictures of a page, and check what can be checked."""
    PICTURES.mkdir(exist_ok=True)
    for scheme in SCHEMES:
        tab.page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            tab.page.set_viewport_size({"width": width, "height": 720})
            tab.page.screenshot(
                path=PICTURES / f"{name}-{scheme}-{width}.png", full_page=True, animations="disabled"
            )
            boxes = [one.bounding_box() for one in tab.page.locator("main, h1, button, dd, code").all()]

            assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes), name
            assert tab.page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_pages_of_a_sign_in(chromium: Chromium, command_line: CommandLine) -> None:
    """From the account to the last page; without scripts, so that the page between stands still."""
    with (
        chromium.launch() as browser,
        browser.new_context(java_script_enabled=False) as context,
        command_line.start(*LOGIN) as running,
    ):
        tab = Tab(context.new_page())
        tab.page.goto(running.link())
        photograph(tab, "sign-in")
        tab.page.get_by_role("button", name="Continue").click()
        tab.page.get_by_role("button", name="Approve").wait_for()
        photograph(tab, "consent")
        tab.decide("Approve", "One moment")
        photograph(tab, "form-post")
        tab.decide("Continue", "Signed in")
        photograph(tab, "success")
        ended = running.end()

    assert ended.status == 0


def test_pages_of_a_refusal(context: BrowserContext, tab: Tab, command_line: CommandLine) -> None:
    """The page of a failure, and the one for requests that are not ours."""
    with command_line.start(*LOGIN) as running:
        link = running.link()
        tab.sign_in(link)
        again = Tab(context.new_page())
        again.page.goto(link)
        photograph(again, "turned-away")
        tab.page.get_by_role("button", name="Deny").click()
        tab.page.get_by_text("You may close this tab").wait_for()
        photograph(tab, "failure")
        ended = running.end()

    assert ended.status == 4
