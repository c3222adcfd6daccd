"""Headless Chromium, driven by Playwright; pages that remember what they fetched and complained of."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from command_line import CommandLine, program
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, sync_playwright

PATIENCE = 60_000
"""Milliseconds that Playwright waits for anything."""

REBOUND = "rebind.test"
"""A name that leads Chromium to this machine, as a hostile name server could make it."""

ARGUMENTS = [
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
]


@dataclass(frozen=True)
class Chromium:
    """A Chromium that can be started."""

    playwright: Playwright
    path: str

    @property
    def arguments(self) -> list[str]:
        """What it is started with; root has no sandbox."""
        return [*ARGUMENTS, *(["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else [])]

    def launch(self) -> Browser:
        """Start it with nothing kept."""
        return self.playwright.chromium.launch(executable_path=self.path, args=self.arguments)

    def launch_with_profile(self, folder: Path) -> BrowserContext:
        """Start it with a profile on disk, as people have it."""
        return self.playwright.chromium.launch_persistent_context(
            folder, executable_path=self.path, args=self.arguments
        )


@dataclass
class Tab:
    """A page, what it fetched, and what the console says."""

    page: Page
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    @property
    def text(self) -> str:
        """What the page says."""
        return self.page.inner_text("body")

    def sign_in(self, link: str, *, account: str = "") -> None:
        """Open the link and sign in at the demo server; the consent page is next."""
        self.page.goto(link)
        if account:
            self.page.get_by_label(account).check()
        self.page.get_by_role("button", name="Continue").click()
        self.page.get_by_role("button", name="Approve").wait_for()

    def decide(self, decision: str, heading: str) -> None:
        """Press a button of the consent page, and wait for the page where it all ends."""
        self.page.get_by_role("button", name=decision).click()
        self.page.get_by_role("heading", name=heading).wait_for()


# Not for the whole session: as long as Playwright runs, asyncio.run of other tests would find a running loop.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Chromium as found on this machine."""
    path = program("chromium", "chromium-browser", "google-chrome", purpose="the browser tests")
    with sync_playwright() as playwright:
        yield Chromium(playwright, path)
    # A greenlet of it that ends while Python 3.11 builds a syntax tree would end in a SystemError there.
    gc.collect()


@pytest.fixture(scope="module")
def browser(chromium: Chromium) -> Iterator[Browser]:
    """One Chromium for the module; each test has its own context in it."""
    with chromium.launch() as launched:
        yield launched


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without memory."""
    with browser.new_context() as fresh:
        yield fresh


@pytest.fixture
def tab(context: BrowserContext) -> Tab:
    """An empty page."""
    return Tab(context.new_page())


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """The command line with an empty home."""
    return CommandLine(tmp_path)
