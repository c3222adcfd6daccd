"""A lock of the operating system that is needed before the browser is started.

It ends with its process, so that the program never has to check whether the holder is still alive. All other
locks use filelock (`locks`); importing that takes longer than starting Python, so this lock makes the same
system call itself.

On a file system without locks (some network and FUSE mounts) every process gets it: two open tabs are better
than waiting for a process that does not exist.
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
"""Errors that mean that another process has the lock; the C library of Wine gives no number."""
_FAR = 1 << 30
"""The position of the lock on Windows, where a locked byte cannot be read."""


class ProcessLock:
    """A lock on a file that is taken at once or not at all; any thread may release it.

    Args:
        path: of the locked file; its folder is created.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor: int | None = None
        """Of the locked file, for reading and writing; None while the lock is not held."""

    def take(self) -> bool:
        """Take the lock if it is free; return whether this object has it.

        Raises:
            StoreError: the file cannot be created or opened.
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
        """Release the lock, if it is held."""
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
    """Unlock before closing: a process that was forked keeps the file open, and Windows unlocks late."""
    try:
        if sys.platform == "win32":
            import msvcrt  # Of one platform.

            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        else:
            import fcntl  # Of one platform.

            fcntl.flock(descriptor, fcntl.LOCK_UN)
    except OSError:
        return  # The file system has no locks, so there was none.
