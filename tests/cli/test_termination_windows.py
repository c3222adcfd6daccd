"""Ctrl-Break and a console window that is closed: both are heard as Ctrl-C is."""

from __future__ import annotations

import asyncio
import sys
import threading

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
