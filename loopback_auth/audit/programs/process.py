"""Start a program in a session of its own, and end it with everything that it started.

It gets pipes, or a terminal: one that is very wide, so that a link stays in one piece.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import which

from loopback_auth.audit.programs.descendants import Descendants
from loopback_auth.audit.programs.output import Output, Reader
from loopback_auth.errors import ConfigError

ROWS, COLUMNS = 50, 1000
GRACE = 1.0
"""Seconds from the polite request to end (SIGTERM) to the end by force."""
TYPED_LIMIT = 32 * 1024
"""Bytes that can be typed into a program without a terminal: what a pipe holds."""
# A session leader that opens a terminal gets it as its controlling one, which prompts for passwords want.
IN_TERMINAL = 'tty=$1; shift; exec "$@" <"$tty" >"$tty" 2>&1'


class Process:
    """A program that was started; `leave` has to be called in the end.

    Args:
        argv: the program, looked for on the PATH of its environment, and its arguments.
        environment: its variables.
        folder: in which it starts.
        terminal: it gets a terminal in place of pipes.
        typed: what it reads from stdin, if it has no terminal.

    Raises:
        ConfigError: there is no such program, or it cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        terminal: bool = False,
        typed: str = "",
    ) -> None:
        self.stdout: Output = Output()
        self.stderr: Output = Output()
        self.descendants: Descendants = Descendants()
        self.begun: float = time.monotonic()
        self.ended: float | None = None
        self._reader = Reader()
        self._master = -1
        whole = dict(environment) | dict([self.descendants.mark])
        command = [program_path(argv[0], whole.get("PATH", "")), *argv[1:]]
        try:
            if terminal:
                self._popen = self._in_terminal(command, whole, folder)
            else:
                self._popen = self._with_pipes(command, whole, folder, typed)
        except OSError as exc:
            self._reader.close()
            raise ConfigError(
                f"The program {ascii(argv[0])[:80]} cannot be started: {exc.strerror}.",
                hint="Start it by hand once, to see that it works.",
            ) from exc
        self.descendants.began(self._popen.pid)

    @property
    def terminal(self) -> bool:
        """Whether it has a terminal."""
        return self._master >= 0

    def status(self) -> int | None:
        """Return its exit status, negative for a signal; None while it runs."""
        status = self._popen.poll()
        if status is not None and self.ended is None:
            self.ended = time.monotonic()
        return status

    def catch_up(self) -> None:
        """Read what it has written until now, as far as it was not read yet."""
        self._reader.catch_up()

    def type(self, text: str) -> None:
        """Type a text into its terminal."""
        with suppress(OSError):
            os.write(self._master, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C: the program, and what it started in the same group, gets SIGINT."""
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGINT)

    async def leave(self) -> int:
        """End all its processes, first politely; return how many were still there."""
        try:
            self.descendants.scan()
            alive = len(self.descendants.alive())
            if alive:
                self.descendants.signal(signal.SIGTERM)
                until = time.monotonic() + GRACE
                while self.descendants.alive() and time.monotonic() < until:
                    self.status()
                    await asyncio.sleep(0.02)
            return alive
        finally:
            # Without a pause, so that nothing interrupts it.
            self.descendants.kill(reap=self.status)
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(1.0)  # Its end may take a moment to show.
            self.status()
            self._reader.close()

    def _with_pipes(
        self, command: list[str], environment: Mapping[str, str], folder: Path, typed: str
    ) -> subprocess.Popen[bytes]:
        popen = subprocess.Popen(  # noqa: S603 - the user named the command
            command,
            stdin=subprocess.PIPE if typed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        for stream, output in ((popen.stdout, self.stdout), (popen.stderr, self.stderr)):
            if stream is not None:
                self._reader.read(os.dup(stream.fileno()), output)
                stream.close()
        if popen.stdin is not None:
            with popen.stdin, suppress(OSError):
                popen.stdin.write(typed.encode()[:TYPED_LIMIT])
        return popen

    def _in_terminal(
        self, command: list[str], environment: Mapping[str, str], folder: Path
    ) -> subprocess.Popen[bytes]:
        if sys.platform == "win32":
            raise ConfigError("A program on Windows cannot be given a terminal.")
        import termios  # Windows has none.

        self._master, slave = os.openpty()
        self._reader.read(self._master, self.stdout)
        try:
            termios.tcsetwinsize(slave, (ROWS, COLUMNS))
            return subprocess.Popen(  # noqa: S603 - the user named the command
                ["/bin/sh", "-c", IN_TERMINAL, "sh", os.ttyname(slave), *command],
                stdin=subprocess.DEVNULL,
                stdout=slave,
                stderr=slave,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        finally:
            os.close(slave)


def program_path(name: str, path: str) -> str:
    """Find a program.

    Raises:
        ConfigError: there is none of that name, or it cannot be started.
    """
    found = which(name, path=path)
    if found is None and os.sep in name and Path(name).exists():
        raise ConfigError(
            f"{ascii(name)[:80]} is not a program that can be started.",
            hint="Make it executable with chmod +x, or start it by its interpreter, such as python FILE.",
        )
    if found is None:
        raise ConfigError(
            f"There is no program {ascii(name)[:80]} on PATH.",
            hint="Write the command as you type it in a terminal, with the whole path if need be.",
        )
    return found
