"""The receiver for other programs' protocol code: what is refused at once, and what it costs to have one."""

from __future__ import annotations

import subprocess
import sys

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
