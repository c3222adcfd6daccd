"""Our own tab while a person approves in another one: what it shows, and that coming back to it is noticed.

The servers here want a minute between two polls, so that no poll but one that a return has caused can come
within a test.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from html import escape
from typing import Literal
from urllib.parse import urlsplit

import pytest
from command_line import CommandLine
from playwright.sync_api import BrowserContext

from browser.conftest import Tab
from browser.running import Running, signing_in
from browser.test_appearance import photograph
from browser.test_relay import status
from browser.test_strangers import stranger as stranger
from loopback_auth import words
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.serve import Demo, demo_thread
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.errors import AttemptCancelled, DeviceError, LoopbackAuthError, TicketError
from loopback_auth.events import Exchanged, RequestIgnored, VerificationPrompted
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.program import Program
from loopback_auth.words import Words

pytestmark = pytest.mark.browser

Flow = Literal["ticket", "device"]
FLOWS: tuple[Flow, ...] = ("ticket", "device")
MINUTE = 60
POLLS = {"ticket": "ticket status request", "device": "device token request"}


@contextmanager
def waiting(
    flow: Flow,
    faults: Faults | None = None,
    *,
    interval: int = MINUTE,
    asks: bool = False,
    program: Program | None = None,
) -> Iterator[tuple[Running, Demo]]:
    """Run a sign-in at a demo server that wants to be left alone for a minute."""

    def factory(issuer: str) -> DemoServer:
        return DemoServer(issuer, entropy=secrets.token_bytes, faults=faults, device_interval=interval)

    with demo_thread(server_factory=factory) as demo:
        contract = replace(demo_contract("netlify", demo.issuer), interval=float(MINUTE))
        provider = Provider("demo", ServerMetadata(issuer=demo.issuer), ticket=contract)
        client = ClientConfig(provider, "loopback-auth-demo", scope="profile email")
        with signing_in(client, flow, asks=asks, program=program) as running:
            yield running, demo


def polls(running: Running, flow: Flow) -> int:
    """Count how often the server was asked."""
    return sum(isinstance(event, Exchanged) and event.step == POLLS[flow] for event in running.events)


def arrive(tab: Tab, running: Running) -> str:
    """Open the link, and return the code to compare."""
    link = running.link()
    code = running.wait(VerificationPrompted).user_code
    go(tab, link)
    return code


def go(tab: Tab, link: str) -> None:
    """Open our page as a person would, so that it can tell whether it is in front."""
    tab.page.goto(link)
    tab.page.get_by_role("heading", name="Approve at").wait_for()
    # Playwright makes every page believe that it is.
    tab.page.context.new_cdp_session(tab.page).send("Emulation.setFocusEmulationEnabled", {"enabled": False})


def open_provider(context: BrowserContext, tab: Tab) -> Tab:
    """Press the button of our page, and return the tab that opens."""
    with context.expect_page() as opened:
        tab.page.get_by_role("link", name="Open ").click()
    return Tab(opened.value)


def decide(there: Tab, flow: Flow, decision: str, heading: str) -> None:
    """Do what the provider's page asks, and press a button in the end."""
    for _ in range(2 if flow == "device" else 1):  # The code is filled in already; then the account.
        there.page.get_by_role("button", name="Continue").click()
    there.decide(decision, heading)


def close_there(_here: Tab, there: Tab) -> None:
    """Close the provider's tab, so that ours is in front again."""
    there.page.close()


def bring_to_front(here: Tab, _there: Tab) -> None:
    """Go back to our tab, and leave the other one open."""
    here.page.bring_to_front()


@pytest.mark.parametrize("come_back", [close_there, bring_to_front])
@pytest.mark.parametrize("flow", FLOWS)
def test_approve(
    context: BrowserContext,
    tab: Tab,
    flow: Flow,
    come_back: Callable[[Tab, Tab], None],
    record_property: Callable[[str, object], None],
) -> None:
    """Coming back is what makes us ask: once, at once; and then the page says who it was."""
    with waiting(flow) as (running, demo):
        code = arrive(tab, running)
        shown = tab.text
        there = open_provider(context, tab)
        decide(there, flow, "Approve", words.DEMO_APPROVED)
        before, begun = polls(running, flow), time.monotonic()
        come_back(tab, there)
        kept = running.end()
        record_property("milliseconds from return to token", round((time.monotonic() - begun) * 1000))
        tab.page.get_by_role("heading", name=Words.SUCCESS_TITLE).wait_for()
        asked = [one.all_headers() for one in tab.requests if one.resource_type == "fetch"]
        # Nobody listens any more, so nothing more is told.
        tab.page.evaluate(
            "document.dispatchEvent(new Event('visibilitychange')); dispatchEvent(new Event('focus'))"
        )
        told = [sum(one.url.endswith(path) for one in tab.requests) for path in ("/left", "/return")]

    assert kept.tokens.account == "demo@example.com"
    assert all(fact in tab.text for fact in ("demo@example.com", "loopback-auth-demo"))
    assert tab.page.locator("main .mark").count() == 1
    assert (code in shown, bool(code)) == (True, flow == "device")
    assert (before, polls(running, flow)) == (0, 1)
    # In any other mode Firefox, as Fetch §3.2 has it, says `Origin: null` for a page that allows no referrer.
    assert {headers["sec-fetch-mode"] for headers in asked} == {"cors"}
    assert tab.complaints == []
    assert tab.page.get_by_role("link").count() == 0
    assert told == [1, 1]
    assert {urlsplit(one.url).netloc for one in tab.requests} == {urlsplit(tab.page.url).netloc}
    assert demo.issuer not in tab.page.url


