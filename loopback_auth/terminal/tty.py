"""A POSIX terminal whose keys arrive one by one without echo, and the restoration of its modes.

A terminal's own line editing cuts a line at 1,024 bytes on macOS and at 4,096 on Linux, and what it cuts off
is gone; many an authorization response is longer. So it is switched off, and the little that is needed of it
done in `keys`. Ctrl-C stays a signal. Bracketed paste is switched on, so that a line break inside a paste is
not taken for Enter. Whatever ends the wait, the terminal is put back, and keys that were not read are thrown
away: the rest of a secret must not end up in the shell.

Knows nothing of sign-ins. Weak spot, admitted: after SIGKILL the terminal stays as it is.

Source: POSIX.1-2017 §11.1.7 (non-canonical mode); XTerm Control Sequences, "Bracketed Paste Mode".
"""

from __future__ import annotations

import asyncio
import atexit
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from typing import TextIO

from loopback_auth.errors import Unavailable
from loopback_auth.terminal.line import fitted

assert sys.platform != "win32"  # noqa: S101 - tells type checkers what the rest is checked for

BRACKETS_ON = "\x1b[?2004h"
BRACKETS_OFF = "\x1b[?2004l"

WRITE_SECONDS = 1.0
"""Seconds that a terminal gets to take what must not be lost."""

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)
"""Signals that end or stop a program without giving Python a chance to tidy up."""


class Keyboard:
    """A terminal without echo for as long as the block lasts; draws one line of its own when asked to.

    To be made in a running loop.

    Args:
        terminal: file descriptor, best one that does not block; never made so here, others may share it.
        brackets: switch bracketed paste on.
    """

    def __init__(self, terminal: int, *, brackets: bool) -> None:
        self._terminal = terminal
        self._brackets = brackets
        self._line = ""
        self._drawn = 0
        self.inside: bool = False
        """Whether keys are ours now; after `bg` they are not."""
        self._before: list[int | list[bytes | int]] = []
        self._loop = asyncio.get_running_loop()
        self._stack = ExitStack()

    def __enter__(self) -> Keyboard:
        try:
            self._before = termios.tcgetattr(self._terminal)
            self._enter()
        except termios.error as exc:
            raise Unavailable(f"The terminal cannot be set up for pasting: {exc.args[-1]}") from exc
        # For a loop that Ctrl-C leaves for good, with this block in the middle of it.
        atexit.register(self._leave)
        self._stack.callback(atexit.unregister, self._leave)
        if threading.current_thread() is threading.main_thread():
            for number in ENDING:
                if signal.getsignal(number) == signal.SIG_DFL:
                    self._hear(number)
                    self._stack.callback(self._stop_hearing, number)
        self._stack.callback(self._leave)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def draw(self, text: str) -> None:
        """Show a line in place of the one before; cut at its front to the width."""
        self._line = text
        try:
            # A pseudo-terminal may have no size.
            room = (os.get_terminal_size(self._terminal).columns or 80) - 1
        except OSError:
            room = 79
        shown = fitted(text, room)
        _write(self._terminal, "\r" + shown.ljust(min(self._drawn, room)))
        self._drawn = len(shown)

    def wipe(self) -> None:
        """Take the line away again."""
        self._line = ""
        if self._drawn:
            _write(self._terminal, "\r" + " " * self._drawn + "\r", WRITE_SECONDS)
            self._drawn = 0

    def forget_keys(self) -> None:
        """Throw away what was typed and not read."""
        with suppress(termios.error):  # The terminal may be gone.
            termios.tcflush(self._terminal, termios.TCIFLUSH)

    def _enter(self) -> None:
        modes = termios.tcgetattr(self._terminal)
        # Without IEXTEN, Ctrl-V and, on macOS, Ctrl-O are keys like others.
        modes[3] = modes[3] & ~(termios.ICANON | termios.ECHO | termios.IEXTEN) | termios.ISIG
        characters = list(modes[6])
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0
        termios.tcsetattr(self._terminal, termios.TCSAFLUSH, [*modes[:6], characters])
        self.inside = True
        if self._brackets:
            _write(self._terminal, BRACKETS_ON, WRITE_SECONDS)

    def _leave(self) -> None:
        self.inside = False
        if in_background(self._terminal):
            return  # It is the shell's by now, and to touch it would stop us.
        line = self._line
        self.wipe()
        self._line = line
        if self._brackets:
            _write(self._terminal, BRACKETS_OFF, WRITE_SECONDS)
        with suppress(termios.error):
            termios.tcsetattr(self._terminal, termios.TCSAFLUSH, self._before)

    def _hear(self, number: int) -> None:
        try:
            # It wakes the loop, too: a signal that comes just before the loop begins to wait would else be
            # heard only when the loop has something else to do.
            self._loop.add_signal_handler(number, self._signalled, number)
        except NotImplementedError:
            signal.signal(number, lambda _, __: self._signalled(number))

    def _stop_hearing(self, number: int) -> None:
        with suppress(NotImplementedError):
            self._loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)

    def _signalled(self, number: int) -> None:
        self._leave()
        self._stop_hearing(number)
        os.kill(os.getpid(), number)
        # Only SIGTSTP lets anything follow: the person has said `fg`, or `bg`.
        self._hear(number)
        if not self._line and in_background(self._terminal):
            return  # Without an open question the sign-in can go on; a question needs the terminal.
        self._enter()
        if self._line:
            self.draw(self._line)


