"""`login` at the demonstration where nobody is there: a simulated person signs in, and it is said so."""

from __future__ import annotations

import json
import sys

import pytest
from command_line import TYPED, CommandLine

from commands.people import RecordingServer, client_flags, in_terminal, kept_in, visit
from loopback_auth import words
from loopback_auth.plan.model import ASKED, AT_ONCE
from loopback_auth.settings import Settings, resolve
from loopback_auth.signin.planning import plan_for
from loopback_auth.words import Words

posix = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
CONTAINER = {"LOOPBACK_AUTH_SIGNAL": "container=docker"}


def demonstration(**flags: object) -> Settings:
    """Return the settings of the demonstration, seen from a machine that shows nothing of itself."""
    return resolve(provider="", flags=flags, environ={}, config={}, config_path="config.toml")


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"CI": "true"}, id="job"),
        pytest.param({"CLAUDECODE": "1"}, id="agent"),
        pytest.param({"AI_AGENT": "1", "DISPLAY": ":0"}, id="agent-at-a-desk"),
        pytest.param(CONTAINER, id="container-without-a-terminal"),
        pytest.param({}, id="no-terminal-and-no-browser"),
        pytest.param({"BROWSER": "none"}, id="print-only-browser"),
    ],
)
def test_where_nobody_can_be_asked_the_first_command_succeeds(
    command_line: CommandLine, environment: dict[str, str]
) -> None:
    """Whoever tries the package on a machine without a browser sees a whole sign-in, and knows by whom."""
    ended = command_line.run("login", **environment)
    (file,) = kept_in(command_line).rglob("*.json")

    assert (ended.status, ended.stdout) == (0, "")
    assert ended.stderr.startswith(words.SIMULATED.partition("{")[0])
    assert words.SIMULATED_OPENED.format(authority="127.0.0.1:").rstrip(".") in ended.stderr
    assert words.SIGNED_IN_AS.format(name="demo", account="demo@example.com") in ended.stderr
    assert words.RESULT_SIMULATED in ended.stderr
    assert json.loads(file.read_text())["simulated_person"] is True


@pytest.mark.slow
@pytest.mark.parametrize("flow", ["code", "token", "ticket", "code id_token"])
def test_every_flow_that_a_browser_ends_can_be_watched(command_line: CommandLine, flow: str) -> None:
    """It is asked for, wherever one is."""
    ended = command_line.run("login", "--simulate-person", "--flow", flow, "--json")
    shown = command_line.run("status", "--json")

    assert ended.status == 0
    assert (ended.json["simulated_person"], ended.json["temporary"], ended.json["flow"]) == (True, True, flow)
    assert "simulated" in str(ended.json["reason"])
    assert json.loads(shown.stdout)[0]["simulated_person"] is True


def test_verbose_shows_the_exchanges_of_it_too(command_line: CommandLine) -> None:
    """They are real, and so is what can be learnt from them."""
    ended = command_line.run("login", "--simulate-person", "--verbose")

    assert ended.status == 0
    assert "> token request: POST" in ended.stderr


@pytest.mark.parametrize("json_too", [False, True])
def test_at_another_server_nobody_is_simulated(
    command_line: CommandLine, server: RecordingServer, json_too: bool
) -> None:
    """Not even at one on this machine, which may be anybody's."""
    flags = ("--json",) * json_too
    ended = command_line.run("login", *client_flags(server.issuer), "--simulate-person", *flags, CI="true")
    said = ended.json["message"] if json_too else ended.complaint

    assert ended.status == 2
    assert "built-in demonstration only" in str(said)
    assert not kept_in(command_line).exists()


def test_at_another_server_a_job_still_does_not_wait(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """What the demonstration does by itself no real server gets."""
    ended = command_line.run("login", *client_flags(server.issuer), CI="true")

    assert ended.status == 3
    assert "CI is set" in ended.complaint


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--simulate-person", "--flow", "paste"), 2, "no terminal to paste"),
        (("--simulate-person", "--allowed-flows", "paste"), 2, "no terminal to paste"),
        (("--no-simulate-person",), 3, f"{TYPED} login --simulate-person"),
        (("--flow", "paste"), 3, "--wait"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    command_line: CommandLine, arguments: tuple[str, ...], status: int, said: str
) -> None:
    """At once, with what would work."""
    ended = command_line.run("login", *arguments, CI="true")

    assert ended.status == status
    assert said in ended.complaint


def test_whoever_waits_signs_in_themselves(command_line: CommandLine) -> None:
    """The link is shown as ever, and a real visit is what counts."""
    with command_line.start("login", "--wait", "--json", CI="true") as running:
        visit(running.link())
        ended = running.end()

    assert ended.status == 0
    assert ended.json["simulated_person"] is False


@posix
def test_in_the_terminal_of_a_container_there_is_one_link_and_the_option(command_line: CommandLine) -> None:
    """A person is there: they are shown the redirect alone, and what to type without a browser."""
    with in_terminal(command_line, "login", "demo", columns=80, **CONTAINER) as screen:
        screen.wait_for("Ctrl-C")
        shown = screen.shown
        screen.type("\x03")
        status = screen.end()

    assert status == 130
    assert Words.ENVIRONMENT.format(place="a container") in shown
    assert "login --simulate-person" in " ".join(shown.split())
    assert "response_type=ticket" not in shown
    assert shown.count("http://127.0.0.1:") == 1


def test_the_demonstration_opens_its_redirect_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its server is on this machine too, so no other flow reaches further."""
    for name in ("CI", "CLAUDECODE", "AI_AGENT"):
        monkeypatch.delenv(name, raising=False)
    chosen = plan_for(
        demonstration(signal={"container": "docker"}, person=True, wait=True), unconfirmed=False
    )

    assert [(route.flow, route.starts) for route in chosen.routes] == [
        ("code", AT_ONCE),
        ("ticket", ASKED),
        ("device", ASKED),
        ("paste", ASKED),
    ]
    only = plan_for(demonstration(flow="device", person=True, wait=True), unconfirmed=False)
    assert [route.flow for route in only.routes] == ["device"]
