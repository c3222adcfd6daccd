"""Ctrl-Break and a console window that is closed: both are heard as Ctrl-C is."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import weakref

import pytest

if sys.platform != "win32":
    pytest.skip("a signal of Windows", allow_module_level=True)

import signal

from loopback_auth.cli.termination import Termination


def test_what_is_under_way_is_cancelled_and_has_its_time() -> None:
    """By default the process ends on the spot, be it between the answer to a refresh request and the disk."""
    said: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            said.append("tidied up")

    pressed = threading.Timer(0.1, signal.raise_signal, (signal.SIGBREAK,))
    pressed.start()
    with Termination(), pytest.raises(KeyboardInterrupt):
        asyncio.run(work())
    pressed.join()

    assert said == ["tidied up"]
    assert signal.getsignal(signal.SIGBREAK) == signal.SIG_DFL


def test_an_interruption_that_python_ignores_is_repeated() -> None:
    """Each import ends with a weakref callback, and what is raised in one goes no further."""

    class Module:
        pass

    def work() -> None:
        module = Module()
        watched = weakref.ref(module, lambda _: signal.raise_signal(signal.SIGBREAK))
        del module
        assert watched() is None
        for _ in range(600):  # Windows ends a sleep for Ctrl-C alone.
            time.sleep(0.1)

    with Termination(), pytest.raises(KeyboardInterrupt):
        work()
