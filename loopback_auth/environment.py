"""Collect what this process can see of its environment; what follows from it is decided in `plan`.

This runs before the browser is started, so it makes only a few system calls and reads no file. It looks for
the first program that can open a page, and for no other: under WSL, PATH includes folders of Windows, where
each look is slow.
"""

# pathlib would cost more than all else here.
# ruff: noqa: PTH113, PTH118, PTH120

from __future__ import annotations

import os
import sys
import time

from loopback_auth.plan.model import Surroundings
from loopback_auth.plan.openers import openers
from loopback_auth.plan.signals import PROBED, overridden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from loopback_auth.words import Words


def look_around(
    environ: Mapping[str, str],
    *,
    stdin: TextIO | None,
    stderr: TextIO | None,
    overrides: Mapping[str, str] | None = None,
) -> Surroundings:
    """Return what this process can see of its environment.

    Args:
        environ: the environment variables.
        stdin: None or closed for a service.
        stderr: None or closed for a service.
        overrides: what the settings say instead, see `plan.signals.overridden`.
    """
    environ, files = overridden(environ, filter(os.path.exists, PROBED), overrides or {})
    environ = quoted_browser(environ)
    return Surroundings(
        environ,
        platform=sys.platform,
        kernel=_kernel(),
        files=files,
        stdin=is_terminal(stdin),
        stderr=is_terminal(stderr),
        openers=_first_opener(environ),
    )


def _kernel() -> str:
    if sys.platform == "win32":
        return ""
    return os.uname().release


def quoted_browser(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment with quotes around a program in BROWSER whose path contains blanks.

    People write `BROWSER="/mnt/c/Program Files/Mozilla Firefox/firefox.exe"`, and mean one program.
    """
    value = environ.get("BROWSER", "").strip()
    if not ({" ", "\t"} & set(value)) or not _is_executable(value):
        return environ
    return {**environ, "BROWSER": f'"{value}"'}


def user_and_host() -> tuple[str, str]:
    """Return the names of this account and this machine, for an SSH command on another machine."""
    import socket  # Start-up.
    from getpass import getuser

    try:
        user = getuser()
    except (ImportError, KeyError, OSError):
        # The account has no name, as in a container that runs with a user ID of its own.
        user = "you"
    return user, socket.gethostname()


def started_here(words: Words) -> str:
    """Return the text for an approval page that only the person who began can recognize.

    It names the program, the time and the machine.

    Args:
        words: of the program.
    """
    import socket  # Start-up.

    return words.STARTED.format(time=time.strftime("%H:%M"), host=socket.gethostname())


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal; a closed one is not."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        # The stream was closed.
        return False


def _first_opener(environ: Mapping[str, str]) -> tuple[str, ...]:
    if sys.platform == "win32" and not environ.get("BROWSER"):
        return ()
    found = (command[0] for command in openers(environ, sys.platform) if _runs(command[0], environ))
    return tuple(program for program in (next(found, ""),) if program)


def _runs(program: str, environ: Mapping[str, str]) -> bool:
    """Return whether a program is on PATH; `shutil.which` would do the same, but takes time to import."""
    if os.path.dirname(program):
        return _is_executable(program)
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    suffixes = ("", ".exe") if sys.platform in ("win32", "cygwin") else ("",)
    return any(_is_executable(os.path.join(folder, program + end)) for folder in folders for end in suffixes)


def _is_executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
