"""A window of a program's own, on the events and the controls alone: as its user sees and uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from pasted_addresses import pasted_by
from patience import SOON
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from embedding.programs.window import Window
from loopback_auth import ClientConfig, SignIn
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser, serve

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve an authorization server."""
    with serve() as server:
        yield server


@pytest.fixture
def client(server: DemoAuthorizationServer) -> ClientConfig:
    """Return a client that has no tickets, as most have none."""
    return ClientConfig.at(server.issuer, client_id=server.client_id, scope="profile email")


def shown(window: Window, name: str) -> str:
    """Return what a part of the window shows; empty when it cannot be seen."""
    part = window.query_one(f"#{name}", Static)
    return str(part.content) if part.display else ""


def pressable(window: Window, name: str) -> bool:
    """Return whether there is such a button to press."""
    return window.query_one(f"#{name}", Button).display


def press(window: Window, name: str) -> None:
    """Press a button."""
    window.query_one(f"#{name}", Button).press()


async def until(pilot: Pilot[SignIn | None], seen: Callable[[], object]) -> None:
    """Look at the window until something can be seen."""
    async with asyncio.timeout(SOON):
        while not seen():
            await pilot.pause(0.02)


async def ended(pilot: Pilot[SignIn | None], window: Window) -> None:
    """Wait until the window has drawn all of a sign-in: it reports the end once before, as an event."""
    await until(pilot, lambda: window.signing_in.is_finished)


def no_browser(_: str) -> bool:
    """Open nothing, as where there is no browser."""
    return False


async def test_browser(client: ClientConfig) -> None:
    """The usual case: nothing has to be pressed; afterwards the link is gone, because it is of no use."""
    user, opened = SimulatedUser(), list[str]()
    window = Window(client, open_browser=opened.append)
    async with window.run_test() as pilot:
        await until(pilot, lambda: shown(window, "link").startswith("http://127.0.0.1:"))
        await until(pilot, lambda: "left" in shown(window, "left"))
        user.visit(opened[0])
        await ended(pilot, window)

        assert shown(window, "status") == "Signed in as demo@example.com."
        assert [shown(window, name) for name in ("link", "code", "qr", "left")] == [""] * 4
        press(window, "cancel")
        await until(pilot, lambda: not window.is_running)

    assert window.return_value == window.signed_in
    assert "Window" in await user.page()


@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_device_code(client: ClientConfig, answer: str) -> None:
    """The button begins it, address and code are for another device, and the account is asked about."""
    user = SimulatedUser()
    window = Window(client, open_browser=no_browser)
    async with window.run_test() as pilot:
        await until(pilot, lambda: pressable(window, "device") or shown(window, "code"))
        if not shown(window, "code"):
            press(window, "device")
        await until(pilot, lambda: shown(window, "code"))
        assert "█" in shown(window, "qr")
        user.visit(shown(window, "approval").split()[-1], user_code=shown(window, "code"))
        await until(pilot, lambda: "Is that you?" in shown(window, "status"))
        assert not pressable(window, "device")
        assert not pressable(window, "paste")
        press(window, f"{answer}")
        await ended(pilot, window)

        assert (window.signed_in is not None) == (answer == "yes")
        assert ("Signed in" in shown(window, "status")) == (answer == "yes")
    await user.done()


async def test_pasted_address(client: ClientConfig) -> None:
    """A wrong address is said to be one, and the field stays."""
    window = Window(client, open_browser=no_browser, flow="paste")
    async with window.run_test() as pilot:
        field = window.query_one("#address", Input)
        await until(pilot, lambda: field.display)
        for address in ("nonsense?", await pasted_by(SimulatedUser(), shown(window, "link"))):
            field.value = address
            field.focus()
            await pilot.press("enter")
        await ended(pilot, window)

        assert not field.display


async def test_cancelled(client: ClientConfig, server: DemoAuthorizationServer) -> None:
    """Nothing of the sign-in is left behind a window that goes on."""
    server.hang.add("/authorize")
    user = SimulatedUser()
    window = Window(client, open_browser=user.open)
    async with window.run_test() as pilot:
        await until(pilot, lambda: shown(window, "link"))
        press(window, "cancel")
        await ended(pilot, window)
        tasks = [repr(one) for one in asyncio.all_tasks() if "loopback_auth/signin" in repr(one)]

        assert (window.signed_in, tasks, bool(shown(window, "status"))) == (None, [], True)
    server.hang.clear()


async def test_denied(client: ClientConfig) -> None:
    """The window says why, and the page does too."""
    user = SimulatedUser("deny")
    window = Window(client, open_browser=user.open)
    async with window.run_test() as pilot:
        await ended(pilot, window)

        assert window.signed_in is None
        assert "denied" in shown(window, "status").lower()
    assert "You denied" in await user.page()


async def test_nothing_can_begin(client: ClientConfig) -> None:
    """What fails before the first event is shown in the same place."""
    window = Window(client, wait=False, open_browser=no_browser, flow="ticket")
    async with window.run_test() as pilot:
        await ended(pilot, window)

        assert "ticket" in shown(window, "status")
