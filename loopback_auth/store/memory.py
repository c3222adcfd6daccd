"""Keep sign-ins in memory, for programs that embed this package, and for tests."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

from loopback_auth.model import SignIn
from loopback_auth.store import LOCK_TIMEOUT, checked_name
from loopback_auth.store.private_files import store_error


class MemoryTokenStore:
    """Keeps sign-ins as long as the object exists."""

    def __init__(self) -> None:
        self._kept: dict[str, SignIn] = {}
        self._locks: dict[str, threading.Lock] = {}

    def names(self) -> tuple[str, ...]:
        """Return the names of all kept sign-ins, in alphabetical order."""
        return tuple(sorted(self._kept))

    def load(self, name: str) -> SignIn | None:
        """Return a sign-in; None when there is none of that name."""
        return self._kept.get(checked_name(name))

    def save(self, sign_in: SignIn) -> None:
        """Keep a sign-in under its name, and replace the previous one."""
        self._kept[checked_name(sign_in.name)] = sign_in

    def delete(self, name: str) -> bool:
        """Delete a sign-in; return whether there was one."""
        return self._kept.pop(checked_name(name), None) is not None

    def lock(self, name: str, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Return a lock that excludes other threads; it waits for at most `timeout` seconds on entry."""
        lock = self._locks.setdefault(checked_name(name), threading.Lock())
        return contextmanager(_held)(lock, name, timeout)

    def check_writable(self) -> None:
        """Do nothing: memory can always be written."""


def _held(lock: threading.Lock, name: str, timeout: float) -> Generator[None]:
    if not lock.acquire(timeout=max(timeout, 0.0)):
        raise store_error(
            f"The sign-in {name} is in use: waited {timeout:g} seconds", "Try again in a moment."
        )
    try:
        yield
    finally:
        lock.release()