@contextmanager
def arriving(terminal: int, take: Callable[[], None]) -> Generator[None]:
    """Call `take` in the running loop when there is something to read, and never once the block is left."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_reader(terminal, take)
    except (NotImplementedError, OSError):
        # Some loops have no readers, and the kqueue of macOS refuses /dev/tty.
        with _looking(terminal, take):
            yield
        return
    try:
        yield
    finally:
        loop.remove_reader(terminal)


@contextmanager
def _looking(terminal: int, take: Callable[[], None]) -> Generator[None]:
    """Call `take` in the running loop whenever something has arrived, from a thread that can be ended."""
    loop = asyncio.get_running_loop()
    told, teller = os.pipe()
    taken = threading.Event()
    over = False

    def taking() -> None:
        if not over:
            take()
        taken.set()

    def look() -> None:
        while told not in select.select([terminal, told], [], [])[0]:
            taken.clear()
            with suppress(RuntimeError):  # The loop has been closed, which ends this thread in a moment.
                loop.call_soon_threadsafe(taking)
            taken.wait()
        os.close(told)

    thread = threading.Thread(target=look, name="loopback_auth terminal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over = True
        os.close(teller)
        # Once more than needed: it may be about to wait.
        while thread.is_alive():
            taken.set()
            thread.join(0.01)


def read(terminal: int) -> bytes | None:
    """Return what has arrived; nothing at all when the terminal was closed, None when it is there no more."""
    try:
        return os.read(terminal, 65536)
    except BlockingIOError:
        return None  # Ctrl-C has thrown away what had arrived.
    except OSError:
        return b""


def in_background(terminal: int) -> bool:
    """Return whether another process group has the terminal: reading or setting it would stop us."""
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:
        return False  # It is not the terminal that controls us.


def own_terminal(stream: TextIO | None, path: str) -> int | None:
    """Return a file descriptor of the terminal that is ours to close, or nothing without a terminal.

    It does not block; that does not affect other programs, because it is not a duplicate of their descriptor.

    Args:
        stream: asked first.
        path: of the controlling terminal, asked then; empty for none.
    """
    own = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK
    with suppress(OSError, ValueError):  # The stream may be closed.
        if stream is not None and stream.isatty():
            try:
                return os.open(os.ttyname(stream.fileno()), own)
            except OSError:
                return os.dup(stream.fileno())  # After `su` it belongs to another user and cannot be opened.
    with suppress(OSError):
        return os.open(path, own)
    return None


def _write(screen: int, text: str, seconds: float = 0.0) -> None:
    """Write, but to a terminal that is held up (Ctrl-S) for no longer than `seconds`."""
    rest = text.encode("utf-8", "replace")
    with suppress(OSError, ValueError):
        while rest:
            try:
                rest = rest[os.write(screen, rest) :]
            except BlockingIOError:
                if not select.select([], [screen], [], seconds)[1]:
                    return
