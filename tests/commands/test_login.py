"""`login` as a person meets it: what is said, what is asked, how it ends."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest
from command_line import TYPED, CommandLine, Ended
from demo_client import FOLLOW_LINK

from commands.people import (
    CONFIDENTIAL,
    RecordingServer,
    client_flags,
    in_terminal,
    kept_in,
    port_of,
    sign_in,
    visit,
)
from loopback_auth import words
from loopback_auth.words import Words

posix = pytest.mark.skipif(os.name != "posix", reason="signals, terminals and modes of POSIX")


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a person who has signed in to the demonstration, by a browser of their own."""
    home = tmp_path_factory.mktemp("home")
    browser = home / "browser"
    browser.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{FOLLOW_LINK}' \"$1\"\n")
    browser.chmod(0o700)
    return home


@pytest.fixture(scope="module")
def demo_login(demo_home: Path) -> Ended:
    """How the sign-in to the demonstration went."""
    return CommandLine(demo_home).run("login", BROWSER=str(demo_home / "browser"))


@pytest.fixture(scope="module")
def verbose_login(server: RecordingServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, str]:
    """How a sign-in with --verbose and --json went, and what was kept."""
    command_line = CommandLine(tmp_path_factory.mktemp("home"))
    ended = sign_in(command_line, *client_flags(server.issuer), "--verbose", "--json")
    (file,) = kept_in(command_line).rglob("*.json")
    return ended, file.read_text()


@pytest.mark.slow
def test_a_newcomer_signs_in_without_any_argument(demo_login: Ended) -> None:
    """A sign-in has no answer for stdout; people read who, what for, until when, and what next."""
    said = demo_login.stderr

    assert (demo_login.status, demo_login.stdout) == (0, "")
    assert Words.BROWSER_OPENING.format(opener="browser", name="demo") in said
    assert words.SIGNED_IN_AS.format(name="demo", account="demo@example.com") in said
    assert "  scope      " in said
    assert "  until      " in said
    assert "kept/sign-ins/demo.json\n" in said
    assert said.endswith(f"{TYPED} token demo\n")


def test_nothing_but_plain_text_goes_into_a_pipe(demo_login: Ended) -> None:
    """Escape sequences in a log are noise."""
    assert "\x1b" not in demo_login.stderr
    assert "\r" not in demo_login.stderr


@pytest.mark.slow
def test_the_demonstration_can_be_used_and_given_up(demo_login: Ended, demo_home: Path) -> None:
    """The first minute: print the token, look, sign out, and be told that nobody is signed in."""
    command_line = CommandLine(demo_home)
    token = command_line.run("token")
    logout = command_line.run("logout")
    afterwards = [command_line.run(name) for name in ("status", "token")]

    assert demo_login.status == 0
    assert (token.status, token.stderr, len(token.stdout.splitlines())) == (0, "", 1)
    assert token.stdout == token.stdout.strip() + "\n"
    assert (logout.status, logout.stdout) == (0, "")
    assert "the server ended with the sign-in" in logout.stderr
    assert [one.status for one in afterwards] == [9, 9]
    assert all(f"{TYPED} login" in one.complaint for one in afterwards)


def test_json_tells_all_but_the_secrets(verbose_login: tuple[Ended, str], server: RecordingServer) -> None:
    """A script wants one object, and whoever reads its log must not have the token."""
    ended, _ = verbose_login

    assert ended.status == 0
    assert ended.json["issuer"] == server.issuer
    assert ended.json["account"] == "Demo Account"
    assert {"access_token", "id_token"}.isdisjoint(ended.json)


def test_verbose_shows_every_exchange_with_labels(verbose_login: tuple[Ended, str]) -> None:
    """Whoever debugs a sign-in wants to see what was sent, and post it to a stranger."""
    said = verbose_login[0].stderr

    assert "> metadata request: GET http://127.0.0.1:" in said
    assert "> token request: POST http://127.0.0.1:" in said
    assert "code=<code#1>" in said
    assert "code_verifier=<code_verifier#1>" in said
    assert '"access_token": "<access_token#1>"' in said
    assert "< 200 after " in said


def test_no_output_holds_a_secret(verbose_login: tuple[Ended, str], server: RecordingServer) -> None:
    """Searched for by value: whatever the server saw and whatever was kept."""
    ended, kept = verbose_login
    tokens = json.loads(kept)["tokens"]
    secrets = {tokens["access_token"], tokens["refresh_token"]}
    for name in ("code", "code_verifier", "state", "nonce"):
        sent = server.sent(name)
        assert sent or name == "nonce"
        secrets |= sent

    assert [secret for secret in secrets if secret in ended.stdout + ended.stderr] == []


