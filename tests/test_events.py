"""Events as programs get them: which come, in which order, how they are taken in and written down."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import suppress
from dataclasses import replace
from typing import get_args

import pytest
from demo_client import client
from patience import SOON

from loopback_auth import Controls, SignIn, __version__, events, login, login_sync
from loopback_auth.demo.agent import Decision
from loopback_auth.demo.serve import demo_thread, serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import AttemptCancelled, AttemptExpired, AuthorizationError, LoopbackAuthError
from loopback_auth.event_log import LINES
from loopback_auth.events import (
    CallbackReceived,
    Event,
    Exchanged,
    FlowsAvailable,
    LinkReady,
    SignInFailed,
    SignInSucceeded,
    VerificationPrompted,
    log_to,
    silent,
)
from loopback_auth.model import ServerMetadata
from loopback_auth.network.browser import Opening


def quick(issuer: str) -> DemoServer:
    """Make a demo server whose device codes may be polled quickly."""
    return DemoServer(issuer, entropy=os.urandom, device_interval=1)


def test_all_events_are_behind_one_door() -> None:
    """Programs need them, and what belongs to them, and should not have to look for them."""
    kinds = get_args(Event)

    assert {kind.__name__ for kind in kinds} | {"Event", "Notify", "Opening", "log_to", "silent"} == {
        *events.__all__
    }
    assert all(getattr(events, name) is not None for name in events.__all__)
    assert events.Opening is Opening
    assert set(LINES) == {kind.__name__ for kind in kinds}


def test_the_version_is_that_of_the_package() -> None:
    """Programs report it with their own."""
    from importlib.metadata import version  # The door is what is tested.

    assert __version__ == version("loopback_auth")


async def test_one_event_says_that_it_has_ended() -> None:
    """A window has to know when to close, whichever way it went."""
    told: list[object] = []
    async with serve_demo(server_factory=quick) as demo, asyncio.timeout(SOON):
        await login(client(demo.issuer), open_browser=SimulatedUser().open, notify=told.append)
        assert told[-1] == SignInSucceeded("demo@example.com", "code")

        with pytest.raises(AuthorizationError) as refused:
            await login(client(demo.issuer), open_browser=SimulatedUser("deny").open, notify=told.append)
        ended: object = told[-1]
        assert ended == SignInFailed(refused.value.message, refused.value.hint)

        with pytest.raises(AttemptExpired):
            await login(client(demo.issuer), open_browser=lambda _: None, notify=told.append, timeout=0.1)
        assert isinstance(told[-1], SignInFailed)

        shown = asyncio.Event()

        def notify(event: Event) -> None:
            told.append(event)
            if isinstance(event, LinkReady):
                shown.set()

        waiting = asyncio.create_task(login(client(demo.issuer), open_browser=lambda _: None, notify=notify))
        await shown.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (type(told[-1]), getattr(told[-1], "cancelled", None)) == (SignInFailed, True)

        def no(_: SignIn) -> bool:
            return False

        user = SimulatedUser()
        with pytest.raises(AttemptCancelled):
            await login(
                client(demo.issuer), flow="device", open_browser=user.open, notify=told.append, confirm=no
            )
        assert (type(told[-1]), getattr(told[-1], "cancelled", None)) == (SignInFailed, True)
        await user.done()

    assert sum(isinstance(event, SignInSucceeded | SignInFailed) for event in told) == 5


async def test_events_say_which_flow_they_belong_to_and_until_when() -> None:
    """Two links may be on the screen at once, and a link that has lapsed helps nobody."""
    told: list[Event] = []
    async with serve_demo(server_factory=quick) as demo, asyncio.timeout(SOON):
        await login(client(demo.issuer), open_browser=SimulatedUser().open, notify=told.append, timeout=60)
        user = SimulatedUser()
        await login(client(demo.issuer), flow="device", open_browser=user.open, notify=told.append)
        await user.done()
    code, device = (event for event in told if isinstance(event, LinkReady))

    assert (code.flow, device.flow) == ("code", "device")
    assert code.lifetime == pytest.approx(60, abs=5)
    assert [event.flow for event in told if isinstance(event, VerificationPrompted)] == ["device"]
    assert [event.flow for event in told if isinstance(event, CallbackReceived)] == ["code"]


async def test_a_program_is_told_what_it_can_begin() -> None:
    """It shows a button for each, and need not ask all the time."""
    told: list[Event] = []
    controls, user = Controls(), SimulatedUser()

    def notify(event: Event) -> None:
        told.append(event)
        if event == FlowsAvailable(("ticket", "device")):
            assert controls.begin("device")
        if isinstance(event, VerificationPrompted):
            user.visit(event.url, user_code=event.user_code)

    assert controls.waiting == ()
    async with serve_demo(server_factory=quick) as demo, asyncio.timeout(SOON):
        sign_in = await login(
            client(demo.issuer),
            open_browser=lambda _: None,
            notify=notify,
            controls=controls,
            confirm=lambda _: True,
        )
        await user.done()

    assert sign_in.flow == "device"
    assert [event.flows for event in told if isinstance(event, FlowsAvailable)][:2] == [
        ("ticket", "device"),
        ("ticket",),
    ]
    assert (controls.waiting, controls.begin("ticket"), controls.start_link()) == ((), False, "")


@pytest.mark.parametrize("decision", ["approve", "deny"])
async def test_no_flow_can_be_begun_while_the_account_is_asked_about(decision: Decision) -> None:
    """Buttons have to go before the question comes, and nothing comes after the end."""
    told, asked = list[Event](), list[int]()
    user = SimulatedUser(decision)

    def notify(event: Event) -> None:
        told.append(event)
        if isinstance(event, VerificationPrompted):
            user.visit(event.url, user_code=event.user_code)

    def confirm(_: SignIn) -> bool:
        asked.append(len(told))
        return True

    async with serve_demo(server_factory=quick) as demo, asyncio.timeout(SOON):
        signing_in = login(
            client(demo.issuer),
            open_browser=lambda _: None,
            allowed_flows=("device", "ticket"),
            notify=notify,
            controls=Controls(),
            confirm=confirm,
        )
        with suppress(LoopbackAuthError):
            await signing_in
        await user.done()
    emptied = told.index(FlowsAvailable(()))

    assert asked == ([emptied + 1] if decision == "approve" else [])
    assert isinstance(told[-1], SignInSucceeded if decision == "approve" else SignInFailed)


async def test_nothing_that_anybody_could_approve_can_be_begun_unless_it_is_confirmed() -> None:
    """The account may be an attacker's, and the program would never know (RFC 6749 §10.16)."""
    told: list[Event] = []
    controls = Controls()
    async with serve_demo(server_factory=quick) as demo:
        with pytest.raises(AttemptExpired):
            await login(
                client(demo.issuer),
                open_browser=lambda _: None,
                notify=told.append,
                controls=controls,
                timeout=0.2,
            )

    assert not any(isinstance(event, FlowsAvailable) for event in told)


