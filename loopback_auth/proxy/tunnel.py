"""A connection that has become a websocket: bytes are carried both ways, and not looked at.

Each side is read only as fast as the other one takes it. When one side ends, the tunnel ends.

Source: RFC 9110 §7.8; RFC 6455 §1.3 (the intermediary is a tunnel from here on).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

Write = Callable[[bytes], Awaitable[None]]

HIGH = 64 * 1024
"""Bytes that wait for the other side, from which on no more are read."""


class _Flow(Protocol):
    """What can be told to read no further: a protocol of aiohttp."""

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Incoming:
    """What one side has sent, until the other side takes it; aiohttp feeds it as it feeds its own parsers.

    Args:
        flow: of the connection that it comes from.
    """

    def __init__(self, flow: _Flow) -> None:
        self._flow = flow
        self._waiting: list[bytes] = []
        self._size = 0
        self._ended = False
        self._paused = False
        self._news = asyncio.Event()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what has arrived; return that this is not the end, and that nothing is left over."""
        self._waiting.append(data)
        self._size += len(data)
        if self._size > HIGH and not self._paused:
            self._paused = True
            self._flow.pause_reading()
        self._news.set()
        return False, b""

    def feed_eof(self) -> None:
        """Note that this side has ended."""
        self._ended = True
        self._news.set()

    async def read(self) -> bytes:
        """Return what has arrived; empty at the end."""
        while not self._waiting and not self._ended:
            self._news.clear()
            await self._news.wait()
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        if self._paused and not self._ended:
            self._paused = False
            self._flow.resume_reading()
        return data


async def carry(client: Incoming, to_server: Write, server: Incoming, to_client: Write) -> None:
    """Carry bytes both ways until one side ends."""
    directions = (
        asyncio.ensure_future(_carry(client, to_server)),
        asyncio.ensure_future(_carry(server, to_client)),
    )
    try:
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for direction in directions:
            direction.cancel()
        await asyncio.gather(*directions, return_exceptions=True)


async def _carry(incoming: Incoming, write: Write) -> None:
    while data := await incoming.read():
        await write(data)
