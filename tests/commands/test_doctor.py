"""`doctor`: how to sign in here, and what the server would answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import CommandLine, Ended

from commands.people import CONFIDENTIAL, RecordingServer, client_flags, in_terminal
from loopback_auth.doctor.probe_flow import LIMIT
from loopback_auth.words import Words

AWAY = {"SSH_CONNECTION": "198.51.100.7 52000 203.0.113.9 2222", "LOOPBACK_AUTH_PERSON": "yes"}
"""An SSH session with a person in it; it is one in a container, too."""
NOBODY = 3


def verdicts(ended: Ended) -> dict[str, str]:
    """Return what the server answered, from `--json`."""
    rows = ended.json["server"]
    assert isinstance(rows, list)
    return {row["what"]: row["verdict"] for row in rows}


def sections(shown: str) -> dict[str, list[str]]:
    """Return the lines below each title."""
    blocks = [block.splitlines() for block in shown.split("\n\n")]
    return {lines[0]: lines[1:] for lines in blocks}


def test_place_facts_and_routes_are_told(command_line: CommandLine) -> None:
    """Without a provider it is about a server that offers every flow, and no server is asked."""
    ended = command_line.run("doctor", **AWAY)
    told = sections(ended.stdout)

    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith(Words.ENVIRONMENT.format(place="an SSH session"))
    opens, *_ = told["What follows:"]
    assert " no  " in opens
    assert opens.endswith("SSH_CONNECTION is set")
    assert "  SSH_CONNECTION  set          an SSH session" in told["What was seen:"]
    routes = told["How to sign in to a server with every flow, in order:"]
    assert [line.split()[0] for line in routes if line[2] != " "] == [
        "ticket",
        "code",
        "device",
        "paste",
        "No",
    ]
    assert "No browser is started: this is an SSH session." in ended.stdout
    assert "What the server answers" not in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 100


def test_recipe_can_be_copied(command_line: CommandLine) -> None:
    """With the address that this very session came to, and the port where it is known beforehand."""
    free = sections(command_line.run("doctor", **AWAY).stdout)
    fixed = sections(command_line.run("doctor", "--port", "8400", **AWAY).stdout)
    title = "To reach the port from a browser on another machine:"

    assert free[title][0].startswith("  ssh -L PORT:127.0.0.1:PORT -p 2222 ")
    assert free[title][0].endswith("@203.0.113.9")
    assert free[title][1] == "  PORT is the one that the sign-in shows."
    assert fixed[title][0].startswith("  ssh -L 8400:127.0.0.1:8400 -p 2222 ")
    assert fixed[title][1] == "  The port is 127.0.0.1:8400."


def test_recipe_for_a_container_leaves_the_port_to_the_person(command_line: CommandLine) -> None:
    """It has to be known before there is a sign-in that could show it."""
    ended = command_line.run("doctor", "--signal", "container=docker", "--signal", "SSH_CONNECTION=")
    told = sections(ended.stdout)["To reach the port from a browser on another machine:"]

    assert "--port PORT" in told[0]
    assert told[1] == "  PORT is any that is free, such as 8400."


def test_server_is_asked_with_made_up_values(command_line: CommandLine, server: RecordingServer) -> None:
    """Nobody approves anything, nothing is kept, and the server is not troubled much."""
    server.requests.clear()
    ended = command_line.run("doctor", *client_flags(server.issuer), "--login-hint", "ada", "--json", **AWAY)

    assert ended.status == 0
    assert verdicts(ended)["redirect_uri"] == "yes"
    assert verdicts(ended)["grant_type=authorization_code"] == "yes"
    assert verdicts(ended)["device_authorization"] == "yes"
    assert len(server.requests) <= LIMIT
    assert server.sent("code") == server.sent("refresh_token") == {"made-up-by-loopback-auth-doctor"}
    assert not server.sent("login_hint")
    assert "at most 12 requests" in ended.stderr
    assert not (command_line.home / "kept").exists()


def test_demonstration_that_does_not_run_is_said_not_to_be_asked(command_line: CommandLine) -> None:
    """Else its report looks like that of a server, and is the one of no server."""
    named, nameless = (command_line.run("doctor", *names, **AWAY) for names in (["demo"], []))

    assert "was not asked" in named.stderr
    assert nameless.stderr == ""
    assert named.stdout == nameless.stdout


def test_answers_of_the_server_are_shown(command_line: CommandLine, server: RecordingServer) -> None:
    """One line each, in columns, and what to do where it says no."""
    wrong = ("--redirect-uri", "http://127.0.0.1/elsewhere")
    ended = command_line.run("doctor", *client_flags(server.issuer), *wrong, **AWAY)
    told = sections(ended.stdout)
    answers = "\n".join(told["What the server answers to this client:"])

    assert ended.status == 0
    assert "  no       redirect_uri " in answers
    assert "  yes      grant_type=device_code " in answers
    assert "--redirect-uri; or correct --client-id" in " ".join(" ".join(told["What to do:"]).split())
    assert "But the server says no." in " ".join(ended.stdout.split())
    assert max(map(len, ended.stdout.splitlines())) <= 100


def test_unknown_client_is_to_be_corrected_first(command_line: CommandLine, server: RecordingServer) -> None:
    """It has no redirect URI that could be registered."""
    ended = command_line.run("doctor", "--issuer", server.issuer, "--client-id", "nobody", **AWAY)
    told = sections(ended.stdout)

    assert told["What to do:"][0].startswith("  Correct --client-id")
    assert "Register" not in " ".join(told["What to do:"])


def test_network_is_shown_without_secrets_and_posted_without_names(
    command_line: CommandLine, tmp_path: Path
) -> None:
    """What an administrator has set is what is wrong most often, and a report is to be posted in public."""
    empty = tmp_path / "empty-canary.pem"
    empty.touch()
    environ = {
        "HTTPS_PROXY": "http://ada:word-canary@proxy-canary.example:3128",
        "ALL_PROXY": "socks5h://other-canary.example",
        "HTTP_PROXY": "http://x.example",
        "NO_PROXY": "127.0.0.0/8,host-canary.example",
        "SSL_CERT_FILE": str(empty),
    }
    settings = ("--allow-private", "inside-canary.example")
    shown = sections(command_line.run("doctor", *settings, **environ, **AWAY).stdout)
    posted = command_line.run("doctor", *settings, "--json", **environ, **AWAY)
    rows = [" ".join(line.split()) for line in shown["How the server is reached:"]]

    assert "HTTPS_PROXY http://proxy-canary.example:3128, with a user name" in rows
    assert "ALL_PROXY socks5h://other-canary.example:1080; not used, since HTTPS_PROXY is set" in rows
    assert "HTTP_PROXY not used, since everything goes by https" in rows
    assert "NO_PROXY 127.0.0.0/8,host-canary.example" in rows
    assert "allow_private inside-canary.example" in rows
    assert "has no certificate in it" in " ".join(rows)
    posted_rows = posted.json["network"]
    assert isinstance(posted_rows, list)
    assert "word-canary" not in str(shown)
    assert "canary" not in posted.stdout
    assert {"name": "SSL_CERT_FILE", "value": "has no certificate in it"} in posted_rows


def test_way_to_the_server_is_shown(command_line: CommandLine) -> None:
    """Whether a proxy is used is decided host by host."""
    flags = ("--issuer", "https://127.0.0.1:1", "--token-endpoint", "https://as.example/token")
    environ = {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": ""}
    shown = sections(command_line.run("doctor", *flags, **environ, **AWAY).stdout)
    rows = [" ".join(line.split()) for line in shown["How the server is reached:"]]

    assert "to the server 127.0.0.1:1: direct, past the proxy in HTTPS_PROXY" in rows
    assert "to the server as.example: through the proxy in HTTPS_PROXY" in rows


@pytest.mark.parametrize("columns", [60, 80])
def test_sentences_are_broken_between_words_at_any_width(columns: int, command_line: CommandLine) -> None:
    """The terminal would break them in the middle."""
    with in_terminal(command_line, "doctor", columns=columns) as screen:
        screen.end()
    lines = [line for line in screen.shown.splitlines() if "--port" not in line and "ssh " not in line]

    assert max(map(len, lines)) <= columns


def test_missing_secret_is_a_reason_and_is_not_asked_for(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Whoever only wants to know why it does not work need not have one at hand."""
    flags = ("--issuer", server.issuer, "--client-id", CONFIDENTIAL.client_id, "--client-auth", "basic")
    with in_terminal(command_line, "doctor", *flags) as screen:
        status = screen.end()
    shown = " ".join(screen.shown.split())

    assert status == 0
    assert "Client secret" not in shown
    assert "The server requires a client secret" in shown
    assert "no client_secret There is none. Set LOOPBACK_AUTH_CLIENT_SECRET" in shown
    assert "unknown grant_type=authorization_code The server wants the client secret first" in shown
    assert "redirect_uri" in shown


