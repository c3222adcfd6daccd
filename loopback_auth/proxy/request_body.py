"""The content of a request on its way to the server, the beginning of which can be sent again.

A server may refuse the token only after it has read a part. What was read so far is kept until it is more
than `KEPT`, so memory stays bounded however large the content is; the rest is still to come from the client.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from aiohttp import StreamReader

KEPT = 256 * 1024
"""Bytes up to which the content can be sent again."""


class RequestBody:
    """The content of one request.

    Args:
        content: comes from the client.
        length: in bytes, as far as it is stated. If it is more than `KEPT`, nothing is kept: to hold pieces
            that are of no use costs a quarter of the CPU.
        moved: called when some of it has arrived.
    """

    def __init__(self, content: StreamReader, length: int | None, moved: Callable[[], None]) -> None:
        self._content = content
        self._moved = moved
        self._kept: list[bytes] = []
        self._size = length if length is not None and length > KEPT else 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.failed: bool = False
        """The client has broken off, or has sent something that is no content."""

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent again from its beginning."""
        return self._size <= KEPT and not self.failed

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the content from its beginning, as long as it is repeatable.

        An earlier iteration that was cancelled in the middle of a read has taken nothing from the client.
        """
        await self._idle.wait()
        for chunk in tuple(self._kept):
            yield chunk
        while chunk := await self._next():
            self._moved()
            yield chunk

    async def _next(self) -> bytes:
        self._idle.clear()
        try:
            chunk = await self._content.readany()
        except Exception:
            self.failed = True
            raise
        finally:
            self._idle.set()
        if self._size <= KEPT:
            self._size += len(chunk)
            self._kept.append(chunk)
            if self._size > KEPT:
                self._kept.clear()
        return chunk
