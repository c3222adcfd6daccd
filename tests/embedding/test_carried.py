"""Programs that carry this package in themselves: each is built from what is installed here, and signs in.

Nothing is downloaded. The zipapp and the shiv run without any other package; from a zip no compiled library
can be loaded, so that there the signature of an ID token is not checked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipapp
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import loopback_auth
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no $BROWSER for a simulated user there"),
    pytest.mark.timeout(600),  # PyInstaller takes half a minute, and many times that on a busy machine.
]

PROGRAM = Path(__file__).parent / "programs" / "carried.py"
LIBRARIES = ("loopback-auth[oidc]", "httpx", "requests")
# Of a development environment; they come along because a library that is needed can use them.
LEFT_OUT = ("IPython", "click", "pydantic", "pytest", "redis", "rich", "tkinter", "trio")


def needed(*requirements: str) -> dict[str, Distribution]:
    """Return the installed distributions that these need, themselves included."""
    todo, found = [Requirement(one) for one in requirements], dict[str, Distribution]()
    while todo:
        wanted = todo.pop()
        found[wanted.name.lower()] = made = distribution(wanted.name)
        for text in made.requires or ():
            further = Requirement(text)
            extras = [{"extra": one} for one in ("", *wanted.extras)]
            asked = further.marker is None or any(further.marker.evaluate(one) for one in extras)
            if asked and further.name.lower() not in found:
                todo.append(further)
    return found


def filled(folder: Path) -> Path:
    """Fill a folder as `pip install --target` does, from what is installed."""
    for made in needed(*LIBRARIES).values():
        for file in made.files or ():
            if ".." not in file.parts and file.suffix not in (".pth", ".pyc"):
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), folder / file)
    # Its installation may be an editable one.
    package = Path(loopback_auth.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, folder / "loopback_auth", ignore=ignored, dirs_exist_ok=True)
    shutil.copyfile(PROGRAM, folder / PROGRAM.name)
    return folder


def call(*command: str | Path) -> None:
    """Run a tool."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
        env=environ,
        cwd=Path(command[-1]).parent,
    )
    assert done.returncode == 0, done.stderr


def zipped(folder: Path) -> list[str]:
    """Build as the module `zipapp` does."""
    archive = folder / "carried.pyz"
    zipapp.create_archive(filled(folder / "site"), archive, main="carried:main")
    return [sys.executable, "-I", "-S", str(archive)]


def shived(folder: Path) -> list[str]:
    """Build with shiv."""
    archive = folder / "shiv.pyz"
    site = filled(folder / "site")
    options = ("--uncompressed", "--root", folder / "unpacked", "--site-packages", site)
    call(sys.executable, "-m", "shiv", *options, "-e", "carried:main", "-o", archive)
    return [sys.executable, "-I", "-S", str(archive)]


def frozen(folder: Path) -> list[str]:
    """Build with PyInstaller, which asks our hook."""
    folders = ("--distpath", folder / "dist", "--workpath", folder / "work", "--specpath", folder)
    left_out = [f"--exclude-module={one}" for one in LEFT_OUT]
    call(sys.executable, "-m", "PyInstaller", "--log-level=ERROR", *folders, *left_out, PROGRAM)
    return [str(folder / "dist" / "carried" / "carried")]


BUILDERS = {"zipapp": zipped, "shiv": shived, "pyinstaller": frozen}


class Carried:
    """A program that was built, and whoever runs it.

    Args:
        kind: how it was built.
        command: that starts it.
    """

    def __init__(self, kind: str, command: list[str]) -> None:
        self.kind = kind
        self._command = command
        self.arguments: list[str] = []

    def run(self, *action: str) -> list[str]:
        """Run it, and return the words that it printed."""
        done = subprocess.run(
            [*self._command, *self.arguments, *action],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()


@pytest.fixture(scope="module", params=BUILDERS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Carried:
    """Build the program, once for all tests here."""
    kind: str = request.param
    return Carried(kind, BUILDERS[kind](tmp_path_factory.mktemp(kind)))


@pytest.fixture
def carried(built: Carried, demo_authorization_server: DemoAuthorizationServer, tmp_path: Path) -> Carried:
    """Give it a server, and a folder for tokens."""
    built.arguments = [demo_authorization_server.issuer, str(tmp_path / "kept")]
    return built


def test_signs_in_keeps_and_renews(
    carried: Carried, demo_authorization_server: DemoAuthorizationServer, simulated_user: SimulatedUser
) -> None:
    """Modules that are imported by name are there, and so are the pages, the words and the adapters."""
    server, checked = demo_authorization_server, "not" if carried.kind == "zipapp" else "verified"
    first = carried.run("sign-in")
    page = simulated_user.page_sync()
    server.expire_tokens()

    assert first[:3] == ["Demo", "Account", checked]
    assert ('lang="de"' in page, "data:image/svg+xml" in page, "Träger" in page) == (True, True, True)
    assert carried.run("whoami") == ["demo-1"] * 3
    assert server.requests("token", grant="authorization_code") == 1
    assert server.requests("token", grant="refresh_token") == 1
    assert carried.run("logout") == ["True"]
    assert len(simulated_user.links) == 1


def test_receives_for_others(carried: Carried, simulated_user: SimulatedUser) -> None:
    """The receiver alone has pages and messages, too."""
    assert carried.run("receive") == ["code", "iss", "state"]
    assert "Träger" in simulated_user.page_sync()


def test_signs_in_by_two_steps(carried: Carried, simulated_user: SimulatedUser) -> None:
    """What a first process began is finished by another one."""
    handle, url, user_code = carried.run("begin")
    simulated_user.visit(url, user_code=user_code)

    assert carried.run("finish", handle) == ["Demo", "Account"]


def test_browser_of_a_frozen_program_gets_its_own_libraries(
    carried: Carried, simulated_user: SimulatedUser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyInstaller puts its own folder first, and a browser would not start with what is in there."""
    command, seen = tmp_path / "browser", tmp_path / "environment"
    command.write_text(f'#!/bin/sh\nenv >"{seen}"\nexec "{os.environ["BROWSER"]}" "$1"\n')
    command.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(command))
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    carried.run("sign-in")
    simulated_user.page_sync()

    assert "LD_LIBRARY_PATH=" not in seen.read_text()
