"""`settings`: where every value of a run comes from."""

from __future__ import annotations

import json
import os

import pytest
from command_line import CommandLine

CONFIG = """\
timeout = 60
[providers.work]
preset = "github"
client_id = "from-the-file"
client_secret = "hunter2"
"""


@pytest.fixture
def command_line(command_line: CommandLine) -> CommandLine:
    """The command line with a configuration file."""
    config = command_line.home / ".config" / "loopback_auth" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG)
    config.chmod(0o600)
    return command_line


def test_every_value_is_shown_with_its_origin(command_line: CommandLine) -> None:
    """Why does it use that one? is the question that settings in four places raise."""
    ended = command_line.run("settings", "work", "--scope", "repo", "--all", LOOPBACK_AUTH_PROMPT="login")
    shown = {line.split()[0]: line.split(maxsplit=1)[1] for line in ended.stdout.splitlines()}

    assert (ended.status, ended.stderr) == (0, "")
    assert shown["scope"].split() == ["repo", "flag", "--scope"]
    assert shown["prompt"].split() == ["login", "environment", "LOOPBACK_AUTH_PROMPT"]
    assert "config.toml [providers.work]" in shown["client_id"]
    assert shown["timeout"].endswith("config.toml")
    assert shown["token_endpoint"].endswith("preset github")
    assert shown["browser"].split() == ["true", "default"]


def test_what_is_set_is_shown_first_and_the_rest_when_asked_for(command_line: CommandLine) -> None:
    """Forty lines that say "not set" hide the five that matter."""
    ended = command_line.run("settings", "work")
    everything = command_line.run("settings", "work", "--all").stdout.splitlines()
    shown = ended.stdout.splitlines()

    assert len(shown) < len(everything)
    assert [line.split()[0] for line in everything[: len(shown)]] == [line.split()[0] for line in shown]
    assert not [line for line in shown if line.endswith(" default")]
    assert "--all" in ended.stderr


def test_programs_get_values_in_their_own_type(command_line: CommandLine) -> None:
    """A text that says "not set" cannot be told from a value."""
    as_json = json.loads(command_line.run("settings", "work", "--json", "--port", "8400").stdout)

    assert as_json["issuer"] == {"value": None, "origin": "default"}
    assert (as_json["timeout"]["value"], as_json["browser"]["value"]) == (60.0, True)
    assert as_json["port"]["value"] == [8400]


def test_a_secret_is_only_said_to_be_there(command_line: CommandLine) -> None:
    """People paste this output into bug reports."""
    as_json = json.loads(command_line.run("settings", "work", "--json").stdout)
    text = command_line.run("settings", "work").stdout

    assert as_json["client_secret"]["value"] == "set, hidden"
    assert "hunter2" not in text + json.dumps(as_json)


def test_a_misspelt_variable_is_warned_of(command_line: CommandLine) -> None:
    """It does nothing, in silence; also when the command fails for want of it."""
    shown = command_line.run("settings", LOOPBACK_AUTH_CLIENTID="x")
    failed = command_line.run("login", "github", LOOPBACK_AUTH_CLIENTID="x")

    assert shown.status == 0
    assert "LOOPBACK_AUTH_CLIENTID" in shown.stderr
    assert failed.status == 2
    assert "LOOPBACK_AUTH_CLIENTID" in failed.stderr


BROKEN = [
    ("client_id = hunter2", 0o600, "is not valid TOML"),
    ('clientid = "hunter2"', 0o600, "Did you mean client_id?"),
    ('client_secret = "hunter2"', 0o644, "chmod 600"),
]


@pytest.mark.parametrize(("text", "mode", "complaint"), BROKEN, ids=["syntax", "key", "mode"])
def test_a_file_that_cannot_be_used_is_refused(
    command_line: CommandLine, text: str, mode: int, complaint: str
) -> None:
    """Passing over it would sign in somewhere else, or leave a secret open."""
    if os.name != "posix" and mode == 0o644:
        pytest.skip("modes of POSIX")
    config = command_line.home / ".config" / "loopback_auth" / "config.toml"
    config.write_text(text)
    config.chmod(mode)
    ended = command_line.run("settings")

    assert ended.status == 2
    assert str(config) in ended.complaint
    assert complaint in ended.complaint
    assert "hunter2" not in ended.complaint
