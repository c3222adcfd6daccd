"""The receiver for other programs' protocol code: what comes back, what the browser shows, how it can end."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import pytest
from raw_http import SOON, Answer, exchange
from watching import no_socket_left  # noqa: F401 - a fixture

from loopback_auth import LoopbackReceiver
from loopback_auth.demo.serve import Demo, serve_demo
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import (
    LoopbackAuthError,
)
from loopback_auth.events import silent
from loopback_auth.network.browser import Opening
from loopback_auth.words import Words

WORDS = Words()
STATE = "state-canary-0123456789abcdef"
CODE = "code-canary-0123456789abcdef"


def url_for(receiver: LoopbackReceiver, **parameters: str) -> str:
    """Build the authorization URL of a server that does not exist; `state` may be given."""
    asked = {"response_type": "code", "client_id": "x", "state": STATE, **parameters}
    return f"https://id.example/authorize?{urlencode({'redirect_uri': receiver.redirect_uri, **asked})}"


def demo_url(demo: Demo, receiver: LoopbackReceiver, **parameters: str) -> str:
    """Build an authorization URL of the demonstration server."""
    asked = {"response_type": "code", "client_id": "loopback-auth-demo", "state": STATE}
    asked |= {
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    return (
        f"{demo.issuer}/authorize?{urlencode({'redirect_uri': receiver.redirect_uri, **asked, **parameters})}"
    )


class Browser:
    """A browser of few words: opens the start page, and comes back with what it is told.

    Args:
        query: of the callback; None: it does not come back.
    """

    def __init__(self, query: str | None = f"code={CODE}&state={STATE}") -> None:
        self.query = query
        self.links: list[str] = []
        self.visits: list[asyncio.Task[Answer]] = []

    def open(self, url: str) -> Opening:
        """Begin, beside the receiver."""
        self.links.append(url)
        self.visits.append(asyncio.get_running_loop().create_task(self._visit(url)))
        return Opening(program="browser")

    async def page(self) -> str:
        """Return the text of the page where the last visit ended."""
        async with asyncio.timeout(SOON):
            return (await self.visits[-1]).body.decode()

    async def _visit(self, url: str) -> Answer:
        left = await get(url)
        assert left.status == 302
        return left if self.query is None else await get(callback(url, self.query))


def callback(url: str, query: str) -> str:
    """Return the address of the callback at the port of a link."""
    return f"http://{url.split('/')[2]}/callback?{query}"


async def get(url: str) -> Answer:
    """Visit an address as a browser does that has no Fetch Metadata."""
    authority, _, path = url.removeprefix("http://").partition("/")
    request = f"GET /{path} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode()
    return await exchange(int(authority.rpartition(":")[2]), request)


async def ended_by(exc: BaseException, browser: Browser) -> None:
    """Raise an error in the block, after the browser has come back."""

    async def login() -> None:
        async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
            await receiver.visit(url_for(receiver))
            raise exc

    with pytest.raises(type(exc)) as raised:
        await login()
    assert raised.value is exc


async def test_browser_comes_back_and_its_page_waits_for_the_end_of_the_block() -> None:
    """Until the code is exchanged, the page must not say that the login has succeeded."""
    browser = Browser()
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        parameters = await receiver.visit(url_for(receiver))
        await asyncio.sleep(0)
        held = not browser.visits[0].done()

    assert parameters == {"code": CODE, "state": STATE}
    assert held
    assert WORDS.SUCCESS_TITLE in await browser.page()


async def test_exception_in_the_block_is_the_failure_page_without_its_words() -> None:
    """What foreign code raises may quote a token."""
    browser = Browser()
    await ended_by(ValueError("secret-canary"), browser)

    page = await browser.page()
    assert WORDS.FAILURE_TITLE in page
    assert "could not complete the sign-in" in page
    assert "ValueError" in page
    assert "secret-canary" not in page


async def test_error_of_ours_in_the_block_is_shown_with_its_hint() -> None:
    """Its texts have no secrets."""
    browser = Browser()
    await ended_by(LoopbackAuthError("The tool has no licence.", hint="Buy one."), browser)

    page = await browser.page()
    assert "The tool has no licence." in page
    assert "Buy one." in page


async def test_program_can_say_that_it_failed() -> None:
    """Not every failure is an exception."""
    browser = Browser()
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        await receiver.visit(url_for(receiver))
        receiver.fail("This account is not a member.", "Ask an administrator.")

    page = await browser.page()
    assert WORDS.FAILURE_TITLE in page
    assert "Ask an administrator." in page


async def test_error_response_is_returned_and_shown() -> None:
    """The other code knows what to make of it; the person has pressed the button."""
    browser = Browser(f"error=access_denied&error_description=no&state={STATE}")
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        parameters = await receiver.visit(url_for(receiver))

    assert parameters["error"] == "access_denied"
    assert WORDS.FAILURE_DENIED in await browser.page()


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_every_response_mode_is_received(mode: str) -> None:
    """The URL says how the response comes."""
    async with serve_demo() as demo:
        user = SimulatedUser()
        async with LoopbackReceiver(open_browser=user.open, notify=silent) as receiver:
            parameters = await receiver.visit(demo_url(demo, receiver, response_mode=mode))
        page = await user.page()

    assert set(parameters) >= {"code", "state"}
    assert WORDS.SUCCESS_TITLE in page


async def test_sync_form_works_without_and_under_a_loop() -> None:
    """A script has no loop, a notebook has one that is running."""

    def script(demo: Demo) -> tuple[str, str]:
        user = SimulatedUser()
        with LoopbackReceiver(open_browser=user.open, notify=silent) as receiver:
            parameters = receiver.visit_sync(demo_url(demo, receiver))
        return parameters["state"], user.page_sync()

    async with serve_demo() as demo:
        for state, page in (await asyncio.to_thread(script, demo),):
            assert state == STATE
            assert WORDS.SUCCESS_TITLE in page
