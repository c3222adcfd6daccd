"""Another program, as a shell would run it: found, become, or watched until it ends.

On POSIX a watched program is in our process group, so that what the terminal sends reaches it once: Ctrl-C,
Ctrl-Z, the end of the terminal, a new size. Such a signal is left to it; what a process sends to us alone is
passed on. When it stops we stop, and when it dies of a signal we die of the same one, so that the shell above
sees what it would see without us.

The signals are blocked, and taken one after the other; a new program gets the mask that there was before. On
Windows nothing can be become: a program is watched in any case, and Ctrl-C is left to it.

Weak spot: a signal that a process sends to the whole group reaches the program twice, because we cannot know.

Source: POSIX.1-2017, XBD 11.1 "General Terminal Interface"; XCU 2.8.2 "Exit Status for Commands" (126, 127);
signal(7), sigwaitinfo(2).
"""

from __future__ import annotations

import errno
import os
import signal
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from loopback_auth.cli.core_dumps import allow_core_dumps, forbid_core_dumps
from loopback_auth.errors import ConfigError

TERMINAL_STOPS = ("SIGTSTP", "SIGTTIN", "SIGTTOU")
TAKEN = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGTSTP", "SIGCHLD")
"""Signals that are waited for while a program runs."""
IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")
"""Signals that Python ignores, and other programs do not (Lib/subprocess.py, `restore_signals`)."""


class NotFound(ConfigError):
    """There is no such program."""

    exit_code = 127


class NotExecutable(ConfigError):
    """The program cannot be started."""

    exit_code = 126


def find(command: str, environ: Mapping[str, str]) -> str:
    """Return the path of a program, as a shell finds it.

    Args:
        command: a name, or a path.
        environ: of the program.

    Raises:
        NotFound: there is none.
        NotExecutable: there is one, and this user may not execute it.
    """
    if sys.platform == "win32":
        from shutil import which  # Of one platform.

        if (found := which(command, path=environ.get("PATH"))) is None:
            raise NotFound(f"{ascii(command)[:80]} was not found.", hint="Check its name, and PATH.")
        return found
    if not command:
        raise NotFound("The command is empty.", hint="Name a program after --.")
    paths = [command]
    if "/" not in command:
        # An empty entry of PATH is the current folder (XBD 8.3).
        paths = [f"{each or '.'}/{command}" for each in environ.get("PATH", os.defpath).split(":")]
    there = False
    for path in paths:
        with suppress(OSError):
            is_file = stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - as the shells do
            if is_file and os.access(path, os.X_OK):
                return path
            there = there or is_file or "/" in command
    if there:
        raise NotExecutable(
            f"{ascii(command)[:80]} cannot be executed.",
            hint="Check that it is a program, and its permissions.",
        )
    raise NotFound(f"{ascii(command)[:80]} was not found.", hint="Check its name, and PATH.")


def become(path: str, command: Sequence[str], environ: Mapping[str, str], core_limit: int) -> None:
    """Replace this process by a program, on POSIX.

    Raises:
        NotExecutable: the system cannot start it.
    """
    for name in IGNORED_BY_PYTHON:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    allow_core_dumps(core_limit)
    try:
        os.execve(path, list(command), dict(environ))  # noqa: S606 - the person's own command
    except OSError as exc:
        forbid_core_dumps()
        raise _refused(command[0], exc) from exc
    except ValueError as exc:
        raise _refused(command[0], exc) from exc


def run_to_end(
    path: str, command: Sequence[str], environ: Mapping[str, str], core_limit: int, mask: Iterable[int] = ()
) -> int:
    """Start a program and wait until it has ended.

    Args:
        path: of the program.
        command: its name as typed, and its arguments.
        environ: its variables.
        core_limit: its limit for core dumps, in bytes.
        mask: of POSIX: the signals that it blocks; see `Blocked`, within which this has to be called there.

    Returns:
        Its exit status; negative: the signal that it died of.

    Raises:
        NotFound, NotExecutable: the system cannot start it.
    """
    if sys.platform == "win32":
        return _run_on_windows(path, command, environ)
    taken = _taken()
    allow_core_dumps(core_limit)
    try:
        defaults = [getattr(signal, name) for name in IGNORED_BY_PYTHON if hasattr(signal, name)]
        pid = os.posix_spawn(path, list(command), environ, setsigmask=mask, setsigdef=defaults)
    except (OSError, ValueError) as exc:
        raise _refused(command[0], exc) from exc
    finally:
        forbid_core_dumps()
    while True:
        number, from_terminal = _next(taken)
        if number == signal.SIGCHLD:
            found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if found and os.WIFSTOPPED(status):
                _stop_with(pid, os.WSTOPSIG(status))
            elif found:
                return os.waitstatus_to_exitcode(status)
        elif not from_terminal:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


