"""A person at a terminal that is none: types and pastes, reads what is shown, and knows how it was set."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

import pytest

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

import pty
import termios

PASTE = "\x1b[200~{}\x1b[201~"

SHELL = 'trap : INT; exec <"$1" >"$1" 2>&1; stty -g; {}; echo "status $?"; stty -g; echo end'
PROGRAM = '"$2" -c "$3"'
IN_BACKGROUND = f"set -m; {PROGRAM} & wait $!"
UNTIL_ENTER = f"set -m; {PROGRAM} & read line; fg"
"""In the background until the person presses Enter."""


class Person:
    """The other end of a pseudo-terminal.

    Args:
        columns: how wide it is.
        lines: how high it is.
    """

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self.ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (lines, columns))
        os.set_blocking(self.ours, False)
        self.path = os.ttyname(theirs)
        self.stdin = os.fdopen(theirs, encoding="utf-8")
        self.stderr = os.fdopen(os.dup(theirs), "w", encoding="utf-8")
        self.modes_before = self.modes()
        self.shown = ""
        self._seen = 0

    def __enter__(self) -> Person:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stdin.close()
        self.stderr.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the terminal."""
        if self.ours >= 0:
            os.close(self.ours)
        self.ours = -1

    def modes(self) -> list[object]:
        """Return how the terminal is set now."""
        return list(termios.tcgetattr(self.stdin.fileno()))

    def look(self) -> str:
        """Return everything that was ever shown."""
        while True:
            try:
                self.shown += os.read(self.ours, 65536).decode()
            except BlockingIOError:
                return self.shown

    async def sees(self, text: str) -> None:
        """Wait until a text is shown after the one seen last."""
        while (at := self.look().find(text, self._seen)) < 0:  # noqa: ASYNC110 - some loops cannot watch
            await asyncio.sleep(0)
        self._seen = at + len(text)

    async def types(self, text: str, size: int = 65536) -> None:
        """Type or paste a text, in pieces of `size` bytes."""
        rest = text.encode()
        while rest:
            with suppress(BlockingIOError):
                rest = rest[os.write(self.ours, rest[:size]) :]
            self.look()
            # Whoever reads gets to read every piece by itself.
            await asyncio.sleep(0)

    def types_ahead(self, text: str) -> None:
        """Type what nobody reads before this returns; the system takes its time to hand it on."""
        os.write(self.ours, text.encode())
        select.select([self.stdin], [], [], 60)

    @contextmanager
    def session(self, script: str, *, program: str = PROGRAM, **environment: str) -> Iterator[None]:
        """Run a script in a session whose terminal this is, and end the session with the block.

        A shell around it shows the modes of the terminal before, the status, the modes after, and `end`.

        Args:
            script: in Python.
            program: how the shell starts it.
            environment: in place of what is there.
        """
        command = ["sh", "-c", SHELL.format(program), "sh", self.path, sys.executable, script]
        with subprocess.Popen(
            command,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        ) as session:
            try:
                yield
            finally:
                # Else a test that fails would wait here for ever.
                os.killpg(session.pid, signal.SIGKILL)

    def reported(self) -> list[str]:
        """Return what the shell of a session has shown: modes, status, modes."""
        lines = self.look().splitlines()
        return [line for line in lines if line.startswith("status") or line.count(":") > 10]
