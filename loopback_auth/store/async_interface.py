"""The base class of stores whose methods are coroutines; `TokenStore` says what each method promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager, AbstractContextManager

from loopback_auth.errors import StoreError
from loopback_auth.registration import Registrations
from loopback_auth.store.interface import (
    LOCK_TIMEOUT,
    check_sign_in,
    checked_name,
    checked_sign_in,
    raise_store_error,
)
from loopback_auth.store.locks import ThreadSignInLock, thread_lock
from loopback_auth.store.registered_ports import ports_of
from loopback_auth.store.sign_in_lock import SignInLock
from loopback_auth.tokens import SignIn


class AsyncTokenStore(ABC):
    """A store whose methods are coroutines: `read` and `write` have to be written, as in `TokenStore`.

    The coroutines are awaited in the event loop of the caller. The functions without `async`, such as
    `login_sync`, have a loop of their own for each call, so they need a store that works in any loop.
    """

    excludes_processes = False
    """See `TokenStore`."""

    changes = 0
    """See `TokenStore`."""

    @abstractmethod
    async def read(self, name: str) -> SignIn | None:
        """Return the sign-in that is kept under a name; None when there is none."""

    @abstractmethod
    async def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep a sign-in under a name, completely or not at all; None: remove what is kept."""

    async def names(self) -> tuple[str, ...]:
        """Return the names of all kept sign-ins, in alphabetical order; by default none."""
        return ()

    async def load(self, name: str) -> SignIn | None:
        """Return a sign-in, checked; None when there is none of that name.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: the store failed, or returned something else.
        """
        try:
            found = await self.read(checked_name(name))
        except Exception as exc:
            raise_store_error(exc)
        return checked_sign_in(found, name)

    async def save(self, sign_in: SignIn) -> None:
        """Keep a sign-in under its name, and replace the previous one.

        Raises:
            ConfigError: it is not a `SignIn`, or its name cannot be one.
            StoreError: the store failed.
        """
        check_sign_in(sign_in)
        await self._write(sign_in.name, sign_in)

    async def delete(self, name: str) -> bool:
        """Delete a sign-in; return whether there was one. The caller holds its lock.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: the store failed.
        """
        try:
            found = await self.load(name) is not None
        except StoreError:
            found = True  # What cannot be read can be removed.
        await self._write(name, None)
        return found

    def lock(
        self, name: str, timeout: float = LOCK_TIMEOUT
    ) -> AbstractAsyncContextManager[None] | AbstractContextManager[None]:
        """Return a lock on one name, as in `TokenStore.lock`; a plain one is entered in a thread.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: (on entry) the lock was not free in time.
        """
        return thread_lock(self, checked_name(name), timeout)

    def sign_in_lock(self, name: str) -> SignInLock:
        """Return the lock that lets one caller at a time ask the user, as in `TokenStore.sign_in_lock`.

        Raises:
            ConfigError: this cannot be a name.
        """
        return ThreadSignInLock(self, checked_name(name))

    async def check_writable(self) -> None:  # noqa: B027 - to be overridden, or not
        """Check that a sign-in can be kept now, before the user is asked to sign in; by default do nothing.

        Raises:
            StoreError: it cannot.
        """

    async def begin_refresh(self, sign_in: SignIn) -> None:  # noqa: B027 - as above
        """Note that a refresh token is about to be sent, as in `TokenStore.begin_refresh`."""

    async def abandon_refresh(self, sign_in: SignIn) -> None:  # noqa: B027 - as above
        """Note that the refresh token can be sent again; by default do nothing."""

    async def read_registrations(self, issuer: str) -> Registrations | None:
        """Return the clients that were registered at an issuer, as in `TokenStore.read_registrations`."""
        found: Registrations | None = vars(self).get("_registrations", {}).get(issuer)
        return found

    async def write_registrations(self, issuer: str, registrations: Registrations | None) -> None:
        """Keep the clients that are registered at an issuer; None: remove them."""
        vars(self).setdefault("_registrations", {})[issuer] = registrations

    async def registered_ports(self, issuer: str) -> tuple[int, ...]:
        """Return the ports of the redirect URIs that are registered, as in `TokenStore.registered_ports`."""
        first = [await self.read_registrations(issuer)] if issuer else []
        kept = (*first, *vars(self).get("_registrations", {}).values())
        return ports_of(uri for each in kept if each is not None for uri in each.redirect_uris)

    async def _write(self, name: str, sign_in: SignIn | None) -> None:
        try:
            await self.write(checked_name(name), sign_in)
        except Exception as exc:
            raise_store_error(exc)
        finally:
            vars(self)["changes"] = self.changes + 1  # As in `TokenStore`.
