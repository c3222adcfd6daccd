"""The receiver for other programs' protocol code: what comes back, and what the browser shows in the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from urllib.parse import urlencode

import pytest
from returning_browser import CODE, GOOD, STATE, Browser, url_for
from watching import no_socket_left  # noqa: F401 - a fixture

from loopback_auth import LoopbackReceiver, Program
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.demo.serve import Demo, demo_thread, factory, serve_demo
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.events import (
    CallbackReceived,
    Event,
    LinkOpened,
    LinkReady,
    SignInFailed,
    SignInSucceeded,
    silent,
)
from loopback_auth.network.browser import Opening
from loopback_auth.words import Words

WORDS = Words()


def demo_url(demo: Demo, receiver: LoopbackReceiver, **parameters: str) -> str:
    """Build an authorization URL of the demonstration server."""
    asked = {
        "response_type": "code",
        "client_id": "loopback-auth-demo",
        "redirect_uri": receiver.redirect_uri,
        "state": STATE,
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    return f"{demo.issuer}/authorize?{urlencode({**asked, **parameters})}"


async def ended_by(exc: BaseException, browser: Browser) -> str:
    """Raise an error in the block, after the browser has come back; return the page that it shows then."""

    async def login() -> None:
        async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
            await receiver.visit(url_for(receiver))
            raise exc

    with pytest.raises(type(exc)) as raised:
        await login()
    assert raised.value is exc
    return await browser.page()


async def test_browser_comes_back_and_its_page_waits_for_the_end_of_the_block() -> None:
    """Until the code is exchanged, the page must not say that the login has succeeded."""
    browser = Browser()
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        parameters = await receiver.visit(url_for(receiver))
        again = asyncio.create_task(browser.come_back())
        await asyncio.wait([again], timeout=0.05)
        held = not browser.shows_a_page and not again.done()

    assert parameters == {"code": CODE, "state": STATE}
    assert held
    assert WORDS.SUCCESS_TITLE in await browser.page()
    assert WORDS.SUCCESS_TITLE in (await again).body.decode()


async def test_parameters_do_not_show_their_values_by_accident() -> None:
    """They are logged as easily as any other variable."""
    browser = Browser()
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        parameters = await receiver.visit(url_for(receiver))

    assert CODE not in f"{parameters!r} {parameters}"
    assert dict(parameters)["code"] == CODE


async def test_exception_in_the_block_is_the_failure_page_without_its_words() -> None:
    """What foreign code raises may quote a token."""
    page = await ended_by(ValueError("secret-canary"), Browser())

    assert WORDS.FAILURE_TITLE in page
    assert "ValueError" in page
    assert "secret-canary" not in page


async def test_error_of_ours_in_the_block_is_shown_with_its_hint() -> None:
    """Its texts have no secrets."""
    page = await ended_by(LoopbackAuthError("The tool has no licence.", hint="Buy one."), Browser())

    assert "The tool has no licence." in page
    assert "Buy one." in page


@pytest.mark.parametrize("exc", [KeyboardInterrupt(), asyncio.CancelledError()], ids=repr)
async def test_cancelled_block_says_so(exc: BaseException) -> None:
    """The person has pressed Ctrl-C: that is neither success nor failure."""
    browser = Browser()
    receiver = LoopbackReceiver(open_browser=browser.open, notify=silent)
    await receiver.__aenter__()
    await receiver.visit(url_for(receiver))
    await receiver.__aexit__(type(exc), exc, None)

    assert WORDS.CANCELLED_TITLE in await browser.page()


@pytest.mark.parametrize(("status", "title"), [(0, WORDS.SUCCESS_TITLE), (3, WORDS.FAILURE_TITLE)])
async def test_exit_status_of_the_program_decides(status: int, title: str) -> None:
    """A script that ends in the block has failed only if it says so."""
    browser = Browser()
    receiver = LoopbackReceiver(open_browser=browser.open, notify=silent)
    await receiver.__aenter__()
    await receiver.visit(url_for(receiver))
    await receiver.__aexit__(SystemExit, SystemExit(status), None)

    assert title in await browser.page()


async def test_program_can_say_that_it_failed() -> None:
    """Not every failure is an exception."""
    browser = Browser()
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        await receiver.visit(url_for(receiver))
        receiver.fail("This account is not a member.", "Ask an <administrator>.")

    page = await browser.page()
    assert WORDS.FAILURE_TITLE in page
    assert "Ask an &lt;administrator&gt;." in page


async def test_error_response_is_returned_and_shown() -> None:
    """The other code knows what to make of it; the person has pressed the button."""
    browser = Browser(f"error=access_denied&error_description=no&state={STATE}")
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        parameters = await receiver.visit(url_for(receiver))

    assert parameters["error"] == "access_denied"
    assert WORDS.FAILURE_DENIED in await browser.page()


async def test_error_that_follows_from_an_error_response_does_not_hide_it() -> None:
    """Other libraries raise an error of their own for it, whose words are not shown."""
    browser = Browser(f"error=invalid_scope&error_description=No+such+scope&state={STATE}")

    assert "No such scope" in await ended_by(RuntimeError("x"), browser)


async def test_pages_speak_of_the_program() -> None:
    """A person who knows a tool by its name should read that name."""
    browser = Browser()
    async with LoopbackReceiver(
        program=Program("MyTool", returns_to="MyTool"), open_browser=browser.open, notify=silent
    ) as receiver:
        await receiver.visit(url_for(receiver))

    assert "MyTool" in await browser.page()


async def test_page_can_be_finished_before_the_block_ends() -> None:
    """The block around an MCP client lasts as long as its session."""
    browser = Browser()
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        await receiver.visit(url_for(receiver))
        await receiver.finish()
        page = await browser.page()
        again = await browser.come_back()
        receiver.fail("too late")

    assert WORDS.SUCCESS_TITLE in page
    assert WORDS.SUCCESS_TITLE in again.body.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="a receiver is for one visit there")
async def test_second_visit_ends_the_page_of_the_first() -> None:
    """A step-up in the same block: only the last page can say how it ended."""
    browser = Browser()
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        await receiver.visit(url_for(receiver))
        browser.query = "code=second&state=second"
        parameters = await receiver.visit(url_for(receiver, state="second", scope="more"))
        old = await browser.come_back(GOOD)

    assert parameters["code"] == "second"
    assert old.status == 400
    assert len(set(browser.links)) == 2
    assert WORDS.CONTINUED_TITLE in await browser.page(0)
    assert WORDS.SUCCESS_TITLE in await browser.page(1)


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_every_response_mode_is_received(mode: str) -> None:
    """The URL says how the response comes."""
    user = SimulatedUser()
    async with serve_demo() as demo:
        async with LoopbackReceiver(open_browser=user.open, notify=silent) as receiver:
            parameters = await receiver.visit(demo_url(demo, receiver, response_mode=mode))
        page = await user.page()

    assert set(parameters) >= {"code", "state"}
    assert WORDS.SUCCESS_TITLE in page


@pytest.mark.parametrize("kind", ["token", "id_token", "id_token token"])
async def test_tokens_in_the_fragment_are_received(kind: str) -> None:
    """They come by way of a page of ours, which reads the fragment (RFC 6749 §4.2)."""
    user = SimulatedUser()
    asked = {"response_type": kind, "nonce": "n", "scope": "openid"}
    async with serve_demo(server_factory=factory(signer=rsa_signer())) as demo:
        async with LoopbackReceiver(open_browser=user.open, notify=silent) as receiver:
            parameters = await receiver.visit(demo_url(demo, receiver, **asked))
        page = await user.page()

    assert {"access_token", "id_token"} & set(parameters)
    assert WORDS.SUCCESS_TITLE in page


def login_sync(demo: Demo, user: SimulatedUser) -> dict[str, str]:
    """Do what a script does."""
    with LoopbackReceiver(open_browser=user.open, notify=silent) as receiver:
        parameters = receiver.visit_sync(demo_url(demo, receiver))
        receiver.finish_sync()
    return parameters


def test_sync_form_works_without_a_loop() -> None:
    """A script has none."""
    user = SimulatedUser()
    with demo_thread() as demo:
        assert login_sync(demo, user)["state"] == STATE
        assert WORDS.SUCCESS_TITLE in user.page_sync()


async def test_sync_form_works_under_a_loop() -> None:
    """A notebook has one that is running."""
    user = SimulatedUser()
    with demo_thread() as demo:
        assert login_sync(demo, user)["state"] == STATE
        assert WORDS.SUCCESS_TITLE in await user.page()


def test_sync_form_shows_failure_too() -> None:
    """The page is held by a thread of its own between the visit and the end of the block."""
    user = SimulatedUser()

    def login(demo: Demo) -> None:
        with LoopbackReceiver(open_browser=user.open, notify=silent) as receiver:
            receiver.visit_sync(demo_url(demo, receiver))
            raise ValueError("secret-canary")

    with demo_thread() as demo:
        with pytest.raises(ValueError, match="secret-canary"):
            login(demo)
        page = user.page_sync()

    assert WORDS.FAILURE_TITLE in page
    assert "secret-canary" not in page


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
@pytest.mark.parametrize("looped", [False, True], ids=["no loop", "under a loop"])
def test_ctrl_c_ends_the_sync_form(looped: bool) -> None:
    """A person who presses Ctrl-C once has said it."""

    def interrupt(_: str) -> Opening:
        os.kill(os.getpid(), signal.SIGINT)
        return Opening(why_not="a test")

    def login() -> None:
        with LoopbackReceiver(open_browser=interrupt, notify=silent) as receiver:
            receiver.visit_sync(url_for(receiver))

    async def under_a_loop() -> None:
        login()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(under_a_loop()) if looped else login()


async def test_events_are_those_of_a_sign_in() -> None:
    """A window of one's own shows the link and what becomes of it."""
    browser, events = Browser(), list[Event]()
    async with LoopbackReceiver(open_browser=browser.open, notify=events.append) as receiver:
        await receiver.visit(url_for(receiver))

    kinds = [type(event) for event in events]
    assert [kind for kind in kinds if kind in (LinkReady, LinkOpened, CallbackReceived)] == [
        LinkReady,
        LinkOpened,
        CallbackReceived,
    ]
    assert kinds[-1] is SignInSucceeded
    assert STATE not in repr(events)


async def test_notify_may_be_a_coroutine_function_and_hears_of_the_end() -> None:
    """A window closes itself when it is over; the first error of the other code is not its affair."""
    browser, events = Browser(), list[Event]()

    async def notify(event: Event) -> None:
        await asyncio.sleep(0)
        events.append(event)

    async with LoopbackReceiver(open_browser=browser.open, notify=notify) as receiver:
        await receiver.visit(url_for(receiver))
        receiver.fail("no member", "ask")

    assert [type(event) for event in events].count(LinkReady) == 1
    assert events[-1] == SignInFailed("no member", "ask")


async def test_without_notify_the_link_is_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no browser opens, a person needs it."""
    browser = Browser()
    async with LoopbackReceiver(open_browser=browser.open) as receiver:
        await receiver.visit(url_for(receiver))

    shown = capsys.readouterr()
    assert browser.links[0] in shown.err
    assert "id.example" in shown.err
    assert STATE not in shown.err + shown.out
