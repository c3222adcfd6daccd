"""Wait for the sign-in of another process, and take what comes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from loopback_auth.errors import AttemptExpired
from loopback_auth.events import Notify, WaitingForOtherProcess
from loopback_auth.flows.serving import why_not
from loopback_auth.model import ClientConfig, SignIn
from loopback_auth.store import FileTokenStore
from loopback_auth.store.interface import TokenStore
from loopback_auth.store.sign_in_lock import SignInLock

LOOK_SECONDS = 0.1
"""Seconds between two looks at whether the other one has ended: no lock can be waited for and given up."""


@asynccontextmanager
async def single_flight(
    store: TokenStore | None, client: ClientConfig, notify: Notify, seconds: float
) -> AsyncGenerator[SignIn | None]:
    """Lead those who want this sign-in for as long as the block lasts, or give what another process has got.

    Only a `FileTokenStore` is shared by processes; with any other there is nobody to wait for.

    Raises:
        SignInRequired: another process asked the person, and that failed.
        AttemptExpired: another process has been asking for longer than we may wait.
    """
    if not isinstance(store, FileTokenStore):
        yield None
        return
    name = client.provider.name
    lock, since = store.sign_in_lock(name), time.time()
    theirs = await wait_for_other(
        lock,
        store,
        name,
        since=since,
        notify=notify,
        serves=lambda theirs: not why_not(theirs, client),
        seconds=seconds,
    )
    if theirs is not None:
        yield theirs
        return
    with lock:
        yield None


async def wait_for_other(
    lock: SignInLock,
    store: FileTokenStore,
    name: str,
    *,
    since: float,
    notify: Notify,
    serves: Callable[[SignIn], bool],
    seconds: float,
) -> SignIn | None:
    """Wait until nobody leads any more, and lead.

    Args:
        lock: of this name.
        store: where the other process keeps its sign-in.
        name: of the sign-in.
        since: Unix seconds; what ended before that is not what we waited for.
        notify: told whom we wait for.
        serves: tells whether a sign-in is one that we would have asked for, too.
        seconds: after so many to give up: a process that was stopped holds its lock for ever.

    Returns:
        What the other process has got, and then we do not lead; None when we lead and have to sign in
        ourselves.

    Raises:
        SignInRequired: the other process asked the person, and that failed.
        AttemptExpired: it has not ended in time.
    """
    followed, given_up_at = None, time.monotonic() + seconds
    while not lock.lead():
        if time.monotonic() >= given_up_at:
            raise AttemptExpired(
                f"Another process is signing in to {name}, and has not ended within {seconds:g} seconds.",
                hint=f"End it{_by_id(lock.leader())}, or sign in although it does, with --alone.",
            )
        leader = lock.leader()
        # It is 0 for a moment at the start and at the end: nothing new is to be told then.
        if leader not in (0, followed):
            notify(WaitingForOtherProcess(leader))
            followed = leader
        await asyncio.sleep(LOOK_SECONDS)
    try:
        theirs = store.load(name) if lock.ended_since(since) else None
    except BaseException:
        lock.leave()
        raise
    if theirs is None or not serves(theirs):
        return None
    lock.leave()
    return theirs


def _by_id(process: int) -> str:
    return f" (process {process})" if process else ""