class Blocked:
    """The signals that are waited for are blocked as long as the block lasts; then those left are dropped."""

    def __init__(self) -> None:
        self.before: set[int] = set()
        """The signals that were blocked already."""

    def __enter__(self) -> Blocked:
        if sys.platform != "win32":
            # Some systems keep no signal that would be ignored; and an ignored SIGCHLD leaves no exit status.
            signal.signal(signal.SIGCHLD, _woken)
            self._taken = _taken()
            self.before = {int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, self._taken)}
        return self

    def __exit__(self, *_: object) -> None:
        if sys.platform != "win32":
            while left := signal.sigpending() & self._taken:
                signal.sigwait(left)
            signal.pthread_sigmask(signal.SIG_SETMASK, self.before)


def end_like(status: int) -> int:
    """End this process by the signal that the program has died of; return its status if it has none."""
    if status >= 0 or sys.platform == "win32":
        return status & 0xFFFFFFFF if status < 0 else status
    number = -status
    with suppress(OSError, ValueError):
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    return 128 + number  # The first process of a container does not die of signals.


def _woken(_number: int, _frame: object) -> None:
    """Keep a signal, which is waited for elsewhere."""


def _taken() -> set[int]:
    """Return the signals to wait for; one that is ignored, as below nohup, stays ignored."""
    numbers = {int(getattr(signal, name)) for name in TAKEN if hasattr(signal, name)}
    return {number for number in numbers if signal.getsignal(number) != signal.SIG_IGN}


def _next(taken: Iterable[int]) -> tuple[int, bool]:
    """Return the next signal, and whether the terminal has sent it, to the whole group."""
    if sys.platform == "linux":
        found = signal.sigwaitinfo(taken)
        # A process that sends a signal is named by SI_USER, SI_QUEUE or SI_TKILL, which are not positive.
        return found.si_signo, found.si_code > 0
    if sys.platform != "win32":
        # macOS does not say who has sent it.
        number = signal.sigwait(taken)
        return number, number in (
            signal.SIGINT,
            signal.SIGQUIT,
            signal.SIGTSTP,
        ) and _in_front() == os.getpgrp()
    raise NotImplementedError


def _stop_with(pid: int, number: int) -> None:
    """Stop as the program has stopped, and let it go on when we do."""
    if sys.platform == "win32":
        return
    before = _in_front()
    # A shell that was started here has made itself a group of its own, and given that the terminal.
    own_group = os.getpgid(pid) if before == os.getpgid(pid) else 0
    if number not in {int(getattr(signal, name)) for name in TERMINAL_STOPS} and not (
        own_group or before == os.getpgrp()
    ):
        return  # A debugger, for instance, which lets the program alone go on.
    # In this order: the one of the terminal may be waiting still, and two of them would be one.
    os.kill(os.getpid(), number)
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if own_group and _in_front() == os.getpgrp():
        _in_front(own_group)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _in_front(group: int = 0) -> int:
    """Return the process group that has the terminal; 0 where there is none.

    Args:
        group: that is given the terminal, if it is not 0.
    """
    if sys.platform == "win32":
        return 0
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return 0
    try:
        if group:
            os.tcsetpgrp(terminal, group)
        return os.tcgetpgrp(terminal)
    except OSError:
        return 0
    finally:
        os.close(terminal)


def _run_on_windows(path: str, command: Sequence[str], environ: Mapping[str, str]) -> int:
    import subprocess  # Of one platform.

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with subprocess.Popen([path, *command[1:]], env=dict(environ)) as process:  # noqa: S603 - as above
            return process.wait()
    except OSError as exc:
        raise _refused(command[0], exc) from exc
    finally:
        signal.signal(signal.SIGINT, before)


def _refused(command: str, exc: Exception) -> ConfigError:
    """Describe why the system did not start a program."""
    shown = ascii(command)[:80]
    if isinstance(exc, FileNotFoundError):
        return NotFound(
            f"{shown} cannot be started: it, or the interpreter in its first line, does not exist.",
            hint="Check the first line of the file.",
        )
    number = exc.errno if isinstance(exc, OSError) else None
    hint = "Check that it is a program, and its permissions."
    if number == errno.ENOEXEC:
        hint = "A script begins with a line such as #!/bin/sh."
    elif number == errno.E2BIG:
        hint = "Make the arguments or the variables shorter."
    why = exc.strerror if isinstance(exc, OSError) else "an argument or a variable has a zero byte"
    return NotExecutable(f"{shown} cannot be started: {why}.", hint=hint)
