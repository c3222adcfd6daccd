"""The port that a program always uses: it has to be free before the program is started again."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time

PORT_SECONDS = 10.0
"""Seconds to wait for the port; one that is in use for longer is not expected to become free."""
PAUSE = 0.05
ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


async def wait_for_port(port: int, seconds: float = PORT_SECONDS) -> bool:
    """Wait until a port of this machine can be listened on; return whether it can."""
    until = time.monotonic() + seconds
    while not is_free(port):
        if time.monotonic() >= until:
            return False
        await asyncio.sleep(PAUSE)
    return True


def is_free(port: int) -> bool:
    """Return whether a port can be listened on, at both loopback addresses."""
    return all(_refusal(family, host, port) != errno.EADDRINUSE for family, host in ADDRESSES)


def _refusal(family: socket.AddressFamily, host: str, port: int) -> int:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # As servers do; on Windows this would share the port.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen()
    except OSError as exc:
        return exc.errno or 0
    return 0
