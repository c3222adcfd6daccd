"""The receiver for other programs' protocol code: what is refused at once, and what having one costs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest
from returning_browser import STATE, Browser, url_for
from watching import no_socket_left  # noqa: F401 - a fixture

from loopback_auth import LoopbackReceiver
from loopback_auth.errors import ConfigError, Unavailable
from loopback_auth.events import silent

WRONG = {
    "redirect": "http://127.0.0.1:8400/callback",
    "program": "MyTool",
    "open_browser": "firefox",
    "notify": "print",
    "timeout": "5",
    "wait": 5,
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_argument_is_named_at_once(name: str) -> None:
    """And not when a person has approved."""
    with pytest.raises(ConfigError) as error:
        LoopbackReceiver(**{name: WRONG[name]})  # type: ignore[arg-type]

    assert name in error.value.parameter.split()
    assert error.value.hint or name == "timeout"


async def test_url_of_another_type_is_named() -> None:
    """Libraries have URL classes of their own."""
    async with LoopbackReceiver(notify=silent) as receiver:
        with pytest.raises(ConfigError) as error:
            await receiver.visit(b"https://id.example/")  # type: ignore[arg-type]

    assert error.value.parameter == "url"


async def test_ci_job_is_no_place_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would stand still for five minutes; a program with an opener knows better."""
    monkeypatch.setenv("CI", "true")
    async with LoopbackReceiver() as receiver:
        with pytest.raises(Unavailable) as error:
            await receiver.visit(url_for(receiver))
    browser = Browser()
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        parameters = await receiver.visit(url_for(receiver))

    assert error.value.parameter == "wait"
    assert parameters["state"] == STATE


def test_having_one_imports_no_server() -> None:
    """The browser is sent off first, and starts while the rest is imported."""
    code = "import sys; from loopback_auth import LoopbackReceiver; LoopbackReceiver(); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert {"aiohttp", "yarl", "multidict"}.isdisjoint(shown.split())


WRONG_URLS = {
    "another redirect URI": {"redirect_uri": "http://127.0.0.1:1/callback"},
    "no redirect URI": {"redirect_uri": ""},
    "no state": {"state": ""},
    "a mode that cannot come here": {"response_mode": "web_message"},
}


@pytest.mark.parametrize("wrong", WRONG_URLS.values(), ids=WRONG_URLS)
async def test_url_that_cannot_work_is_refused_before_the_browser_leaves(wrong: dict[str, str]) -> None:
    """The next visit in the same block may be right."""
    browser = Browser()
    async with LoopbackReceiver(open_browser=browser.open, notify=silent) as receiver:
        with pytest.raises(ConfigError):
            await receiver.visit(url_for(receiver, **wrong))
        assert browser.links == []
        assert (await receiver.visit(url_for(receiver)))["state"] == STATE


async def _outside(receiver: LoopbackReceiver) -> object:
    return await receiver.visit("https://id.example/")


async def _uri_outside(receiver: LoopbackReceiver) -> object:
    return receiver.redirect_uri


async def _async_in_sync(receiver: LoopbackReceiver) -> object:
    with receiver:
        return await receiver.visit(url_for(receiver))


async def _sync_in_async(receiver: LoopbackReceiver) -> object:
    async with receiver:
        return receiver.visit_sync(url_for(receiver))


async def _twice(receiver: LoopbackReceiver) -> object:
    async with receiver, receiver:
        return None


async def _from_another_loop(receiver: LoopbackReceiver) -> object:
    async with receiver:
        return await asyncio.to_thread(lambda: asyncio.run(receiver.visit(url_for(receiver))))


MISUSES = (_outside, _uri_outside, _async_in_sync, _sync_in_async, _twice, _from_another_loop)


@pytest.mark.parametrize("misuse", MISUSES, ids=lambda one: one.__name__.strip("_"))
async def test_misuse_is_named_and_leaves_nothing_behind(
    misuse: Callable[[LoopbackReceiver], Awaitable[object]],
) -> None:
    """Each would otherwise wait for ever, or for another thread."""
    with pytest.raises(ConfigError) as error:
        await misuse(LoopbackReceiver(notify=silent, open_browser=lambda _: False))

    assert error.value.hint
