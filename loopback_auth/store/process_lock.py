"""A lock of the operating system that is needed before the browser is started.

It dies with its process, so that nobody has to judge whether a holder is still alive. Everything else is
locked by filelock (`locks`), but importing that costs more than starting Python does; hence
this one lock is taken by the call that filelock makes too.

Where a file system has no locks (some network and FUSE mounts), everybody gets it: two open tabs are better
than waiting for a process that is not there.
"""

# Pathlib takes longer to import than all of this to run.
# ruff: noqa: PTH120

from __future__ import annotations

import errno
import os
import sys

from loopback_auth.store.private_files import make_folder, system_refused

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK, 0})
"""What says that somebody else has the lock; the C library of Wine says so without a number."""
_FAR = 1 << 30
"""Where the lock is on Windows: nobody can read a byte that is locked."""


class ProcessLock:
    """A lock on a file that is taken at once or not at all; any thread may let go of it.

    Args:
        path: of the file that is locked; its folder is made.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor: int | None = None
        """Of the file, for reading and writing, while the lock is held."""

    def take(self) -> bool:
        """Take the lock if nobody has it; return whether it is ours.

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
            _unlock(self.descriptor)
            os.close(self.descriptor)
            self.descriptor = None


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # Of one platform.

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # Of one platform.

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unlock(descriptor: int) -> None:
    """Unlock before closing: a process forked meanwhile keeps the file open, and Windows takes its time."""
    try:
        if sys.platform == "win32":
            import msvcrt  # Of one platform.

            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        else:
            import fcntl  # Of one platform.

            fcntl.flock(descriptor, fcntl.LOCK_UN)
    except OSError:
        return  # Where a file system has no locks there was none.