@pytest.mark.parametrize("flow", FLOWS)
def test_focus_of_who_has_not_been_away(context: BrowserContext, tab: Tab, flow: Flow) -> None:
    """Chromium says "focus" when a page is opened or first clicked; at that poll nobody has approved yet."""
    with waiting(flow) as (running, _):
        arrive(tab, running)
        tab.page.evaluate("dispatchEvent(new Event('focus'))")
        there = open_provider(context, tab)
        decide(there, flow, "Approve", words.DEMO_APPROVED)
        before = polls(running, flow)
        there.page.close()
        running.end()

    assert (before, polls(running, flow)) == (0, 1)


def test_poll_that_is_due_waits_for_who_is_away(
    context: BrowserContext, tab: Tab, record_property: Callable[[str, object], None]
) -> None:
    """With the usual five seconds between polls, one just before the return would make the person wait."""
    with waiting("device", interval=1) as (running, _):
        arrive(tab, running)
        there = open_provider(context, tab)
        there.page.get_by_role("button", name="Continue").click()
        there.page.get_by_role("button", name="Continue").wait_for()
        # On a busy machine the person may have left after the first poll.
        left = polls(running, "device")
        there.page.wait_for_timeout(1500)
        there.page.get_by_role("button", name="Continue").click()
        there.decide("Approve", words.DEMO_APPROVED)
        before, begun = polls(running, "device"), time.monotonic()
        there.page.close()
        running.end()
        took = time.monotonic() - begun
        record_property("milliseconds from return to token", round(took * 1000))

    assert before == left


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("answer", [True, False])
def test_question_in_the_terminal_is_told_of(
    context: BrowserContext, tab: Tab, flow: Flow, answer: bool
) -> None:
    """Whose account it is gets asked elsewhere, while the person looks at the browser (RFC 8628 §5.4)."""
    with waiting(flow, asks=True) as (running, _):
        arrive(tab, running)
        there = open_provider(context, tab)
        decide(there, flow, "Approve", words.DEMO_APPROVED)
        there.page.close()
        question = Words.QUESTION_TITLE.format(account="demo@example.com")
        tab.page.get_by_role("heading", name=question).wait_for()
        asked = tab.text
        running.answer(answer)
        tab.page.get_by_role(
            "heading", name=Words.SUCCESS_TITLE if answer else Words.FAILURE_TITLE
        ).wait_for()
        with nullcontext() if answer else pytest.raises(AttemptCancelled):
            running.end()

    assert Program().resolved_words(terminal=False).QUESTION_LEAD in asked
    assert ("were discarded" in tab.text) is not answer
    assert tab.complaints == []


@pytest.mark.parametrize("flow", FLOWS)
def test_command_line(context: BrowserContext, tab: Tab, command_line: CommandLine, flow: Flow) -> None:
    """The same from a terminal, with the account in its answer."""
    browser = command_line.home / "browser"
    browser.write_text("#!/bin/sh\n")
    browser.chmod(0o700)
    with command_line.start("login", "--flow", flow, "--yes", "--json", BROWSER=str(browser)) as running:
        go(tab, running.link())
        there = open_provider(context, tab)
        decide(there, flow, "Approve", words.DEMO_APPROVED)
        there.page.close()
        tab.page.get_by_role("heading", name=Words.SUCCESS_TITLE).wait_for()
        title = tab.page.title()
        ended = running.end()

    assert (ended.status, ended.json["account"]) == (0, "demo@example.com")
    assert title == f"{Words.SUCCESS_TITLE} - loopback_auth"


def test_coming_back_too_early(context: BrowserContext, tab: Tab) -> None:
    """Each return is worth a question: who only looked for the code and goes again is served at the next."""
    with waiting("ticket") as (running, _):
        arrive(tab, running)
        there = open_provider(context, tab)
        there.page.get_by_role("button", name="Continue").wait_for()
        tab.page.bring_to_front()
        while not polls(running, "ticket"):
            running.wait(Exchanged)
        there.page.bring_to_front()
        decide(there, "ticket", "Approve", words.DEMO_APPROVED)
        before = polls(running, "ticket")
        there.page.close()
        running.end()

    assert (before, polls(running, "ticket")) == (1, 2)


