"""A program's own pages in a real browser: what it renders, and what its logo tries to do."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Route

from browser.conftest import Tab
from browser.running import signing_in
from browser.test_appearance import photograph
from browser.test_waiting import Flow, arrive, decide, open_provider, waiting
from loopback_auth import Page, Program, words
from loopback_auth.demo.serve import demo_thread
from loopback_auth.events import Warned
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.pages import Pages

pytestmark = pytest.mark.browser

SCRIPTED_SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
  viewBox="0 0 32 32" onload="document.title='ran'">
  <script>document.title = 'ran'; fetch('http://127.0.0.1/stolen')</script>
  <image xlink:href="http://127.0.0.1/tracked.png" width="32" height="32"/>
  <style>@import url(http://127.0.0.1/tracked.css);</style>
  <foreignObject width="32" height="32">
    <body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="document.title='ran'"/></body>
  </foreignObject>
  <rect width="32" height="32" rx="8" fill="#7a1fa2"/>
</svg>"""


def render(page: Page) -> str:
    """Render a page that looks quite different, and tries what it should not."""
    return (
        "<!doctype html><html lang=fr><head><title>Own</title>"
        "<style>body { color: rgb(1, 2, 3) }</style></head>"
        f"<body onload=\"document.title='ran'\"><h1>Own {page.kind}</h1>"
        f'<p style="color: rgb(4, 5, 6)">{page.account}{page.message}</p>'
        "<script>document.title = 'ran'</script><img src='http://127.0.0.1/tracked.png'></body></html>"
    )


def test_nothing_in_a_logo_runs_or_is_loaded(browser: Browser) -> None:
    """An SVG is a document with scripts; as an image it is a drawing (SVG 2 §2.2.3)."""
    pages = Pages(Program("MyTool", logo=SCRIPTED_SVG, accent="#ffcc00", language="de", returns_to="MyTool"))
    page = pages.success(
        client="me", provider="Acme Cloud", account="a@example.com", scope="openid", detail=""
    )
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=page.status, headers=dict(page.headers), body=page.body)

    with browser.new_context() as context:
        tab = Tab(context.new_page())
        tab.page.route("http://**/*", answer)
        tab.page.goto("http://127.0.0.1/")
        photograph(tab, "program")
        drawn = tab.page.locator(".brand img").evaluate("one => one.complete && one.naturalWidth > 0")
        title = tab.page.title()

    assert (drawn, title, asked) == (True, "Angemeldet - MyTool", ["http://127.0.0.1/"])
    assert tab.complaints == []


def colours(tab: Tab) -> list[str]:
    """Return the colours of the heading and of the paragraph."""
    ask = "one => getComputedStyle(one).color"
    return [str(tab.page.locator(name).evaluate(ask)) for name in ("h1", "p")]


def test_a_program_shows_its_own_last_page(tab: Tab) -> None:
    """Its styles hold; its scripts do not run, nothing is loaded, and the code leaves the address bar."""
    with demo_thread() as demo:
        client = ClientConfig(Provider("demo", ServerMetadata(issuer=demo.issuer)), "loopback-auth-demo")
        with signing_in(client, "code", program=Program(page=render)) as running:
            tab.sign_in(running.link())
            tab.decide("Approve", "Own success")
            running.end()

    assert colours(tab) == ["rgb(1, 2, 3)", "rgb(4, 5, 6)"]
    assert tab.page.title() == "Own"
    assert "code=" not in tab.page.url
    assert not [one for one in tab.requests if "tracked" in one.url and one.response() is not None]


@pytest.mark.parametrize("flow", ["ticket", "device"])
def test_it_comes_in_place_of_a_waiting_page_too(context: BrowserContext, tab: Tab, flow: Flow) -> None:
    """The page that waited stays open, and the policy under which it was loaded allows other styles."""
    with waiting(flow, program=Program(page=render)) as (running, _):
        arrive(tab, running)
        there = open_provider(context, tab)
        decide(there, flow, "Approve", words.DEMO_APPROVED)
        there.page.close()
        tab.page.get_by_role("heading", name="Own success").wait_for()
        running.end()

    assert colours(tab) == ["rgb(1, 2, 3)", "rgb(4, 5, 6)"]
    assert tab.page.title() == "Own"


def broken(_: Page) -> str:
    """Fail."""
    raise ValueError("broken")


def test_our_page_comes_where_its_own_fails(tab: Tab) -> None:
    """The user has approved, and reads so."""
    with demo_thread() as demo:
        client = ClientConfig(Provider("demo", ServerMetadata(issuer=demo.issuer)), "loopback-auth-demo")
        with signing_in(client, "code", program=Program("MyTool", page=broken)) as running:
            tab.sign_in(running.link())
            tab.decide("Approve", words.Words.SUCCESS_TITLE)
            running.end()
            warned = [event for event in running.events if isinstance(event, Warned)]

    assert ["ValueError" in event.text for event in warned] == [True]
