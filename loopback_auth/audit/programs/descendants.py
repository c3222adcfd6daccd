"""The processes of a program: found by a variable in their environment, by session and by parent; and ended.

A program may start others, leave them behind, or put itself into the background. What it starts inherits its
environment, so that a variable with a value of this run alone finds it, whoever its parent is by then. A
process that hides from all three is not found here; see `orphans`.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil

from loopback_auth.audit.programs.observed import Listener
from loopback_auth.audit.programs.orphans import take_status

MARKER = "SIGN_IN_AUDIT"
"""Name of the variable."""
GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)
KILL_SECONDS = 5.0
"""Seconds in which the system ends a process that was killed."""


class Descendants:
    """The processes of one run, as far as they were seen."""

    def __init__(self) -> None:
        self.mark: tuple[str, str] = (MARKER, secrets.token_hex(16))
        """The variable that the program must be given."""
        self._own: dict[int, psutil.Process] = {}
        self._others: set[int] = set(psutil.pids())
        self._session = 0
        self._lines: dict[str, None] = {}

    def began(self, pid: int) -> None:
        """Note the program's first process, which leads a session."""
        self._session = pid
        self._others.discard(pid)
        with suppress(*GONE):
            self._own[pid] = psutil.Process(pid)
        self.scan()

    def scan(self) -> None:
        """Look for new processes, and note the command lines of all."""
        present = set(psutil.pids())
        self._others &= present
        # A child may have a lower number than its parent, so what is new is looked at until nothing is found.
        new = present - self._others - self._own.keys()
        while found := {pid: process for pid in new if (process := self._ours(pid)) is not None}:
            self._own |= found
            new -= found.keys()
        self._others |= new
        for process in self._own.values():
            with suppress(psutil.Error):
                # Again and again: exec gives a process another command line.
                self._lines[" ".join(process.cmdline())] = None

    @property
    def lines(self) -> tuple[str, ...]:
        """Every command line that was seen, in order."""
        return tuple(line for line in self._lines if line)

    def alive(self) -> list[psutil.Process]:
        """Return the processes that run; those that have ended, and were not waited for, do not."""
        return [one for one in self._own.values() if _runs(one)]

    def listeners(self) -> tuple[Listener, ...]:
        """Return the TCP ports on which they listen, in order of the ports.

        A process that forbids core dumps does not show its ports to the user whose it is (proc(5)): then
        those are taken of which the system does not say whose they are.
        """
        found: set[tuple[int, str]] = set()
        closed = False
        for process in self.alive():
            try:
                for one in process.net_connections("tcp"):
                    if one.status == psutil.CONN_LISTEN and one.laddr:
                        found.add((one.laddr.port, one.laddr.ip))
            except psutil.AccessDenied:
                closed = True
            except psutil.Error:
                continue
        if closed:
            with suppress(psutil.Error):
                for other in psutil.net_connections("tcp"):
                    known = other.pid is not None and other.pid not in self._own
                    if not known and other.status == psutil.CONN_LISTEN and other.laddr:
                        found.add((other.laddr.port, other.laddr.ip))
        return tuple(Listener(address, port) for port, address in sorted(found))

    def signal(self, number: int) -> None:
        """Send a signal to every process."""
        for process in self.alive():
            with suppress(psutil.Error):
                process.send_signal(number)

    def kill(self, reap: Callable[[], object]) -> None:
        """End every process, also those that are started meanwhile; returns when none is left.

        Args:
            reap: takes the status of the first process, which is there until then.
        """
        until = time.monotonic() + KILL_SECONDS
        while True:
            self.scan()
            alive = self.alive()
            if not alive or time.monotonic() > until:
                break
            for process in alive:
                with suppress(psutil.Error):
                    process.kill()
            reap()
            time.sleep(0.01)
        for pid in self._own.keys() - {self._session}:
            take_status(pid)

    def _ours(self, pid: int) -> psutil.Process | None:
        try:
            process = psutil.Process(pid)
            with suppress(psutil.AccessDenied, OSError):
                name, value = self.mark
                if process.environ().get(name) == value:
                    return process
            parent = self._own.get(process.ppid())
            if parent is not None and parent.is_running():  # Its number may be another's by now.
                return process
            if sys.platform != "win32" and os.getsid(pid) == self._session:
                return process
        except (*GONE, ProcessLookupError, PermissionError):
            return None
        return None


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def addresses(listeners: Iterable[Listener], port: int) -> tuple[str, ...]:
    """Return the addresses at which a port is open."""
    return tuple(one.address for one in listeners if one.port == port)
