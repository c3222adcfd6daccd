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

from loopback_auth.__main__ import DECIDING, _kept_token, main
from loopback_auth.cli import run
from loopback_auth.demo.serve import demo_thread
from loopback_auth.errors import SignInRequired
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
from loopback_auth.__main__ import DECIDING, _kept_token, main
from loopback_auth.cli import run
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


@pytest.mark.parametrize("setting", [item for item in SETTINGS if item.variable], ids=lambda item: item.name)
def test_no_variable_is_overlooked_by_the_quick_way(
    setting: Setting, tmp_path: Path, at_the_door: pytest.MonkeyPatch
) -> None:
    """What makes the ordinary way refuse a kept sign-in has to be known to the quick one too."""
    metadata = ServerMetadata("https://id.example", token_endpoint="https://id.example/token")
    tokens = TokenSet("kept-token", "Bearer", scope="openid", obtained_at=NOW, expires_at=NOW + 3600)
    FileTokenStore(str(tmp_path / "kept")).save(SignIn("one", "abc", "none", metadata, "openid", tokens))
    value = setting.choices[-1] if setting.choices else SAMPLES.get(setting.kind, "https://other.example")
    at_the_door.setenv(setting.variable, value)
    refused = run(["token", "--leeway", "60"]) == SignInRequired.exit_code

    assert not (refused and _kept_token([]))


def test_a_variable_that_decides_is_among_those_that_are_tried() -> None:
    """Otherwise the test above could not fail."""
    tried = {item.variable for item in SETTINGS}

    assert {f"LOOPBACK_AUTH_{name}" for name in DECIDING} - {"LOOPBACK_AUTH_PROVIDER"} <= tried
