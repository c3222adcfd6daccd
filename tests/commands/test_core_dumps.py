"""What is in our memory stays there."""

from __future__ import annotations

import subprocess
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("there are no core dumps of this kind there", allow_module_level=True)

import resource
from collections.abc import Iterator
from pathlib import Path

from command_line import CommandLine

PROGRAM = """
import ctypes, resource, sys
from loopback_auth.cli.core_dumps import forbid_core_dumps
before = resource.getrlimit(resource.RLIMIT_CORE)
forbid_core_dumps()
print(resource.getrlimit(resource.RLIMIT_CORE) == (0, before[1]))
print(sys.platform != "linux" or ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0)  # PR_GET_DUMPABLE
"""


@pytest.fixture
def dumps_wanted() -> Iterator[None]:
    """Allow ourselves and our children core dumps as large as can be."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if before[1] == 0:
        pytest.skip("this process may have no core dumps")
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.usefixtures("dumps_wanted")
def test_no_core_dump_is_left_behind() -> None:
    """It would hold every token of the sign-in, for whoever finds the file (CWE-528)."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "True"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limits of another process are seen on Linux only")
@pytest.mark.usefixtures("dumps_wanted")
@pytest.mark.parametrize("command", [("login", "--no-browser"), ("demo", "--json")])
def test_commands_forbid_their_core_dumps(command_line: CommandLine, command: tuple[str, ...]) -> None:
    """Before a secret of a sign-in is there."""
    with command_line.start(*command) as running:
        if command[0] == "login":
            running.link()
        else:
            running.process.stdout and running.process.stdout.readline()
        limits = Path(f"/proc/{running.process.pid}/limits").read_text()

    assert [line.split()[4] for line in limits.splitlines() if line.startswith("Max core file")] == ["0"]
