"""How the engine speaks to a store, whether its methods block or are coroutines, and keeps new tokens there.

Methods that block run in threads that can be left alone. Whatever a store raises becomes an error of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)

from loopback_auth.errors import LoopbackAuthError, NotKept, StoreError
from loopback_auth.events import Notify, Warned, silent
from loopback_auth.network.threads import HeldLock, apart, has_loop, to_the_end
from loopback_auth.registration import Registrations
from loopback_auth.store import FileTokenStore
from loopback_auth.store.async_interface import AsyncTokenStore
from loopback_auth.store.interface import (
    LOCK_TIMEOUT,
    TokenStore,
    check_store,
    checked_registrations,
    checked_sign_in,
    raise_store_error,
    refuse_awaitable,
)
from loopback_auth.store.sign_in_lock import SignInLock
from loopback_auth.tokens import SignIn

Store = TokenStore | AsyncTokenStore

OVERTIME_SECONDS = 10.0
"""Seconds that a lock may take longer than its time-out, which a program's store may ignore."""

ENDING_SECONDS = 5.0
"""Seconds that a refresh gets to end when it is cancelled: its answer may hold the only valid token."""

PAUSES = (0.05, 0.2)
"""Seconds between tries to keep what is new, where the first one fails."""


class OpenStore:
    """A store of either kind, with coroutines for all its methods.

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
        with _failures():
            if isinstance(store, AsyncTokenStore):
                found = await store.load(name)
            else:
                found = await apart(store.load, name)
        return checked_sign_in(found, name)

    async def save(self, sign_in: SignIn) -> None:
        """Keep a sign-in under its name.

        Raises:
            StoreError: the store failed.
        """
        store = self.store
        with _failures():
            if isinstance(store, AsyncTokenStore):
                await store.save(sign_in)
            else:
                await apart(store.save, sign_in)

    async def delete(self, name: str) -> bool:
        """Delete a sign-in; return whether there was one.

        Raises:
            StoreError: the store failed.
        """
        store = self.store
        with _failures():
            if isinstance(store, AsyncTokenStore):
                return await store.delete(name)
            return await apart(store.delete, name)

    async def registrations(self, issuer: str) -> Registrations | None:
        """Return the clients that were registered at an issuer; None when there are none.

        Raises:
            StoreError: the store failed, or returned something else.
        """
        store = self.store
        with _failures():
            if isinstance(store, AsyncTokenStore):
                found = await store.read_registrations(issuer)
            else:
                found = await apart(store.read_registrations, issuer)
        return checked_registrations(found, issuer)

    async def keep_registrations(self, issuer: str, registrations: Registrations | None) -> None:
        """Keep the clients that are registered at an issuer; None: remove them.

        Raises:
            StoreError: the store failed.
        """
        store = self.store
        with _failures():
            if isinstance(store, AsyncTokenStore):
                await store.write_registrations(issuer, registrations)
            else:
                refuse_awaitable(await apart(store.write_registrations, issuer, registrations))

    async def registered_ports(self, issuer: str) -> tuple[int, ...]:
        """Return the ports of the redirect URIs that are registered, those at an issuer first.

        Raises:
            StoreError: the store failed.
        """
        store = self.store
        with _failures():
            if isinstance(store, AsyncTokenStore):
                return await store.registered_ports(issuer)
            return await apart(store.registered_ports, issuer)

    async def names(self) -> tuple[str, ...]:
        """Return the names of all kept sign-ins, as far as the store can list them.

        Raises:
            StoreError: the store failed.
        """
        store = self.store
        with _failures():
            return await store.names() if isinstance(store, AsyncTokenStore) else await apart(store.names)

    async def check_writable(self) -> None:
        """Check that a sign-in can be kept now.

        Raises:
            StoreError: it cannot.
        """
        store = self.store
        with _failures():
            if isinstance(store, AsyncTokenStore):
                await store.check_writable()
            else:
                await apart(store.check_writable)

    @asynccontextmanager
    async def refreshing(self, sign_in: SignIn) -> AsyncGenerator[None]:
        """Tell the store that a refresh token is being sent, for as long as the block lasts.

        Raises:
            SignInRequired: another host may have used the refresh token.
            StoreError: the store failed.
        """
        store = self.store
        with _failures():
            if isinstance(store, AsyncTokenStore):
                await store.begin_refresh(sign_in)
            else:
                await apart(store.begin_refresh, sign_in)
        try:
            yield
        except (GeneratorExit, NotKept):
            raise  # The refresh token is used up, or nothing can be awaited any more.
        except BaseException:
            with suppress(Exception):
                await to_the_end(self._abandon(sign_in), ENDING_SECONDS)
            raise

    async def _abandon(self, sign_in: SignIn) -> None:
        store = self.store
        if isinstance(store, AsyncTokenStore):
            await store.abandon_refresh(sign_in)
        else:
            await apart(store.abandon_refresh, sign_in)

    def sign_in_lock(self, name: str) -> SignInLock:
        """Return the lock that lets one caller at a time ask the user.

        Raises:
            StoreError: the store failed.
        """
        try:
            lock = self.store.sign_in_lock(name)
        except Exception as exc:
            raise_store_error(exc)
        # The method may be of the program, which nothing has checked.
        if not isinstance(lock, SignInLock):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise StoreError(
                f"The store returned a value of type {type(lock).__name__} instead of a SignInLock.",
                hint="Leave sign_in_lock out, or return what that of the base class returns.",
            )
        return lock

    @asynccontextmanager
    async def locked(self, name: str, timeout: float = LOCK_TIMEOUT) -> AsyncGenerator[None]:  # noqa: ASYNC109 - the store's
        """Hold the lock on one name; waiting for it does not block the loop and can be cancelled.

        Raises:
            StoreError: the lock was not free in time, or the store failed.
        """
        try:
            lock = self._lock(name, timeout)
            async with asyncio.timeout(max(timeout, 0.0) + OVERTIME_SECONDS):
                if isinstance(lock, HeldLock):
                    await lock.entered()
                else:
                    await lock.__aenter__()
        except Exception as exc:
            raise_store_error(exc)
        try:
            yield
        except GeneratorExit:
            # Its loop was closed, so that nothing can be awaited any more.
            if isinstance(lock, HeldLock):
                lock.leave(ENDING_SECONDS)
            raise
        except BaseException:
            await _leave(lock)
            raise
        await _leave(lock)

    def _lock(self, name: str, timeout: float) -> HeldLock | AbstractAsyncContextManager[None]:
        lock = self.store.lock(name, timeout)
        if isinstance(lock, AbstractAsyncContextManager):
            return lock
        # The method may be of the program, which nothing has checked.
        if isinstance(lock, AbstractContextManager):  # pyright: ignore[reportUnnecessaryIsInstance]
            return HeldLock(lock)
        if close := getattr(lock, "close", None):
            close()  # A coroutine would be reported as never awaited.
        raise StoreError(
            f"The method lock of the store returned a value of type {type(lock).__name__} instead of a lock.",
            hint="Let lock return a context manager, or leave it out.",
        )


@contextmanager
def _failures() -> Generator[None]:
    """Turn whatever a store raises into an error of ours."""
    try:
        yield
    except asyncio.CancelledError as exc:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # The task goes on: something that the store waited for was cancelled, such as its connection.
        raise StoreError("The store failed: CancelledError", hint="Check the store.") from exc
    except Exception as exc:
        raise_store_error(exc)


async def _leave(lock: HeldLock | AbstractAsyncContextManager[None]) -> None:
    """Give a lock back; if that fails, what was done under it is done, and the lock lapses."""
    with suppress(Exception):
        if isinstance(lock, HeldLock) and not has_loop():
            lock.leave(ENDING_SECONDS)
        else:
            left = lock.left() if isinstance(lock, HeldLock) else _awaited(lock)
            await to_the_end(left, ENDING_SECONDS)


async def _awaited(lock: AbstractAsyncContextManager[None]) -> None:
    await lock.__aexit__(None, None, None)


async def keep(store: Store, sign_in: SignIn) -> None:
    """Keep new tokens, trying more than once; the caller holds the lock.

    Args:
        store: where they are kept.
        sign_in: what to keep.

    Raises:
        NotKept: the store did not take them; the error has them.
    """
    for pause in (*PAUSES, None):
        try:
            return await to_the_end(save_checked(OpenStore(store), sign_in), ENDING_SECONDS)
        except LoopbackAuthError as exc:
            if pause is None:
                raise NotKept(sign_in.name, sign_in, exc) from exc
            await asyncio.sleep(pause)


async def save_checked(store: OpenStore, sign_in: SignIn) -> None:
    """Save a sign-in, and look whether the store has it: the old refresh token must not be used again.

    Raises:
        StoreError: the store failed, or has other tokens.
    """
    await store.save(sign_in)
    kept: SignIn | None = sign_in
    with suppress(StoreError):  # What cannot be read now may be there all the same.
        kept = await store.load(sign_in.name)
    if kept is None or _secrets(kept) != _secrets(sign_in):
        raise StoreError("The store took the tokens, and has others.", hint="Check the store.")


def _secrets(sign_in: SignIn) -> tuple[str, str | None]:
    return sign_in.tokens.access_token, sign_in.tokens.refresh_token


async def keep_new(store: Store, sign_in: SignIn, notify: Notify = silent) -> None:
    """Keep a new sign-in, and warn if it replaces one of another account.

    From then on it is the default sign-in, unless it is of the demonstration, whose server has ended.

    Args:
        store: where it is kept.
        sign_in: what to keep.
        notify: called with the warning.

    Raises:
        NotKept: the store did not take it; the error has it.
    """
    async with OpenStore(store).locked(sign_in.name):
        before = None
        with suppress(StoreError):  # A damaged file is set aside by keeping the new one.
            before = await OpenStore(store).load(sign_in.name)
        await keep(store, sign_in)
        if isinstance(store, FileTokenStore) and not sign_in.temporary:
            with suppress(StoreError):  # The tokens are kept, and can be asked for by name.
                await apart(store.choose, sign_in.name)
    if before is not None and is_another_account(before, sign_in):
        notify(
            Warned(
                f"Replaced {before.tokens.account}, whose tokens for {sign_in.name} are not kept any more. "
                "To keep both, give each a name of its own."
            )
        )


async def other_account(store: Store, sign_in: SignIn) -> SignIn | None:
    """Return the kept sign-in of another account that a new one would replace; None when there is none."""
    with suppress(StoreError):  # A damaged file is set aside by keeping the new one.
        before = await OpenStore(store).load(sign_in.name)
        return before if before is not None and is_another_account(before, sign_in) else None
    return None


def is_another_account(before: SignIn, after: SignIn) -> bool:
    """Return whether the account is another one; what is shown of the same account may have changed.

    Source: OpenID Connect Core 1.0 §5.7 (`sub` and `iss` alone identify an account).
    """
    if before.tokens.account in ("", after.tokens.account):
        return False
    identities = [
        (id_token.claims.get("iss"), id_token.claims.get("sub"))
        for id_token in (before.tokens.id_token, after.tokens.id_token)
        if id_token is not None
    ]
    return len(identities) < 2 or identities[0] != identities[1]
