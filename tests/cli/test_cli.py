"""What all commands share: help, errors, and what becomes of an answer that nobody takes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from command_line import CommandLine

from loopback_auth.cli import COMMANDS, check_packages, run
from loopback_auth.errors import EXIT_STATUSES, ConfigError
from loopback_auth.settings.setting import SETTINGS

PYTHON = [sys.executable, "-m", "loopback_auth"]
posix = pytest.mark.skipif(os.name != "posix", reason="streams closed by a shell")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LOOPBACK_AUTH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOOPBACK_AUTH_DATA_DIR", str(tmp_path / "kept"))
    monkeypatch.setenv("LOOPBACK_AUTH_CONFIG_DIR", str(tmp_path / "config"))


def _help(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run([name, "--help"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_without_a_command_there_is_an_overview(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever types the name alone asks what it can do, which is no mistake."""
    status = run(arguments)
    shown = capsys.readouterr()

    assert (status, shown.err) == (0, "")
    assert [name for name in COMMANDS if f"\n  {name} " not in shown.out] == []
    assert "examples:" in shown.out
    assert [text for status, text in EXIT_STATUSES.items() if f" {status}  {text}\n" not in shown.out] == []


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A report of an error needs it."""
    assert run(["--version"]) == 0
    assert re.fullmatch(r"loopback_auth \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize("arguments", [["--help"], ["login", "--help"]])
def test_help_has_no_colours(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the same on each Python; since 3.14 argparse colours it, at a terminal or when told to."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")

    assert run(arguments) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """People copy the example first."""
    shown = _help(name, capsys)

    assert "Examples:\n  " in shown
    assert f"python -m loopback_auth {name}" in shown.partition("Examples:")[2]
    assert "--json" in shown


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("columns", [40, 80])
def test_help_fits_the_terminal(
    name: str, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prose is filled to the width; examples stay whole, and flags cannot be made shorter."""
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = _help(name, capsys)
    prose = [line for line in shown.splitlines() if not line.startswith((" ", "usage:"))]
    prose += shown.partition("\n\n")[0].splitlines() if columns == 80 else []

    assert max(map(len, prose)) <= columns


def test_every_setting_says_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    """And a secret has no flag."""
    shown = " ".join(_help("settings", capsys).split())
    flags = [item for item in SETTINGS if item.flag]

    assert [
        item.name for item in SETTINGS if item.flag and f"{item.flag} " not in shown.replace(",", " ")
    ] == []
    assert [item.flag for item in flags if not re.search(rf"{item.flag}[ ,]", shown)] == []
    assert [item.flag for item in flags if item.help not in shown] == []
    assert "--client-secret" not in shown
    assert "(default: 300)" in shown


@pytest.mark.parametrize("name", ["login", "start", "compare", "explain", "doctor"])
def test_the_help_of_a_command_has_what_belongs_to_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Forty settings hide the five that are used; the others can be given all the same."""
    shown = _help(name, capsys)

    assert "--client-id" in shown
    assert "--token-endpoint" not in shown
    assert "help settings" in shown
    assert len(shown.splitlines()) < 80


def test_help_is_a_command_too(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the first thing that many type."""
    assert run(["help"]) == 0
    overview = capsys.readouterr().out
    assert run(["help", "login"]) == 0

    assert "use tokens:" in overview
    assert capsys.readouterr().out == _help("login", capsys)


REFUSED = [
    (["lgoin"], "Unknown command: 'lgoin'", "Did you mean login?"),
    (["version"], "Unknown command: 'version'", "Did you mean --version?"),
    (["help", "lgoin"], "There is no command or topic 'lgoin'", "Did you mean login?"),
    (["help", "ticket"], "There is no command or topic 'ticket'", "explain ticket."),
    (["help", "tickets"], "There is no command or topic 'tickets'", "explain ticket."),
    (["help", "github"], "There is no command or topic 'github'", "providers github."),
    (["help", "qqqq"], "There is no command or topic 'qqqq'", "Known names: "),
    (["--json", "status"], "A command has to come first", "--help"),
    (["login", "--clientid", "x"], "Unknown flag: --clientid", "Did you mean --client-id?"),
    (["login", "--issuer"], "Argument --issuer: expected one argument", "login --help"),
    (["status", "a", "b"], "One argument too many: 'b'", "status --help"),
    (["demo", "--port", "x"], "Argument --port: 'x' is not a whole number", "demo --help"),
    (["token", "--leeway", "x"], "Argument --leeway: 'x' is not a number", "token --help"),
    (["token", "--as", "kubctl"], "invalid choice: 'kubctl'", "Did you mean kubectl? See"),
    (["completion", "qq"], "invalid choice: 'qq'", "completion --help"),
    (["login", "--tokn=hunter2"], "Unknown flag: --tokn", "login --help"),
]


