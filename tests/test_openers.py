"""What programs pass as `open_browser`, and where nobody can be waited for."""

from __future__ import annotations

import asyncio
import queue
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from demo_client import FOLLOW_LINK, client
from patience import SOON
from watching import no_socket_left  # noqa: F401 - a fixture

from loopback_auth import login, login_sync
from loopback_auth.demo.run_agent import run_agent
from loopback_auth.demo.serve import demo_thread, serve_demo
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import AttemptExpired, EndpointMissing, Unavailable
from loopback_auth.events import Event, LinkReady, OpenerFailed, silent
from loopback_auth.flow_table import FlowName
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ServerMetadata
from loopback_auth.network.browser import Opening
from loopback_auth.network.opener import OWN, opened
from loopback_auth.signin.resources import OpenBrowser

KNOWN = client("http://127.0.0.1:1")


BROWSERS: list[threading.Thread] = []


@pytest.fixture(autouse=True)
def no_browser_left(no_socket_left: None) -> Iterator[None]:  # noqa: F811
    """Wait for the browsers before the sockets are counted."""
    yield
    while BROWSERS:
        BROWSERS.pop().join(SOON)


def in_thread(url: str) -> None:
    """Open a page and come back at once, with nothing to say."""
    BROWSERS.append(threading.Thread(target=waits_for_its_browser, args=(url,), daemon=True))
    BROWSERS[-1].start()


def says_yes(url: str) -> bool:
    """Open a page as `webbrowser.open` does."""
    in_thread(url)
    return True


def says_which(url: str) -> Opening:
    """Open a page, and name the browser."""
    in_thread(url)
    return Opening(program="firefox")


def waits_for_its_browser(url: str) -> None:
    """Return when the browser has ended, as a text browser does; its last page comes at the end."""
    asyncio.run(run_agent(url))


class AsyncOpener:
    """An object that is called, and whose call is awaited."""

    async def __call__(self, url: str) -> HttpResponse:
        """Open a page."""
        return await run_agent(url)


async def browse(decision: str, url: str) -> HttpResponse:
    """Open a page, with a first argument that is bound beforehand."""
    assert decision == "approve"
    return await run_agent(url)


OPENERS: dict[str, OpenBrowser] = {
    "a function that returns nothing": in_thread,
    "one that returns True": says_yes,
    "one that returns 0": lambda url: subprocess.run([sys.executable, "-c", FOLLOW_LINK, url]).returncode,
    "one that blocks": waits_for_its_browser,
    "a coroutine function": run_agent,
    "an object with an async call": AsyncOpener(),
    "a partial": partial(browse, "approve"),
    "one that begins a task": lambda url: asyncio.create_task(run_agent(url)),
    "one that begins a process": lambda url: subprocess.Popen([sys.executable, "-c", FOLLOW_LINK, url]),
    "one that returns an Opening": says_which,
}


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS)
async def test_anything_that_opens_a_page_will_do(opener: OpenBrowser) -> None:
    """Programs have such functions already, and they know nothing of ours."""
    events: list[Event] = []
    async with serve_demo() as demo, asyncio.timeout(SOON):
        sign_in = await login(client(demo.issuer), open_browser=opener, notify=events.append)
    links = [event for event in events if isinstance(event, LinkReady)]

    assert sign_in.flow == "code"
    assert [bool(link.opened_with) for link in links] == [True]
    assert not any(isinstance(event, OpenerFailed) for event in events)


@pytest.mark.parametrize("name", ["one that blocks", "a coroutine function", "one that begins a task"])
def test_it_will_do_without_a_loop_too(name: str) -> None:
    """Then it is called before there is a loop."""
    with demo_thread() as demo:
        assert login_sync(client(demo.issuer), open_browser=OPENERS[name], timeout=SOON).flow == "code"


def fails(_: str) -> None:
    """Fail as `subprocess.run` does where there is no such program."""
    raise FileNotFoundError("mybrowser")


def ends_its_program(_: str) -> None:
    """End as a script does that was made a function."""
    sys.exit(1)


async def fails_later(_: str) -> None:
    """Fail when the link was shown already."""
    await asyncio.sleep(0.05)
    raise OSError("the window is gone")


async def says_no(_: str) -> bool:
    """Know at once, although it could have been awaited."""
    return False


NO_OPENERS: dict[str, OpenBrowser] = {
    "raises": fails,
    "calls sys.exit": ends_its_program,
    "returns False": lambda _: False,
    "returns why not": lambda _: "the window is closed",
    "returns an exit status": lambda _: 3,
    "returns an Opening": lambda _: Opening(why_not="the window is closed"),
    "answers with False": says_no,
}


@asynccontextmanager
async def followed_by_hand() -> AsyncIterator[tuple[list[Event], Callable[[Event], None]]]:
    """Open the links that are shown, as a person does if no browser opens."""
    events: list[Event] = []
    user = SimulatedUser()

    def notify(event: Event) -> None:
        events.append(event)
        if isinstance(event, LinkReady):
            user.open(event.url)

    yield events, notify
    await user.done()