def test_secret_that_is_there_is_used_and_not_shown(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """The token endpoint wants it before it looks at anything else."""
    flags = ("--issuer", server.issuer, "--client-id", CONFIDENTIAL.client_id, "--json")
    secret = {"LOOPBACK_AUTH_CLIENT_SECRET": str(CONFIDENTIAL.client_secret)}
    ended = command_line.run("doctor", *flags, **AWAY, **secret)

    assert verdicts(ended)["grant_type=refresh_token"] == "yes"
    assert str(CONFIDENTIAL.client_secret) not in ended.stdout + ended.stderr


@pytest.mark.parametrize("how", ["--issuer", "alone"])
def test_without_a_client_only_the_metadata_are_read(
    how: str, command_line: CommandLine, server: RecordingServer
) -> None:
    """It is the first thing that people try; an address alone may also be that of a resource."""
    server.requests.clear()
    named = [server.issuer] if how == "alone" else [how, server.issuer]
    ended = command_line.run("doctor", *named, "--json", **AWAY)
    paths = {one.url.removeprefix(server.issuer) for one in server.requests}

    assert ended.status == 0
    assert verdicts(ended)["metadata"] == verdicts(ended)["grant_types_supported"] == "yes"
    assert {path for path in paths if "/.well-known/" not in path} == ({"/"} if how == "alone" else set())


def test_a_resource_is_asked_first(command_line: CommandLine, server: RecordingServer) -> None:
    """Nothing is registered for it, and nobody approves anything."""
    server.requests.clear()
    ended = command_line.run("doctor", f"{server.issuer}/mcp", "--json", **AWAY)
    found = verdicts(ended)

    assert (ended.status, found["metadata"], found["registration"]) == (0, "yes", "yes")
    assert list(found)[:3] == ["request without a token", "resource metadata", "authorization server"]
    assert not [one.url for one in server.requests if one.url.endswith(("/register", "/token"))]


def test_a_typo_in_a_resource_is_seen(command_line: CommandLine, server: RecordingServer) -> None:
    """With the requests that were made, so that the person can make them again."""
    ended = command_line.run("doctor", f"{server.issuer}/mpc", **AWAY)

    assert f"{server.issuer}/mpc" in ended.stdout
    assert "-> 404" in ended.stdout
    assert "spelling" in ended.stdout


def test_server_that_is_not_there_leaves_the_plan(command_line: CommandLine) -> None:
    """That is what one wants to know, too."""
    ended = command_line.run("doctor", *client_flags("http://127.0.0.1:9"), "--json", **AWAY)

    assert ended.status == 0
    assert verdicts(ended)["metadata"] == "unknown"
    assert ended.json["routes"]


def test_settings_that_name_no_server_are_an_answer(command_line: CommandLine) -> None:
    """The rest is still told."""
    ended = command_line.run("doctor", "--client-id", "x", "--json", **AWAY)

    assert verdicts(ended) == {"settings": "no"}
    assert "--issuer" in ended.stdout


def test_no_way_left_has_a_status_of_its_own(command_line: CommandLine) -> None:
    """A script can tell, and a person is told why for each."""
    ended = command_line.run("doctor", "github", **AWAY | {"LOOPBACK_AUTH_PERSON": "no"})

    assert ended.status == NOBODY
    assert "No flow can sign you in" in ended.stdout
    assert "  code    The server requires a client secret" in ended.stdout
    assert "  device  There is no terminal" in ended.stdout
    assert "To reach the port" not in ended.stdout


def test_flow_that_was_asked_for_is_the_only_one(command_line: CommandLine) -> None:
    """As at a sign-in; what speaks against it is told."""
    ended = command_line.run("doctor", "npm", **AWAY | {"LOOPBACK_AUTH_PERSON": "no"})
    told = sections(ended.stdout)

    assert ended.status == 0
    assert "requested" in told["How to sign in to npm, in order:"][0]
    assert told["Why it cannot be used:"][0].startswith("  ticket  There is no terminal")
    assert "  yes      ticket     Its contract is known" in ended.stdout


def test_report_replays_where_it_was_not_made(command_line: CommandLine, server: RecordingServer) -> None:
    """The same plan, whatever this machine is; the server is left alone."""
    wanted = (*client_flags(server.issuer), "--no-browser", "--port", "8400")
    report = command_line.run("doctor", *wanted, "--json", **AWAY)
    path = command_line.home / "report.json"
    path.write_text(report.stdout)
    server.requests.clear()
    replayed = command_line.run("doctor", "--simulate", str(path), "--json", CI="true", BROWSER="w3m")
    shown = command_line.run("doctor", "--simulate", str(path), CI="true")

    assert replayed.json == {**report.json, "network": [], "server": []}
    assert "203.0.113.9" not in report.stdout
    assert shown.stdout.startswith(Words.ENVIRONMENT.format(place="an SSH session"))
    assert "  ssh -L 8400:127.0.0.1:8400 you@this-machine\n" in shown.stdout
    assert (shown.status, server.requests) == (0, [])


def test_report_comes_from_stdin(command_line: CommandLine) -> None:
    """As it does out of a bug report."""
    report = command_line.run("doctor", "--json", **AWAY)
    command = [sys.executable, "-m", "loopback_auth", "doctor", "--simulate", "-", "--json"]
    done = subprocess.run(
        command,
        input=report.stdout,
        capture_output=True,
        text=True,
        check=True,
        env=command_line.environment({}),
    )

    assert json.loads(done.stdout) == {**report.json, "network": []}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "not a JSON document"),
        ("[]", "not a JSON object"),
        ('{"version": 1, "version": 1}', "unique names"),
        ("{}", "version is not 1"),
        ('{"version": 1}', "surroundings"),
        (" " * (1 << 20) + "{}", "more than 1048576 bytes"),
    ],
)
def test_what_is_no_report_is_refused(command_line: CommandLine, content: str, complaint: str) -> None:
    """And it is said how to make one."""
    path = command_line.home / "report.json"
    path.write_text(content)
    ended = command_line.run("doctor", "--simulate", str(path))

    assert (ended.status, ended.stdout) == (2, "")
    assert complaint in ended.complaint
    assert "doctor --json > FILE" in ended.complaint


def test_report_that_cannot_be_read_is_named(command_line: CommandLine, tmp_path: Path) -> None:
    """It may be spelled wrongly."""
    ended = command_line.run("doctor", "--simulate", str(tmp_path / "nowhere.json"))

    assert ended.status == 2
    assert f"{tmp_path / 'nowhere.json'} cannot be read: No such file" in ended.complaint


def test_report_and_provider_contradict_each_other(command_line: CommandLine) -> None:
    """One of the two would be passed over in silence."""
    ended = command_line.run("doctor", "github", "--simulate", "report.json")

    assert ended.status == 2
    assert "Leave PROVIDER out" in ended.complaint
