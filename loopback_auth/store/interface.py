"""The interface of a store of sign-ins, for programs that keep them elsewhere."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from loopback_auth.model import SignIn
from loopback_auth.store import LOCK_TIMEOUT


class TokenStore(Protocol):
    """Where sign-ins are kept; every method may block, and raises `StoreError` when it fails."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all kept sign-ins, in alphabetical order."""
        ...

    def load(self, name: str) -> SignIn | None:
        """Return a sign-in; None when there is none of that name."""
        ...

    def save(self, sign_in: SignIn) -> None:
        """Keep a sign-in under its name, and replace the previous one."""
        ...

    def delete(self, name: str) -> bool:
        """Delete a sign-in; return whether there was one."""
        ...

    def lock(self, name: str, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Return a lock that excludes all others; it waits for at most `timeout` seconds on entry."""
        ...

    def check_writable(self) -> None:
        """Check that a sign-in can be kept now, before a person is asked to sign in."""
        ...
