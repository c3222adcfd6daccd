"""Keep sign-ins in memory, for programs that embed this package, and for tests."""

from __future__ import annotations

from loopback_auth.store.interface import TokenStore
from loopback_auth.tokens import SignIn


class MemoryTokenStore(TokenStore):
    """Keeps sign-ins as long as the object exists."""

    def __init__(self) -> None:
        self._kept: dict[str, SignIn] = {}

    def names(self) -> tuple[str, ...]:
        """Return the names of all kept sign-ins, in alphabetical order."""
        return tuple(sorted(self._kept))

    def read(self, name: str) -> SignIn | None:
        """Return a sign-in; None when there is none of that name."""
        return self._kept.get(name)

    def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep a sign-in, or remove it."""
        if sign_in is None:
            self._kept.pop(name, None)
        else:
            self._kept[name] = sign_in
