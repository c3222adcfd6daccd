"""The receiver for other programs' protocol code: strangers, mistakes, and every way to end too early."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys

import pytest
from patience import SOON
from returning_browser import GOOD, STATE, Browser, get, url_for
from watching import no_socket_left  # noqa: F401 - a fixture

from loopback_auth import LoopbackReceiver, Redirect
from loopback_auth.errors import (
    AttemptCancelled,
    AttemptExpired,
    ConfigError,
    MalformedResponse,
    RedirectUnavailable,
)
from loopback_auth.events import (
    Event,
    LinkOpenedTwice,
    LinkReady,
    RequestIgnored,
    Warned,
    silent,
)
from loopback_auth.network.browser import Opening
from loopback_auth.words import Words

WORDS = Words()


async def left(browser: Browser, receiver: LoopbackReceiver) -> asyncio.Task[dict[str, str]]:
    """Begin a visit, and return when the browser has been sent away."""
    visit = asyncio.create_task(receiver.visit(url_for(receiver)))
    async with asyncio.timeout(SOON):
        await browser.left.wait()
    return visit


@pytest.mark.parametrize("query", ["code=x&state=other", "code=x", "error=access_denied", f"{GOOD}&state=x"])
async def test_stranger_is_turned_away_and_the_waiting_goes_on(query: str) -> None:
    """Any web page can send a browser to the port (RFC 6749 §10.12)."""
    browser, events = Browser(None), list[Event]()
    async with LoopbackReceiver(open_browser=browser.open, notify=events.append) as receiver:
        visit = await left(browser, receiver)
        stranger = await browser.come_back(query)
        waits = not visit.done()
        page = asyncio.create_task(browser.come_back())
        parameters = await visit

    assert stranger.status == 400
    assert waits
    assert parameters["state"] == STATE
    assert [event.count for event in events if isinstance(event, RequestIgnored)] == [1]
    assert (await page).status == 200


async def test_script_cannot_answer_for_the_browser() -> None:
    """A page that prefetches the callback is no person who visits it."""
    browser = Browser(None)
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        visit = await left(browser, receiver)
        port = int(receiver.redirect_uri.split(":")[2].partition("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"GET /callback?{GOOD} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nSec-Purpose: prefetch\r\n\r\n"
        writer.write(head.encode())
        refusal = await reader.read()
        writer.close()
        await writer.wait_closed()
        waits = not visit.done()
        visit.cancel()
        await asyncio.wait([visit])

    assert b" 403 " in refusal.partition(b"\r\n")[0]
    assert waits


async def test_protocol_without_a_state_is_received_if_it_is_named_as_one() -> None:
    """Its callback has nothing that we could compare."""
    browser = Browser("token=x")
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        url = f"https://id.example/auth?callback_url={receiver.redirect_uri}"
        with pytest.raises(ConfigError):
            await receiver.visit(url)
        assert await receiver.visit(url, state=None) == {"token": "x"}


async def test_pushed_request_is_received_by_the_state_that_is_given() -> None:
    """Its URL has nothing but a reference (RFC 9126 §4)."""
    browser = Browser()
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        parameters = await receiver.visit("https://id.example/a?client_id=x&request_uri=y", state=STATE)

    assert parameters["state"] == STATE


async def test_repeated_parameter_ends_the_visit() -> None:
    """A mapping would hide one of the two (RFC 6749 §3.1)."""
    browser = Browser(f"{GOOD}&code=other")
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        with pytest.raises(MalformedResponse):
            await receiver.visit(url_for(receiver))
        page = await browser.page()

    assert WORDS.FAILURE_TITLE in page


async def test_time_that_is_over_says_so_to_whoever_comes_late() -> None:
    """The block may go on: a program can offer another try."""
    browser = Browser(None)
    async with LoopbackReceiver(open_browser=browser.open, notify=silent, timeout=0.2) as receiver:
        with pytest.raises(AttemptExpired) as expired:
            await receiver.visit(url_for(receiver))
        late = await browser.come_back()

    assert expired.value.parameter == "timeout"
    assert WORDS.FAILURE_TITLE in late.body.decode() or late.status == 410
    assert WORDS.SUCCESS_TITLE not in late.body.decode()


async def test_link_that_is_opened_twice_ends_the_visit() -> None:
    """One of the two has the state, and may be another person; a given URL cannot be built again."""
    browser, events = Browser(None), list[Event]()
    async with LoopbackReceiver(open_browser=browser.open, notify=events.append) as receiver:
        visit = await left(browser, receiver)
        second = await get(browser.links[0])
        with pytest.raises(AttemptCancelled):
            await visit
        first = await browser.come_back()

    kinds = [type(event) for event in events]
    assert LinkOpenedTwice in kinds
    assert [event.again for event in events if isinstance(event, LinkReady)] == [False]
    assert second.status == 410
    assert WORDS.SUCCESS_TITLE not in first.body.decode()


async def test_link_that_is_opened_twice_leads_to_another_url_if_one_can_be_made() -> None:
    """Whoever opened it first has a state that does not count any more; the person goes on."""
    browser, states, renewed = Browser(None), list[str](), asyncio.Queue[str]()

    def url() -> str:
        states.append(f"state-{len(states)}")
        return url_for(receiver, state=states[-1])

    def notify(event: Event) -> None:
        if isinstance(event, LinkReady) and event.again:
            renewed.put_nowait(event.url)

    async with LoopbackReceiver(open_browser=browser.open, notify=notify) as receiver:
        visit = asyncio.create_task(receiver.visit(url))
        async with asyncio.timeout(SOON):
            await browser.left.wait()
        second = await get(browser.links[0])
        first = await browser.come_back("code=of-the-first&state=state-0")
        third = await get(await asyncio.wait_for(renewed.get(), SOON))
        page = asyncio.create_task(browser.come_back("code=x&state=state-1"))
        parameters = await visit

    assert (second.status, first.status, third.status) == (410, 410, 302)
    assert f"state={states[1]}" in third.values("location")[0]
    assert parameters["code"] == "x"
    assert (await page).status == 200


async def test_url_that_cannot_be_made_again_ends_the_visit() -> None:
    """The error of the other code is raised where it waits."""
    browser, made = Browser(None), list[str]()

    def url() -> str:
        if made:
            raise OSError("no entropy")
        made.append(url_for(receiver))
        return made[0]

    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        visit = asyncio.create_task(receiver.visit(url))
        async with asyncio.timeout(SOON):
            await browser.left.wait()
        await get(browser.links[0])
        with pytest.raises(OSError, match="no entropy"):
            await visit


async def test_link_that_is_opened_afterwards_causes_a_warning() -> None:
    """Whoever opened it first has answered."""
    browser, events = Browser(), list[Event]()
    async with LoopbackReceiver(open_browser=browser.open, notify=events.append) as receiver:
        await receiver.visit(url_for(receiver))
        await get(browser.links[0])

    assert Warned(WORDS.LINK_OPENED_AFTERWARDS) in events


async def test_two_visits_at_once_are_refused_and_the_first_goes_on() -> None:
    """One browser cannot be in two places, and one page cannot show two outcomes."""
    browser = Browser(None)
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        visit = await left(browser, receiver)
        with pytest.raises(ConfigError):
            await receiver.visit(url_for(receiver, state="other"))
        page = asyncio.create_task(browser.come_back())
        parameters = await visit

    assert parameters["state"] == STATE
    assert (await page).status == 200


async def test_receivers_side_by_side_have_a_port_each() -> None:
    """Two accounts may be added at once."""

    async def login(state: str) -> str:
        browser = Browser(f"code=x&state={state}")
        async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
            parameters = await receiver.visit(url_for(receiver, state=state))
        assert (await browser.page()).count(WORDS.SUCCESS_TITLE)
        return parameters["state"]

    states = [f"state-{number}" for number in range(8)]
    assert await asyncio.gather(*map(login, states)) == states


async def test_port_is_listening_before_the_first_visit_and_free_after_the_block() -> None:
    """Its redirect URI is registered in between (RFC 7591), and nobody else may get it."""
    async with LoopbackReceiver() as receiver:
        port = int(receiver.redirect_uri.split(":")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port)):
            pass
        with pytest.raises(RedirectUnavailable):
            await LoopbackReceiver(redirect=Redirect(ports=(port,))).__aenter__()

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_redirect_uri_is_the_registered_one() -> None:
    """Servers compare it byte for byte."""
    redirect = Redirect("localhost", (0,), "/done")
    async with LoopbackReceiver(redirect=redirect) as receiver:
        assert receiver.redirect_uri.startswith("http://localhost:")
        assert receiver.redirect_uri.endswith("/done")


async def test_receiver_can_be_used_again() -> None:
    """Each block has a port of its own."""
    browser = Browser()
    receiver = LoopbackReceiver(open_browser=browser.open, notify=silent)
    for _ in range(2):
        async with receiver:
            await receiver.visit(url_for(receiver))
        assert WORDS.SUCCESS_TITLE in await browser.page()

    assert browser.links[0].split("/")[2] != browser.links[1].split("/")[2]


async def test_watcher_that_fails_costs_nothing() -> None:
    """A progress display is no reason to lose an answer."""

    def fails(_: Event) -> None:
        raise RuntimeError("a watcher")

    browser, reported = Browser(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    async with LoopbackReceiver(open_browser=browser.open, notify=fails) as receiver:
        assert (await receiver.visit(url_for(receiver)))["state"] == STATE

    assert reported


async def test_block_that_ends_takes_the_visit_of_another_task_with_it() -> None:
    """Nothing could answer it any more."""
    browser = Browser(None)
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        visit = await left(browser, receiver)

    with pytest.raises(AttemptCancelled):
        await visit


@pytest.mark.skipif(sys.platform == "win32", reason="a receiver is for one visit there")
async def test_cancelled_visit_leaves_the_receiver_usable() -> None:
    """A button that cancels, and another that begins again."""
    browser = Browser(None)
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        visit = await left(browser, receiver)
        visit.cancel()
        await asyncio.wait([visit])
        late = await browser.come_back()
        browser.query = "code=x&state=second"
        parameters = await receiver.visit(url_for(receiver, state="second"))

    assert visit.cancelled()
    assert WORDS.SUCCESS_TITLE not in late.body.decode()
    assert parameters["state"] == "second"


async def test_cancellation_at_every_await_closes_the_port() -> None:
    """Whatever was being waited for: no task, no socket is left, and the browser is told."""
    others = asyncio.all_tasks()

    async def login(browser: Browser) -> None:
        async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
            await receiver.visit(url_for(receiver))
            if sys.platform != "win32":  # There a receiver is for one visit.
                await receiver.visit(url_for(receiver))

    for steps in range(400):
        browser = Browser()
        task = asyncio.create_task(login(browser))
        for _ in range(steps):
            await asyncio.sleep(0)
        done = task.done()
        task.cancel()
        await asyncio.wait([task], timeout=SOON)
        await browser.ended()
        assert task.cancelled() is not done, steps
        assert asyncio.all_tasks() == others
        for link in browser.links:
            with pytest.raises(ConnectionRefusedError):
                await get(link)
        if done:
            break
    gc.collect()

    assert done


async def test_browser_that_cannot_be_opened_is_no_end() -> None:
    """The link is shown as well, and a person can open it."""

    def refuses(_: str) -> Opening:
        raise OSError("no browser")

    def by_hand(event: Event) -> None:
        if isinstance(event, LinkReady):
            assert event.why_not
            browser.open(event.url)

    browser = Browser()
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with LoopbackReceiver(open_browser=refuses, notify=by_hand) as receiver:
        assert (await receiver.visit(url_for(receiver)))["state"] == STATE
