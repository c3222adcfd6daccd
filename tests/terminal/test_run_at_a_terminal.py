"""A command that `run` has started is in front of the terminal, as if a person had typed it alone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pseudo_terminal import Person

from loopback_auth.model import ServerMetadata
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import SignIn, TokenSet

pytestmark = pytest.mark.slow

SCRIPT = """
import os, signal, sys
signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
signal.signal(signal.SIGWINCH, lambda *_: print("resized to", os.get_terminal_size().columns, flush=True))
print("ready", os.tcgetpgrp(0) == os.getpgrp(), flush=True)
print("read", sys.stdin.readline().strip(), flush=True)
sys.exit(5)
"""
RUN = '"$2" -m loopback_auth run one -- "$2" -c "$3"'
STOPPED = "set -m; {}; echo was $?; fg"
"""In a shell with jobs, which the person stops, and continues."""
BEHIND = "set -m; {} & wait $!; echo was $?; fg"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The folders of somebody who has signed in."""
    now = time.time()
    tokens = TokenSet("the-token", "Bearer", obtained_at=now, expires_at=now + 3600)
    made = SignIn("one", "abc", "none", ServerMetadata("https://one.example"), "", tokens)
    FileTokenStore(str(tmp_path / "data")).save(made)
    environ = {"LOOPBACK_AUTH_DATA_DIR": str(tmp_path / "data"), "LOOPBACK_AUTH_CONFIG_DIR": str(tmp_path)}
    return {**environ, "XDG_RUNTIME_DIR": ""}


@pytest.fixture
def person() -> Iterator[Person]:
    """The person at the terminal."""
    with Person() as one:
        yield one


@pytest.mark.parametrize("file", ["", ' "{token_file}"'])
async def test_ctrl_c_reaches_the_command_once(
    person: Person, environment: dict[str, str], file: str
) -> None:
    """The terminal sends it to both of us; a command that counts them must not see two."""
    with person.session(SCRIPT, program=RUN + file, **environment):
        await person.sees("ready True")
        await person.types("\x03")
        await person.sees("interrupted")
        await person.types("text\n")
        await person.sees("read text")
        await person.sees("status 5")
        await person.sees("end")

    assert person.shown.count("interrupted") == 1
    modes, _, after = person.reported()
    assert modes == after


@pytest.mark.parametrize("file", ["", ' "{token_file}"'])
async def test_ctrl_z_stops_the_job_and_fg_goes_on(
    person: Person, environment: dict[str, str], file: str
) -> None:
    """The shell sees that both of us have stopped, takes the terminal, and gives it back."""
    with person.session(SCRIPT, program=STOPPED.format(RUN + file), **environment):
        await person.sees("ready True")
        await person.types("\x1a")
        await person.sees("was 148")
        await person.types("text\n")
        await person.sees("read text")
        await person.sees("status 5")
        await person.sees("end")


@pytest.mark.parametrize("file", ["", ' "{token_file}"'])
async def test_command_behind_stops_when_it_reads(
    person: Person, environment: dict[str, str], file: str
) -> None:
    """As every job does; brought to the front it reads what was typed (XBD 11.1.4)."""
    with person.session(SCRIPT, program=BEHIND.format(RUN + file), **environment):
        await person.sees("ready False")
        await person.sees("was 149")
        await person.types("text\n")
        await person.sees("read text")
        await person.sees("status 5")


SUSPENDS = """
import os, signal
os.setpgid(0, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
os.tcsetpgrp(0, os.getpgrp())
os.kill(os.getpid(), signal.SIGSTOP)
print("back", os.tcgetpgrp(0) == os.getpgrp(), flush=True)
"""


async def test_shell_that_suspends_itself_stops_the_job(person: Person, environment: dict[str, str]) -> None:
    """It has a group of its own, which has the terminal, and gets it back (`suspend` of bash)."""
    with person.session(SUSPENDS, program=STOPPED.format(RUN + ' "{token_file}"'), **environment):
        await person.sees("was 147")
        await person.sees("back True")
        await person.sees("status 0")


async def test_new_size_of_the_terminal_is_heard(person: Person, environment: dict[str, str]) -> None:
    """A program that draws the whole screen draws it anew."""
    import termios

    with person.session(SCRIPT, program=RUN + ' "{token_file}"', **environment):
        await person.sees("ready True")
        termios.tcsetwinsize(person.ours, (20, 61))
        await person.sees("resized to 61")
        await person.types("text\n")
        await person.sees("status 5")


async def test_closed_terminal_ends_the_command_and_its_file(
    person: Person, environment: dict[str, str], tmp_path: Path
) -> None:
    """SIGHUP comes from the system, to both of us."""
    with person.session(SCRIPT, program=RUN + ' "{token_file}"', **environment):
        await person.sees("ready True")
        (token,) = (tmp_path / "data" / "running").glob("*/token")
        pipe = os.open(token.parent, os.O_RDONLY)
        person.stdin.close()
        person.stderr.close()
        person.hang_up()
        deadline = time.monotonic() + 20
        while token.exists():
            assert time.monotonic() < deadline
            os.sched_yield()
        os.close(pipe)
