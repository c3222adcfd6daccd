"""What a store of sign-ins has to do, whatever it keeps them in."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from loopback_auth.model import SignIn
from loopback_auth.store import LOCK_TIMEOUT


class TokenStore(Protocol):
    """Where sign-ins are kept; every method may block and raises `StoreError` when it cannot do its work."""

    def names(self) -> tuple[str, ...]:
        """List what is kept, in alphabetical order."""
        ...

    def load(self, name: str) -> SignIn | None:
        """Read one sign-in; None when there is none of that name."""
        ...

    def save(self, sign_in: SignIn) -> None:
        """Keep a sign-in under its name, in place of the old one."""
        ...

    def delete(self, name: str) -> bool:
        """Forget a sign-in; return whether there was one."""
        ...

    def lock(self, name: str, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Keep everybody else from the sign-in meanwhile; waits for at most `timeout` seconds on entry."""
        ...

    def check_writable(self) -> None:
        """Prove that a sign-in could be kept now, before a person is asked for one."""
        ...
