"""Every page as people see it, light and dark, wide and narrow: pictures for the eye in `tests/artefacts`.

What a program can see of it is asserted: nothing is cut off at the side, and the buttons can be reached.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from command_line import CommandLine
from playwright.sync_api import Browser, BrowserContext, Route

from browser.conftest import Chromium, Tab
from loopback_auth import words
from loopback_auth.demo import pages as demo_pages
from loopback_auth.http_messages import HttpResponse
from loopback_auth.pages import Pages
from loopback_auth.program import Program
from loopback_auth.words import Words

pytestmark = pytest.mark.browser

PICTURES = Path(__file__).parent.parent / "artefacts"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (1280, 400)
LOGIN = ("login", "--no-browser")
SHOWN = "main, h1, button, .button, input:visible, dd, code"


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
            boxes = [one.bounding_box() for one in tab.page.locator(SHOWN).all()]

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
        tab.decide("Approve", words.DEMO_FORM_POST)
        photograph(tab, "form-post")
        tab.decide("Continue", Words.SUCCESS_TITLE)
        photograph(tab, "success")
        ended = running.end()

    assert ended.status == 0


def test_pages_of_a_refusal(context: BrowserContext, tab: Tab, command_line: CommandLine) -> None:
    """The page of a failure, and the one for requests that are not ours."""
    with command_line.start(*LOGIN) as running:
        link = running.link()
        tab.sign_in(link)
        again = Tab(context.new_page())
        # Not the link: opened once more it makes a new one, and an answer to the old one is turned away.
        again.page.goto(f"{link.rpartition('/')[0]}/elsewhere")
        photograph(again, "turned-away")
        tab.page.get_by_role("button", name="Deny").click()
        tab.page.get_by_text(Program().resolved_words().PAGE_CLOSE).wait_for()
        photograph(tab, "failure")
        ended = running.end()

    assert ended.status == 4


ALONE = {
    "relay": Pages().relay(path="/relay", token="x"),
    "waiting": Pages().waiting(
        path="/live", token="x", provider="as.example", url="https://as.example/device", user_code="WDJB-MJHT"
    ),
    "waiting-for-a-ticket": Pages().waiting(
        path="/live", token="x", provider="Netlify", url="https://app.example/authorize", user_code=""
    ),
    "enter-code": demo_pages.enter_code(action="/device"),
    "enter-code-again": demo_pages.enter_code(
        action="/device", code="WDJB-MJHT", problem="No program waits for this code.", status=400
    ),
    "consent-code": demo_pages.consent(
        action="/consent",
        hidden=[],
        client_id="loopback-auth-demo",
        redirect_uri="",
        account="demo@example.com",
        scopes=[("openid", "Know who you are"), ("email", "See your e-mail address")],
        code="WDJB-MJHT",
        message="Deploy the documentation",
    ),
    "done": demo_pages.done(title=words.DEMO_APPROVED, message=words.DEMO_APPROVED_LEAD),
}
"""Pages that pass too quickly, or that another flow than the one above would show."""


@pytest.mark.parametrize("name", ALONE)
def test_pages_that_stand_alone(browser: Browser, name: str) -> None:
    """Shown by themselves and without their scripts, which would ask somebody who is not there."""
    page: HttpResponse = ALONE[name]

    def answer(route: Route) -> None:
        route.fulfill(status=page.status, headers=dict(page.headers), body=page.body)

    with browser.new_context(java_script_enabled=False) as context:
        tab = Tab(context.new_page())
        tab.page.route("**/*", answer)
        tab.page.goto("http://127.0.0.1/")
        photograph(tab, name)
