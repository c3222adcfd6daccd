"""Which sign-in is meant where none is named: the settings', the chosen one, the last, or the only one."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from command_line import CommandLine

from commands.people import RecordingServer, client_flags, keep, kept_in, sign_in, store
from loopback_auth.commands.demo import CLIENT_ID


def keep_demo(command_line: CommandLine) -> None:
    """Keep a sign-in to a demonstration whose server has ended."""
    store(command_line).save(replace(keep(command_line, "demo"), temporary=True))


def names(command_line: CommandLine) -> tuple[str, str]:
    """Return what the fast and the slow way take for the sign-in that is meant."""
    fast, slow = command_line.run("token"), command_line.run("token", "--json")
    return fast.stdout.strip(), str(slow.json["access_token"]) if not slow.status else slow.complaint


def test_the_chosen_one_is_meant(command_line: CommandLine) -> None:
    """Whoever has several need not name one each time."""
    for name in ("one", "two", "three"):
        keep(command_line, name)
    before = command_line.run("use")
    chosen = command_line.run("use", "two")

    assert before.status == 2
    assert "use NAME" in before.complaint
    assert (chosen.status, chosen.stdout) == (0, "")
    assert command_line.run("use").stdout == "two\n"
    assert command_line.run("use", "--json").json["name"] == "two"
    assert names(command_line) == ("access-token-of-two", "access-token-of-two")
    assert command_line.run("token", "one").stdout == "access-token-of-one\n"


def test_status_marks_it(command_line: CommandLine) -> None:
    """It has to be seen somewhere which one is meant."""
    keep(command_line, "one")
    alone = command_line.run("status").stdout
    keep(command_line, "two")
    command_line.run("use", "two")
    shown = command_line.run("status").stdout
    as_json = json.loads(command_line.run("status", "--json").stdout)
    (named,) = json.loads(command_line.run("status", "two", "--json").stdout)

    assert "in use" not in alone
    assert [line.split("  ")[0] for line in shown.splitlines()[1:]] == ["one", "two (in use)"]
    assert [(one["name"], one["in_use"]) for one in as_json] == [("one", False), ("two", True)]
    assert named["in_use"] is True


@pytest.mark.slow
def test_logout_means_it_too_and_what_is_gone_is_not_meant(command_line: CommandLine) -> None:
    """Afterwards the only one that is left is the one that is meant."""
    keep(command_line, "one")
    keep(command_line, "two")
    command_line.run("use", "two")

    assert command_line.run("logout", "--json").json["name"] == "two"
    assert store(command_line).chosen() == ""
    assert names(command_line) == ("access-token-of-one", "access-token-of-one")


def test_an_unknown_one_cannot_be_chosen(command_line: CommandLine) -> None:
    """The choice before it stays."""
    keep(command_line, "one")
    keep(command_line, "two")
    command_line.run("use", "one")

    assert command_line.run("use", "three").status == 9
    assert names(command_line)[0] == "access-token-of-one"


def test_a_misspelled_name_is_asked_about(command_line: CommandLine) -> None:
    """A name that is not kept can be another provider's: github is not a misspelling of gitlab."""
    keep(command_line, "gitlab")
    keep(command_line, "corp")

    assert "Did you mean corp? Sign in" in command_line.run("token", "copr").complaint
    assert "Did you mean" not in command_line.run("token", "github").complaint


@pytest.mark.parametrize("real", [1, 2])
def test_a_demonstration_that_has_ended_is_in_nobodys_way(command_line: CommandLine, real: int) -> None:
    """People try it first, and then sign in to what they came for."""
    keep_demo(command_line)
    alone = names(command_line)
    for name in ("one", "two")[:real]:
        keep(command_line, name)
    beside = command_line.run("token")

    assert alone[0] == "access-token-of-demo"
    assert (beside.status, beside.stdout) == ((0, "access-token-of-one\n") if real == 1 else (2, ""))
    assert command_line.run("use", "demo").status == 0
    assert names(command_line)[0] == "access-token-of-demo"


def test_the_last_sign_in_is_meant(command_line: CommandLine, server: RecordingServer) -> None:
    """It is what the person thinks of, whatever was kept before; a renewal changes nothing of that."""
    keep(command_line, "one")
    keep(command_line, "two")
    keep_demo(command_line)
    command_line.run("use", "one")
    sign_in(command_line, *client_flags(server.issuer))
    (name,) = {*store(command_line).names()} - {"demo", "one", "two"}

    assert command_line.run("use").stdout == f"{name}\n"
    assert command_line.run("token").status == 0


