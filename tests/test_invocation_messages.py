"""No message escapes: each one names the command that was typed, and never the general name."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipapp
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from command_line import CommandLine

from loopback_auth.cli import COMMANDS, TOPICS, run
from loopback_auth.demo.serve import demo_thread
from loopback_auth.errors import SignInRequired
from loopback_auth.invocation import GENERAL
from loopback_auth.proxy.answers import refused, unavailable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")

ROOT = Path(__file__).resolve().parent.parent
TYPED = {
    "/nowhere/bin/loopback-auth": "/nowhere/bin/loopback-auth",
    "/h/.cache/uv/archive-v0/-m_Ck5SGnTagBb9k/bin/loopback-auth": "uvx loopback-auth",
}
"""What a console script finds in `sys.argv`, and what was typed."""
ENTRY = "import sys; from loopback_auth.__main__ import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and a console script that was started."""
    monkeypatch.setenv("LOOPBACK_AUTH_DATA_DIR", str(tmp_path / "kept"))
    monkeypatch.setenv("LOOPBACK_AUTH_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path


def said(monkeypatch: pytest.MonkeyPatch, *arguments: str, script: str = next(iter(TYPED))) -> str:
    """Run a command of the console script, and return all that it said."""
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, script, *arguments])
    with redirect_stdout(io.StringIO()) as answered, redirect_stderr(io.StringIO()) as told:
        run(arguments)
    return answered.getvalue() + told.getvalue()


@pytest.mark.parametrize("name", [*COMMANDS, *TOPICS, ""])
@pytest.mark.parametrize("script", TYPED)
def test_help_names_what_was_typed(script: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in JSON, of which agents copy commands."""
    for arguments in (["help", name], ["help", name, "--json"], [name, "--help"] if name in COMMANDS else []):
        shown = said(monkeypatch, *filter(None, arguments), script=script)

        assert GENERAL not in shown
        assert name not in COMMANDS or f"{TYPED[script]} {name}" in shown


SLIPS = [
    ["lgoin"],
    ["agents"],
    ["--json", "status"],
    ["login", "--clientid", "x"],
    ["token"],
    ["token", "work"],
    ["token", "https://api.example"],
    ["use"],
    ["logout"],
    ["logout", "work"],
    ["status", "id.example-0a1b2c"],
    ["finish"],
    ["finish", "id.example-0a1b2c"],
    ["cancel"],
    ["cancel", "id.example-0a1b2c"],
    ["start"],
    ["receive", "-"],
    ["providers"],
    ["providers", "gihtub"],
    ["login", "gihtub"],
    ["login", "github", "--no-wait"],
    ["start", "github", "--client-id", "x", "--flow", "token"],
    ["explain", "codd"],
    ["compare", "--flows", "codd"],
    ["doctor", "--from", "/nowhere"],
    ["audit"],
    ["settings", "--all"],
    ["client-metadata", "http://x"],
]


@pytest.mark.parametrize("arguments", SLIPS, ids=" ".join)
def test_what_a_slip_is_told_names_it(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A hint is copied as it stands."""
    for more in ([], ["--json"]):
        assert GENERAL not in said(monkeypatch, *arguments, *more)


def test_a_login_in_two_steps_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent runs the command in `finish`."""
    with demo_thread() as demo:
        client = [demo.issuer, "--client-id", "loopback-auth-demo", "--flow", "device"]
        begun = json.loads(said(monkeypatch, "start", *client, "--json"))
        shown = [
            said(monkeypatch, *words) for words in (("start", *client), ("status",), ("status", "--json"))
        ]
        pending = said(monkeypatch, "finish", begun["handle"], "--yes")

    script = next(iter(TYPED))
    assert begun["finish"] == f"{script} finish {begun['handle']} --yes"
    assert f"  {script} finish " in shown[0]
    assert f"{script} finish {begun['handle']} --yes --wait 60" in pending
    assert not [text for text in (*shown, pending) if GENERAL in text]


def test_the_proxy_names_it_to_its_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client of the proxy is answered is read by the person who started the proxy."""
    script = next(iter(TYPED))
    monkeypatch.setattr(sys, "argv", [script, "proxy"])
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, script, "proxy"])
    refusal = unavailable(SignInRequired("You are not signed in.", hint=f"Sign in: {GENERAL} login work"))

    body = refused(refusal, method="GET").body
    assert body == f"You are not signed in.\nSign in: {script} login work\n".encode()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["loopback-auth", "loopback-auth@2", "loopback-auth.pyz"])
def test_a_login_names_it(name: str, tmp_path: Path) -> None:
    """As a console script, as one with the suffix that pipx adds, and as an archive."""
    script = tmp_path / name
    if name.endswith(".pyz"):
        (tmp_path / "archive").mkdir()
        (tmp_path / "archive" / "__main__.py").write_text(ENTRY)
        zipapp.create_archive(tmp_path / "archive", script, sys.executable)
    else:
        script.write_text(f"#!{sys.executable}\n{ENTRY}\n")
        script.chmod(0o755)
    environment = CommandLine(tmp_path).environment({"PYTHONPATH": str(ROOT)})
    shown = [
        subprocess.run(
            [str(script), *words], capture_output=True, text=True, check=False, env=environment, timeout=60
        )
        for words in (("login",), ("status",), ("token", "none"), ("login", "--help"))
    ]

    assert f"Print the token with: {script} token demo" in shown[0].stderr
    assert not [one for one in shown if GENERAL in one.stdout + one.stderr]
