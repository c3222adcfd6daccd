"""Locks of the operating system that are waited for; the one that is not is `early_lock`.

Imported when something is to be locked, since filelock takes longer to import than a kept token to read.
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
    """Hold a lock of the operating system; it may be left by another thread, and dies with its process.

    Args:
        path: the lock file; made, and left behind, since removing it would split those who wait.
        timeout: seconds to wait on entry; 0 or less: try once.

    Raises:
        StoreError: (on entry) somebody else held it all the time, or it cannot be made.
    """
    make_folder(os.path.dirname(path))
    # A negative time-out would mean for ever.
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