@pytest.mark.slow
def test_a_demonstration_that_is_made_last_is_not_meant(command_line: CommandLine) -> None:
    """Its server has ended with the command."""
    keep(command_line, "one")
    command_line.run("use", "one")
    ended = command_line.run("login", "--simulate-person")

    assert ended.status == 0, ended.stderr
    assert names(command_line) == ("access-token-of-one", "access-token-of-one")


def test_settings_stand_above_the_choice_and_are_named(command_line: CommandLine) -> None:
    """Otherwise `use` would seem to do nothing."""
    keep(command_line, "one")
    keep(command_line, "two")
    ended = command_line.run("use", "two", LOOPBACK_AUTH_PROVIDER="one")

    assert ended.status == 0
    assert "names one" in ended.stderr
    assert command_line.run("token", LOOPBACK_AUTH_PROVIDER="one").stdout == "access-token-of-one\n"


@pytest.mark.parametrize("content", ["", "\n", "../two", "Two", "x" * 200, "gone", "\x00", "ü"])
def test_a_choice_that_makes_no_sense_is_none(command_line: CommandLine, content: str) -> None:
    """The file may have been edited, or belong to a sign-in that was moved away."""
    keep(command_line, "one")
    file = kept_in(command_line) / "sign-ins" / "chosen"
    file.write_text(content)
    file.chmod(0o600)

    assert command_line.run("token").stdout == "access-token-of-one\n"


@pytest.mark.slow
def test_replacing_the_account_of_another_person_is_said(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Two people at one machine, or two accounts of one: the first is gone then."""
    flags = (*client_flags(server.issuer), "--scope", "profile email")
    sign_in(command_line, *flags)
    (file,) = kept_in(command_line).rglob("*.json")
    file.write_text(file.read_text().replace("demo@example.com", "first@example.com"))
    other = sign_in(command_line, *flags)
    same = sign_in(command_line, *flags)

    assert "Replaced first@example.com" in other.stderr
    assert "To keep both" in other.stderr
    assert "Replaced" not in same.stderr


WORK = '[providers.work]\nissuer = "{issuer}"\nclient_id = "{client_id}"\nscope = "read{more}"\n'


def configured(command_line: CommandLine, **changes: str) -> dict[str, str]:
    """Write a configuration file that is newer than all that is kept; return the environment for it."""
    values = {"issuer": "https://work.example", "client_id": "abc", "more": ""} | changes
    file = command_line.home / "config.toml"
    file.write_text(WORK.format_map(values))
    for kept in (kept_in(command_line) / "sign-ins").glob("*.json"):
        os.utime(kept, (1.0, 1.0))
    return {"LOOPBACK_AUTH_CONFIG_DIR": str(command_line.home)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 0),
        ({"more": " write"}, 9),
        ({"issuer": "https://staging.example"}, 9),
        ({"client_id": "another"}, 9),
        ({"more": '"\nresource = ["https://api.example"]\naudience = "'}, 9),
        ({"more": '"\ntoken_endpoint = "https://staging.example/token'}, 9),
    ],
)
def test_settings_that_have_changed_since_want_another_sign_in(
    command_line: CommandLine, changes: dict[str, str], status: int
) -> None:
    """The token would go to a server that it is not for, or lack what the program needs."""
    keep(command_line, "work")
    environ = configured(command_line, **changes)
    first, second = (command_line.run("token", "work", **environ) for _ in range(2))

    assert [first.status, second.status] == [status, status]
    assert bool(first.stdout) is bool(second.stdout) is (status == 0)
    if status:
        assert "login work" in first.complaint


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ISSUER", "https://staging.example"),
        ("CLIENT_ID", "another"),
        ("SCOPE", "read write"),
        ("AUDIENCE", "another"),
        ("RESOURCE", "https://api.example"),
        ("TOKEN_ENDPOINT", "https://staging.example/token"),
    ],
)
def test_a_variable_wants_another_sign_in_at_once(
    command_line: CommandLine, variable: str, value: str
) -> None:
    """Staging and production are often told apart by one variable."""
    keep(command_line, "work")
    environ = configured(command_line)

    assert command_line.run("token", "work", **environ).status == 0
    assert command_line.run("token", "work", **environ, **{f"LOOPBACK_AUTH_{variable}": value}).status == 9


def test_an_issuer_in_the_environment_means_its_own_sign_in(command_line: CommandLine) -> None:
    """The only one that is kept may be of another server."""
    keep(command_line, "one")
    environ = {"LOOPBACK_AUTH_ISSUER": "https://two.example", "LOOPBACK_AUTH_CLIENT_ID": CLIENT_ID}
    ended = command_line.run("token", **environ)

    assert (ended.status, ended.stdout) == (9, "")
