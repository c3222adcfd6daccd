"""`compare --live` at oidc-provider, in a real Chromium that a script signs in with."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from command_line import CommandLine, Ended, missing, program

pytestmark = [pytest.mark.foreign, pytest.mark.browser]

SCRIPT = """\
import os, sys
from playwright.sync_api import sync_playwright
from loopback_auth.program import Program
from loopback_auth.words import Words

path, link = sys.argv[1:]
sandbox = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
with sync_playwright() as playwright:
    with playwright.chromium.launch(executable_path=path, args=["--disable-gpu", *sandbox]) as browser:
        page = browser.new_page()
        page.set_default_timeout(60000)
        page.goto(link)
        page.locator("input[name=login]").fill("ada")
        page.locator("input[name=password]").fill("password-canary-0123456789")
        page.locator("button[type=submit]").click()
        page.get_by_role("button", name="Continue").click()
        page.get_by_text(Program().resolved_words().PAGE_CLOSE).wait_for()
"""
"""Signs in on the provider's own pages, and stays until our last page is there."""

FLOWS = ("code", "code form_post", "token", "ticket", "device")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Chromium with somebody at it."""
    chromium = program("chromium", "chromium-browser", "google-chrome", purpose="a comparison in a browser")
    try:
        import playwright  # noqa: F401
    except ImportError:
        missing("playwright is not installed")
    folder = tmp_path_factory.mktemp("browser")
    (folder / "person.py").write_text(SCRIPT)
    opener = folder / "browser"
    opener.write_text(f'#!/bin/sh\nexec {sys.executable} {folder}/person.py {chromium} "$1"\n')
    opener.chmod(0o700)
    return str(opener)


@pytest.fixture(scope="module")
def compared(
    browser: str, oidc_provider: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Ended, dict[str, str], Path]:
    """How a comparison went, every report of it, and the home where it was made."""
    home = tmp_path_factory.mktemp("home")
    reports = {suffix: home / f"report{suffix}" for suffix in (".json", ".html", ".har")}
    flags = [flag for path in reports.values() for flag in ("-o", str(path))]
    client = ("--issuer", oidc_provider["either"], "--client-id", "native", "--scope", "openid email")
    ended = CommandLine(home).run(
        "compare", *client, "--live", "--flows", ",".join(FLOWS), *flags, BROWSER=browser
    )
    return ended, {suffix: path.read_text() for suffix, path in reports.items()}, home


def test_flows_that_the_server_has_are_run(compared: tuple[Ended, dict[str, str], Path]) -> None:
    """And of the others it is said what the server answered about them."""
    ended, reports, _ = compared
    runs = {run["flow"]: run for run in json.loads(reports[".json"])["runs"]}

    assert ended.status == 0
    assert {flow: run["outcome"] for flow, run in runs.items()} == {
        "code": "signed in",
        "code form_post": "signed in",
        "token": "not possible",
        "ticket": "not possible",
        "device": "not possible",
    }
    assert "response_type=token: The metadata do not list it" in runs["token"]["reason"]
    assert "requested grant type is not allowed for this client" in runs["device"]["reason"]
    assert runs["code"]["tokens"]["account"] == "ada@example.org"
    assert "Flow 2 of 2, code form_post" in ended.stderr


def test_browser_and_server_are_not_observed(compared: tuple[Ended, dict[str, str], Path]) -> None:
    """Nobody could see what they said to each other, and nothing is guessed."""
    _, reports, _ = compared
    runs = json.loads(reports[".json"])["runs"][:2]
    legs = [
        entry
        for run in runs
        for entry in run["entries"]
        if entry["kind"] == "exchange" and entry["receiver"] == "server" and entry["sender"] == "browser"
    ]

    assert [leg["step"] for leg in legs] == ["authorization request"] * 2
    assert {(leg["observed"], leg["status"], leg["response_body"]) for leg in legs} == {(False, 0, "")}


def test_answer_came_as_it_was_asked_for(compared: tuple[Ended, dict[str, str], Path]) -> None:
    """By query and by form, from a real browser."""
    _, reports, _ = compared
    answers = [
        (entry["method"], "<code#1>" in entry["address"])
        for run in json.loads(reports[".json"])["runs"]
        for entry in run["entries"]
        if entry.get("step") == "authorization response"
    ]

    assert answers == [("GET", True), ("POST", False)]


def test_nothing_is_kept_and_nothing_leaks(compared: tuple[Ended, dict[str, str], Path]) -> None:
    """The tokens are revoked, and what was typed at the provider was never seen."""
    ended, reports, home = compared

    assert ended.stderr.count("The tokens are revoked.") == 2
    assert [path for path in (home / "kept").rglob("*") if path.is_file()] == []
    assert not any("password-canary" in text for text in (*reports.values(), ended.stdout, ended.stderr))
