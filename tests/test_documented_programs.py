"""Every Python program in the README and in the topics: two type checkers take it, and it signs in."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from loopback_auth.cli import TOPICS
from loopback_auth.commands.help import topic
from loopback_auth.testing import DemoAuthorizationServer, DemoClient, SimulatedUser, serve

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
BEGINNING = r"(?:from|import|class|def|with|async|try|@\w+|\w+ =)(?= |:|$)"
"""With what an indented block of a topic begins if it is Python, and no command or table."""
CLIENT = DemoClient("my-tool", redirect_uris=("http://127.0.0.1/callback",))
FIRST_GUESSES = ROOT / "tests" / "embedding" / "test_first_guesses.py"
OUTPUTS = {
    "README": r"\['whoami', 'write'\]\ndemo@example\.com [\d.]+\n200\n",
    "embedding": r"demo@example\.com [\d.]+ openid email\n",
    "http": r"(200\n){4}",
    "mcp": r"2\n2\n",
    "options": "",
    "receiver": "",
    "stores": r"True\n",
    "testing": "",
}
"""What the program of each text prints."""


def blocks(name: str) -> list[str]:
    """Return the blocks of Python in a text, in order."""
    if name == "README":
        return re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
    indented = re.findall(r"(?:^  .*\n|^\n(?=  ))+", topic(name), re.M)
    found = [textwrap.dedent(block).strip("\n") + "\n" for block in indented]
    return [block for block in found if re.match(BEGINNING, block)]


def is_test(block: str) -> bool:
    """Return whether a block is for pytest."""
    return "def test_" in block


def programs() -> dict[str, str]:
    """Return each program by the name of its file: what stands in one text is one program, a test another."""
    made: dict[str, str] = {}
    for name in ("README", *TOPICS):
        found = blocks(name)
        if found:
            made[f"of_{name}.py"] = awaited("\n\n".join(block for block in found if not is_test(block)))
        made.update({f"test_{name}.py": block for block in found if is_test(block)})
    return made


def awaited(program: str) -> str:
    """Give a program that awaits outside of a function, as in a notebook, a function for that."""
    try:
        compile(program, "program", "exec")
    except SyntaxError:
        body = textwrap.indent(program, "    ")
        return f"import asyncio\n\n\nasync def main() -> None:\n{body}\n\nasyncio.run(main())\n"
    return program


def spoken_to(server: DemoAuthorizationServer, program: str) -> str:
    """Let a program use the demo server in place of the ones in the text."""
    places = {
        "https://api.example/me": server.resource,
        "https://id.example": server.issuer,
        "https://mcp.example/mcp": server.mcp,
    }
    here = program
    for written, real in places.items():
        here = here.replace(written, real)
    # requests_oauth2client refuses http otherwise, also on this machine.
    return here.replace("=receiver.redirect_uri", "=receiver.redirect_uri, testing=True")


def run(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the texts, in a home of its own, for a user who approves."""
    user = SimulatedUser()
    with serve(clients=[CLIENT]) as server, user.browser() as environ:
        (folder / name).write_text(spoken_to(server, programs()[name]))
        return subprocess.run(
            [sys.executable, *arguments, name],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=folder,
            env={
                **environ,
                "HOME": str(folder),
                "PATH": os.environ["PATH"],
                "TOKEN_KEY": secrets.token_urlsafe(),
            },
        )


def test_programs_are_found() -> None:
    """A text whose program is not seen would be tested no more."""
    assert {name for name in programs() if not name.startswith("test_")} == {
        f"of_{name}.py" for name in OUTPUTS
    }
    assert {name for name in programs() if name.startswith("test_")} == {"test_testing.py"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the simulated browser needs a POSIX shell")
@pytest.mark.parametrize("name", OUTPUTS)
def test_programs_run(name: str, tmp_path: Path) -> None:
    """People copy the example before they read anything."""
    done = run(tmp_path, f"of_{name}.py", "-W", "error")

    assert done.returncode == 0, done.stderr
    assert re.fullmatch(OUTPUTS[name], done.stdout), done.stdout
    assert not [word for word in ("Traceback", "Warning", "warning") if word in done.stderr]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the simulated browser needs a POSIX shell")
def test_tests_pass(tmp_path: Path) -> None:
    """A test that is copied finds its fixtures."""
    options = ("-m", "pytest", "-q", "-p", "loopback_auth.testing", "-p", "no:cacheprovider")
    done = run(tmp_path, "test_testing.py", *options)

    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write all programs into one folder, and what people write before they read any."""
    folder = tmp_path_factory.mktemp("programs")
    for name, program in programs().items():
        (folder / name).write_text(program)
    (folder / FIRST_GUESSES.name).write_text(FIRST_GUESSES.read_text())
    return folder


@pytest.mark.slow
def test_mypy_takes_them(written: Path) -> None:
    """Under its strict settings, those of this project."""
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_pyright_takes_them(written: Path) -> None:
    """Under its strict settings, as in an editor."""
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT)]}
    # What a program that awaits assigns is a local variable only in the function that is made here.
    settings["reportUnusedVariable"] = "none"
    (written / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--project", str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_adapters_exist() -> None:
    """The README names those that no program there uses; their libraries need not be installed here."""
    named = re.findall(r"`(\w+)\.(\w+)\(source\)`", README)

    assert {library for library, _ in named} == {"requests", "aiohttp", "google", "azure"}
    for library, adapter in named:
        source = (ROOT / "loopback_auth" / "clients" / f"{library}.py").read_text()
        assert re.search(rf"^(?:class|def) {adapter}\(", source, re.M)
