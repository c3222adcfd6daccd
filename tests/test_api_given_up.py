"""Giving a sign-in up at any moment, and where it cannot even begin: nothing may be left behind."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from demo_client import client
from patience import SOON
from time_leap import leap
from watching import no_socket_left  # noqa: F401 - a fixture

from loopback_auth import FileTokenStore, MemoryTokenStore, login
from loopback_auth.demo.serve import serve_demo
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import AttemptCancelled, ConfigError
from loopback_auth.events import Event, LinkReady, silent
from loopback_auth.tokens import SignIn

STEPS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584)
"""Turns of the loop, closer at the beginning, where most is opened."""


@pytest.mark.parametrize("kept", [False, True])
async def test_it_can_be_cancelled_at_every_step(kept: bool, tmp_path: Path) -> None:
    """Whoever cancels can sign in again at once: the lock, the port and the tasks are gone."""
    store = FileTokenStore(str(tmp_path)) if kept else MemoryTokenStore()
    tasks = asyncio.all_tasks()
    async with serve_demo() as demo, asyncio.timeout(SOON):
        for steps in STEPS:
            user = SimulatedUser()
            signing_in = asyncio.create_task(
                login(client(demo.issuer), store=store, open_browser=user.open, notify=silent)
            )
            for _ in range(steps):
                await asyncio.sleep(0)
            signing_in.cancel()
            done, _ = await asyncio.wait([signing_in], timeout=SOON)
            assert done
            await user.done()

        user = SimulatedUser()
        again = await login(client(demo.issuer), store=store, open_browser=user.open, notify=silent)
        await user.done()
        assert again.tokens.access_token
    assert asyncio.all_tasks() == tasks


async def test_a_time_limit_of_the_program_ends_it() -> None:
    """Its own words are a TimeoutError, and the port is free then."""
    links: list[str] = []

    def notify(event: Event) -> None:
        if isinstance(event, LinkReady):
            links.append(event.url)
            leap(10.0)

    async with serve_demo() as demo:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10.0):
                await login(client(demo.issuer), open_browser=lambda _: None, notify=notify)

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(links[0]).port or 0), timeout=SOON)


def test_another_kind_of_loop_is_refused_in_words() -> None:
    """Under trio a coroutine runs without asyncio; there is a way that works there."""
    coroutine = login(client("http://127.0.0.1:1"))
    with pytest.raises(ConfigError) as caught:
        coroutine.send(None)

    assert "login_sync" in caught.value.hint


@pytest.mark.parametrize("answer", [None, False, 0])
async def test_an_account_is_right_only_if_confirm_says_so(answer: object) -> None:
    """A function that forgets to return anything has confirmed nothing (RFC 6749 §10.16)."""
    user = SimulatedUser()

    def confirm(_: SignIn) -> bool:
        return answer  # type: ignore[return-value]

    async with serve_demo() as demo, asyncio.timeout(SOON):
        with pytest.raises(AttemptCancelled):
            await login(
                client(demo.issuer), flow="ticket", open_browser=user.open, notify=silent, confirm=confirm
            )
        await user.done()
