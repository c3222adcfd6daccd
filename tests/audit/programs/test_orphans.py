"""Processes that hide from everything by which they could be found are handed over, and ended."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from loopback_auth.audit.programs.orphans import adopted

HIDE = """
import os
if child := os.fork():
    os.waitpid(child, 0)
else:
    os.setsid()
    if os.fork() == 0:
        os.execve("/bin/sleep", ["sleep", "62.62"], {})
    os._exit(0)
"""


def hidden() -> list[psutil.Process]:
    """Return the processes that hide."""
    return [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "62.62"]]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans over")
def test_orphans_are_ended() -> None:
    """A process without parent, session and environment of the program is below this one all the same."""
    with subprocess.Popen(["/bin/sleep", "600"]) as mine:
        with adopted() as orphans:
            subprocess.run([sys.executable, "-c", HIDE], check=True)
            ended = orphans.end()
        spared = mine.poll() is None
        mine.kill()

    assert (ended, spared, hidden()) == (1, True, [])
