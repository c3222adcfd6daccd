"""The base class of stores, the names of what is kept there, and what is refused as a store.

A program that keeps sign-ins elsewhere derives a class from `TokenStore`, or from `AsyncTokenStore` (see
`async_interface`), and writes two methods. The command that prints a kept token imports this module, so it
imports nothing itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from loopback_auth.narrow import NAME_CHARACTERS, NAME_LIMIT, is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import NoReturn

    from loopback_auth.registration import Registrations
    from loopback_auth.store.sign_in_lock import SignInLock
    from loopback_auth.tokens import SignIn

LOCK_TIMEOUT = 30.0
HASHED = 16
"""Hexadecimal digits of a hash in the name of a sign-in whose address cannot be its name."""
_ASYNCHRONOUS = 0x80 | 0x200
"""Flags of the code of a coroutine function and of an async generator (`inspect.CO_COROUTINE`)."""


class TokenStore(ABC):
    """Where sign-ins are kept. A subclass writes `read` and `write`; everything else has a default.

        class MyStore(TokenStore):
            def read(self, name):
                text = my_database.get(name)
                return None if text is None else SignIn.from_json(text)

            def write(self, name, sign_in):
                my_database.set(name, None if sign_in is None else sign_in.to_json())

    The methods may block: an asyncio program calls them in threads of their own, several at the same time and
    never twice in the same one. Any exception that is not a `LoopbackAuthError` becomes a `StoreError`; if
    new tokens could not be kept, it becomes `NotKept`, which has them.
    """

    excludes_processes = False
    """Whether `lock` excludes other processes too, and locks each name apart from the others.

    If so, one of several processes asks the user to sign in, and the others use the result.
    """

    changes = 0
    """How often this object has saved or deleted something, so that a `TokenSource` looks again at once."""

    @abstractmethod
    def read(self, name: str) -> SignIn | None:
        """Return the sign-in that is kept under a name; None when there is none.

        Args:
            name: 1 to 100 characters out of `a-z0-9._-`, of which the first is a letter or a digit.
        """

    @abstractmethod
    def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep a sign-in under a name, completely or not at all, and replace the previous one.

        Args:
            name: as in `read`; it is also the name of the sign-in.
            sign_in: what to keep; None: remove what is kept.
        """

    def names(self) -> tuple[str, ...]:
        """Return the names of all kept sign-ins, in alphabetical order; by default none.

        Only `Accounts.list` needs them: signing in, renewing and signing out do not.
        """
        return ()

    def load(self, name: str) -> SignIn | None:
        """Return a sign-in, checked; None when there is none of that name.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: the store failed, or returned something else.
        """
        try:
            found = self.read(checked_name(name))
        except Exception as exc:
            raise_store_error(exc)
        return checked_sign_in(found, name)

    def save(self, sign_in: SignIn) -> None:
        """Keep a sign-in under its name, and replace the previous one.

        Raises:
            ConfigError: it is not a `SignIn`, or its name cannot be one.
            StoreError: the store failed.
        """
        check_sign_in(sign_in)
        self._write(sign_in.name, sign_in)

    def delete(self, name: str) -> bool:
        """Delete a sign-in; return whether there was one. The caller holds its lock.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: the store failed.
        """
        from loopback_auth.errors import StoreError  # Start-up.

        try:
            found = self.load(name) is not None
        except StoreError:
            found = True  # What cannot be read can be removed.
        self._write(name, None)
        return found

    def lock(self, name: str, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Return a lock on one name; by default it excludes the other threads that use this object.

        If processes share the store, override this and exclude them too: a server that rotates refresh tokens
        revokes all of them when two processes send the same one (RFC 9700 §4.14.2). The lock need not be
        reentrant: a thread of its own enters and leaves it. It should end with its process.

        Args:
            name: of a sign-in, which need not exist yet.
            timeout: seconds to wait for the lock on entry.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: (on entry) the lock was not free in time.
        """
        from loopback_auth.store.locks import thread_lock  # Start-up.

        return thread_lock(self, checked_name(name), timeout)

    def sign_in_lock(self, name: str) -> SignInLock:
        """Return the lock that lets one caller at a time ask the user, while the others wait.

        By default it excludes the other threads that use this object, and other processes if
        `excludes_processes` says so.

        Raises:
            ConfigError: this cannot be a name.
        """
        from loopback_auth.store.locks import ThreadSignInLock  # Start-up.

        return ThreadSignInLock(self, checked_name(name))

    def check_writable(self) -> None:  # noqa: B027 - to be overridden, or not
        """Check that a sign-in can be kept now, before the user is asked to sign in; by default do nothing.

        Raises:
            StoreError: it cannot.
        """

    def begin_refresh(self, sign_in: SignIn) -> None:  # noqa: B027 - as above
        """Note that the refresh token of a kept sign-in is about to be sent; by default do nothing.

        The caller holds its lock. A store that hosts share can refuse here what a host may have sent that
        died before it kept the answer; see `RedisTokenStore`.

        Raises:
            SignInRequired: the refresh token may have been used.
            StoreError: the store failed, or has other tokens by now.
        """

    def abandon_refresh(self, sign_in: SignIn) -> None:  # noqa: B027 - as above
        """Note that the refresh token can be sent again, after `begin_refresh`; by default do nothing."""

    def read_registrations(self, issuer: str) -> Registrations | None:
        """Return the clients that were registered at an issuer (RFC 7591); None when there are none.

        By default this object remembers them, so that a program registers again when it is started again.
        To keep them, override both methods; `to_json` and `from_json` make a text of them, with secrets.

        Args:
            issuer: identity of the server, a URL.
        """
        found: Registrations | None = vars(self).get("_registrations", {}).get(issuer)
        return found

    def write_registrations(self, issuer: str, registrations: Registrations | None) -> None:
        """Keep the clients that are registered at an issuer, completely or not at all; None: remove them."""
        vars(self).setdefault("_registrations", {})[issuer] = registrations

    def registered_ports(self, issuer: str) -> tuple[int, ...]:
        """Return the ports of the redirect URIs that are registered, those that were used last first.

        Args:
            issuer: whose ports come first; empty: none is preferred.
        """
        from loopback_auth.store.registered_ports import ports_of  # Start-up.

        first = [self.read_registrations(issuer)] if issuer else []
        kept = (*first, *vars(self).get("_registrations", {}).values())
        return ports_of(uri for each in kept if each is not None for uri in each.redirect_uris)

    def _write(self, name: str, sign_in: SignIn | None) -> None:
        try:
            answer: object = self.write(checked_name(name), sign_in)
        except Exception as exc:
            raise_store_error(exc)
        finally:
            vars(self)["changes"] = self.changes + 1  # The object may be frozen.
        refuse_awaitable(answer)


def check_store(store: object) -> None:
    """Refuse what is not a store, before anything is opened.

    Raises:
        ConfigError: it is neither a `TokenStore` nor an `AsyncTokenStore`, or a `TokenStore` has a coroutine
            where a plain method belongs.
    """
    if not isinstance(store, TokenStore):
        # Start-up.
        from loopback_auth.errors import ConfigError
        from loopback_auth.store.async_interface import AsyncTokenStore

        if isinstance(store, AsyncTokenStore):
            return
        if isinstance(store, type):
            hint = f"Pass an instance: {store.__name__}(...)."
        else:
            hint = "Pass FileTokenStore(path), MemoryTokenStore(), or a store derived from TokenStore."
        what = "a class" if isinstance(store, type) else f"of type {type(store).__name__}"
        raise ConfigError(
            f"store must be a TokenStore or an AsyncTokenStore, and is {what}.", hint=hint, parameter="store"
        )
    for method in (
        *(store.read, store.write, store.load, store.save, store.delete, store.check_writable),
        *(store.read_registrations, store.write_registrations, store.registered_ports),
    ):
        if getattr(getattr(method, "__code__", None), "co_flags", 0) & _ASYNCHRONOUS:
            from loopback_auth.errors import ConfigError  # Start-up.

            raise ConfigError(
                f"{type(store).__name__}.{method.__name__} is a coroutine, and a TokenStore has none.",
                hint="Derive the class from AsyncTokenStore.",
                parameter="store",
            )


def checked_sign_in(found: object, name: str) -> SignIn | None:
    """Return what a store has returned for a name, or refuse it.

    Raises:
        StoreError: it is neither None nor the sign-in of that name.
    """
    if found is None:
        return None
    # Start-up.
    from loopback_auth.errors import StoreError
    from loopback_auth.tokens import SignIn

    if not isinstance(found, SignIn):
        refuse_awaitable(found)
        raise StoreError(
            f"The store returned a value of type {type(found).__name__} for {name} instead of a SignIn.",
            hint="Let read return a SignIn or None.",
        )
    if found.name != name:
        raise StoreError(
            f"The store returned the sign-in {found.name!r} when asked for {name!r}.",
            hint="Keep each sign-in under its own name; two programs may be writing to the same place.",
        )
    return found


def checked_registrations(found: object, issuer: str) -> Registrations | None:
    """Return what a store has returned for an issuer, or refuse it: a secret must go to no other server.

    Raises:
        StoreError: it is neither None nor the registrations of that issuer.
    """
    if found is None:
        return None
    # Start-up.
    from loopback_auth.errors import StoreError
    from loopback_auth.registration import Registrations

    if isinstance(found, Registrations) and found.issuer == issuer:
        return found
    refuse_awaitable(found)
    what = "those of another issuer" if isinstance(found, Registrations) else type(found).__name__
    raise StoreError(
        f"The store was asked for the registrations at {issuer!a:.200} and returned {what}.",
        hint="Let read_registrations return the Registrations of that issuer, or None.",
    )


def check_sign_in(value: object) -> None:
    """Refuse to keep what is not a sign-in.

    Raises:
        ConfigError: it is not a `SignIn`.
    """
    # Start-up: whatever has made a sign-in has imported both.
    from loopback_auth.field_checks import check_instance
    from loopback_auth.tokens import SignIn

    check_instance(value, SignIn, "sign_in")


def refuse_awaitable(answer: object) -> None:
    """Refuse the coroutine that a method returned which only looks like a plain one.

    Raises:
        StoreError: it is awaitable.
    """
    if not hasattr(answer, "__await__"):
        return
    from loopback_auth.errors import StoreError  # Start-up.

    if close := getattr(answer, "close", None):
        close()
    raise StoreError(
        "The store returned a coroutine, and a TokenStore has none.",
        hint="Derive the class from AsyncTokenStore.",
    )


def raise_store_error(exc: Exception) -> NoReturn:
    """Raise an exception of a store as an error of ours.

    Raises:
        LoopbackAuthError: the exception itself, if it is one.
        StoreError: it is not; the exception is its cause, because its text may contain secrets.
    """
    from loopback_auth.errors import LoopbackAuthError, StoreError  # Start-up.

    if isinstance(exc, LoopbackAuthError):
        raise exc
    raise StoreError(
        f"The store failed: {type(exc).__name__}", hint="See the cause of this error, and check the store."
    ) from exc


def sign_in_name(text: str) -> str:
    """Turn the address of an issuer or resource, or the name of a provider, into the name of a sign-in.

    Args:
        text: an address without its scheme, or a name. In place of a query, which may hold a secret, and of
            what is too long, the name gets a part of a hash, so that two addresses have two names.

    Returns:
        1 to 100 characters out of `a-z0-9._-`, of which the first is a letter or a digit.

    Raises:
        ConfigError: the text has no letter and no digit.
    """
    plain, query, _ = text.partition("?")
    spelled = "".join(each if each in NAME_CHARACTERS else "-" for each in plain.lower()).lstrip("._-")
    if query or len(spelled) > NAME_LIMIT:
        from hashlib import sha256  # Few addresses are like that.

        digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASHED]
        spelled = f"{spelled[: NAME_LIMIT - HASHED - 1]}-{digest}"
    return checked_name(spelled)


def checked_name(name: str) -> str:
    """Return the name of a sign-in unchanged, or refuse it.

    Raises:
        ConfigError: this cannot be a name.
    """
    if not is_name(name):
        from loopback_auth.errors import ConfigError  # Start-up.

        raise ConfigError(
            f"{ascii(name)[:80]} cannot be the name of a sign-in",
            hint="Use 1 to 100 of a-z, 0-9, dot, underscore and hyphen, and begin with a letter or digit.",
            parameter="name",
        )
    return name