@pytest.mark.parametrize(("arguments", "message", "hint"), REFUSED)
def test_a_slip_gets_one_sentence_and_one_hint(
    arguments: list[str], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forty flags on the screen hide what was wrong."""
    status = run(arguments)
    shown = capsys.readouterr()

    assert status == 2
    assert message in shown.err + shown.out
    assert hint in shown.err + shown.out
    assert "hunter2" not in shown.err
    assert len(shown.err.splitlines()) <= 2


@pytest.mark.parametrize(
    "arguments",
    [["--client-secret", "hunter2"], ["--client-secret=hunter2"], ["--secret", "hunter2", "github"]],
)
def test_a_secret_is_never_taken_from_the_command_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every user of the machine can read it there; so it is said where secrets go."""
    status = run(["login", *arguments])
    shown = capsys.readouterr()

    assert status == 2
    assert "other users" in shown.err
    assert "LOOPBACK_AUTH_CLIENT_SECRET" in shown.err
    assert "hunter2" not in shown.err


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["lgoin", "--json"], 2),
        (["login", "githb", "--json"], 2),
        (["login", "--nonsense", "--json"], 2),
        (["token", "--json"], 9),
        (["status", "one", "--json"], 9),
        (["logout", "--json"], 9),
        (["providers", "x", "--json"], 2),
    ],
)
def test_errors_are_json_too(arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A script reads one document, whatever happened."""
    ended = run(arguments)
    shown = capsys.readouterr()
    document = json.loads(shown.out)

    assert ended == status
    assert shown.err == ""
    assert list(document) == ["error", "message", "hint", "parameter"]
    assert all(document[name] for name in ("error", "message", "hint"))


def test_a_fault_of_ours_is_told_by_its_place_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words of a foreign exception may quote a secret, and so may a traceback."""

    def broken(_name: str) -> bool:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("loopback_auth.commands.data_folder", broken)
    status = run(["status"])
    said = capsys.readouterr().err

    assert status == 1
    assert re.search(r"Internal error: RuntimeError at .*test_cli\.py:\d+", said)
    assert "hunter2" not in said
    assert "Traceback" not in said


def _caused_by(cause: BaseException) -> RuntimeError:
    error = RuntimeError("Error calling __set_name__")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), _caused_by(KeyboardInterrupt())])
def test_ctrl_c_is_no_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, interruption: BaseException
) -> None:
    """Whoever gave up knows it, also in the middle of an import, where Python 3.11 may wrap it."""

    def interrupted(_environ: object) -> str:
        raise interruption

    monkeypatch.setattr("loopback_auth.commands.data_folder", interrupted)
    status = run(["status"])

    assert (status, capsys.readouterr().err) == (130, "Cancelled.\n")


def _shell(script: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", script, "sh", *PYTHON],
        capture_output=True,
        text=True,
        check=False,
        env=CommandLine(tmp_path).environment({}),
    )


@posix
@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        ('"$@" settings >&-', 1, "stdout is closed"),
        ('"$@" settings >/dev/full', 1, "No space left on device"),
        ('"$@" settings --json >/dev/full', 1, "No space left on device"),
        ('"$@" status --json >/dev/full', 9, "You are not signed in."),
        ('"$@" status 2>&-', 9, ""),
        ('"$@" status 2>/dev/full', 9, ""),
        ('"$@" settings <&- >/dev/null', 0, ""),
        ('"$@" login google --client-id x <&- ', 3, "LOOPBACK_AUTH_CLIENT_SECRET"),
        ('{ "$@" settings; echo "status $?" >&2; } | true', 0, "status 141"),
    ],
)
def test_streams_that_lead_nowhere(script: str, status: int, said: str, tmp_path: Path) -> None:
    """Cron, daemons and full disks: the status is right, and there is no traceback."""
    if "/dev/full" in script and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    ended = _shell(script, tmp_path)

    assert ended.returncode == status
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


def test_what_the_terminal_cannot_show_is_spelled_out(tmp_path: Path) -> None:
    """A name from a server is no reason to fail."""
    ended = CommandLine(tmp_path).run("settings", "--scope", "\u00e4", PYTHONIOENCODING="ascii")

    assert ended.status == 0
    assert "\\xe4" in ended.stdout


@pytest.mark.slow
def test_typographical_characters_have_a_plain_form(tmp_path: Path) -> None:
    """What we write ourselves can be read without them."""
    command = ("compare", "--simulate", "--flows", "code")
    ended = CommandLine(tmp_path).run(*command, PYTHONIOENCODING="ascii")

    assert ended.status == 0
    assert "\\x" not in ended.stdout


@posix
def test_a_link_that_nobody_can_see_is_not_waited_for(tmp_path: Path) -> None:
    """With stderr closed and no browser there is nobody who could approve."""
    ended = _shell('"$@" login --issuer https://as.example --client-id x 2>&- </dev/null --json', tmp_path)

    assert ended.returncode == 3
    assert "stderr is closed" in json.loads(ended.stdout)["message"]


class _Without:
    """Finds modules as ever, except one package."""

    def __init__(self, missing: str) -> None:
        self._missing = missing
        self._finders = tuple(sys.meta_path)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == self._missing:
            return None
        specs = (finder.find_spec(name, path, target) for finder in self._finders)
        return next((spec for spec in specs if spec is not None), None)


def test_a_missing_package_is_said_before_the_browser_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has approved already has done it in vain; what is not asked for needs no package."""
    monkeypatch.setattr(sys, "meta_path", [_Without("joserfc")])
    check_packages()

    with pytest.raises(ConfigError) as refused:
        check_packages(binds=True)
    assert refused.value.parameter == "dpop"
