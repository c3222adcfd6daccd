"""A program that names itself: no page and no prompt of its sign-in speaks of this package, or English."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import replace

import demo_client
import pytest
from patience import SOON
from time_leap import leap

from loopback_auth import Program
from loopback_auth.demo.run_agent import fetch
from loopback_auth.demo.serve import serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.effects import Observer
from loopback_auth.errors import AttemptCancelled, AttemptExpired, AuthorizationError, SignInRequired
from loopback_auth.events import Event, LinkReady
from loopback_auth.flow_table import FlowName
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ResponseMode
from loopback_auth.network.browser import Opening
from loopback_auth.plan.model import AT_ONCE, UNKNOWN, Fact, Facts, Place, Plan, Route
from loopback_auth.signin import session
from loopback_auth.terminal.messages import Messages
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn
from loopback_auth.words import DEMO_FOOTER, Words

PROGRAM = Program("MyTool", command="mytool anmelden", returns_to="MyTool", language="de", accent="#7a1fa2")
OURS = re.compile(r"loopback|terminal|python|(?<!\S)--[a-z]|127-0-0-1", re.IGNORECASE)
ENGLISH = re.compile(r"\b(the|this|that|you|your|and|with|is|of|again|sign|approve)\b", re.IGNORECASE)
CLIENT_ID = "loopback-auth-demo"
UNKNOWN_FACT = Fact(UNKNOWN, "")


class Pages(Observer):
    """Keeps what a browser was shown by the program, and not by the server."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def browsed(
        self, request: HttpRequest, answer: HttpResponse | None, *, address: str, begun: float, ended: float
    ) -> None:
        """Keep a page of ours."""
        html = answer.body.decode("utf-8", "replace") if answer is not None else ""
        if html.startswith("<!doctype html>") and DEMO_FOOTER not in html:
            self.shown.append(html)


class Visit:
    """One sign-in of the program, with its user, and what was shown to them.

    Args:
        issuer: of the demonstration server.
        flow: the one that is open.
        user: who opens the link; None: no browser.
    """

    def __init__(self, issuer: str, flow: FlowName, user: SimulatedUser | None, pages: Pages) -> None:
        self.client: ClientConfig = demo_client.client(issuer)
        self.user = user
        self.pages = pages
        self.link: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._plan = Plan(
            place=Place("ssh", Words.PLACE_SSH, Words.ADVICE_FORWARD),
            facts=Facts(opens=UNKNOWN_FACT, reaches=UNKNOWN_FACT, person=UNKNOWN_FACT, waits=UNKNOWN_FACT),
            routes=(Route(flow, AT_ONCE, "Why not."),),
            refused={},
            opens=False,
            why_not="there is no display",
        )
        self._messages = Messages(
            self.client.provider.shown_name, authority="", plan=self._plan, qr=False, program=PROGRAM
        )

    def notify(self, event: Event) -> None:
        """Prompt the user, and note the link."""
        self._messages.tell(event)
        if isinstance(event, LinkReady) and not self.link.done():
            self.link.set_result(event.url)

    async def sign_in(self, *, agrees: bool | None = None, patience: float = SOON) -> SignIn:
        """Sign in; `agrees` is the answer to the question whose account it is, if that is asked."""

        def opener(url: str) -> Opening | bool:
            return self.user.open(url) if self.user is not None else False

        async with asyncio.timeout(SOON):
            try:
                return await session.sign_in(
                    self.client,
                    self._plan,
                    notify=self.notify,
                    open_browser=opener,
                    timeout=patience,
                    confirm=None if agrees is None else lambda _: agrees,
                    program=PROGRAM,
                )
            finally:
                if self.user is not None:
                    await self.user.done()


def signing(issuer: str) -> DemoServer:
    """Make a demo server whose device codes may be polled quickly."""
    return DemoServer(issuer, entropy=os.urandom, device_interval=1)


