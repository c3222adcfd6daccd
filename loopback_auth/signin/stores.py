"""How the engine speaks to a store, whether its methods block or are coroutines.

Methods that block run in threads that can be left alone. Whatever a store raises becomes an error of ours.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, suppress

from loopback_auth.model import SignIn
from loopback_auth.network.threads import apart, enter, to_the_end
from loopback_auth.store.async_interface import AsyncTokenStore
from loopback_auth.store.interface import (
    LOCK_TIMEOUT,
    TokenStore,
    check_store,
    checked_sign_in,
    raise_store_error,
)
from loopback_auth.store.sign_in_lock import SignInLock

Store = TokenStore | AsyncTokenStore


class OpenStore:
    """A store, with coroutines only.

    Args:
        store: of either kind.

    Raises:
        ConfigError: it is of neither kind.
    """

    def __init__(self, store: Store) -> None:
        check_store(store)
        self.store = store

    async def load(self, name: str) -> SignIn | None:
        """Return a sign-in; None when there is none of that name.

        Raises:
            StoreError: the store failed, or returned something else.
        """
        store = self.store
        try:
            if isinstance(store, AsyncTokenStore):
                found = await store.load(name)
            else:
                found = await apart(store.load, name)
        except Exception as exc:
            raise_store_error(exc)
        return checked_sign_in(found, name)

    async def save(self, sign_in: SignIn) -> None:
        """Keep a sign-in under its name.

        Raises:
            StoreError: the store failed.
        """
        store = self.store
        try:
            if isinstance(store, AsyncTokenStore):
                await store.save(sign_in)
            else:
                await apart(store.save, sign_in)
        except Exception as exc:
            raise_store_error(exc)

    async def delete(self, name: str) -> bool:
        """Delete a sign-in; return whether there was one.

        Raises:
            StoreError: the store failed.
        """
        store = self.store
        try:
            if isinstance(store, AsyncTokenStore):
                return await store.delete(name)
            return await apart(store.delete, name)
        except Exception as exc:
            raise_store_error(exc)

    async def check_writable(self) -> None:
        """Check that a sign-in can be kept now.

        Raises:
            StoreError: it cannot.
        """
        store = self.store
        try:
            if isinstance(store, AsyncTokenStore):
                await store.check_writable()
            else:
                await apart(store.check_writable)
        except Exception as exc:
            raise_store_error(exc)

    def sign_in_lock(self, name: str) -> SignInLock:
        """Return the lock that lets one caller at a time ask the person.

        Raises:
            StoreError: the store failed.
        """
        try:
            return self.store.sign_in_lock(name)
        except Exception as exc:
            raise_store_error(exc)

    @asynccontextmanager
    async def locked(self, name: str, timeout: float = LOCK_TIMEOUT) -> AsyncGenerator[None]:  # noqa: ASYNC109 - the store's
        """Hold the lock on one name; waiting for it does not block the loop and can be cancelled.

        Raises:
            StoreError: the lock was not free in time, or the store failed.
        """
        try:
            lock = self.store.lock(name, timeout)
            if isinstance(lock, AbstractAsyncContextManager):
                await lock.__aenter__()
            else:
                await enter(lock)
        except Exception as exc:
            raise_store_error(exc)
        try:
            yield
        except GeneratorExit:
            # Its loop was closed, so that nothing can be awaited any more.
            if isinstance(lock, AbstractContextManager):
                lock.__exit__(None, None, None)
            raise
        except BaseException:
            await _leave(lock)
            raise
        await _leave(lock)


async def _leave(lock: AbstractContextManager[None] | AbstractAsyncContextManager[None]) -> None:
    """Give a lock back; if that fails, what was done under it is done, and the lock lapses."""
    with suppress(Exception):
        if isinstance(lock, AbstractAsyncContextManager):
            await to_the_end(_awaited(lock))
        else:
            await to_the_end(apart(lock.__exit__, None, None, None))


async def _awaited(lock: AbstractAsyncContextManager[None]) -> None:
    await lock.__aexit__(None, None, None)
