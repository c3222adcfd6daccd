"""A program with a prompt of its own: what it returns is judged here, and asked for again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from time_leap import leaping

from loopback_auth.api import login, login_sync
from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.errors import AttemptCancelled, AttemptExpired, ConfigError
from loopback_auth.events import Event, PasteReady, PasteRefused, Warned, silent
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser, serve


def address_of(callback: Callback, request: AuthorizationRequest) -> str:
    """Return what the address bar of the other machine shows."""
    query = "&".join(f"{name}={value}" for name, value in callback.parameters)
    return f"{request.redirect_uri}?{query.replace(':', '%3A').replace('/', '%2F')}"


def typing(*wrong: str) -> Callable[[AuthorizationRequest], str]:
    """Return a blocking prompt, at which a user first pastes these."""
    user, left = SimulatedUser(), list(wrong)

    def prompt(request: AuthorizationRequest) -> str:
        assert threading.current_thread() is not threading.main_thread()
        return left.pop(0) if left else address_of(asyncio.run(user.paste(request)), request)

    return prompt


def test_blocking_prompt() -> None:
    """`input` is what a program without a loop has, and it may not stop the one that waits."""
    told: list[Event] = []
    with serve() as server:
        sign_in = login_sync(server.client(), flow="paste", paste=typing("", "nonsense?"), notify=told.append)

    assert sign_in.flow == "paste"
    assert [type(one) for one in told if isinstance(one, PasteReady | PasteRefused)] == [
        PasteReady,
        PasteRefused,
        PasteRefused,
    ]


async def test_prompt_of_a_window() -> None:
    """There it is a coroutine."""
    with serve() as server:
        user = SimulatedUser()

        async def ask(request: AuthorizationRequest) -> str:
            return address_of(await user.paste(request), request)

        sign_in = await login(server.client(), flow="paste", paste=ask, notify=silent)

    assert sign_in.account


async def test_redirect_comes_first() -> None:
    """Nobody answers the prompt then, and the sign-in does not wait for its thread."""
    released = threading.Event()
    with serve() as server:
        user = SimulatedUser()

        def notify(event: Event) -> None:
            if isinstance(event, PasteReady):
                user.open(event.url)

        sign_in = await login(
            server.client(),
            flow="paste",
            paste=lambda _: "late" if released.wait(60) else "",
            notify=notify,
        )
        released.set()

    assert sign_in.account


def test_prompt_without_input() -> None:
    """Stdin may be closed; the redirect can still come."""

    def ask(_: AuthorizationRequest) -> str:
        raise EOFError

    told: list[Event] = []
    notify = leaping(10.0, at=Warned, notify=told.append)
    with serve() as server, pytest.raises(AttemptExpired):
        login_sync(server.client(), flow="paste", paste=ask, notify=notify, timeout=10.0)

    assert any("nothing to read from" in one.text for one in told if isinstance(one, Warned))


def returning(value: object) -> Callable[[AuthorizationRequest], str]:
    """Return a prompt that returns this."""
    return lambda _: value  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("value", "error"), [(None, ConfigError), (b"http://127.0.0.1/", ConfigError), ("no", AttemptCancelled)]
)
def test_prompt_that_never_returns_an_address(value: object, error: type[Exception]) -> None:
    """A mistake in the program is named, and a loop without an end is ended."""
    with serve() as server, pytest.raises(error):
        _paste(server, returning(value))


def _paste(server: DemoAuthorizationServer, ask: Callable[[AuthorizationRequest], str]) -> None:
    login_sync(server.client(), flow="paste", paste=ask, notify=silent)
