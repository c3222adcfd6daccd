"""`logout`: the tokens are worth nothing afterwards, or the person is told that they still are."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest
from command_line import CommandLine

from commands.people import RecordingServer, client_flags, keep, kept_in, sign_in, store


def _userinfo(issuer: str, token: str) -> int:
    request = urllib.request.Request(f"{issuer}/userinfo", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except HTTPError as exc:
        exc.close()
        return exc.code


@pytest.mark.slow
def test_the_tokens_are_revoked_and_forgotten(command_line: CommandLine, server: RecordingServer) -> None:
    """Forgetting alone would leave whoever copied the file signed in."""
    sign_in(command_line, *client_flags(server.issuer))
    (file,) = kept_in(command_line).rglob("*.json")
    token = json.loads(file.read_text())["tokens"]["access_token"]
    before = _userinfo(server.issuer, token)
    ended = command_line.run("logout", "--json")

    assert (before, _userinfo(server.issuer, token)) == (200, 401)
    assert ended.json == {"name": file.stem, "revoked": True}
    assert "revoked and forgotten" in ended.stderr
    assert store(command_line).names() == ()


@pytest.mark.slow
def test_without_an_answer_they_are_forgotten_all_the_same(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """The person wants to be rid of them here, and has to know that they live on there."""
    sign_in(command_line, *client_flags(server.issuer))
    (file,) = kept_in(command_line).rglob("*.json")
    file.write_text(file.read_text().replace(f"{server.issuer}/revoke", "http://127.0.0.1:1/revoke"))
    ended = command_line.run("logout")

    assert (ended.status, ended.stdout) == (6, "")
    assert "forgotten here, but not revoked" in ended.stderr
    assert "got no answer" in ended.complaint
    assert store(command_line).names() == ()


@pytest.mark.slow
def test_a_bound_sign_in_without_its_key_is_revoked(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Its key signs what uses the token, and not what gives it up (RFC 7009 §2.1)."""
    sign_in(command_line, *client_flags(server.issuer), "--dpop")
    (key,) = (kept_in(command_line) / "keys").glob("*.json")
    key.unlink()
    ended = command_line.run("logout", "--json")

    assert (ended.status, ended.json["revoked"]) == (0, True)
    assert server.sent("token_type_hint") >= {"access_token"}
    assert str(key) in ended.stderr
    assert store(command_line).names() == ()


def test_a_server_without_revocation_is_told_apart(command_line: CommandLine) -> None:
    """Nothing went wrong, and still the tokens live on."""
    keep(command_line, "one")
    ended = command_line.run("logout")

    assert ended.status == 0
    assert "one offers no revocation" in ended.stderr
    assert "what to do: Remove the authorization on its web page" in ended.stderr


def test_all_gives_up_every_one_and_stops_at_none(command_line: CommandLine) -> None:
    """A damaged file must not keep the others signed in."""
    keep(command_line, "one")
    keep(command_line, "two")
    keep(command_line, "three")
    damaged = next(kept_in(command_line).rglob("one.json"))
    damaged.write_text("{")
    ended = command_line.run("logout", "--all", "--json")

    assert ended.status == 8
    assert [(one["name"], one["revoked"]) for one in json.loads(ended.stdout)] == [
        ("one", False),
        ("three", False),
        ("two", False),
    ]
    assert store(command_line).names() == ("one",)
    assert f"error: {damaged} is damaged" in ended.stderr


def test_all_of_none_is_no_error(command_line: CommandLine) -> None:
    """A script that cleans up has nothing to complain of."""
    ended = command_line.run("logout", "--all")

    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "You are not signed in.\n")


def test_of_several_one_has_to_be_named(command_line: CommandLine) -> None:
    """Signing out of the wrong one cannot be taken back."""
    keep(command_line, "one")
    keep(command_line, "two")

    assert command_line.run("logout").status == 2
    ended = command_line.run("logout", "one")

    assert ended.status == 0
    assert store(command_line).names() == ("two",)
    assert "In use now: two." in ended.stderr


def test_last_sign_in_leaves_none_in_use(command_line: CommandLine) -> None:
    """Then there is no other token that could be taken for its own."""
    keep(command_line, "one")

    assert "In use now" not in command_line.run("logout", "one").stderr


@pytest.mark.parametrize("text", ["=", "client_secret = 'x'\n"])
def test_settings_that_cannot_be_read_leave_the_tokens(
    command_line: CommandLine, tmp_path: Path, text: str
) -> None:
    """Without the secret nothing can be revoked; forgetting them first would leave nothing to revoke."""
    keep(command_line, "one")
    file = next(kept_in(command_line).rglob("one.json"))
    file.write_text(file.read_text().replace('"none"', '"client_secret_basic"'))
    config = tmp_path / "config.toml"
    config.write_text(text)
    config.chmod(0o644)
    ended = command_line.run("logout", "one", LOOPBACK_AUTH_CONFIG_DIR=str(tmp_path))

    assert ended.status == 2
    assert str(config) in ended.complaint
    assert "forgotten" not in ended.stderr
    assert store(command_line).names() == ("one",)
