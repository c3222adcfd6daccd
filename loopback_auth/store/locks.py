"""Locks that wait until they are free; `sign_in_lock` has those that do not wait.

This module is imported only to lock something, because importing filelock takes longer than reading a kept
token.
"""

# Paths stay text, as in `private_files`: pathlib takes longer to import.
# ruff: noqa: PTH120

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager

from loopback_auth.store.private_files import WINDOWS, make_folder, quoted, store_error, system_refused
from loopback_auth.store.sign_in_lock import SignInLock

_WHO_HOLDS = "handle.exe {} (of Sysinternals)" if WINDOWS else "fuser {}"


@contextmanager
def locked(path: str, timeout: float) -> Generator[None]:
    """Hold a lock of the operating system; another thread may release it, and it ends with its process.

    Args:
        path: the lock file; created and never removed: otherwise two processes could hold different files.
        timeout: seconds to wait on entry; 0 or less: try once.

    Raises:
        StoreError: (on entry) the lock was not free in time, or its file cannot be created.
    """
    # A store of another kind needs its lock without this package.
    from filelock import FileLock, Timeout

    make_folder(os.path.dirname(path))
    # For filelock a negative timeout means for ever.
    lock = FileLock(path, timeout=max(timeout, 0.0), mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise store_error(
            f"{path} is held by another process: waited {timeout:g} seconds",
            f"Try again in a moment; to see who holds it, run: {_WHO_HOLDS.format(quoted(path))}",
        ) from None
    except OSError as exc:
        raise system_refused(exc, path, "locked") from exc
    try:
        yield
    finally:
        lock.release()


class Threads:
    """What the threads that use one store share, such as its locks; a copy of the store has its own.

    It is an attribute of the store, because a subclass need not call the constructor of the base class.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._locks: dict[str, threading.Lock] = {}
        self.said: dict[str, bytes] = {}

    @staticmethod
    def of(store: object) -> Threads:
        """Return what the threads that use a store share."""
        shared: Threads = vars(store).setdefault("_threads", Threads())
        return shared

    def __reduce__(self) -> tuple[type[Threads], tuple[()]]:
        return Threads, ()

    def lock(self, name: str) -> threading.Lock:
        """Return the lock of a name."""
        if self._process != os.getpid():
            # After a fork: a thread that held one of them is not in this process.
            self._process, self._locks = os.getpid(), {}
        return self._locks.setdefault(name, threading.Lock())


@contextmanager
def thread_lock(store: object, name: str, timeout: float) -> Generator[None]:
    """Hold a lock that excludes other threads which use the same object; another thread may release it.

    Args:
        store: the object.
        name: what is locked.
        timeout: seconds to wait on entry; 0 or less: try once.

    Raises:
        StoreError: (on entry) the lock was not free in time.
    """
    lock = Threads.of(store).lock(name)
    if not lock.acquire(timeout=max(timeout, 0.0)):
        raise store_error(
            f"The sign-in {name} is in use: waited {timeout:g} seconds", "Try again in a moment."
        )
    try:
        yield
    finally:
        lock.release()


class ThreadSignInLock(SignInLock):
    """Excludes the other threads, tasks and event loops that use the same store.

    Args:
        store: the object.
        name: of the sign-in.
    """

    def __init__(self, store: object, name: str) -> None:
        self._threads = Threads.of(store)
        # No name of a sign-in begins so.
        self._name = f"/{name}"
        self._held: threading.Lock | None = None

    def lead(self) -> bool:
        """Become the leader if there is none."""
        if self._held is None:
            lock = self._threads.lock(self._name)
            self._held = lock if lock.acquire(blocking=False) else None
        return self._held is not None

    def leave(self) -> None:
        """Let another caller lead."""
        held, self._held = self._held, None
        if held is not None:
            held.release()

    def read_said(self) -> bytes:
        """Return what the leader has said."""
        return self._threads.said.get(self._name, b"")

    def say(self, said: bytes) -> None:
        """Let the others know."""
        self._threads.said[self._name] = said