@pytest.mark.parametrize("opener", NO_OPENERS.values(), ids=NO_OPENERS)
async def test_an_opener_that_opens_nothing_leaves_the_link(opener: OpenBrowser) -> None:
    """The link says why no page was opened, and the sign-in goes on."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with serve_demo() as demo, followed_by_hand() as (events, notify), asyncio.timeout(SOON):
        await login(client(demo.issuer), open_browser=opener, notify=notify)
    [link] = [event for event in events if isinstance(event, LinkReady)]

    assert (link.opened_with, bool(link.why_not)) == ("", True)


async def test_an_opener_that_fails_later_is_told_once() -> None:
    """The developer gets the exception, the program an event."""
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
    events: list[Event] = []
    failed = asyncio.Event()
    user = SimulatedUser()

    def notify(event: Event) -> None:
        events.append(event)
        if isinstance(event, OpenerFailed):
            failed.set()
            user.open(next(one.url for one in events if isinstance(one, LinkReady)))

    async with serve_demo() as demo, asyncio.timeout(SOON):
        await login(client(demo.issuer), open_browser=fails_later, notify=notify)
        await user.done()

    assert [event.program for event in events if isinstance(event, OpenerFailed)] == [OWN]
    assert [type(error) for error in reported] == [OSError]


async def test_the_loop_goes_on_while_an_opener_blocks() -> None:
    """What the program does beside the sign-in must not stand still."""
    go = threading.Event()

    def blocks(url: str) -> None:
        in_thread(url)
        go.wait(2 * SOON)

    async with serve_demo() as demo, asyncio.timeout(SOON):
        signing_in = asyncio.create_task(login(client(demo.issuer), open_browser=blocks, notify=silent))
        await asyncio.wait([signing_in])
        go.set()

    assert signing_in.result().flow == "code"


async def test_what_an_opener_returned_ends_with_the_sign_in() -> None:
    """A window of the program, say, that stays open until it is told that the sign-in is over."""
    ended = []

    async def window(url: str) -> None:
        in_thread(url)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(url)

    async with serve_demo() as demo, asyncio.timeout(SOON):
        await login(client(demo.issuer), open_browser=window, notify=silent)

    assert len(ended) == 1


async def test_a_cancelled_sign_in_ends_it_at_once() -> None:
    """Nothing is waited for when the program has given up."""
    begun, ended = asyncio.Event(), []

    async def window(_: str) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(time.monotonic())

    async with serve_demo() as demo, asyncio.timeout(SOON):
        signing_in = asyncio.create_task(login(client(demo.issuer), open_browser=window, notify=silent))
        await begun.wait()
        signing_in.cancel()
        with pytest.raises(asyncio.CancelledError):
            await signing_in

    assert len(ended) == 1


def test_a_started_process_is_watched() -> None:
    """`subprocess.Popen` is what people write where they know their browser."""
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    opening = opened(process)
    process.wait()
    told: queue.Queue[int] = queue.Queue()
    opening.watch(told.put)

    assert told.get(timeout=SOON) == 3
    assert opening.program == Path(sys.executable).name


@pytest.fixture(params=["CI", "CLAUDECODE"])
def unattended(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a CI job, or in the shell of an agent."""
    monkeypatch.setenv(request.param, "1")
    monkeypatch.setattr("sys.stdin", None)


@pytest.mark.usefixtures("unattended")
@pytest.mark.parametrize("opener", [None, webbrowser.open, partial(webbrowser.open, new=2)])
def test_nobody_is_waited_for_in_a_ci_job(opener: OpenBrowser | None) -> None:
    """It would be five minutes for nothing, as it would be for the command."""
    begun = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        login_sync(KNOWN, open_browser=opener)

    assert time.monotonic() - begun < SOON
    assert caught.value.parameter == "wait"


@pytest.mark.usefixtures("unattended")
async def test_an_opener_of_ones_own_is_reason_to_wait_if_it_opens_a_page() -> None:
    """Test suites run in CI jobs; and what wraps `webbrowser.open` says there that it could not open it."""
    user = SimulatedUser()
    async with serve_demo() as demo, asyncio.timeout(SOON):
        await login(client(demo.issuer), open_browser=user.open)
        await user.page()
        with pytest.raises(Unavailable) as caught:
            await login(client(demo.issuer), open_browser=lambda _: False)

    assert caught.value.parameter == "wait"


@pytest.mark.usefixtures("unattended")
def test_who_says_so_is_waited_for() -> None:
    """A bot that posts the link to a chat, say."""
    with pytest.raises(AttemptExpired), demo_thread() as demo:
        login_sync(client(demo.issuer), wait=True, confirm=lambda _: True, timeout=0.2)


def test_a_program_can_refuse_to_wait() -> None:
    """Whatever it passes besides."""
    user = SimulatedUser()
    with pytest.raises(Unavailable):
        login_sync(KNOWN, wait=False, open_browser=user.open)

    assert user.links == []


def test_a_link_that_nobody_could_see_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No browser, no messages: whoever waits for that waits for nothing."""
    monkeypatch.setenv("BROWSER", "none")
    with pytest.raises(Unavailable) as caught:
        login_sync(KNOWN, notify=silent)

    assert "open_browser" in caught.value.parameter.split()


@pytest.mark.parametrize("flow", ["ticket", "device"])
def test_a_flow_that_the_provider_lacks_is_refused_before_a_page_is_opened(flow: FlowName) -> None:
    """The table of the provider says so, and no server has to be asked."""
    metadata = ServerMetadata(
        authorization_endpoint="https://a.example/", token_endpoint="https://a.example/t"
    )
    without = replace(KNOWN, provider=replace(KNOWN.provider, metadata=metadata, ticket=None))
    user = SimulatedUser()
    with pytest.raises(EndpointMissing):
        login_sync(without, flow=flow, open_browser=user.open)

    assert user.links == []
