"""The command that messages name is the one that was typed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import TYPED, CommandLine

import loopback_auth
from loopback_auth.invocation import GENERAL, MAIN, as_typed, invocation_of

PACKAGE = Path(loopback_auth.__file__).parent
posix = pytest.mark.skipif(sys.platform == "win32", reason="paths and quotes of POSIX")


@posix
@pytest.mark.parametrize(
    ("module", "arguments", "whole", "expected"),
    [
        (MAIN, ["/p/__main__.py", "login"], ["python", "-m", "loopback_auth", "login"], GENERAL),
        (
            MAIN,
            ["/p/__main__.py", "login"],
            [".venv/bin/python", "-m", "loopback_auth", "login"],
            ".venv/bin/python -m loopback_auth",
        ),
        (
            MAIN,
            ["/p/__main__.py"],
            ["/my files/python", "-X", "dev", "-m", "loopback_auth"],
            "'/my files/python' -X dev -m loopback_auth",
        ),
        ("", ["/v/loopback-auth", "-v"], ["/v/python", "/v/loopback-auth", "-v"], "/v/loopback-auth"),
        ("", [".venv/bin/loopback-auth"], ["python", "x"], ".venv/bin/loopback-auth"),
        ("", ["/v/loopback-auth@2"], ["python", "x"], "/v/loopback-auth@2"),
        ("", ["/v/git-credential-loopback-auth", "get"], ["python", "x", "get"], "/v/loopback-auth"),
        ("my_tool.__main__", ["/p/my_tool", "login"], ["python", "-m", "my_tool", "login"], GENERAL),
        ("", ["my-tool"], ["python", "my-tool"], GENERAL),
        ("", [""], ["python"], GENERAL),
        ("", [], [], GENERAL),
    ],
)
def test_what_was_typed_is_named(module: str, arguments: list[str], whole: list[str], expected: str) -> None:
    """Where the README starts you there is no `python` with the package; a program that embeds is another."""
    assert invocation_of(module, arguments, whole, {"PATH": "/nowhere"}) == expected


@posix
def test_frozen_program_names_itself() -> None:
    """There is no Python beside it that could be run with the module."""
    assert invocation_of("", ["/opt/tool", "login"], ["/opt/tool", "login"], {}, whole=True) == "/opt/tool"


@posix
def test_a_program_on_the_path_is_named_without_its_folder(tmp_path: Path) -> None:
    """That is how it was typed: a shell hands over the path at which it has found it."""
    found, other = tmp_path / "one" / "loopback-auth", tmp_path / "two" / "loopback-auth"
    for script in (found, other):
        script.parent.mkdir()
        script.touch()
    environ = {"PATH": f"{found.parent}:{other.parent}"}

    assert invocation_of("", [str(found)], ["python"], environ) == "loopback-auth"
    assert invocation_of("", [str(other)], ["python"], environ) == str(other)
    uv = environ | {"UV_RUN_RECURSION_DEPTH": "1"}
    assert invocation_of("", [str(found)], ["python"], uv) == "uv run loopback-auth"


@posix
def test_what_another_tool_starts_has_its_whole_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git runs a helper in the folder of each repository, and a client of MCP where it likes."""
    monkeypatch.setattr(sys, "argv", [".venv/bin/loopback-auth", "help"])
    monkeypatch.setattr(sys, "orig_argv", ["python", ".venv/bin/loopback-auth", "help"])
    whole = str(Path.cwd() / ".venv/bin/loopback-auth")
    text = f'helper "!{GENERAL} credential git"\n{GENERAL} proxy URL --stdio\n{GENERAL} login'

    lines = as_typed(text).splitlines()
    assert lines == [
        f'helper "!{whole} credential git"',
        f"{whole} proxy URL --stdio",
        ".venv/bin/loopback-auth login",
    ]
    line = [".venv/bin/python", "-m", "loopback_auth", "help"]
    found = invocation_of(MAIN, ["x", "help"], line, {}, whole_path=True)
    assert found == f"{Path.cwd()}/.venv/bin/python -m loopback_auth"


@posix
def test_a_link_of_another_name_is_what_was_typed(tmp_path: Path) -> None:
    """There may be no `python` that has the package."""
    (tmp_path / "loopback-auth").touch()
    (tmp_path / "lo").symlink_to("loopback-auth")

    assert invocation_of("", [f"{tmp_path}/lo"], ["python", "x"], {}) == f"{tmp_path}/lo"


