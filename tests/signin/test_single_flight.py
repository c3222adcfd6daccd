"""Waiting for the sign-in of another process, and not for ever."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from patience import SOON

from loopback_auth.errors import AttemptExpired
from loopback_auth.events import Event, WaitingForOtherProcess
from loopback_auth.model import ServerMetadata
from loopback_auth.signin.single_flight import wait_for_other
from loopback_auth.signin.stores import OpenStore
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import SignIn, TokenSet

NAME = "example"
THEIRS = SignIn(NAME, "client", "none", ServerMetadata(), "", TokenSet("access", "Bearer", 0.0))


@pytest.mark.parametrize("process", [4711, os.getpid()], ids=["another", "this one"])
async def test_a_leader_that_does_not_end_is_waited_for_no_longer_than_asked(
    tmp_path: Path, process: int
) -> None:
    """A process that was stopped by Ctrl-Z keeps its lock, and ends never; a loop that stands still, too."""
    store, events = FileTokenStore(str(tmp_path)), list[Event]()
    leader = store.sign_in_lock(NAME)
    assert leader.lead()

    async def wait() -> None:
        following = wait_for_other(
            store.sign_in_lock(NAME),
            OpenStore(store),
            NAME,
            since=time.time(),
            notify=events.append,
            reusable=lambda _: True,
            seconds=0.3,
        )
        with pytest.raises(AttemptExpired, match="within 0") as end:
            await following
        assert "then try again" in end.value.hint
        assert (str(process) in end.value.hint) is (process != os.getpid())

    with leader:
        leader.say(b'{"process": %d}' % process)
        await asyncio.wait_for(wait(), SOON)

    assert [type(event) for event in events] == [WaitingForOtherProcess]


@pytest.mark.parametrize("serves", [True, False])
async def test_the_other_sign_in_is_taken_if_it_serves(tmp_path: Path, serves: bool) -> None:
    """It may be for another scope, or at another server; then we have to ask ourselves."""
    store, events = FileTokenStore(str(tmp_path)), list[Event]()
    leader, lock = store.sign_in_lock(NAME), store.sign_in_lock(NAME)
    assert leader.lead()

    async def both() -> SignIn | None:
        told = asyncio.Event()

        def notify(event: Event) -> None:
            events.append(event)
            told.set()

        following = asyncio.create_task(
            wait_for_other(
                lock,
                OpenStore(store),
                NAME,
                since=time.time(),
                notify=notify,
                reusable=lambda _: serves,
                seconds=20,
            )
        )
        with leader:
            await told.wait()
            store.save(THEIRS)
        return await following

    taken = await asyncio.wait_for(both(), SOON)

    assert taken == (THEIRS if serves else None)
    assert len(events) == 1
    assert store.sign_in_lock(NAME).lead() is serves
    lock.leave()
