"""A login that names no provider asks a person, and nobody else; one without a client asks for that."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import replace

import pytest
from command_line import CommandLine

from commands.people import RecordingServer, Screen, in_terminal, keep, store, visit
from loopback_auth.commands.demo import CLIENT_ID

pytestmark = pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")

QUESTION = "Number, name, or an address"
LINK = re.compile(r"^  (http://127\.0\.0\.1:\S+)\r$", re.MULTILINE)


def configured(command_line: CommandLine, issuer: str) -> dict[str, str]:
    """Write a configuration file with one provider; return the environment."""
    file = command_line.home / "config.toml"
    file.write_text(f'# mine\n[providers.corp]\nissuer = "{issuer}"\nclient_id = "{CLIENT_ID}"\n')
    file.chmod(0o600)
    return {"LOOPBACK_AUTH_CONFIG_DIR": str(command_line.home), "BROWSER": "none"}


def approve(screen: Screen) -> None:
    """Open the link that is shown, and approve."""
    screen.wait_for("Keys: ")
    links = LINK.findall(screen.shown)
    visit(links[-1])


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["1", "corp", " corp "])
def test_a_number_or_a_name_chooses(command_line: CommandLine, server: RecordingServer, answer: str) -> None:
    """What the person has configured comes first, then what is kept, what is known, the demonstration."""
    keep(command_line, "other")
    environ = configured(command_line, server.issuer)
    with in_terminal(command_line, "login", "--reachable", columns=200, **environ) as screen:
        shown = screen.wait_for(QUESTION)
        screen.type("githob\n")
        screen.wait_for("Did you mean github?")
        screen.type("999\n")
        screen.wait_for("number from 1 to")
        screen.type("id.example\n")
        screen.wait_for("Did you mean https://id.example?")
        screen.type(f"{answer}\n")
        approve(screen)
        status = screen.end()

    assert re.search(r"  1 corp.*  2 other.*3 atlassian.*\d demo", shown, re.DOTALL)
    assert status == 0
    assert "corp" in store(command_line).names()


@pytest.mark.slow
def test_enter_leads_a_newcomer_to_the_demonstration(command_line: CommandLine) -> None:
    """The first command of the README, at a terminal."""
    with in_terminal(command_line, "login", "--reachable", BROWSER="none") as screen:
        screen.wait_for(QUESTION)
        screen.type("\n")
        approve(screen)
        status = screen.end()

    assert status == 0
    assert store(command_line).names() == ("demo",)


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_who_leaves_the_question_has_not_signed_in(command_line: CommandLine, key: str) -> None:
    """By Ctrl-C or Ctrl-D."""
    with in_terminal(command_line, "login") as screen:
        screen.wait_for(QUESTION)
        screen.type(key)
        status = screen.end()

    assert status == 130
    assert "\nCancelled" in screen.shown
    assert "Traceback" not in screen.shown
    assert store(command_line).names() == ()


@pytest.mark.slow
@pytest.mark.parametrize("flag", ["CI=true", "CLAUDECODE=1", "LOOPBACK_AUTH_PROVIDER=corp"])
def test_nobody_is_asked_who_cannot_answer_or_has_said_it(command_line: CommandLine, flag: str) -> None:
    """Build servers and agents have terminals, too."""
    name, _, value = flag.partition("=")
    environ = {**configured(command_line, "http://127.0.0.1:9"), name: value}
    with in_terminal(command_line, "login", "--timeout", "1", columns=200, **environ) as screen:
        screen.end()

    assert QUESTION not in screen.shown


@pytest.mark.slow
@pytest.mark.parametrize("written", [True, False])
def test_a_provider_without_a_client_asks_for_it(command_line: CommandLine, *, written: bool) -> None:
    """It says what to register, and offers to remember the answer."""
    environ = configured(command_line, "http://127.0.0.1:9")
    file = command_line.home / "config.toml"
    before = file.read_text()
    flags = ("--issuer", "http://127.0.0.1:9", "--timeout", "1")
    with in_terminal(command_line, "login", "codeberg", *flags[2:], columns=200, **environ) as screen:
        screen.wait_for("no client secret")
        screen.wait_for("Client ID:")
        screen.type("my-tool\n")
        screen.wait_for("Client secret")
        screen.type("\n")
        screen.wait_for("Scopes")
        screen.type("\n")
        screen.wait_for("[Y/n]")
        screen.type("\n" if written else "n\n")
        screen.wait_for("codeberg")
        screen.end()

    found = tomllib.loads(file.read_text())["providers"]
    assert file.read_text().startswith(before)
    assert found.get("codeberg") == ({"client_id": "my-tool"} if written else None)


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "names"), [("\n", ("corp", "corp-demo")), ("y\n", ("corp",))])
def test_another_account_is_kept_beside_the_first_unless_the_person_replaces_it(
    command_line: CommandLine, server: RecordingServer, answer: str, names: tuple[str, ...]
) -> None:
    """As gh and gcloud do it; the first account is asked about before it is gone."""
    made = keep(command_line, "corp")
    issuer = replace(made.metadata, issuer=server.issuer, token_endpoint=f"{server.issuer}/token")
    store(command_line).save(replace(made, client_id=CLIENT_ID, metadata=issuer))
    environ = configured(command_line, server.issuer)
    flags = ("--scope", "profile email", "--reachable")
    with in_terminal(command_line, "login", "corp", *flags, columns=200, **environ) as screen:
        approve(screen)
        screen.wait_for("You are signed in to corp as me@example.com")
        screen.wait_for("Replace me@example.com? [y/N]")
        screen.type(answer)
        status = screen.end()
    kept = {name: store(command_line).load(name) for name in store(command_line).names()}

    assert status == 0
    assert tuple(kept) == names
    last = kept[names[-1]]
    assert last is not None
    assert last.account == "demo@example.com"
    assert last.configured_as == ("corp" if names[1:] else "")
    assert command_line.run("use", **environ).stdout == f"{names[-1]}\n"
