"""A command for `$BROWSER` that hands the links of any program to a function in this process.

The command is a shell script of one line, so that it can be started by a frozen program and by one in another
language. It writes the link into a named pipe and ends, as an opener does whose browser runs on.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from threading import Thread

from loopback_auth.errors import ConfigError

END = b"\x04\n"
"""Ends the reading; no link has this character."""
# For both directions: opening it so never waits for the other end.
SCRIPT = """#!/bin/sh
printf '%s\\n' "$1" 1<>{pipe}
"""


@contextmanager
def browser_command(opened: Callable[[str], object]) -> Generator[str]:
    """Make a command for `$BROWSER` that works for as long as the block lasts.

    Args:
        opened: called with each link, in a thread; must return soon.

    Raises:
        ConfigError: this system has no named pipes and no shell scripts.
    """
    if sys.platform == "win32":
        raise ConfigError(
            "A program cannot start the simulated browser on Windows: there is no shell script for it.",
            hint="Give the login an open_browser function.",
        )
    with tempfile.TemporaryDirectory(prefix="simulated-browser-") as folder:
        pipe, command = Path(folder, "links"), Path(folder, "browser")
        os.mkfifo(pipe, 0o600)
        command.write_text(SCRIPT.format(pipe=quote(str(pipe))), encoding="utf-8")
        command.chmod(0o700)
        reading = os.open(pipe, os.O_RDWR)
        reader = Thread(target=_read, args=(reading, opened), name="simulated browser", daemon=True)
        reader.start()
        try:
            yield str(command)
        finally:
            os.write(reading, END)
            reader.join()
            os.close(reading)


def _read(pipe: int, opened: Callable[[str], object]) -> None:
    """Pass the lines of a pipe on."""
    with os.fdopen(pipe, "rb", closefd=False) as lines:
        for line in lines:
            if line == END:
                return
            opened(line.decode("utf-8", "replace").rstrip("\n"))