def texts(html: str) -> str:
    """Return what a page says, its attributes included, without style and script."""
    plain = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    in_scripts = " ".join(re.findall(r'data-(?:empty|ended)[a-z-]*="([^"]*)"', plain))
    return f"{re.sub(r'<[^>]*>', ' ', plain)} {in_scripts}"


def foreign_words(pages: Pages, prompts: str) -> list[str]:
    """Return what speaks of this package, or another language than the program does."""
    said = [texts(re.sub(r'<div lang="en">.*?</div>', "", html, flags=re.DOTALL)) for html in pages.shown]
    # What a warning says in detail is English, as errors are.
    said += [line for line in prompts.splitlines() if not line.startswith((" ", "Warnung: "))]
    named = " ".join(said).replace(CLIENT_ID, "")
    return [*OURS.findall(named), *ENGLISH.findall(named)]


CASES: tuple[tuple[FlowName, ResponseMode | None, bool | None], ...] = (
    ("code", None, None),
    ("code", "form_post", None),
    ("token", None, None),
    ("device", None, True),
    ("ticket", None, True),
    ("ticket", None, False),
    ("device", None, False),
)


@pytest.mark.slow
@pytest.mark.parametrize(("flow", "mode", "agrees"), CASES)
async def test_whole_sign_in_speaks_of_the_program(
    flow: FlowName, mode: ResponseMode | None, agrees: bool | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the first prompt to the last page, waiting pages, relays and questions included."""
    pages = Pages()
    async with serve_demo(server_factory=signing) as demo:
        visit = Visit(demo.issuer, flow, SimulatedUser(observer=pages), pages)
        visit.client = replace(visit.client, response_mode=mode)
        if agrees is False:
            with pytest.raises(AttemptCancelled):
                await visit.sign_in(agrees=agrees)
        else:
            await visit.sign_in(agrees=agrees)
    prompts = capsys.readouterr().err

    assert foreign_words(pages, prompts) == []
    assert "MyTool" in pages.shown[-1]
    assert prompts


@pytest.mark.slow
async def test_refusal_speaks_of_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    """What the server or the protocol says stands apart, marked as English, folded away."""
    pages = Pages()
    async with serve_demo(server_factory=signing) as demo:
        visit = Visit(demo.issuer, "code", SimulatedUser("deny", observer=pages), pages)
        with pytest.raises(AuthorizationError):
            await visit.sign_in()

    assert foreign_words(pages, capsys.readouterr().err) == []
    assert "mytool anmelden" in pages.shown[-1]


@pytest.mark.slow
@pytest.mark.parametrize("ends_by", ["cancel", "timeout"])
async def test_strangers_and_an_early_end_hear_of_the_program(
    ends_by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong address, a forged answer, a second opening, and the page of a sign-in that is given up."""
    from aiohttp import ClientSession

    pages = Pages()
    async with serve_demo(server_factory=signing) as demo:
        visit = Visit(demo.issuer, "device", None, pages)
        running = asyncio.create_task(visit.sign_in(patience=10.0))
        link = await visit.link
        origin = link.rpartition("/")[0]
        async with ClientSession() as http:

            async def get(url: str) -> None:
                answer = await fetch(http, HttpRequest("GET", url))
                pages.shown.append(answer.body.decode())

            for url in (link, f"{origin}/elsewhere", f"{origin}/callback?code=x&state=y", link):
                await get(url)
            if ends_by == "cancel":
                running.cancel()
            else:
                leap(10.0)
        with pytest.raises((asyncio.CancelledError, AttemptExpired)):
            await running

    assert len(pages.shown) == 4
    assert foreign_words(pages, capsys.readouterr().err) == []


async def test_a_hint_names_the_command_of_the_program() -> None:
    """Who has to sign in reads how: with a command that exists, or without any."""
    hints = []
    for program in (PROGRAM, Program("MyWindow"), None):
        source = TokenSource(demo_client.client("https://as.example"), interactive=False, program=program)
        with pytest.raises(SignInRequired) as caught:
            await source.token()
        hints.append(caught.value.hint)

    assert hints == ["Sign in first: mytool anmelden", "Sign in first.", "Sign in first."]
