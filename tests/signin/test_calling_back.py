"""A `notify` that calls what it hears of: no call waits for a lock that its own caller holds."""

from __future__ import annotations

import asyncio
import time

import pytest
from patience import SOON
from renewing import NAME, keeping, token_endpoint

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.events import Event
from loopback_auth.signin.logout import logout
from loopback_auth.signin.refresh import renew, renew_sync
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.testing import SimulatedUser, serve
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn


class Watched(MemoryTokenStore):
    """Tells whether its lock is free."""

    def is_free(self, sign_in: SignIn) -> bool:
        """Try the lock."""
        try:
            with self.lock(sign_in.name, 0.0):
                return True
        except StoreError:
            return False


async def test_what_a_renewal_and_a_logout_tell_is_told_without_their_lock() -> None:
    """A program may sign out in answer to a warning; it would wait for itself."""
    with serve() as server:
        store = Watched()
        sign_in = server.sign_in()
        store.save(sign_in)
        free: list[bool] = []
        await renew(sign_in, store=store, force=True, notify=lambda _: free.append(store.is_free(sign_in)))
        renewing = len(free)
        assert await logout(sign_in, store=store, notify=lambda _: free.append(store.is_free(sign_in)))
    assert 0 < renewing < len(free)
    assert all(free)


async def test_a_renewal_that_is_told_of_can_be_followed_by_another_one() -> None:
    """Two renewals, one after the other."""
    async with token_endpoint() as (server, sign_in):
        store = keeping(sign_in)

        def again(_: Event) -> None:
            if len(server.sent) == 1:
                renew_sync(sign_in, store=store, force=True)

        async with asyncio.timeout(SOON):
            await asyncio.to_thread(lambda: renew_sync(sign_in, store=store, notify=again))
        assert store.load(NAME) is not None


def test_a_sign_in_cannot_be_ended_by_its_own_event() -> None:
    """The loop that signs the user in would stand still until the locks have timed out."""
    refused: list[ConfigError] = []

    def end(_: Event) -> None:
        with pytest.raises(ConfigError) as caught:
            source.logout_sync()
        refused.append(caught.value)

    with serve() as server:
        user = SimulatedUser()
        source = TokenSource(server.client(), open_browser=user.open, flow="code", notify=end)
        begun = time.monotonic()
        assert source.token_sync()
        assert time.monotonic() - begun < SOON
        user.page_sync()
    assert refused


def test_a_cancellation_within_notify_is_a_failure_of_notify() -> None:
    """It has waited for something of its own; the sign-in was not cancelled."""
    told: list[Event] = []

    def cancelled(event: Event) -> None:
        told.append(event)
        raise asyncio.CancelledError

    with serve() as server:
        user = SimulatedUser()
        source = TokenSource(server.client(), open_browser=user.open, flow="code", notify=cancelled)
        assert source.token_sync()
        user.page_sync()
    assert len(told) > 1