@pytest.mark.parametrize("flow", FLOWS)
def test_deny(context: BrowserContext, tab: Tab, flow: Flow) -> None:
    """A refusal in the other tab ends it in this one, with the reason."""
    with waiting(flow) as (running, _):
        arrive(tab, running)
        there = open_provider(context, tab)
        decide(there, flow, "Deny", words.DEMO_DENIED)
        there.page.close()
        error = failure(running, flow)
        tab.page.get_by_role("heading", name=Words.FAILURE_TITLE).wait_for()

    # In words for people first; what the protocol calls it is there for whoever wants to know.
    assert ("You denied the request" in tab.text) is (flow == "device")
    assert escape(error.message) in tab.page.content()
    assert polls(running, flow) == 1
    assert tab.complaints == []


@pytest.mark.parametrize("flow", FLOWS)
def test_expired(context: BrowserContext, tab: Tab, flow: Flow) -> None:
    """Who comes back too late is told so."""
    with waiting(flow, Faults(expires_early=0.0)) as (running, _):
        arrive(tab, running)
        there = open_provider(context, tab)
        there.page.get_by_role("heading").wait_for()
        there.page.close()
        error = failure(running, flow)
        tab.page.get_by_role("heading", name=Words.FAILURE_TITLE).wait_for()

    assert "expired" in error.message
    assert error.message in tab.text
    assert error.hint in tab.text


def failure(running: Running, flow: Flow) -> LoopbackAuthError:
    """Wait for the end, which is the refusal of the flow."""
    with pytest.raises(DeviceError if flow == "device" else TicketError) as caught:
        running.end()
    return caught.value


KNOCKING = """
async ({ live, token }) => {
  const told = [];
  for (const options of [
    { method: 'POST' },
    { method: 'POST', mode: 'no-cors' },
    { method: 'POST', headers: { 'x-loopback-relay': token } },
    { headers: { 'x-loopback-relay': token } },
  ]) for (const path of ['/return', '/next'])
    told.push(await fetch(live + path, options).then((answer) => answer.text()).catch(() => 'unreadable'));
  return told;
}
"""


def test_forged_returns(context: BrowserContext, tab: Tab, stranger: str) -> None:
    """Nobody else can make us ask or learn how it ended, even knowing all that our page knows."""
    with waiting("ticket") as (running, _):
        arrive(tab, running)
        body = tab.page.locator("body")
        live, token = body.get_attribute("data-live") or "", body.get_attribute("data-token") or ""
        origin = f"http://{urlsplit(tab.page.url).netloc}"
        right = {"Origin": origin, "X-Loopback-Relay": token}
        statuses = [
            status(f"{origin}{live}{path}", data, headers)
            for path, data in (("/return", ""), ("/next", None))
            for headers in (
                {"Origin": origin},
                right | {"X-Loopback-Relay": "guessed"},
                right | {"Origin": "null"},
                right | {"Origin": stranger.rstrip("/")},
                right | {"Sec-Fetch-Site": "cross-site"},
                right | {"Host": "rebind.test"},
            )
        ]
        wrong_way = [status(f"{origin}{live}{path}", "", right) for path in ("/next", "/other")]
        without_origin = status(f"{origin}{live}/return", "", {"X-Loopback-Relay": token})
        there = open_provider(context, tab)
        provider = there.page.url
        there.page.goto(stranger)
        told = there.page.evaluate(KNOCKING, {"live": origin + live, "token": token})
        there.page.goto(provider)
        ignored = sum(isinstance(event, RequestIgnored) for event in running.events)
        before = polls(running, "ticket")
        decide(there, "ticket", "Approve", words.DEMO_APPROVED)
        there.page.close()
        kept = running.end()

    assert statuses == [403, 403, 403, 403, 403, 421] * 2
    assert (wrong_way, without_origin) == ([404, 404], 403)
    assert set(told) == {"unreadable"}
    assert (ignored, before) == (len(statuses) + 3 + len(told), 0)
    assert kept.tokens.access_token


@pytest.mark.parametrize("flow", FLOWS)
def test_appearance(context: BrowserContext, tab: Tab, flow: Flow) -> None:
    """As people see it, with a code and without, before and after."""
    with waiting(flow) as (running, _):
        arrive(tab, running)
        photograph(tab, f"waiting-{flow}")
        there = open_provider(context, tab)
        decide(there, flow, "Approve", words.DEMO_APPROVED)
        there.page.close()
        running.end()
        tab.page.get_by_role("heading", name=Words.SUCCESS_TITLE).wait_for()
        photograph(tab, f"waiting-{flow}-ended")


def test_appearance_of_a_refusal(context: BrowserContext, tab: Tab) -> None:
    """The page of a denied ticket."""
    with waiting("ticket") as (running, _):
        arrive(tab, running)
        there = open_provider(context, tab)
        decide(there, "ticket", "Deny", words.DEMO_DENIED)
        there.page.close()
        failure(running, "ticket")
        tab.page.get_by_role("heading", name=Words.FAILURE_TITLE).wait_for()
        photograph(tab, "waiting-denied")
