"""`python -m loopback_auth token`, the way that scripts go many times a minute."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from demo_client import FOLLOW_LINK
from helper_home import Home
from helper_home import home as home

from loopback_auth.__main__ import _kept_token, main
from loopback_auth.cli import run
from loopback_auth.demo.serve import demo_thread
from loopback_auth.errors import ConfigError, SignInRequired
from loopback_auth.model import ServerMetadata
from loopback_auth.settings.setting import SETTINGS, Setting
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import SignIn, TokenSet

NOW = time.time()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which one sign-in is kept."""
    tokens = TokenSet("kept-token", "Bearer", obtained_at=NOW, expires_at=NOW + 3600)
    FileTokenStore(str(tmp_path / "kept")).save(SignIn("one", "abc", "none", ServerMetadata(), "", tokens))
    return {
        "LOOPBACK_AUTH_DATA_DIR": str(tmp_path / "kept"),
        "LOOPBACK_AUTH_CONFIG_DIR": str(tmp_path),
        **{name: value for name, value in os.environ.items() if name.startswith(("COVERAGE_", "PATH"))},
    }


def _run(environment: dict[str, str], code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", code, "sh", sys.executable, "-m", "loopback_auth", "token"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@pytest.fixture
def at_the_door(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The same environment for this process."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LOOPBACK_AUTH_PROVIDER", raising=False)
    return monkeypatch


@pytest.mark.parametrize("arguments", [["token"], ["token", "one"]])
def test_the_token_and_a_line_break_and_nothing_else(
    at_the_door: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """It goes into a header by way of a shell."""
    at_the_door.setattr(sys, "argv", ["loopback_auth", *arguments])
    status = main()

    assert (status, *capsys.readouterr()) == (0, "kept-token\n", "")


def test_next_to_nothing_is_imported_for_it(environment: dict[str, str]) -> None:
    """It may be no slower than Python itself."""
    costly = "argparse asyncio ssl aiohttp yarl rich dataclasses typing pathlib loopback_auth.cli"
    code = (
        "import sys; sys.argv = ['x', 'token']; from loopback_auth.__main__ import main; main(); "
        f"print([name for name in {costly.split()} if name in sys.modules])"
    )
    plain = {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}
    # Without site, whose .pth files may import anything.
    ended = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=plain | {"PYTHONPATH": str(Path(__file__).parent.parent)},
    )

    assert ended.stdout == "kept-token\n[]\n"


@pytest.mark.parametrize("variable", [True, False])
def test_a_default_provider_is_looked_at(
    at_the_door: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, variable: bool
) -> None:
    """The only sign-in need not be the one that is meant."""
    if variable:
        at_the_door.setenv("LOOPBACK_AUTH_PROVIDER", "two")
    else:
        (tmp_path / "config.toml").write_text('provider = "two"\n')
    at_the_door.setattr(sys, "argv", ["loopback_auth", "token"])
    status = main()
    shown = capsys.readouterr()

    assert (status, shown.out) == (9, "")
    assert "not signed in to two" in shown.err


@pytest.mark.skipif(os.name != "posix", reason="streams closed by a shell")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('"$@" >&-', "stdout is closed"),
        ('"$@" >/dev/full', "No space left on device"),
        ('{ "$@"; echo "status $?" >&2; } | true; exit 1', "status 1"),
    ],
)
def test_a_token_that_cannot_be_written_is_no_success(
    environment: dict[str, str], script: str, said: str
) -> None:
    """A script would go on with an empty header."""
    if "/dev/full" in script and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    ended = _run(environment, script)

    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


