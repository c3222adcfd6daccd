"""The two kinds of callers that wait for shared work: those in an event loop, and those that block.

Both go through the same coroutines. For a caller that blocks, every await does its work at once, so that
`run_blocking` needs no loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TypeVar

from loopback_auth.errors import ConfigError
from loopback_auth.events import Event, Notify
from loopback_auth.network.shared_call import SharedCall, Work, shared_look
from loopback_auth.network.threads import check_asyncio, run_sync
from loopback_auth.signin.notifier import Notifier
from loopback_auth.signin.stores import OpenStore, Store
from loopback_auth.store.interface import TokenStore, checked_sign_in, raise_store_error
from loopback_auth.tokens import SignIn

T = TypeVar("T")
Telling = Callable[[Notify], Coroutine[object, object, T]]
"""Work that has something to tell."""
Looks = dict[asyncio.AbstractEventLoop, "asyncio.Task[SignIn | None]"]


class Awaiting:
    """A caller in an event loop.

    Raises:
        ConfigError: no loop of asyncio is running.
    """

    def __init__(self) -> None:
        check_asyncio()
        self._loop = asyncio.get_running_loop()

    async def load(self, store: Store, name: str, looks: Looks) -> SignIn | None:
        """Return what is kept under a name; tasks of one loop that ask at the same time share one look."""
        return await shared_look(looks, lambda: OpenStore(store).load(name))

    async def run(self, work: Work[T]) -> T:
        """Do something that needs a loop."""
        return await work()

    def check(self, call: SharedCall[SignIn]) -> None:
        """Do nothing: a task can wait for every call."""

    async def wait(self, call: SharedCall[SignIn]) -> SignIn | None:
        """Wait for what another caller has begun."""
        return await call.wait()

    async def renew(
        self, call: SharedCall[SignIn], work: Telling[SignIn], notify: Notify, store: Store
    ) -> SignIn | None:
        """Renew tokens in a thread, unless the store has coroutines, which may be bound to this loop.

        `notify` is called in this loop in any case.
        """
        run = call.run_apart if isinstance(store, TokenStore) else call.run_here
        async with Notifier(notify) as notifier:

            def tell(event: Event) -> None:
                with suppress(RuntimeError):  # The loop has been closed meanwhile.
                    self._loop.call_soon_threadsafe(notifier.tell, event)

            return await run(lambda: work(tell))

    async def ask(self, call: SharedCall[SignIn], work: Work[SignIn]) -> SignIn | None:
        """Ask the user in this loop."""
        return await call.run_here(work)


class Blocking:
    """A caller without an event loop, or one whose loop stands still meanwhile."""

    async def load(self, store: Store, name: str, _: Looks) -> SignIn | None:
        """Return what is kept under a name."""
        if not isinstance(store, TokenStore):
            return run_sync(lambda: OpenStore(store).load(name))
        try:
            found = store.load(name)
        except Exception as exc:
            raise_store_error(exc)
        return checked_sign_in(found, name)

    async def run(self, work: Work[T]) -> T:
        """Do something that needs a loop."""
        return run_sync(work)

    def check(self, call: SharedCall[SignIn]) -> None:
        """Refuse to wait for the loop of this thread.

        Raises:
            ConfigError: the user is being asked by that loop.
        """
        if call.needs_this_thread():
            raise ConfigError(
                "The event loop of this thread is asking the user to sign in, and cannot wait for that.",
                hint="In a coroutine, await the method without _sync in its name.",
            )

    async def wait(self, call: SharedCall[SignIn]) -> SignIn | None:
        """Wait for what another caller has begun."""
        return call.wait_sync()

    async def renew(
        self, call: SharedCall[SignIn], work: Telling[SignIn], notify: Notify, _: Store
    ) -> SignIn | None:
        """Renew tokens."""

        async def told() -> SignIn:
            async with Notifier(notify) as notifier:
                return await work(notifier.tell)

        return call.run_sync(told)

    async def ask(self, call: SharedCall[SignIn], work: Work[SignIn]) -> SignIn | None:
        """Ask the user."""
        return call.run_sync(work)


def run_blocking(steps: Coroutine[object, object, T]) -> T:
    """Return the result of steps that were given a `Blocking` caller, and so never wait for a loop."""
    try:
        steps.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("a step has waited for an event loop")
