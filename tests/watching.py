"""A fixture of all tests that open sockets: none of them may be left behind."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_socket_left() -> Iterator[None]:
    """Fail the test that leaves a socket open."""
    before, threads = _sockets(), set(threading.enumerate())
    yield
    # A browser that the test did not wait for is still reading its last page, and a renewal that has returned
    # its result is still closing its event loop.
    for thread in set(threading.enumerate()) - threads:
        if thread.is_alive():
            thread.join(60)
    gc.collect()

    assert _sockets() <= before


def _sockets() -> int:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        return 0
    count = 0
    for entry in folder.iterdir():
        try:
            count += os.readlink(entry).startswith("socket:")  # noqa: PTH115 - the target is no path
        except OSError:
            continue
    return count
