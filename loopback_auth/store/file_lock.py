"""A lock of the operating system on a file, for everything that several processes must not do at once.

It dies with its process, so that nobody has to judge whether a holder is still alive, and the file stays,
since removing it would split those who wait. One process takes it before it starts the browser, and importing
filelock costs more than starting Python does; hence it is taken here, by the call that filelock makes too.

Where a file system has no locks (some network and FUSE mounts), everybody gets one: files are still replaced
in one step, and a sign-in that could never be kept would be worse than one that is renewed twice.
"""

# Pathlib takes longer to import than all of this to run.
# ruff: noqa: PTH120

from __future__ import annotations

import errno
import os
import sys

from loopback_auth.store.private_files import make_folder, store_error, system_refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
_FAR = 1 << 30
"""Where the lock is on Windows: nobody can read a byte that is locked."""
_PAUSE = 0.05


class FileLock:
    """A lock that is taken at once or not at all; any thread may let go of it.

    Args:
        path: of the file that is locked; its folder is made.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor: int | None = None
        """Of the file, for reading and writing, while the lock is held."""

    def take(self) -> bool:
        """Take the lock if nobody has it; tell whether it is ours.

        Raises:
            StoreError: the file cannot be made or opened.
        """
        if self.descriptor is not None:
            return True
        make_folder(os.path.dirname(self.path))
        try:
            descriptor = os.open(self.path, _FLAGS, 0o600)
        except OSError as exc:
            raise system_refused(exc, self.path, "locked") from exc
        try:
            _lock(descriptor)
        except OSError as exc:
            if exc.errno in _HELD:
                os.close(descriptor)
                return False
        self.descriptor = descriptor
        return True

    def release(self) -> None:
        """Let somebody else have it."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def locked(path: str, timeout: float) -> AbstractContextManager[None]:
    """Hold a lock for as long as the block takes.

    Args:
        path: of the file that is locked; its folder is made.
        timeout: seconds to wait on entry; 0 or less: try once.

    Raises:
        StoreError: (on entry) somebody else held it all the time, or it cannot be made.
    """
    from contextlib import contextmanager

    return contextmanager(_locked)(path, timeout)


def _locked(path: str, timeout: float) -> Iterator[None]:
    import time

    lock = FileLock(path)
    give_up_at = time.monotonic() + timeout
    while not lock.take():
        if time.monotonic() >= give_up_at:
            import shlex

            raise store_error(
                f"{path} is held by another process: waited {max(timeout, 0.0):g} seconds",
                f"Try again in a moment; to see who holds it, run: fuser {shlex.quote(path)}",
            )
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        lock.release()


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
