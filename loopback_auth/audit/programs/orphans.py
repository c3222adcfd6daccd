"""Processes that hide: with no parent, session or variable left by which they are known as the program's.

Linux gives a process whose parent has ended to the nearest ancestor that asks for such orphans. This process
asks, so that whatever a program starts stays below it, and can be ended when the program is done with.

Source: https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

import psutil

PR_SET_CHILD_SUBREAPER = 36
SECONDS = 5.0
"""Seconds in which the system ends processes that were killed."""


class Orphans:
    """The processes below this one that were not there before."""

    def __init__(self) -> None:
        self._before = {one.pid for one in psutil.Process().children()}

    def end(self) -> int:
        """End them, and return how many ran; to be called when every program has been ended."""
        until, found = time.monotonic() + SECONDS, set[int]()
        while time.monotonic() < until:
            alive = [one for one in self._new() if _is_alive(one)]
            if not alive:
                break
            found |= {one.pid for one in alive}
            for one in alive:
                with suppress(psutil.Error):
                    one.kill()
            time.sleep(0.01)
        for one in self._new():
            take_status(one.pid)
        return len(found)

    def _new(self) -> list[psutil.Process]:
        own = psutil.Process().children()
        return [each for one in own if one.pid not in self._before for each in (one, *_below(one))]


@contextmanager
def adopted() -> Generator[Orphans]:
    """Have orphans come to this process while the block lasts, where the system does that; then end them."""
    asked = _ask(True)
    orphans = Orphans()
    try:
        yield orphans
    finally:
        if asked:
            orphans.end()
            _ask(False)


def take_status(pid: int) -> None:
    """Take the status of a process that has ended, if it is a child of this one."""
    if sys.platform != "win32":
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _below(process: psutil.Process) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    with suppress(psutil.Error):
        found += process.children(recursive=True)
    return found


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _ask(wanted: bool) -> bool:
    if sys.platform != "linux":
        return False
    import ctypes  # Start-up: only this needs it.

    try:
        return int(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0)) == 0
    except AttributeError:
        return False