@pytest.mark.parametrize(
    ("folder", "typed"),
    [
        ("/h/.cache/uv/archive-v0/-m_Ck5SGnTagBb9k/bin", "uvx loopback-auth"),
        ("C:\\Users\\h\\AppData\\Local\\uv\\cache\\archive-v0\\Ck5\\Scripts", "uvx loopback-auth"),
        ("/h/.cache/uv/builds-v0/.tmp5AWAn6/bin", "uvx loopback-auth"),
        ("/h/.cache/pipx/2a496b0c6c88d83/bin", "pipx run loopback-auth"),
        ("/h/.local/pipx/.cache/2a496b0c6c88d83/bin", "pipx run loopback-auth"),
        ("C:\\Users\\h\\AppData\\Local\\pipx\\Cache\\2a496b0c6c88d83\\Scripts", "pipx run loopback-auth"),
    ],
)
def test_an_environment_for_one_run_is_named_by_what_made_it(folder: str, typed: str) -> None:
    """Its own path is gone tomorrow, and its folder is on no other PATH."""
    environ = {"PATH": folder, "UV_RUN_RECURSION_DEPTH": "1"}
    separator = "\\" if "\\" in folder else "/"
    script = f"{folder}{separator}loopback-auth"
    ran = [f"{folder}{separator}python", "-m", "loopback_auth", "login"]

    assert invocation_of(MAIN, ["/p/__main__.py", "login"], ran, environ) == typed
    if separator == os.sep:
        assert invocation_of("", [script], ["python", script], environ) == typed


@posix
def test_an_archive_is_named_as_it_can_be_run(tmp_path: Path) -> None:
    """By itself if it is executable, else by Python."""
    archive = tmp_path / "signing-in.pyz"
    archive.touch()
    typed = ["python3", str(archive), "login"]
    by_python = invocation_of("__main__", typed[1:], typed, {}, whole=True)
    archive.chmod(0o755)
    by_itself = invocation_of("__main__", typed[1:], typed, {}, whole=True)

    assert (by_python, by_itself) == (f"python3 {archive}", str(archive))


def test_another_interpreter_named_in_a_text_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hint may name one that has what this one lacks."""
    monkeypatch.setattr("loopback_auth.invocation.invocation", lambda: "loopback-auth")
    text = f"Use /opt/bin/{GENERAL}, or {GENERAL} login."

    assert as_typed(text) == f"Use /opt/bin/{GENERAL}, or loopback-auth login."


def test_help_and_errors_name_it_in_words_and_in_json(command_line: CommandLine) -> None:
    """Whoever copies an example, a hint, or what a script has read of one, gets something that runs."""
    shown = command_line.run("login", "--help").stdout
    said = command_line.run("status").complaint
    described = command_line.run("status", "--json").json

    assert shown.startswith("usage: ")
    assert f"{TYPED} login [PROVIDER]" in " ".join(shown.split())  # A long name is on a line of its own.
    assert f"\n  {sys.executable}" in shown or f"\n  {TYPED}" in shown
    assert f"{TYPED} login" in said
    assert str(described["hint"]).endswith(f"{TYPED} login")


@pytest.mark.parametrize("file", ["__init__.py", "__main__.py", "invocation.py"])
def test_an_old_python_can_read_what_tells_it_that_it_is_old(file: str) -> None:
    """A syntax error says nothing of versions."""
    ast.parse((PACKAGE / file).read_text(encoding="utf-8"), feature_version=(3, 8))


def test_an_old_python_is_told_so(tmp_path: Path) -> None:
    """Before anything else is imported, and without a link that leads nowhere."""
    run = "runpy.run_module('loopback_auth', run_name='__main__')"
    old = f"import runpy, sys; sys.version_info = (3, 10, 4); {run}"
    ended = subprocess.run(
        [sys.executable, "-c", old, "login"],
        capture_output=True,
        text=True,
        check=False,
        env=CommandLine(tmp_path).environment({}),
        timeout=60,
    )

    assert ended.returncode == 3
    assert "needs Python 3.11 or later" in ended.stderr
    assert "http://" not in ended.stderr


@pytest.mark.parametrize(
    ("command", "missing"), [("login", "aiohttp"), ("compare", "aiohttp"), ("login", "yarl")]
)
def test_a_python_without_a_package_is_told_so(command: str, missing: str, tmp_path: Path) -> None:
    """The machine's own Python finds the clone in the current folder, but nothing that it needs."""
    lacking = (
        "import runpy, sys\n"
        "class Without:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {missing!r}: raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "runpy.run_module('loopback_auth', run_name='__main__')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", lacking, command],
        capture_output=True,
        text=True,
        check=False,
        env=CommandLine(tmp_path).environment({}),
        timeout=60,
    )

    assert ended.returncode == 3
    assert f"({sys.executable}) lacks {missing}." in ended.stderr
    assert "http://" not in ended.stderr
    assert "Internal error" not in ended.stderr


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """The command line with an empty home."""
    return CommandLine(tmp_path)
