"""End programs, and remove their folders, when the process that started them is ended by force.

Nothing can be done in a process that gets SIGKILL (signal(7)). So a second one waits at a pipe: the system
closes the other end with the process that has it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from loopback_auth.audit.programs.temporary_folder import remove, temporary_folder

SECONDS = 5.0
"""Seconds in which the system ends processes that were killed."""


@contextmanager
def guarded_folder() -> Generator[Path]:
    """Make a folder for programs; however this process ends, they end with it, and the folder is removed."""
    with temporary_folder() as folder:
        watching = subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-m", __name__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # This package may be in a folder that only this process knows of.
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )
        try:
            yield folder
        finally:
            watching.communicate()


def clean_up(folder: Path) -> None:
    """End every process that was given a path in a folder, and remove the folder."""
    until = time.monotonic() + SECONDS
    while (found := _given(folder)) and time.monotonic() < until:
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(0.01)
    remove(folder)


def _given(folder: Path) -> list[psutil.Process]:
    """Return the processes with a variable that leads into a folder, such as HOME."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            running = process.status() != psutil.STATUS_ZOMBIE
            if running and any(str(folder) in value for value in process.environ().values()):
                found.append(process)
    return found


def main() -> None:
    """Wait for the end of the process that has the other end of the pipe, then clean up after it."""
    sys.stdin.buffer.read()
    clean_up(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
