"""Wait for the sign-in of another caller, and use its result."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from loopback_auth.errors import AttemptExpired
from loopback_auth.events import Notify, WaitingForOtherProcess
from loopback_auth.flows.reuse import why_not_reusable
from loopback_auth.model import ClientConfig
from loopback_auth.narrow import NAME_LIMIT
from loopback_auth.network.threads import apart, begun, has_loop, to_the_end
from loopback_auth.signin.stores import ENDING_SECONDS, OpenStore, Store
from loopback_auth.store.locks import ThreadSignInLock
from loopback_auth.store.sign_in_lock import SignInLock
from loopback_auth.tokens import SignIn

LOOK_SECONDS = 0.1
"""Seconds between two looks at whether the other one has ended: no lock can be waited for and given up."""


@asynccontextmanager
async def single_flight(
    store: Store | None, client: ClientConfig, notify: Notify, seconds: float
) -> AsyncGenerator[SignIn | None]:
    """Hold the lock of a sign-in for as long as the block lasts, or yield what another caller has got.

    Args:
        store: where the sign-in is kept; None: nowhere, so that there is nothing to wait for.
        client: the client that signs in.
        notify: called with `WaitingForOtherProcess` when another caller is waited for.
        seconds: how long to wait for it.

    Yields:
        The sign-in of the other caller; None: this one has to sign in.

    Raises:
        SignInRequired: another caller asked the user, and that failed.
        AttemptExpired: the other caller has not ended in time.
        StoreError: the store failed.
    """
    if store is None:
        yield None
        return
    opened, name, since = OpenStore(store), client.provider.name, time.time()

    def reusable(theirs: SignIn) -> bool:
        return not why_not_reusable(theirs, client)

    lock = opened.sign_in_lock(name)
    theirs = await wait_for_other(
        lock, opened, name, since=since, notify=notify, reusable=reusable, seconds=seconds
    )
    if theirs is not None:
        yield theirs
        return
    async with AsyncExitStack() as stack:
        await _lead(lock, stack)
        if isinstance(lock, ThreadSignInLock) and store.excludes_processes:
            # It excludes threads alone, so the lock of the store does the rest.
            await stack.enter_async_context(opened.locked(f"sign-in-{name}"[:NAME_LIMIT], seconds))
            theirs = await opened.load(name)
            if theirs is not None and theirs.tokens.obtained_at >= since and reusable(theirs):
                yield theirs
                return
        yield None


async def _lead(lock: SignInLock, stack: AsyncExitStack) -> None:
    """Say that this caller leads, and at the end of the stack how it has ended."""

    async def end(kind: type[BaseException] | None, exc: BaseException | None, trace: object) -> None:
        if kind is GeneratorExit or not has_loop():
            lock.leave()  # The loop was closed, so that nothing can be awaited any more.
        else:
            await to_the_end(apart(lock.__exit__, kind, exc, None), ENDING_SECONDS)

    stack.push_async_exit(end)
    await apart(lock.__enter__)


async def wait_for_other(
    lock: SignInLock,
    store: OpenStore,
    name: str,
    *,
    since: float,
    notify: Notify,
    reusable: Callable[[SignIn], bool],
    seconds: float,
) -> SignIn | None:
    """Wait until no other caller has the lock, and take it.

    Args:
        lock: the lock of the sign-in.
        store: where the other caller keeps its sign-in.
        name: what the sign-in is kept under.
        since: Unix seconds; a sign-in that ended before is not taken.
        notify: called with `WaitingForOtherProcess` when another caller is waited for.
        reusable: returns whether a sign-in is the one that is wanted here, too.
        seconds: how long to wait: a process that was stopped keeps its lock.

    Returns:
        The sign-in of the other caller; None: this caller has the lock now and has to sign in.

    Raises:
        SignInRequired: the other caller asked the user, and that failed.
        AttemptExpired: it has not ended in time.
        StoreError: the store failed.
    """
    followed, given_up_at = None, time.monotonic() + seconds
    while True:
        leads, ended, leader = await _look(lock, since)
        if ended:
            try:
                theirs = await store.load(name)
            except BaseException:
                await to_the_end(apart(lock.leave), ENDING_SECONDS)
                raise
            if theirs is not None and reusable(theirs):
                await to_the_end(apart(lock.leave), ENDING_SECONDS)
                return theirs
        if leads:
            return None
        if time.monotonic() >= given_up_at:
            raise _not_ended(name, seconds, leader)
        # The leader is 0 for a moment at the start and at the end.
        if leader not in (0, followed):
            notify(WaitingForOtherProcess(leader))
            followed = leader
        await asyncio.sleep(LOOK_SECONDS)


async def _look(lock: SignInLock, since: float) -> tuple[bool, bool, int]:
    """Become the leader if there is none; return whether this caller leads, one has ended, and who leads."""

    def look() -> tuple[bool, bool, int]:
        leads = lock.lead()
        try:
            return leads, lock.ended_since(since), 0 if leads else lock.leader()
        except BaseException:
            lock.leave()
            raise

    looking = begun(look)
    try:
        return await asyncio.wrap_future(looking)
    except asyncio.CancelledError:
        # What comes too late is given back, so that another caller may lead.
        looking.add_done_callback(lambda _: lock.leave())
        raise


def _not_ended(name: str, seconds: float, leader: int) -> AttemptExpired:
    if leader == os.getpid():
        # Such as a task whose loop does not run any more; to end this process is not what helps.
        return AttemptExpired(
            f"This program is signing in to {name} already, and has not ended within {seconds:g} seconds.",
            hint="Wait for that sign-in or cancel it, then try again.",
        )
    return AttemptExpired(
        f"Another process is signing in to {name}, and has not ended within {seconds:g} seconds.",
        hint=f"End it{f' (process {leader})' if leader else ''}, then try again.",
    )
