"""Wait for the sign-in of another process, and use its result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from loopback_auth.errors import AttemptExpired
from loopback_auth.events import Notify, WaitingForOtherProcess
from loopback_auth.flows.reuse import why_not_reusable
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
    """Hold the lock of a sign-in for as long as the block lasts, or yield what another process has got.

    Processes share a `FileTokenStore` alone; with another store there is no other process to wait for.

    Args:
        store: where the sign-in is kept.
        client: the client that signs in.
        notify: called with `WaitingForOtherProcess` when another process is waited for.
        seconds: how long to wait for it.

    Yields:
        The sign-in of the other process; None: this process has to sign in.

    Raises:
        SignInRequired: another process asked the person, and that failed.
        AttemptExpired: the other process has not ended in time.
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
        reusable=lambda theirs: not why_not_reusable(theirs, client),
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
    reusable: Callable[[SignIn], bool],
    seconds: float,
) -> SignIn | None:
    """Wait until no other process has the lock, and take it.

    Args:
        lock: the lock of the sign-in.
        store: where the other process keeps its sign-in.
        name: what the sign-in is kept under.
        since: Unix seconds; a sign-in that ended before is not taken.
        notify: called with `WaitingForOtherProcess` when another process is waited for.
        reusable: returns whether a sign-in is the one that is wanted here, too.
        seconds: how long to wait: a process that was stopped keeps its lock.

    Returns:
        The sign-in of the other process; None: this process has the lock now and has to sign in.

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
        # It is 0 for a moment at the start and at the end.
        if leader not in (0, followed):
            notify(WaitingForOtherProcess(leader))
            followed = leader
        await asyncio.sleep(LOOK_SECONDS)
    try:
        theirs = store.load(name) if lock.ended_since(since) else None
    except BaseException:
        lock.leave()
        raise
    if theirs is None or not reusable(theirs):
        return None
    lock.leave()
    return theirs


def _by_id(process: int) -> str:
    return f" (process {process})" if process else ""
