"""`status`: who is signed in where, for people and for scripts, and never a secret."""

from __future__ import annotations

import json
import time

import pytest
from command_line import CommandLine

from commands.people import keep, kept_in

NOW = time.time()


def test_people_see_a_table(command_line: CommandLine) -> None:
    """Names, accounts, ends and scopes, in columns that fit a terminal."""
    keep(command_line, "one", expires_at=NOW + 3600, obtained_at=NOW)
    keep(command_line, "two", expires_at=NOW - 3600, obtained_at=NOW - 7200, scope="read write")
    ended = command_line.run("status")
    header, one, two = ended.stdout.splitlines()

    assert (ended.status, ended.stderr) == (0, "")
    assert header.split() == ["name", "account", "until", "scope"]
    assert one.startswith("one   me@example.com  20")
    assert one.endswith(", renewable        read")
    assert "  ended 20" in two
    assert two.endswith("  read write")
    assert max(map(len, ended.stdout.splitlines())) < 80


def test_scripts_see_json(command_line: CommandLine) -> None:
    """A list, whatever the number."""
    keep(command_line, "one", expires_at=NOW + 3600, obtained_at=NOW)
    (shown,) = json.loads(command_line.run("status", "--json").stdout)

    assert (shown["name"], shown["fresh"], shown["refresh_token"]) == ("one", True, True)


def test_nobody_sees_a_secret(command_line: CommandLine) -> None:
    """It is run over shoulders and in logs."""
    keep(command_line, "one")
    shown = command_line.run("status").stdout + command_line.run("status", "one", "--json").stdout

    assert "one" in shown
    assert "-token-of-" not in shown


def test_hostile_text_cannot_drive_the_terminal(command_line: CommandLine) -> None:
    """A server chooses the scope; a file may have been edited (CVE-2024-50349)."""
    keep(command_line, "one", scope="read\x1b[2J\u202ewrite")
    shown = command_line.run("status").stdout

    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_damaged_file_is_named_with_what_to_do(command_line: CommandLine) -> None:
    """The other sign-ins are shown all the same."""
    keep(command_line, "one")
    keep(command_line, "two")
    damaged = next(kept_in(command_line).rglob("one.json"))
    damaged.write_text("{")
    ended = command_line.run("status")
    as_json = json.loads(command_line.run("status", "--json").stdout)

    assert ended.status == 8
    assert str(damaged) in ended.complaint
    assert "Sign in again" in ended.complaint
    assert "\ntwo   me@example.com" in ended.stdout
    assert [(one["name"], one.get("error")) for one in as_json] == [("two", None), ("one", "StoreError")]


def test_nobody_is_signed_in(command_line: CommandLine) -> None:
    """One JSON document, not two."""
    ended = command_line.run("status", "--json")

    assert ended.status == 9
    assert ended.json["error"] == "SignInRequired"
    assert "login" in str(ended.json["hint"])


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("github", "login github\n"),
        ("githb", "Did you mean github?"),
        ("nosuch", "login PROVIDER"),
        ("id.example", "login URL\n"),
        ("demo", "login demo\n"),
        ("work", "login work\n"),
    ],
)
def test_only_providers_that_exist_are_named_in_the_hint(
    name: str, hint: str, command_line: CommandLine
) -> None:
    """`login nosuch` would only end in the next error."""
    config = command_line.home / "config.toml"
    config.write_text('[providers.work]\nissuer = "https://id.example"\nclient_id = "x"\n')
    config.chmod(0o600)
    ended = command_line.run("token", name, LOOPBACK_AUTH_CONFIG_DIR=str(command_line.home))

    assert ended.status == 9
    assert hint in ended.complaint
