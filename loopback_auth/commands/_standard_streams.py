"""stdin and stdout as bytes, for commands that another program talks to.

A thread reads and another one writes, because event loops can watch neither files nor, on Windows, the pipes
of a console program.
"""

from __future__ import annotations

import os

from loopback_auth.network.threads import apart

PIECE = 256 * 1024
"""Bytes that are read at once."""


async def read_stdin() -> bytes:
    """Return some bytes of stdin, as soon as there are some; empty at its end."""
    return await apart(os.read, 0, PIECE)


async def write_stdout(data: bytes) -> None:
    """Write bytes to stdout, and return when all of them are written.

    Raises:
        OSError: the reader has ended, for instance.
    """
    await apart(_written, data)


def _written(data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(1, rest) :]