async def test_a_coroutine_function_takes_events_in_one_after_the_other() -> None:
    """Many programs have nothing else, and each call may take its time."""
    taken: list[Event] = []
    under_way = 0

    async def notify(event: Event) -> None:
        nonlocal under_way
        under_way += 1
        assert under_way == 1
        await asyncio.sleep(0.02)
        taken.append(event)
        under_way -= 1

    async with serve_demo(server_factory=quick) as demo, asyncio.timeout(SOON):
        await login(client(demo.issuer), open_browser=SimulatedUser().open, notify=notify)
    kinds = [type(event) for event in taken if not isinstance(event, Exchanged)]

    assert (kinds[0], kinds[-1]) == (LinkReady, SignInSucceeded)


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_notify_that_always_fails_is_reported_once(asynchronous: bool) -> None:
    """The widget is gone: that is no reason to lose what a person has approved, nor to fill a log."""
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))

    def fails(_: Event) -> None:
        raise ZeroDivisionError

    async def fails_later(_: Event) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    async with serve_demo(server_factory=quick) as demo, asyncio.timeout(SOON):
        sign_in = await login(
            client(demo.issuer),
            open_browser=SimulatedUser().open,
            notify=fails_later if asynchronous else fails,
        )

    assert sign_in.tokens.access_token
    assert [type(error) for error in reported] == [ZeroDivisionError]


async def test_a_notify_that_never_returns_does_not_keep_a_cancelled_sign_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever cancels wants it to end now."""
    monkeypatch.setattr("loopback_auth.signin.notifier.TELL_SECONDS", 2 * SOON)
    begun = asyncio.Event()

    async def hangs(_: Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with serve_demo(server_factory=quick) as demo, asyncio.timeout(SOON):
        waiting = asyncio.create_task(login(client(demo.issuer), open_browser=lambda _: None, notify=hangs))
        await begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_notify_may_block_for_a_moment() -> None:
    """A slow terminal, a log on a network: the browser waits as long, and that is all."""
    async with serve_demo(server_factory=quick) as demo, asyncio.timeout(SOON):
        sign_in = await login(
            client(demo.issuer), open_browser=SimulatedUser().open, notify=lambda _: time.sleep(0.05)
        )

    assert sign_in.flow == "code"


def test_a_log_has_all_but_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """Logs are kept, copied and searched; the link is what the person needs, and works once."""
    logger = logging.getLogger("tests.login")
    user = SimulatedUser()
    with demo_thread() as demo, caplog.at_level(logging.DEBUG, logger=logger.name):
        sign_in = login_sync(client(demo.issuer), open_browser=user.open, notify=log_to(logger))
        user.page_sync()
    levels = [record.levelno for record in caplog.records if record.name == logger.name]

    assert user.links[0] in caplog.text
    assert set(levels) == {logging.DEBUG, logging.INFO}
    for secret in (sign_in.tokens.access_token, sign_in.tokens.refresh_token):
        assert secret is not None
        assert secret not in caplog.text


def test_a_log_tells_the_code_and_what_went_wrong(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads it signs in with it, and sees what needs care without the rest."""
    logger = logging.getLogger("tests.login")
    tell = log_to(logger)
    with caplog.at_level(logging.INFO, logger=logger.name):
        tell(VerificationPrompted("https://a.example/d", "WDJB-MJHT", "", 60.0))
        tell(events.RequestIgnored(1, 400, "no"))
        tell(events.RequestIgnored(2000, 400, "no", suspicious=True))
        tell(SignInFailed("It was not approved.", "Sign in again."))

    assert "WDJB-MJHT" in caplog.text
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "WARNING"]


async def test_who_shows_nothing_is_shown_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """With `silent` the browser is all there is; where none is opened, that is refused (see test_openers)."""
    async with serve_demo(server_factory=quick) as demo, asyncio.timeout(SOON):
        metadata = ServerMetadata(issuer=demo.issuer)
        asking = client(demo.issuer)
        asking = replace(asking, provider=replace(asking.provider, metadata=metadata))
        await login(asking, open_browser=SimulatedUser().open, notify=silent)

    assert capsys.readouterr() == ("", "")
