"""Tokens in the fragment, and the page of ours that reads them: in a real browser, against two servers."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from command_line import CommandLine
from foreign.conftest import client_keys as client_keys
from foreign.conftest import oidc_provider as oidc_provider
from playwright.sync_api import BrowserContext, Request

from browser.conftest import Chromium, Tab
from browser.running import signing_in
from browser.test_appearance import photograph
from browser.test_strangers import stranger as stranger
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.demo.serve import Demo, demo_thread, factory
from loopback_auth.errors import AuthorizationError, ProtocolError
from loopback_auth.events import RequestIgnored
from loopback_auth.flow_table import FlowName
from loopback_auth.model import ClientConfig, Provider, ResponseMode, ServerMetadata
from loopback_auth.program import Program
from loopback_auth.words import Words

pytestmark = pytest.mark.browser

FLOWS = ["token", "id_token token"]
BAD_REQUEST = "Failed to load resource: the server responded with a status of 400 (Bad Request)"
FONTS = "https://fonts.googleapis.com/**"
"""What the pages of oidc-provider ask for, from another machine."""


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """A demo server that signs."""
    with demo_thread(server_factory=factory(signer=rsa_signer())) as served:
        yield served


@pytest.fixture(scope="module")
def foreign_issuer(oidc_provider: dict[str, str]) -> str:
    """The issuer of oidc-provider."""
    return oidc_provider["either"]


def client(issuer: str, client_id: str = "loopback-auth-demo") -> ClientConfig:
    """Describe a client that wants its answer in the fragment."""
    provider = Provider("demo", ServerMetadata(issuer=issuer))
    return ClientConfig(provider, client_id, scope="openid email", response_mode="fragment")


def relay_of(tab: Tab) -> Request:
    """Return the one request that the script of our page made."""
    (relay,) = [request for request in tab.requests if request.resource_type == "fetch"]
    return relay


@pytest.mark.parametrize("flow", FLOWS)
def test_approve(chromium: Chromium, demo: Demo, tmp_path: Path, flow: FlowName) -> None:
    """The fragment is in no request line and no address bar; only the body of our own request carries it."""
    log = tmp_path / "net-log.json"
    recording = [f"--log-net-log={log}", "--net-log-capture-mode=Everything"]
    with chromium.playwright.chromium.launch(
        executable_path=chromium.path, args=[*chromium.arguments, *recording]
    ) as browser:
        tab = Tab(browser.new_page())
        with signing_in(client(demo.issuer), flow) as running:
            tab.sign_in(running.link(), account="second@example.com")
            tab.decide("Approve", Words.SUCCESS_TITLE)
            kept = running.end()
        relay = relay_of(tab)
        headers, title = relay.all_headers(), tab.page.title()
    heads = request_heads(log)

    assert kept.tokens.account == "second@example.com"
    assert tab.page.url.endswith("/callback")
    assert title == Words.SUCCESS_TITLE
    assert len(heads) >= len(tab.requests) == 6
    assert not any(kept.tokens.access_token in head or "access_token" in head for head in heads)
    assert parse_qs(relay.post_data)["access_token"] == [kept.tokens.access_token]
    assert (relay.method, headers["origin"]) == ("POST", f"http://{urlsplit(tab.page.url).netloc}")
    # In any other mode Firefox, as Fetch §3.2 has it, says `Origin: null` for a page that allows no referrer.
    assert headers["sec-fetch-mode"] == "cors"
    assert tab.complaints == []


def request_heads(log: Path) -> list[str]:
    """Return every request line that Chromium sent, with the headers that followed."""
    document = json.loads(log.read_text("utf-8"))
    sent = document["constants"]["logEventTypes"]["HTTP_TRANSACTION_SEND_REQUEST_HEADERS"]
    return [json.dumps(event["params"]) for event in document["events"] if event["type"] == sent]


@pytest.mark.parametrize("flow", FLOWS)
def test_deny(tab: Tab, demo: Demo, flow: FlowName) -> None:
    """A refusal that comes in the fragment is understood by the program, and told on the page."""
    with signing_in(client(demo.issuer), flow) as running:
        tab.sign_in(running.link())
        tab.decide("Deny", Words.FAILURE_TITLE)
        with pytest.raises(AuthorizationError) as caught:
            running.end()

    assert caught.value.error == "access_denied"
    assert tab.page.url.endswith("/callback")
    assert Words.SUCCESS_TITLE not in tab.text
    assert tab.complaints == [BAD_REQUEST]


@pytest.mark.parametrize(
    ("decision", "heading", "exit_status"),
    [("Approve", Words.SUCCESS_TITLE, 0), ("Deny", Words.FAILURE_TITLE, 4)],
)
def test_command_line(
    tab: Tab, command_line: CommandLine, decision: str, heading: str, exit_status: int
) -> None:
    """The same from a terminal, with the exit status that the page agrees with."""
    flags = ("--flow", "token", "--response-mode", "fragment", "--yes")
    with command_line.start("login", "--no-browser", *flags) as running:
        tab.sign_in(running.link())
        tab.decide(decision, heading)
        ended = running.end()

    assert ended.status == exit_status
    assert exit_status == 0 or "access_denied" in ended.complaint


@pytest.mark.parametrize("mode", ["fragment", "form_post"])
def test_question_in_the_terminal_is_told_of(tab: Tab, demo: Demo, mode: ResponseMode) -> None:
    """Whose tokens these are gets asked in the terminal (RFC 6749 §10.16); the page says so at once."""
    with signing_in(replace(client(demo.issuer), response_mode=mode), "token", asks=True) as running:
        tab.sign_in(running.link())
        tab.decide("Approve", Words.QUESTION_TITLE.format(account="demo@example.com"))
        asked = tab.text
        running.answer(True)
        tab.page.get_by_role("heading", name=Words.SUCCESS_TITLE).wait_for()
        running.end()

    assert Program().resolved_words(terminal=False).QUESTION_LEAD in asked
    assert "demo@example.com" in tab.text
    assert tab.complaints == []


def test_failure_after_approval(tab: Tab) -> None:
    """The page is told how it ended only when the tokens have been checked, so it never says too much."""
    faults = Faults(wrong_nonce=True)
    with (
        demo_thread(server_factory=factory(signer=rsa_signer(), faults=faults)) as demo,
        signing_in(client(demo.issuer), "id_token token") as running,
    ):
        tab.sign_in(running.link())
        tab.decide("Approve", Words.FAILURE_TITLE)
        with pytest.raises(ProtocolError, match="nonce"):
            running.end()

    assert Words.SUCCESS_TITLE not in tab.text


@pytest.mark.parametrize(
    ("flow", "client_id"),
    [("id_token token", "implicit"), ("id_token", "implicit"), ("code id_token", "hybrid")],
)
def test_oidc_provider(
    context: BrowserContext, tab: Tab, foreign_issuer: str, flow: FlowName, client_id: str
) -> None:
    """The fragment of a server that is not ours is read as well."""
    context.route(FONTS, lambda route: route.abort())
    with signing_in(client(foreign_issuer, client_id), flow) as running:
        sign_in_there(tab, running.link())
        tab.page.get_by_role("button", name="Continue").click()
        tab.page.get_by_role("heading", name=Words.SUCCESS_TITLE).wait_for()
        kept = running.end()

    assert kept.tokens.account == "ada@example.org"
    assert kept.tokens.id_token is not None
    assert kept.tokens.id_token.signature == "verified"
    assert tab.page.url.endswith("/callback")
    assert not any("id_token=" in request.url for request in tab.requests)


def test_oidc_provider_denies(context: BrowserContext, tab: Tab, foreign_issuer: str) -> None:
    """So is its refusal."""
    context.route(FONTS, lambda route: route.abort())
    with signing_in(client(foreign_issuer, "implicit"), "id_token token") as running:
        sign_in_there(tab, running.link())
        tab.page.get_by_role("link", name="Cancel").click()
        tab.page.get_by_role("heading", name=Words.FAILURE_TITLE).wait_for()
        with pytest.raises(AuthorizationError) as caught:
            running.end()

    assert caught.value.error == "access_denied"


def sign_in_there(tab: Tab, link: str) -> None:
    """Sign in on the pages of oidc-provider; the one that asks for consent is next."""
    tab.page.goto(link)
    tab.page.locator("[name=login]").fill("ada")
    tab.page.locator("[name=password]").fill("anything")
    tab.page.get_by_role("button", name="Sign-in").click()
    tab.page.get_by_role("button", name="Continue").wait_for()


def test_history_on_disk(chromium: Chromium, demo: Demo, tmp_path: Path) -> None:
    """The token stays in the browser's history, as the warning says; no page of ours can take it out again.

    When this fails, browsers have become better: then the warning of the flow can be shorter.
    """
    profile = tmp_path / "profile"
    with (
        chromium.launch_with_profile(profile) as context,
        signing_in(client(demo.issuer), "token") as running,
    ):
        tab = Tab(context.new_page())
        tab.sign_in(running.link())
        tab.decide("Approve", Words.SUCCESS_TITLE)
        token = running.end().tokens.access_token
    with closing(sqlite3.connect(profile / "Default" / "History")) as history:
        addresses = [url for (url,) in history.execute("SELECT url FROM urls")]

    assert any(token in address for address in addresses)


FORGERY = """
async ({ target, token, body }) => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const knowing = { ...headers, 'x-loopback-relay': token };
  const text = (asked) => asked.then((answer) => answer.text()).catch(() => 'unreadable');
  const told = {
    plain: await text(fetch(target, { method: 'POST', headers, body })),
    opaque: await text(fetch(target, { method: 'POST', mode: 'no-cors', headers, body })),
    known: await text(fetch(target, { method: 'POST', headers: knowing, body })),
  };
  const frame = document.createElement('iframe');
  frame.sandbox = 'allow-scripts allow-forms';
  frame.srcdoc = `<form method="post" action="${target}"><input name="state" value="guessed"></form>
    <script>document.forms[0].submit()</` + 'script>';
  document.body.append(frame);
  return told;
}
"""


def test_forged_relays(context: BrowserContext, tab: Tab, demo: Demo, stranger: str) -> None:
    """Nobody but our page can bring a fragment, even who knows where to and by what; the sign-in goes on."""
    with signing_in(client(demo.issuer), "token") as running:
        link = running.link()
        tab.sign_in(link)
        origin = f"http://{urlsplit(link).netloc}"
        relay = RelayPage(f"{origin}/callback")
        target, token = origin + relay.attributes["data-relay"], relay.attributes["data-token"]
        body = urlencode({"access_token": "planted", "token_type": "Bearer", "state": "guessed"})
        right = {"Origin": origin, "X-Loopback-Relay": token}
        statuses = [
            status(target, body, {"Origin": origin}),
            status(target, body, right | {"X-Loopback-Relay": "guessed"}),
            status(target, body, right | {"Origin": "null"}),
            status(target, body, right | {"Origin": stranger.rstrip("/")}),
            status(target, body, {"X-Loopback-Relay": token}),
            status(target, body, right | {"Sec-Fetch-Site": "same-site"}),
            status(target, body, right | {"Host": "rebind.test"}),
            status(target, None, right),
            status(target, body, right | {"Content-Type": "text/plain"}),
            status(target, body, right),
        ]
        hostile = context.new_page()
        hostile.goto(stranger)
        told = hostile.evaluate(FORGERY, {"target": target, "token": token, "body": body})
        for _ in range(len(statuses) + 4):  # The frame's form comes when it comes.
            running.wait(RequestIgnored)
        tab.decide("Approve", Words.SUCCESS_TITLE)
        kept = running.end()

    assert statuses == [403, 403, 403, 403, 403, 403, 421, 405, 415, 400]
    assert told == {"plain": "unreadable", "opaque": "unreadable", "known": "unreadable"}
    assert kept.tokens.access_token != "planted"


class RelayPage(HTMLParser):
    """What any program on this machine can learn from our page between: it need not be a browser."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.attributes: dict[str, str] = {}
        with urllib.request.urlopen(url, timeout=60) as reply:
            self.feed(reply.read().decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the script would read."""
        if tag == "body":
            self.attributes = {name: value or "" for name, value in attrs}


def status(url: str, body: str | None, headers: dict[str, str]) -> int:
    """Send a request that no browser would, and return the status of the answer."""
    data = None if body is None else body.encode()
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return int(reply.status)
    except HTTPError as exc:
        with exc:
            return exc.code


def test_appearance(chromium: Chromium, demo: Demo) -> None:
    """The page between, standing still for want of scripts, and with nothing to hand on."""
    with (
        chromium.launch() as browser,
        browser.new_context(java_script_enabled=False) as still,
        browser.new_context() as context,
        signing_in(client(demo.issuer), "token") as running,
    ):
        link = running.link()
        callback = f"http://{urlsplit(link).netloc}/callback"
        tab, empty, waiting = Tab(context.new_page()), Tab(context.new_page()), Tab(still.new_page())
        tab.sign_in(link)
        waiting.page.goto(callback)
        photograph(waiting, "relay-without-scripts")
        empty.page.goto(callback)
        empty.page.get_by_role("heading", name=Words.RELAY_EMPTY_TITLE).wait_for()
        photograph(empty, "relay-empty")
        tab.decide("Approve", Words.SUCCESS_TITLE)
        photograph(tab, "relay-ended")
        running.end()
