"""A person with a real browser signs in at the demo server, from the link to the last page."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from command_line import CommandLine
from playwright.sync_api import BrowserContext

from browser.conftest import Chromium, Tab
from loopback_auth import words
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.serve import demo_thread
from loopback_auth.demo.server import DemoServer
from loopback_auth.program import Program
from loopback_auth.words import Words

pytestmark = pytest.mark.browser

LOGIN = ("login", "--no-browser")
REFUSED_POST = "Failed to load resource: the server responded with a status of 400 (Bad Request)"
"""What Chromium notes of every page with status 400."""


def origin(url: str) -> str:
    """Return the origin of an http URL."""
    return f"http://{urlsplit(url).netloc}"


@pytest.mark.parametrize("mode", ["form_post", "query"])
def test_approve(tab: Tab, command_line: CommandLine, mode: str) -> None:
    """The last page tells who signed in, shows no code, and nothing was fetched but the pages themselves."""
    with command_line.start(*LOGIN, "--response-mode", mode, "--json") as running:
        link = running.link()
        tab.sign_in(link, account="second@example.com")
        issuer = origin(tab.page.url)
        tab.decide("Approve", Words.SUCCESS_TITLE)
        ended = running.end()

    assert (ended.status, ended.json["account"]) == (0, "second@example.com")
    assert "second@example.com" in tab.text
    assert tab.page.url == f"{origin(link)}/callback"
    assert tab.complaints == []
    assert {request.resource_type for request in tab.requests} == {"document"}
    assert {origin(request.url) for request in tab.requests} == {origin(link), issuer}


def test_deny(tab: Tab, command_line: CommandLine) -> None:
    """A refusal is told in the browser and in the terminal, with its own exit status."""
    with command_line.start(*LOGIN) as running:
        tab.sign_in(running.link())
        tab.page.get_by_role("button", name="Deny").click()
        tab.page.get_by_text(Program().resolved_words().PAGE_CLOSE).wait_for()
        ended = running.end()

    assert ended.status == 4
    assert "access_denied" in ended.complaint
    assert "You denied the request" in tab.text
    assert "access_denied" in tab.page.content()
    assert "?" not in tab.page.url
    assert tab.complaints == [REFUSED_POST]


@pytest.mark.parametrize(
    ("faults", "status"), [(Faults(token_status=500, token_html=True), 6), (Faults(token_body=b"{}"), 5)]
)
def test_failure_after_approval(tab: Tab, command_line: CommandLine, faults: Faults, status: int) -> None:
    """The page is held until the tokens are there, so it never says more than is true."""

    def factory(issuer: str) -> DemoServer:
        return DemoServer(issuer, entropy=secrets.token_bytes, faults=faults)

    with demo_thread(server_factory=factory) as demo:
        arguments = ("--issuer", demo.issuer, "--client-id", "loopback-auth-demo")
        with command_line.start(*LOGIN, *arguments) as running:
            tab.sign_in(running.link())
            tab.page.get_by_role("button", name="Approve").click()
            tab.page.get_by_text(Program().resolved_words().PAGE_CLOSE).wait_for()
            ended = running.end()

    assert ended.status == status
    assert ended.complaint
    assert Words.SUCCESS_TITLE not in tab.text
    assert command_line.run("token").status == 9


def test_second_opening(context: BrowserContext, tab: Tab, command_line: CommandLine) -> None:
    """A link opened twice is turned away, and the terminal has a fresh one that works."""
    with command_line.start(*LOGIN) as running:
        link = running.link()
        tab.page.goto(link)
        second = Tab(context.new_page())
        answer = second.page.goto(link)
        refusal = second.text
        second.sign_in(running.link())
        second.decide("Approve", Words.SUCCESS_TITLE)
        ended = running.end()

    assert answer is not None
    assert (answer.status, Words.REFUSED_OPENED_BEFORE in refusal) == (410, True)
    assert ended.status == 0


def test_without_scripts(chromium: Chromium, command_line: CommandLine) -> None:
    """Where scripts are switched off, form_post needs one more press of a button."""
    with (
        chromium.launch() as browser,
        browser.new_context(java_script_enabled=False) as context,
        command_line.start(*LOGIN) as running,
    ):
        tab = Tab(context.new_page())
        tab.sign_in(running.link())
        tab.decide("Approve", words.DEMO_FORM_POST)
        tab.decide("Continue", Words.SUCCESS_TITLE)
        ended = running.end()

    assert ended.status == 0


@pytest.mark.parametrize(("mode", "leaks"), [("form_post", False), ("query", True)])
def test_history_on_disk(
    chromium: Chromium, command_line: CommandLine, tmp_path: Path, mode: str, leaks: bool
) -> None:
    """With form_post no code is in the browser's history; with query there is, which no page can prevent."""
    profile = tmp_path / "profile"
    with (
        chromium.launch_with_profile(profile) as context,
        command_line.start(*LOGIN, "--response-mode", mode) as running,
    ):
        tab = Tab(context.new_page())
        tab.sign_in(running.link())
        tab.decide("Approve", Words.SUCCESS_TITLE)
        ended = running.end()
    with closing(sqlite3.connect(profile / "Default" / "History")) as history:
        addresses = [url for (url,) in history.execute("SELECT url FROM urls")]

    assert ended.status == 0
    assert any("/callback" in url for url in addresses)
    assert any("?code=" in url or "&code=" in url for url in addresses) == leaks
