"""The completion of each shell, in that shell, and the man page, as `man` shows it."""

from __future__ import annotations

import importlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import PATIENCE, program

from loopback_auth.cli import COMMANDS, run
from loopback_auth.commands.completion import FILES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shells of POSIX")
ROOT = Path(__file__).resolve().parents[2]
MAN_PAGE = ROOT / "scripts" / "shipped" / "loopback-auth.1"
KEPT = ("github", "github-work", "mcp.example-mcp")
CASES = {
    "lo": {"login", "logout"},
    "login hugg": {"huggingface"},
    "login --simu": {"--simulate-person"},
    "login --flow tick": {"ticket"},
    "token git": {"github", "github-work"},
    "token --as kube": {"kubectl"},
    "logout mcp": {"mcp.example-mcp"},
    "run github-": {"github-work"},
    "proxy mcp": {"mcp.example-mcp"},
    "configure hugg": {"huggingface"},
    "store key": {"keychain"},
    "credential do": {"docker"},
    "completion fi": {"fish"},
    "help agent": {"agents"},
    "compare -o READ": {"README.md"},
}
"""What is typed after the command, and what it is completed to."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An empty home, with a few sign-ins."""
    folder = tmp_path / "kept" / "sign-ins"
    folder.mkdir(parents=True)
    for name in KEPT:
        (folder / f"{name}.json").touch()
    return {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "TERM": "dumb",
        "LOOPBACK_AUTH_DATA_DIR": str(folder.parent),
    }


@pytest.mark.parametrize("shell", FILES)
def test_the_command_prints_the_file(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All commands are in it."""
    assert run(["completion", shell]) == 0
    text = capsys.readouterr().out

    assert text == (ROOT / "loopback_auth" / "completions" / FILES[shell]).read_text("utf-8")
    assert [name for name in COMMANDS if name not in text] == []


def test_files_are_current() -> None:
    """A flag that a shell does not know of is not found, and one that is gone is an error."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        made = dict(importlib.import_module("shell_files").files())
    finally:
        del sys.path[0]

    assert {name for name, text in made.items() if ROOT.joinpath(name).read_text("utf-8") != text} == set()


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With the names of those that there are."""
    assert run(["completion", "ksh"]) == 2
    assert "'bash', 'zsh', 'fish', 'powershell'" in capsys.readouterr().err


ASK_BASH = """
source loopback_auth/completions/loopback-auth.bash
COMP_WORDS=(loopback-auth "$@") COMP_CWORD=$# COMP_LINE="loopback-auth $*"
COMP_POINT=${#COMP_LINE}
function=$(complete -p loopback-auth | sed 's/.* -F \\([^ ]*\\).*/\\1/')
$function loopback-auth "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""What bash does when the tab key is pressed (Bash Reference Manual, "Programmable Completion")."""


@pytest.mark.parametrize("typed", CASES)
def test_bash_completes(typed: str, environment: dict[str, str]) -> None:
    """Commands, providers, flags, values, sign-ins, topics and files."""
    bash = program("bash", purpose="its completion")
    shown = subprocess.run(
        [bash, "--norc", "-c", ASK_BASH, "bash", *typed.split()],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )

    assert (set(shown.stdout.split()), shown.stderr) == (CASES[typed], "")


@pytest.mark.parametrize("typed", CASES)
def test_fish_completes(typed: str, environment: dict[str, str]) -> None:
    """The same."""
    fish = program("fish", purpose="its completion")
    ask = f"source loopback_auth/completions/loopback-auth.fish; complete -C 'loopback-auth {typed}'"
    shown = subprocess.run(
        [fish, "--no-config", "-c", ask],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )

    assert {line.partition("\t")[0] for line in shown.stdout.splitlines()} == CASES[typed]
    assert shown.stderr == ""


def test_zsh_completes(environment: dict[str, str]) -> None:
    """The same, at the prompt: zsh completes nothing elsewhere."""
    zsh = program("zsh", purpose="its completion")
    begin = (
        "fpath=($PWD/loopback_auth/completions $fpath); autoload -Uz compinit; compinit -D -u; echo be''gun\n"
    )
    with terminal([zsh, "-f", "-i"], environment) as shell:
        shell.type(begin)
        shell.wait_for("begun\r\n")
        for typed, wanted in CASES.items():
            # Ctrl-U clears the line; the second tab lists what the first could not decide.
            shell.type(f"\x15loopback-auth {typed}\t\t")
            for word in sorted(wanted, key=len):
                shell.wait_for(word)


def test_powershell_can_read_its_file() -> None:
    """It cannot be run here, but its grammar is known."""
    tree_sitter = importlib.import_module("tree_sitter")
    grammar = importlib.import_module("tree_sitter_powershell")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    text = (ROOT / "loopback_auth" / "completions" / FILES["powershell"]).read_bytes()

    assert not parser.parse(text).root_node.has_error
    assert parser.parse(text.replace(b"{", b"", 1)).root_node.has_error


def test_man_shows_the_page(environment: dict[str, str]) -> None:
    """Without a complaint of its typesetter, and with every command and its examples as they are typed."""
    man = program("man", purpose="the man page")
    shown = subprocess.run(
        [man, "--warnings", "--local-file", str(MAN_PAGE)],
        env={**environment, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )

    assert shown.stderr == ""
    assert [name for name in COMMANDS if f"COMMAND 'loopback-auth {name}'\n" not in shown.stdout] == []
    assert "\n         loopback-auth login github --client-id ID\n" in shown.stdout


class Terminal:
    """A program under a pseudo-terminal."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._shown = b""

    def type(self, text: str) -> None:
        """Press keys."""
        self._shown = b""
        os.write(self._number, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until it is shown since the last key."""
        until = time.monotonic() + PATIENCE
        while text.encode() not in self._shown:
            if not select.select([self._number], [], [], max(0.0, until - time.monotonic()))[0]:
                raise AssertionError(f"{text!r} was not shown: {self._shown!r}")
            self._shown += os.read(self._number, 4096)


@contextmanager
def terminal(command: list[str], environment: dict[str, str]) -> Iterator[Terminal]:
    """Run a program in the folder of the project, and end it with the block."""
    ours, theirs = os.openpty()
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(ours)
        finally:
            process.kill()
            os.close(ours)
