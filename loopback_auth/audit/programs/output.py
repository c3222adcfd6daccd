"""What a program writes: all of it is read, so that it never waits for us; beginning and end are kept."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field

KEPT = 256 * 1024
"""Bytes of a stream that are kept from its beginning, and as many from its end."""
PIECE = 64 * 1024
AT_ONCE = 16
"""Pieces that are read before anything else has its turn."""


@dataclass(slots=True)
class Output:
    """What was written to one stream.

    Args:
        written: number of bytes.
        at: when something was last written, in monotonic seconds; 0: nothing was.
    """

    written: int = 0
    at: float = 0.0
    _head: bytearray = field(default_factory=bytearray, repr=False)
    _tail: bytearray = field(default_factory=bytearray, repr=False)

    def add(self, piece: bytes) -> None:
        """Keep a piece, or as much of it as is kept."""
        self.written += len(piece)
        self.at = time.monotonic()
        free = KEPT - len(self._head)
        self._head += piece[:free]
        self._tail += piece[free:]
        if len(self._tail) > 2 * KEPT:
            del self._tail[:-KEPT]

    @property
    def text(self) -> str:
        """The kept bytes; what is not UTF-8 is replaced."""
        tail = bytes(self._tail[-KEPT:])
        left_out = self.written - len(self._head) - len(tail)
        gap = f"\n[{left_out} bytes left out]\n".encode() if left_out else b""
        return (bytes(self._head) + gap + tail).decode("utf-8", "replace")


class Reader:
    """Reads the streams of one program in the running loop, until `close`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._outputs: dict[int, Output] = {}

    def read(self, stream: int, output: Output) -> None:
        """Read a file descriptor, which this then owns."""
        if sys.platform != "win32":
            os.set_blocking(stream, False)
        self._outputs[stream] = output
        self._loop.add_reader(stream, self._readable, stream)

    def catch_up(self) -> None:
        """Read what is there: the loop may not have had its turn since it was written."""
        for stream in tuple(self._outputs):
            for _ in range(AT_ONCE):
                self._readable(stream)

    def close(self) -> None:
        """Read what is there, and close the streams."""
        self.catch_up()
        for stream in tuple(self._outputs):
            self._end(stream)

    def _readable(self, stream: int) -> None:
        output = self._outputs.get(stream)
        if output is None:
            return
        with suppress(BlockingIOError):
            try:
                piece = os.read(stream, PIECE)
            except BlockingIOError:
                raise
            except OSError:
                piece = b""  # EIO: the last that had the terminal open has closed it.
            if piece:
                output.add(piece)
            else:
                self._end(stream)

    def _end(self, stream: int) -> None:
        if self._outputs.pop(stream, None) is not None:
            self._loop.remove_reader(stream)
            os.close(stream)
