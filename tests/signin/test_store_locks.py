"""Locks that programs return from their stores: bound to a thread, without a time-out, or no lock at all."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import filelock
import pytest
from patience import SOON
from renewing import NAME, sign_in_at, token_endpoint

from loopback_auth.errors import StoreError
from loopback_auth.signin import stores
from loopback_auth.signin.refresh import renew
from loopback_auth.signin.stores import OpenStore
from loopback_auth.store.async_interface import AsyncTokenStore
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.tokens import SignIn

NOWHERE = "http://127.0.0.1:1"


class Locked(MemoryTokenStore):
    """Has a lock of its own.

    Args:
        lock: returned for every name, each time.
    """

    def __init__(self, lock: Any) -> None:
        super().__init__()
        self._lock = lock

    def lock(self, name: str, timeout: float = 30.0) -> AbstractContextManager[None]:
        """Return it."""
        found: AbstractContextManager[None] = self._lock
        return found


class Async(AsyncTokenStore):
    """Has a coroutine in place of a lock, as everything else here is one."""

    async def read(self, name: str) -> SignIn | None:
        """Have nothing."""

    async def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep nothing."""

    async def lock(self, name: str, timeout: float = 30.0) -> Any:  # type: ignore[override] # noqa: ASYNC109 # pyright: ignore[reportIncompatibleMethodOverride]
        """Return a lock too late."""
        return contextlib.nullcontext()


@pytest.mark.parametrize("kind", ["RLock", "FileLock"])
async def test_a_lock_that_belongs_to_its_thread_is_given_back(kind: str, tmp_path: Path) -> None:
    """These two are what a program has at hand, and only the thread that has entered them leaves them."""
    async with token_endpoint() as (server, sign_in):
        store = Locked(threading.RLock() if kind == "RLock" else filelock.FileLock(tmp_path / "lock"))
        store.save(sign_in)
        async with asyncio.timeout(SOON):
            for _ in range(3):
                sign_in = await renew(sign_in, store=store, force=True)
            assert len({*await asyncio.gather(*(renew(sign_in, store=store) for _ in range(4)))}) == 1
    assert len(server.sent) == 3


async def test_a_lock_that_forgets_its_time_out_is_not_waited_for_without_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be held by what has died; once it is free, nothing of the first try holds it."""
    monkeypatch.setattr(stores, "OVERTIME_SECONDS", 0.05)
    lock = threading.Lock()
    opened = OpenStore(Locked(lock))
    with lock, pytest.raises(StoreError) as failed:
        async with opened.locked(NAME, 0.0):
            raise AssertionError("it is held")
    assert isinstance(failed.value.__cause__, TimeoutError)
    monkeypatch.undo()
    async with opened.locked(NAME, SOON):
        assert lock.locked()


async def test_waiting_for_a_lock_can_be_cancelled() -> None:
    """What is entered too late is left at once."""
    lock = threading.Lock()
    opened = OpenStore(Locked(lock))

    async def hold() -> None:
        async with opened.locked(NAME):
            pass

    with lock:
        waiting = asyncio.create_task(hold())
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=SOON)
    async with opened.locked(NAME, SOON):
        assert waiting.cancelled()


@pytest.mark.parametrize("store", [Locked(None), Locked(True), Async()], ids=["None", "True", "coroutine"])
async def test_what_is_no_lock_is_named(store: MemoryTokenStore | AsyncTokenStore) -> None:
    """A forgotten `return` would otherwise be an AttributeError about a method that nobody has called."""
    with pytest.raises(StoreError, match="method lock of the store"):
        await renew(sign_in_at(NOWHERE), store=store)


async def test_a_lock_with_coroutines_is_cancelled_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can take back what it has begun."""
    left: list[str] = []

    class Slow(AsyncTokenStore):
        async def read(self, name: str) -> SignIn | None:
            """Have nothing."""

        async def write(self, name: str, sign_in: SignIn | None) -> None:
            """Keep nothing."""

        @contextlib.asynccontextmanager
        async def lock(self, name: str, timeout: float = 30.0) -> AsyncGenerator[None]:  # noqa: ASYNC109
            try:
                await asyncio.sleep(SOON)
                yield
            finally:
                left.append(name)

    monkeypatch.setattr(stores, "OVERTIME_SECONDS", 0.05)
    with pytest.raises(StoreError):
        async with OpenStore(Slow()).locked(NAME, 0.0):
            raise AssertionError("it is not held")
    assert left == [NAME]
