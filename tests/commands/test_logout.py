"""`logout`: the tokens are worth nothing afterwards, or the person is told that they still are."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest
from command_line import CommandLine

from commands.people import RecordingServer, client_flags, keep, kept_in, sign_in, store
from loopback_auth.store.private_files import write_private


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
    """A damaged file must not keep the others signed in, and it may have a token as well."""
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
    assert json.loads(ended.stdout)[0]["deleted"] == [str(damaged)]
    assert store(command_line).names() == ()
    assert f"{damaged} is damaged" in ended.stderr


def leave(command_line: CommandLine, name: str) -> set[Path]:
    """Leave what damage and crashes leave of a sign-in: each file may have a token, or a key of one."""
    file = Path(store(command_line).path(name))
    keep(command_line, name)
    file.write_text("half of a token")
    keep(command_line, name)
    (kept_in(command_line) / "keys").mkdir(mode=0o700, exist_ok=True)
    (renamed,) = file.parent.glob(f"{name}.json.corrupt-*")
    half = write_private(str(file.parent), b"half of a token", name)
    key = write_private(str(kept_in(command_line) / "keys"), b"{}")
    Path(key).rename(kept_in(command_line) / "keys" / f"{name}.json")
    return {renamed, Path(half), kept_in(command_line) / "keys" / f"{name}.json"}


@pytest.mark.parametrize("is_kept", [True, False])
def test_all_leaves_nothing_of_a_sign_in(command_line: CommandLine, is_kept: bool) -> None:
    """A token in a copy is still a token; the person reads which files are gone."""
    left = leave(command_line, "one")
    if not is_kept:
        Path(store(command_line).path("one")).unlink()
    ended = command_line.run("logout", "--all", "--json")
    (one,) = json.loads(ended.stdout)
    key = kept_in(command_line) / "keys" / "one.json"

    assert (ended.status, one["name"]) == (0, "one")
    assert set(map(Path, one["deleted"])) == (left - {key} if is_kept else left)
    assert all(str(file) in ended.stderr for file in one["deleted"])
    assert files_with_content(command_line) == []


def files_with_content(command_line: CommandLine) -> list[Path]:
    """Return the files of the data folder that have any."""
    return [file for file in kept_in(command_line).rglob("*") if file.is_file() and file.stat().st_size]


def test_one_leaves_nothing_of_itself_and_all_of_others(command_line: CommandLine) -> None:
    """Also of a name that begins alike; and there is nothing left to be told about next time."""
    leave(command_line, "one")
    Path(store(command_line).path("one")).unlink()
    others = leave(command_line, "one-more")
    ended = command_line.run("logout", "one")
    again = command_line.run("logout", "one")

    assert (ended.status, again.status) == (0, 9)
    assert set(files_with_content(command_line)) == others | {Path(store(command_line).path("one-more"))}


def test_a_damaged_sign_in_is_deleted(command_line: CommandLine) -> None:
    """It can never be revoked, and half of a token file may have a whole token."""
    keep(command_line, "one")
    Path(store(command_line).path("one")).write_text("half of a token")
    ended = command_line.run("logout")

    assert ended.status == 8
    assert "not revoked" in ended.complaint
    assert files_with_content(command_line) == []


@pytest.mark.skipif(sys.platform == "win32", reason="files have no mode there")
def test_what_can_be_read_again_stays(command_line: CommandLine) -> None:
    """Its tokens can be revoked as soon as the person has done what the error says."""
    keep(command_line, "one")
    Path(store(command_line).path("one")).chmod(0o644)
    ended = command_line.run("logout", "--all")

    assert ended.status == 8
    assert "chmod" in ended.stderr
    assert store(command_line).names() == ("one",)


def test_all_of_none_is_no_error(command_line: CommandLine) -> None:
    """A script that cleans up has nothing to complain of."""
    ended = command_line.run("logout", "--all")

    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "You are not signed in.\n")


def test_nobody_who_signs_out_is_told_to_sign_in(command_line: CommandLine) -> None:
    """Nor where another sign-in was meant."""
    nothing = command_line.run("logout")
    keep(command_line, "one")
    another = command_line.run("logout", "two")

    assert (nothing.status, another.status) == (9, 9)
    assert "nothing to sign out of" in nothing.stderr
    assert "signed in to one" in another.stderr
    assert "Name one of those" in another.stderr


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
