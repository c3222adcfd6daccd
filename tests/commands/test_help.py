"""The command `help`, for commands and for topics."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest

from loopback_auth.cli import COMMANDS, TOPICS, run
from loopback_auth.commands.help import topic
from loopback_auth.compare.twins.defences import DEFENCES
from loopback_auth.errors import EXIT_STATUSES


def test_every_topic_has_a_text_and_every_text_is_a_topic() -> None:
    """A text that no list names is never read."""
    texts = {file.name.removesuffix(".txt") for file in files("loopback_auth").joinpath("topics").iterdir()}

    assert texts == set(TOPICS)
    assert set(TOPICS).isdisjoint(COMMANDS)


@pytest.mark.parametrize("name", TOPICS)
@pytest.mark.parametrize("columns", [60, 80])
def test_a_topic_fits_the_terminal(
    name: str, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sentences are filled to the width; what is indented is there to be copied and stays whole."""
    monkeypatch.setenv("COLUMNS", str(columns))

    assert run(["help", name]) == 0
    prose = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("  ")]
    assert prose[0]
    assert prose[1] == ""
    assert [line for line in prose if len(line) > columns] == []


def test_exit_statuses_are_those_of_the_errors() -> None:
    """A status that is explained by hand is forgotten when a new one comes."""
    text = topic("exit-statuses")

    assert [words for status, words in EXIT_STATUSES.items() if f" {status}  {words}\n" not in text] == []


def test_defences_are_those_of_the_table() -> None:
    """With the clause of each, and the attacks that it stops where it is shown."""
    text = topic("defences")

    assert [
        one.name for one in DEFENCES if f"  {one.name}: {one.left_out}\n    {one.source}\n" not in text
    ] == []
    assert "    without nonce as well: injected-code, pkce-downgrade\n" in text


def test_help_of_a_command_is_what_the_command_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """Two ways to ask, one answer."""
    assert run(["help", "login"]) == 0
    shown = capsys.readouterr().out
    assert run(["login", "--help"]) == 0

    assert capsys.readouterr().out == shown


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [(["help", "agent"], "agents"), (["help", "logn"], "login"), (["security"], "help security")],
)
def test_a_near_miss_is_told_what_was_meant(
    arguments: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody knows the names of topics by heart."""
    status = run([*arguments, "--json"])
    document = json.loads(capsys.readouterr().out)

    assert (status, document["error"]) == (2, "ConfigError")
    assert meant in document["hint"]


def test_a_program_can_read_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """An agent learns from it which commands and topics it can ask about."""
    assert run(["help", "--json"]) == 0
    overview = json.loads(capsys.readouterr().out)
    assert run(["help", "agents", "--json"]) == 0
    one = json.loads(capsys.readouterr().out)

    assert set(overview["commands"]) == set(COMMANDS)
    assert set(overview["topics"]) == set(TOPICS)
    assert overview["exit_statuses"]["10"] == EXIT_STATUSES[10]
    assert one["subject"] == "agents"
    assert "finish" in one["text"]


def test_every_exit_status_of_a_failure_has_advice() -> None:
    """The table says what a status means; whoever meets one wants to know what to do."""
    advice = files("loopback_auth").joinpath("topics", "exit-statuses.txt").read_text()
    told = {int(status) for status in re.findall(r"^(\d+): ", advice, re.M)}

    assert told == set(EXIT_STATUSES) - {0}
