"""When several callers want to sign in at once, one of them leads, and the others wait for its result.

The leader says who it is and, afterwards, how the sign-in ended. Those who wait share a failure: otherwise
twenty of them would ask the same person one after the other.

Of processes that share a folder, the leader holds a lock of the operating system, so that a leader that dies
is replaced without a check whether it is still alive. What it says is in the locked file.

All other locks use filelock (`locks`). Importing that takes longer than starting Python, and this lock is
needed before the browser is started, so it makes the same system call itself. On a file system without locks
(some network and FUSE mounts) every process gets it: two open tabs are better than waiting for a process that
does not exist.

Source: int128/kubelogin#904, gravitational/teleport#9450 (many tabs); punkpeye/mcp-remote#325.
"""

# Pathlib takes longer to import than all of this to run.
# ruff: noqa: PTH120

from __future__ import annotations

import errno
import os
import sys
import time

from loopback_auth.errors import AttemptCancelled, LoopbackAuthError, SignInRequired
from loopback_auth.narrow import is_object
from loopback_auth.store.private_files import make_folder, read_private, system_refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK, 0})
"""Errors that mean that another process has the lock; the C library of Wine gives no number."""
_FAR = 1 << 30
"""The position of the lock on Windows, where a locked byte cannot be read."""


class SignInLock:
    """The lock of one name; as a context manager, the time for which this caller leads.

    Every method may block. A subclass decides who is excluded, and where the leader says how it ends.
    """

    def lead(self) -> bool:
        """Become the leader if there is none; return whether this caller leads.

        Raises:
            StoreError: the lock cannot be asked for.
        """
        raise NotImplementedError

    def leave(self) -> None:
        """Let another caller lead."""
        raise NotImplementedError

    def read_said(self) -> bytes:
        """Return what the leader has said last, as JSON; empty when that is not known."""
        raise NotImplementedError

    def say(self, said: bytes) -> None:
        """Say something in place of what was said before, as the leader; if that fails, do nothing."""
        raise NotImplementedError

    def leader(self) -> int:
        """Return the process ID of the leader; 0 when it is not known."""
        process = self._said().get("process")
        return process if type(process) is int and process > 0 else 0

    def ended_since(self, moment: float) -> bool:
        """Return whether a sign-in has ended since a time, in Unix seconds.

        Raises:
            SignInRequired: it has ended with a failure.
        """
        said = self._said()
        ended_at, error = said.get("ended_at"), said.get("error")
        # A time in the future is from a clock that was wrong, and counts as none.
        if not isinstance(ended_at, (int, float)) or not moment <= ended_at <= time.time():
            return False
        if isinstance(error, str) and error:
            raise SignInRequired(
                f"Another sign-in, which was waited for, failed: {error}", hint="Sign in again."
            )
        return True

    def __enter__(self) -> SignInLock:
        """Say that this process leads; only after `lead` has returned True."""
        # The browser is not started yet, so json is not imported for this.
        self.say(b'{"process": %d}' % os.getpid())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A cancelled sign-in, or a crash, concerns this caller alone.
        if exc is None or (isinstance(exc, LoopbackAuthError) and not isinstance(exc, AttemptCancelled)):
            import json  # Start-up.

            said = {"ended_at": time.time(), "error": "" if exc is None else str(exc)}
            self.say(json.dumps(said).encode("ascii"))
        self.leave()

    def _said(self) -> Mapping[str, object]:
        import json  # Start-up.

        try:
            said = json.loads(self.read_said() or b"{}")
        except (ValueError, RecursionError, LoopbackAuthError):
            return {}  # It is being written, or was edited by hand; its content is optional.
        return said if is_object(said) else {}


class FileSignInLock(SignInLock):
    """Excludes the other processes that share a folder.

    Args:
        path: of the locked file; its folder is created.
    """

    def __init__(self, path: str) -> None:
        self._lock = ProcessLock(path)

    def lead(self) -> bool:
        """Become the leader if there is none; return whether this process leads.

        Raises:
            StoreError: the file cannot be created or opened.
        """
        return self._lock.take()

    def leave(self) -> None:
        """Let another process lead."""
        self._lock.release()

    def read_said(self) -> bytes:
        """Return the content of the locked file."""
        return read_private(self._lock.path) or b""

    def say(self, said: bytes) -> None:
        """Write the locked file."""
        if (descriptor := self._lock.descriptor) is None:
            return
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.truncate(descriptor, 0)
            os.write(descriptor, said)
        except OSError:
            return  # On a full disk the sign-in goes on, and the other processes sign in themselves.


class ProcessLock:
    """A lock on a file that is taken at once or not at all; any thread may release it.

    Args:
        path: of the locked file; its folder is created.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor: int | None = None
        """The descriptor of the locked file, for reading and writing; None while the lock is not held."""

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
        _HELD_LOCKS[id(self)] = self
        return True

    def release(self) -> None:
        """Release the lock, if it is held."""
        if self.descriptor is not None:
            _unlock(self.descriptor)
            self.forget()

    def forget(self) -> None:
        """Close the file without unlocking it: in a process that was forked, the lock is its parent's."""
        descriptor, self.descriptor = self.descriptor, None
        _HELD_LOCKS.pop(id(self), None)
        if descriptor is not None:
            os.close(descriptor)


_HELD_LOCKS: dict[int, ProcessLock] = {}
"""Those that this process holds, by identity."""


def _forget_all() -> None:
    for lock in [*_HELD_LOCKS.values()]:
        lock.forget()


if hasattr(os, "register_at_fork"):
    # Else the lock would outlive a parent that is killed for as long as a child lives.
    os.register_at_fork(after_in_child=_forget_all)


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