@pytest.mark.slow
def test_signing_in_again_replaces_the_old_sign_in(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Another scope or another account is a reason to, and needs no question."""
    sign_in(command_line, *client_flags(server.issuer))
    before = command_line.run("token", "--json").json["access_token"]
    ended = sign_in(command_line, *client_flags(server.issuer), "--scope", "email")

    assert ended.status == 0
    assert command_line.run("token", "--json").json["access_token"] != before


def test_a_browser_that_fails_is_told_and_the_link_still_works(command_line: CommandLine) -> None:
    """`xdg-open` ends with 3 when it finds no browser."""
    browser = command_line.home / "browser"
    browser.write_text("#!/bin/sh\nexit 3\n")
    browser.chmod(0o700)
    with command_line.start("login", BROWSER=str(browser)) as running:
        link = running.link()
        running.line("The browser did not open (browser ended with 3)")
        visit(link)
        ended = running.end()

    assert ended.status == 0
    assert "ssh -L" in ended.stderr


def test_without_a_browser_the_way_from_another_machine_is_shown(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """In an SSH session this line is the way to sign in, at any provider."""
    address = "10.0.0.2 50000 10.0.0.1 2222"
    with command_line.start("login", *client_flags(server.issuer), SSH_CONNECTION=address) as running:
        link = running.link()
        recipe = running.line("ssh -L")
        running.give_up()
        running.end()

    port = port_of(link)
    assert Words.ENVIRONMENT.format(place="an SSH session") in running.stderr
    assert f"ssh -L {port}:127.0.0.1:{port} -p 2222 " in recipe
    assert recipe.endswith("@10.0.0.1\n")


@pytest.mark.slow
def test_the_demonstration_needs_two_ports(command_line: CommandLine) -> None:
    """Its server is on this machine too."""
    with command_line.start("login", "--wait", BROWSER="none") as running:
        link = running.link()
        recipe = running.line("ssh -L")
        running.give_up()
        running.end()

    assert "BROWSER is set to none" in running.stderr
    assert recipe.count("-L ") == 2
    assert f"-L {port_of(link)}:127.0.0.1:{port_of(link)}" in recipe


def test_the_servers_own_link_is_shown_without_a_start_page(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """For the browser that would not follow; the port to forward is ours all the same."""
    flags = (*client_flags(server.issuer), "--no-browser", "--no-start-page")
    with command_line.start("login", *flags) as running:
        link = running.link()
        recipe = running.line("ssh -L")
        visit(link)
        ended = running.end()

    assert ended.status == 0
    assert link.startswith(f"{server.issuer}/authorize?")
    assert "works once" not in ended.stderr
    assert f":{port_of(server.issuer)}" not in recipe


def test_variables_and_tables_are_honoured(command_line: CommandLine, server: RecordingServer) -> None:
    """What `settings` shows is what happens."""
    config = command_line.home / "config.toml"
    config.write_text(f'provider = "work"\n[providers.work]\nissuer = "{server.issuer}"\nclient_id = "x"\n')
    ended = sign_in(
        command_line,
        "--json",
        LOOPBACK_AUTH_CONFIG_DIR=str(command_line.home),
        LOOPBACK_AUTH_CLIENT_ID="loopback-auth-demo",
        LOOPBACK_AUTH_SCOPE="email",
    )

    assert ended.status == 0
    assert (ended.json["name"], ended.json["scope"]) == ("work", "email")
    assert ended.json["client_id"] == "loopback-auth-demo"


@posix
def test_the_secret_is_asked_for_without_being_shown(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Neither the screen nor the process list nor the file may have it."""
    flags = ("--issuer", server.issuer, "--client-id", CONFIDENTIAL.client_id, "--client-auth", "post")
    with in_terminal(command_line, "login", "--no-browser", *flags) as screen:
        prompt = screen.wait_for(": ")
        arguments = (
            Path(f"/proc/{screen.process.pid}/cmdline").read_bytes() if sys.platform == "linux" else b""
        )
        screen.type(f"{CONFIDENTIAL.client_secret}\n")
        screen.wait_for("Is your browser")
        visit(re.findall(r"http://\S+", screen.shown)[-1])
        status = screen.end()
        shown = screen.shown

    secret = str(CONFIDENTIAL.client_secret)
    assert prompt.endswith(f"Client secret for {server.issuer.removeprefix('http://')}: ")
    assert status == 0
    assert "Signed in to " in shown
    assert "LOOPBACK_AUTH_CLIENT_SECRET" in shown, "Renewals need it, and nobody would know."
    assert secret not in shown
    assert secret.encode() not in arguments
    assert all(secret not in file.read_text() for file in kept_in(command_line).rglob("*.json"))
    assert secret in server.sent("client_secret")


@posix
def test_over_ssh_what_works_on_any_device_comes_first(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Our own link needs a forwarded port, which hardly anybody has ready."""
    address = "10.0.0.2 50000 10.0.0.1 22"
    with in_terminal(
        command_line, "login", *client_flags(server.issuer), SSH_CONNECTION=address, SSH_TTY="/dev/pts/0"
    ) as screen:
        screen.wait_for("ssh -L")
        screen.type("\x03")
        status = screen.end()
    shown = screen.shown

    assert shown.index("/device") < shown.index(Words.LINK_SECOND.partition("{")[0]) < shown.index("ssh -L")
    assert status == 130
