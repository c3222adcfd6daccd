"""A Windows console whose keys arrive one by one without echo; it has the same names as `tty`.

The console shows what is typed only while a program reads a line, so there is nothing to switch off and
nothing to put back. Whether a key waits is asked twenty times a second, because no event loop can wait for a
console. Ctrl-C stays a signal. Keys that were not read are thrown away at the end: the rest of a secret
must not end up in the shell.

Knows nothing of sign-ins. Weak spots, admitted: there is no bracketed paste, so `keys` recognises a paste by
its length; and an arrow key begins with the same code as the letter U+00E0 (a with grave), which is therefore
lost together with the next key.

Source: Microsoft C run-time library, `_kbhit` and `_getwch` (function and arrow keys come in two parts).
"""

from __future__ import annotations

import asyncio
import msvcrt
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TextIO

from loopback_auth.errors import Unavailable
from loopback_auth.terminal.line import fitted

assert sys.platform == "win32"  # noqa: S101 - tells type checkers what the rest is checked for

LOOK_SECONDS = 0.05
"""Between two looks for a key."""
FIRST_OF_TWO = ("\x00", "\xe0")
"""What arrow and function keys begin with."""
MOST = 65536
"""Characters taken at once, so that a long paste does not keep the loop from everything else."""


class Keyboard:
    """A console for as long as the block lasts; draws one line of its own when asked to.

    Args:
        terminal: file descriptor of the console's input; the keys come by msvcrt, which has but one console.
        brackets: of no use here.
    """

    def __init__(self, terminal: int, *, brackets: bool) -> None:
        self._drawn = 0
        self._screen: TextIO | None = None
        self.inside = False
        """Whether keys are ours now."""

    def __enter__(self) -> Keyboard:
        try:
            self._screen = open("CONOUT$", "w", encoding="utf-8")  # noqa: PTH123 - a device
        except OSError as exc:
            raise Unavailable("The console cannot be written to.") from exc
        self.inside = True
        self.forget_keys()
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()
        self.forget_keys()
        self.inside = False
        if self._screen is not None:
            self._screen.close()

    def draw(self, text: str) -> None:
        """Show a line in place of the one before; cut at its front to the width."""
        room = self._columns() - 1
        shown = fitted(text, room)
        self._write("\r" + shown.ljust(min(self._drawn, room)))
        self._drawn = len(shown)

    def wipe(self) -> None:
        """Take the line away again."""
        if self._drawn:
            self._write("\r" + " " * self._drawn + "\r")
            self._drawn = 0

    def forget_keys(self) -> None:
        """Throw away what was typed and not read."""
        while msvcrt.kbhit():
            msvcrt.getwch()

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._screen.fileno()).columns if self._screen is not None else 80
        except OSError:
            return 80

    def _write(self, text: str) -> None:
        if self._screen is not None:
            with suppress(OSError):
                self._screen.write(text)
                self._screen.flush()


@contextmanager
def arriving(terminal: int, take: Callable[[], None]) -> Generator[None]:
    """Call `take` in the running loop when there is something to read, and never once the block is left."""

    async def look() -> None:
        while True:
            if msvcrt.kbhit():
                take()
            await asyncio.sleep(LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()


def read(terminal: int) -> bytes | None:
    """Return the keys that wait, as UTF-8; None when there are none."""
    keys = ""
    while msvcrt.kbhit() and len(keys) < MOST:
        key = msvcrt.getwch()
        if key in FIRST_OF_TWO:
            msvcrt.getwch()
        else:
            keys += key
    # A character beyond the first 65,536 comes as two halves.
    return keys.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8") or None


def in_background(terminal: int) -> bool:
    """Return whether another program has the console now, which does not happen on Windows."""
    return False


def own_terminal(stream: TextIO | None, path: str) -> int | None:
    """Return a file descriptor of the console that is ours to close, or nothing without a console.

    Args:
        stream: asked first; a device such as NUL also calls itself a terminal, and is none.
        path: of the controlling terminal, as POSIX names it; empty: ask `stream` alone.
    """
    with suppress(OSError, ValueError, AttributeError):  # The stream may be closed, or a replacement.
        raw = getattr(getattr(stream, "buffer", None), "raw", None)
        if stream is not None and type(raw).__name__ == "_WindowsConsoleIO":
            return os.dup(stream.fileno())
    if path:
        with suppress(OSError):
            return os.open("CONIN$", os.O_RDWR)
    return None
