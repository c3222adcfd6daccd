"""Looking around: what is seen of the machine that this runs on, without a trace and without delay."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loopback_auth.environment import look_around, user_and_host
from loopback_auth.plan.signals import PROBED

Program = Callable[[str], Path]

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="openers are looked for on PATH")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Make a program in a folder of the test's."""

    def make(name: str) -> Path:
        path = tmp_path / name
        path.touch(mode=0o700)
        return path

    return make


def test_the_machine_is_seen_as_it_is() -> None:
    """Nothing is guessed: the platform, the kernel, the files that exist."""
    seen = look_around({"A": "b"}, stdin=None, stderr=None)

    assert (seen.platform, seen.kernel) == (sys.platform, os.uname().release)
    assert seen.files == tuple(path for path in PROBED if Path(path).exists())
    assert seen.environ == {"A": "b"}


def test_terminals_are_told_from_pipes() -> None:
    """A person can be asked at one and not at the other."""
    seen = look_around({}, stdin=Terminal(), stderr=io.StringIO())

    assert (seen.stdin, seen.stderr) == (True, False)


def test_streams_may_be_closed_or_missing() -> None:
    """Services have none at all, and some programs close theirs."""
    closed = io.StringIO()
    closed.close()
    seen = look_around({}, stdin=closed, stderr=None)

    assert (seen.stdin, seen.stderr) == (False, False)


def test_opener_on_path_is_found(program: Program, tmp_path: Path) -> None:
    """Best first: the desktop's own before any browser."""
    program("firefox")
    program("xdg-open")
    path = os.pathsep.join(["/nonexistent", str(tmp_path)])

    assert look_around({"PATH": path}, stdin=None, stderr=None).openers == ("xdg-open",)


def test_what_cannot_be_run_is_no_opener(program: Program, tmp_path: Path) -> None:
    """A folder or a text of that name opens nothing."""
    program("xdg-open").chmod(0o600)
    (tmp_path / "firefox").mkdir()

    assert look_around({"PATH": str(tmp_path)}, stdin=None, stderr=None).openers == ()


def test_browser_of_the_person_is_looked_for(program: Program, tmp_path: Path) -> None:
    """By its path or by its name; it stands above what the system has."""
    program("xdg-open")
    mine = program("mine")
    environ = {"PATH": str(tmp_path), "BROWSER": f"{tmp_path}/gone:{mine} --new"}

    assert look_around(environ, stdin=None, stderr=None).openers == (str(mine),)
    assert look_around(environ | {"BROWSER": "mine"}, stdin=None, stderr=None).openers == ("mine",)
    assert look_around(environ | {"BROWSER": "gone"}, stdin=None, stderr=None).openers == ()


def test_text_browser_is_no_opener(program: Program, tmp_path: Path) -> None:
    """It would never be started, so it is not there."""
    program("w3m")

    assert look_around({"PATH": str(tmp_path), "BROWSER": "w3m"}, stdin=None, stderr=None).openers == ()


def test_account_and_machine_have_names() -> None:
    """They go into a command line that a person copies."""
    user, host = user_and_host()

    assert user
    assert host


def test_account_without_a_name_is_you(tmp_path: Path) -> None:
    """Containers often run under a number that no list of accounts has."""
    code = (
        "import os, pwd\n"
        "def unknown(_): raise KeyError('no such account')\n"
        "pwd.getpwuid = unknown\n"
        "from loopback_auth.environment import user_and_host\n"
        "print(user_and_host()[0])"
    )
    names = ("LOGNAME", "USER", "LNAME", "USERNAME")
    environ = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert done.stdout == "you\n"


def test_looking_around_costs_no_imports() -> None:
    """It happens before the browser is started; anything slow belongs after that."""
    code = (
        "import os, sys\n"
        "before = set(sys.modules)\n"
        "from loopback_auth.plan.routes import capabilities\n"
        "from loopback_auth.plan.port_forwarding import forwarding_command\n"
        "from loopback_auth.plan.routes import plan\n"
        "from loopback_auth.environment import look_around\n"
        "plan(look_around({}, stdin=None, stderr=None), capabilities({'issuer'}), overrides={})\n"
        "print(*sorted(name for name in set(sys.modules) - before if not name.startswith('loopback_auth')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() in ("", "__future__")