LOOKS_ON = """
import atexit, os, sys
class Witness:
    def __del__(self, write=os.write):
        write(2, b"taken apart")
sys.witness = Witness()
atexit.register(print, "told at the end", end="")
from loopback_auth.__main__ import main
sys.exit(main())
"""
"""Tells whether the interpreter was taken apart, and whether what is due at the end was done."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no child keeps the last page up")
@pytest.mark.parametrize(
    ("flags", "apart"),
    [pytest.param((), False, id="child"), pytest.param(("--port",), True, id="named port")],
)
def test_nobody_waits_for_the_child_that_keeps_the_last_page_up(
    environment: dict[str, str], tmp_path: Path, flags: tuple[str, ...], apart: bool
) -> None:
    """Taking the interpreter apart beside a child copies all memory: no other end took as long."""
    person = f"{shlex.quote(sys.executable)} -c {shlex.quote(FOLLOW_LINK)} %s"
    with demo_thread() as demo:
        # A port that was named has to be free at once, so that no child is left behind.
        port = [*flags, str(free_port())] if flags else []
        client = ["--issuer", demo.issuer, "--client-id", "loopback-auth-demo"]
        done = subprocess.run(
            [sys.executable, "-c", LOOKS_ON, "login", *client, *port, "--json", "--yes"],
            capture_output=True,
            text=True,
            check=False,
            env={**environment, "HOME": str(tmp_path), "BROWSER": person},
        )

    assert done.returncode == 0, done.stderr
    assert done.stdout.rpartition("}")[2].strip() == "told at the end"
    assert ("taken apart" in done.stderr) is apart


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


SAMPLES = {"switch": "true", "seconds": "7", "age": "7", "ports": "4321", "pairs": "a=b", "scope": "other"}
"""Values by the kind of a setting; an address for the others."""
UNREADABLE = ("perhaps", "a=b a=c", "caf\udce9")
"""The last one is text that is not UTF-8."""
AT_A_HOST = ["work", "--as", "docker", "--host", "git.example"]


def quick_and_ordinary(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> tuple[str | None, tuple[int, str]]:
    """Return what the quick way answers, and status and answer of the ordinary one."""
    quick = _kept_token(arguments)
    capsys.readouterr()
    status = run(["token", *arguments])
    return quick, (status, capsys.readouterr().out)


@pytest.mark.parametrize("setting", [item for item in SETTINGS if item.variable], ids=lambda item: item.name)
def test_no_variable_is_overlooked_by_the_quick_way(
    setting: Setting, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What changes the answer of the ordinary way has to be known to the quick one too."""
    home.keep("work", scope="openid")
    value = setting.choices[-1] if setting.choices else SAMPLES.get(setting.kind, "https://other.example")
    answers = []
    for hosts in ((), ("git.example",)):
        home.keep("work", *hosts)
        for text in (value, *UNREADABLE):
            for arguments in ([], ["work"], AT_A_HOST):
                monkeypatch.delenv(setting.variable, raising=False)
                home.compare("work")
                monkeypatch.setenv(setting.variable, text)
                answers.append((quick_and_ordinary(arguments, capsys), text, arguments))
    wrong = [each for each in answers if each[0][0] is not None and each[0][1] != (0, each[0][0])]

    assert wrong == []


@pytest.mark.parametrize("arguments", [["work"], AT_A_HOST])
def test_the_quick_way_has_an_answer(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """Otherwise the test above could not fail; and what has no influence does not make it slow."""
    home.keep("work", "git.example")
    home.compare("work")
    for variable, value in (("CLIENT_SECRET", "s"), ("WAIT", "true"), ("SIGNAL", "/.dockerenv= A=b")):
        monkeypatch.setenv(f"LOOPBACK_AUTH_{variable}", value)
    quick, ordinary = quick_and_ordinary(arguments, capsys)

    assert quick
    assert ordinary == (0, quick)


def test_settings_in_another_folder_are_looked_at(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They were there before the sign-in, and ask for another client."""
    home.keep("work", "git.example")
    home.compare("work")
    assert _kept_token(["work"])
    there = home.folder / "there"
    there.mkdir()
    text = (home.folder / "config.toml").read_text()
    (there / "config.toml").write_text(text.replace('"client"', '"another"'))
    os.utime(there / "config.toml", (0, 0))
    monkeypatch.setenv("LOOPBACK_AUTH_CONFIG_DIR", str(there))
    quick, ordinary = quick_and_ordinary(["work"], capsys)

    assert (quick, ordinary) == (None, (SignInRequired.exit_code, ""))


@pytest.mark.skipif(sys.platform == "win32", reason="what is below a file is missing there")
def test_a_folder_of_settings_that_is_none_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The quick way cannot look there, and leaves it to the ordinary one to say so."""
    home.keep("work")
    (home.folder / "file").touch()
    monkeypatch.setenv("LOOPBACK_AUTH_CONFIG_DIR", str(home.folder / "file"))
    monkeypatch.setattr(sys, "argv", ["loopback_auth", "token", "work"])
    status = main()

    assert status == ConfigError.exit_code
    assert "cannot be read" in capsys.readouterr().err
