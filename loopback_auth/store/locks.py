"""Locks of the operating system that wait until they are free; `sign_in_lock` has the one that does not wait.

This module is imported only to lock something, because importing filelock takes longer than reading a kept
token.
"""

# As in `private_files`.
# ruff: noqa: PTH120

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from loopback_auth.store.private_files import WINDOWS, make_folder, quoted, store_error, system_refused

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
