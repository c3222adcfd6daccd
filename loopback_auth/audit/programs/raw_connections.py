"""Connections of an attacker to the program's port, byte by byte, and the attempt to share its port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from loopback_auth.audit.programs.actions import SendBytes
from loopback_auth.audit.programs.links import is_here

CONNECT_SECONDS = 3.0
PIECE_SECONDS = 0.05
"""Seconds between two pieces, so that they arrive as two."""
SEND_SECONDS = 5.0
"""Seconds in which the program has to accept a piece."""
LARGEST = 256 * 1024
"""Bytes of an answer that are read."""


async def send_bytes(action: SendBytes, keep: Callable[[asyncio.StreamWriter], None]) -> bytes:
    """Open a connection, send the pieces, and return what comes back.

    Args:
        action: what is sent where.
        keep: keeps a connection open until the sign-in ends.
    """
    host, _, port = action.authority.rpartition(":")
    host = host.strip("[]")
    if not is_here(f"http://{action.authority}"):
        return b""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1" if host == "localhost" else host, int(port)
            )
    except (OSError, TimeoutError, ValueError):
        return b""
    try:
        with suppress(OSError, TimeoutError):
            for piece in action.pieces:
                writer.write(piece)
                async with asyncio.timeout(SEND_SECONDS):
                    await writer.drain()
                await asyncio.sleep(PIECE_SECONDS)
        return await _answer(reader, action.wait)
    finally:
        if action.keep:
            keep(writer)
        else:
            writer.close()


async def _answer(reader: asyncio.StreamReader, wait: float) -> bytes:
    answer = bytearray()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(wait):
            while len(answer) < LARGEST and (piece := await reader.read(LARGEST)):
                answer += piece
    return bytes(answer)
