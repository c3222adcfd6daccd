"""Sign-ins under a key in GNOME Keyring: the real daemon, on a D-Bus of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine, Ended

from foreign.secret_service import SecretService, secret_service
from loopback_auth.model import ServerMetadata
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import SignIn, TokenSet

pytestmark = [pytest.mark.foreign, pytest.mark.skipif(sys.platform != "linux", reason="D-Bus")]

SECONDS = 40
"""Within which a command ends that would wait for ever; most of it is for a busy machine."""


@pytest.fixture
def keychain(tmp_path: Path) -> Iterator[SecretService]:
    """Run a keychain that is unlocked."""
    with secret_service(tmp_path / "session") as service:
        yield service


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """The command line, with a sign-in in a plain file."""
    now = time.time()
    tokens = TokenSet("kept-token", "Bearer", obtained_at=now, expires_at=now + 3600)
    made = CommandLine(tmp_path)
    FileTokenStore(tmp_path / "kept").save(
        SignIn("one", "client", "none", ServerMetadata("https://as.example"), "", tokens)
    )
    return made


def run(command_line: CommandLine, keychain: SecretService, *arguments: str, **more: str) -> Ended:
    """Run a command within the session of the keychain."""
    config = {"LOOPBACK_AUTH_CONFIG_DIR": str(command_line.home / "config")}
    return command_line.run(*arguments, **{**keychain.environment, **config, **more})


def test_there_and_back(command_line: CommandLine, keychain: SecretService) -> None:
    """One secret is there, of which a person sees whose it is."""
    assert run(command_line, keychain, "store", "keychain").status == 0
    path = command_line.home / "kept" / "sign-ins" / "one.json"
    moved = path.read_bytes()
    token = run(command_line, keychain, "token", "one")

    assert b"kept-token" not in moved
    assert (token.status, token.stdout) == (0, "kept-token\n")
    assert [("loopback_auth" in label) for label in keychain.labels()] == [True]
    assert run(command_line, keychain, "store", "file").status == 0
    assert b"kept-token" in path.read_bytes()


def test_two_processes_at_once_make_one_key(command_line: CommandLine, keychain: SecretService) -> None:
    """The service replaces a secret of the same name without a question."""
    environ = command_line.environment(keychain.environment)
    command = [sys.executable, "-m", "loopback_auth", "store", "keychain"]
    config = {"LOOPBACK_AUTH_CONFIG_DIR": str(command_line.home / "config")}
    processes = [subprocess.Popen(command, env=environ | config) for _ in range(3)]

    assert [process.wait() for process in processes] == [0, 0, 0]
    assert len(keychain.labels()) == 1
    assert run(command_line, keychain, "token", "one").stdout == "kept-token\n"


def test_a_locked_keychain_asks_nobody_where_nobody_is(
    command_line: CommandLine, keychain: SecretService
) -> None:
    """There is no screen, so a question would be waited for; nothing is changed, and it is said at once."""
    run(command_line, keychain, "store", "keychain")
    keychain.lock()
    for more in (
        {},
        {"DISPLAY": ":0", "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"},
        {"DISPLAY": ":0", "CI": "1"},
    ):
        begun = time.monotonic()
        done = run(command_line, keychain, "token", "one", **more)
        assert (done.status, done.stdout) == (8, "")
        assert "locked" in done.complaint
        assert time.monotonic() - begun < SECONDS


def test_a_question_that_nobody_can_show_is_declined(
    command_line: CommandLine, keychain: SecretService
) -> None:
    """A display is set, and the program of the desktop that asks is not there."""
    run(command_line, keychain, "store", "keychain")
    keychain.lock()
    done = run(command_line, keychain, "token", "one", DISPLAY=":99")

    assert (done.status, done.stdout) == (8, "")
    assert "unlocked" in done.complaint


def test_a_key_that_was_removed_is_said(command_line: CommandLine, keychain: SecretService) -> None:
    """A person may tidy up; the files stay, and a new sign-in makes a new key."""
    run(command_line, keychain, "store", "keychain")
    path = command_line.home / "kept" / "sign-ins" / "one.json"
    before = path.read_bytes()
    keychain.remove_all()
    lost = run(command_line, keychain, "token", "one")

    assert (lost.status, path.read_bytes()) == (8, before)
    signed_in = run(command_line, keychain, "login", "demo", "--simulate-person")
    assert signed_in.status == 0, signed_in.stderr
    assert run(command_line, keychain, "token", "demo").status == 0
    assert len(keychain.labels()) == 1


def test_without_the_daemon_it_is_said(command_line: CommandLine, keychain: SecretService) -> None:
    """It may have crashed since the last command."""
    run(command_line, keychain, "store", "keychain")
    keychain.stop()
    done = run(command_line, keychain, "token", "one")
    fresh = run(
        command_line, keychain, "store", "keychain", LOOPBACK_AUTH_DATA_DIR=str(command_line.home / "x")
    )

    for ended in (done, fresh):
        assert (ended.status, ended.stdout) == (8, "")
        assert "no keychain here" in ended.complaint


def test_a_daemon_that_hangs_is_not_waited_for(command_line: CommandLine, keychain: SecretService) -> None:
    """D-Bus itself knows no limit for an answer here (secretstorage waits for ever)."""
    run(command_line, keychain, "store", "keychain")
    os.kill(keychain.daemon.pid, signal.SIGSTOP)
    begun = time.monotonic()
    done = run(command_line, keychain, "token", "one")

    assert (done.status, done.stdout) == (8, "")
    assert time.monotonic() - begun < SECONDS
    assert "does not answer" in done.complaint


@pytest.mark.parametrize("address", ["", "unix:path=/nonexistent", "nonsense", "tcp:host=127.0.0.1,port=1"])
def test_without_a_bus_it_is_said(command_line: CommandLine, address: str) -> None:
    """In a container and under cron there is none."""
    done = command_line.run("store", "keychain", DBUS_SESSION_BUS_ADDRESS=address)

    assert (done.status, done.stdout) == (8, "")
    assert "no keychain here" in done.complaint
    assert "SecretService (" in done.complaint  # Which one has the trouble that follows.
