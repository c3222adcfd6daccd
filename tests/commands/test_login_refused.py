"""`login` when it does not work out: who is told what, and that nothing is left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import PATIENCE, CommandLine

from commands.people import (
    RecordingServer,
    authority_of,
    client_flags,
    in_terminal,
    keep,
    kept_in,
    port_of,
    sign_in,
    store,
    visit,
)
from commands.race_people import browser
from loopback_auth.words import Words

READS = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1]).read().decode())
except urllib.error.HTTPError as refused:
    print(refused.read().decode())
"""
"""A browser that shows what it gets, whatever its status."""

posix = pytest.mark.skipif(os.name != "posix", reason="signals, terminals and modes of POSIX")


def test_a_refusal_says_what_to_do_and_keeps_nothing(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """The person pressed the wrong button, or the administrator did."""
    ended = sign_in(command_line, *client_flags(server.issuer), decision="deny")

    assert ended.status == 4
    assert "access_denied" in ended.complaint
    assert "approve" in ended.complaint
    assert store(command_line).names() == ()


@pytest.mark.slow
def test_a_wrong_client_id_is_told_by_the_server_in_the_browser(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Such a server cannot send the browser back to us, so that giving up is all that is left."""
    with command_line.start(
        "login", "--no-browser", "--issuer", server.issuer, "--client-id", "x"
    ) as running:
        page = visit(running.link())
        running.give_up()
        ended = running.end()

    assert page.status == 400
    assert ended.status == 130


ENDS = [
    (("--issuer", "http://127.0.0.1:1", "--client-id", "x"), 6, "got no answer"),
    (("--issuer", "http://id.example", "--client-id", "x"), 2, "starting with https://"),
    (("githb",), 2, "Did you mean github?"),
    (("github",), 2, "Register an OAuth app"),
    (("google", "--client-id", "x"), 3, "LOOPBACK_AUTH_CLIENT_SECRET"),
    (("--timeout", "0"), 2, "between 1 and 3600"),
    (("--redirect-uri", "https://127.0.0.1/"), 2, "http://"),
]


ENDPOINTS = ("--client-id", "x", "--token-endpoint", "https://as.example/t")
REFUSED_BEFOREHAND = [
    ("--flow", "code", "--response-mode", "fragment"),
    ("--response-mode", "fragment"),
    ("--flow", "id_token", "--response-mode", "query"),
    ("--extra", "state=abc"),
    ("--extra", "client_id=evil"),
    ("--extra", "prompt=none", "--prompt", "login"),
    ("--flow", "device"),
    ("--issuer", "http://id.example"),
    ("--issuer", "https://id.example/?a=b"),
]


@posix
@pytest.mark.parametrize("arguments", REFUSED_BEFOREHAND)
def test_what_the_arguments_refuse_starts_no_browser(
    command_line: CommandLine, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """A tab that comes to the front, on a port that is gone, is the worst way to say that a flag is wrong."""
    opened = tmp_path / "opened"
    known = ("--authorization-endpoint", "https://as.example/a", *ENDPOINTS)
    ended = command_line.run("login", *known, *arguments, BROWSER=browser(tmp_path, f": >{opened}"))

    assert ended.status in (2, 3)
    assert not opened.exists()


@pytest.mark.slow
@posix
def test_browser_that_is_on_its_way_finds_a_page(command_line: CommandLine, tmp_path: Path) -> None:
    """It was started before the server was asked for anything, and takes a second to come."""
    page = tmp_path / "page"
    late = f"(sleep 0.7; exec {sys.executable} -c '{READS}' \"$1\" >{page}) &"
    flags = ("--issuer", "http://127.0.0.1:1", "--client-id", "x")
    ended = command_line.run("login", *flags, BROWSER=browser(tmp_path, late))
    deadline = time.monotonic() + PATIENCE
    while "</html>" not in (page.read_text() if page.exists() else "") and time.monotonic() < deadline:
        time.sleep(0.05)

    assert ended.status == 6
    assert Words.FAILURE_TITLE in page.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "status", "text"), ENDS)
def test_what_cannot_work_ends_with_its_own_status(
    command_line: CommandLine, arguments: tuple[str, ...], status: int, text: str
) -> None:
    """A script decides by the status, a person by the words."""
    ended = command_line.run("login", *arguments)

    assert ended.status == status
    assert text in ended.complaint
    assert ended.stdout == ""


def test_settings_that_cannot_work_open_no_browser(command_line: CommandLine) -> None:
    """A tab on a port that is closed again tells nobody anything."""
    ended = command_line.run("login", "--issuer", "http://id.example", "--client-id", "x")

    assert ended.status == 2
    assert "http://127.0.0.1" not in ended.stderr


def test_a_slip_in_the_issuer_is_not_a_missing_server(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """The commonest mistake: a path too many."""
    ended = command_line.run("login", "--no-browser", "--issuer", f"{server.issuer}/x", "--client-id", "x")

    assert ended.status in (3, 5)
    assert "Check the spelling of the issuer" in ended.complaint
    assert "(--issuer, " in ended.complaint


@pytest.mark.slow
def test_nobody_comes(command_line: CommandLine) -> None:
    """The only test that waits: a second is the least that one may ask for."""
    ended = command_line.run("login", "--no-browser", "--timeout", "1", "--json")

    assert ended.status == 7
    assert ended.json["error"] == "AttemptExpired"
    assert "--timeout" in str(ended.json["hint"])


@pytest.mark.slow
@posix
@pytest.mark.parametrize("arrived", [False, True])
def test_ctrl_c_gives_up(command_line: CommandLine, server: RecordingServer, arrived: bool) -> None:
    """Before and after the browser has come: one line, the port closed, nothing kept."""
    with command_line.start("login", "--no-browser", *client_flags(server.issuer)) as running:
        link = running.link()
        if arrived:
            with socket.create_connection(("127.0.0.1", port_of(link))) as browser:
                browser.sendall(
                    f"GET /{link.rpartition('/')[2]} HTTP/1.1\r\nHost: {authority_of(link)}\r\n\r\n".encode()
                )
                assert b" 302 " in browser.recv(100)
        else:
            running.line(Words.STAGE_FIRST)
        running.give_up()
        ended = running.end()

    assert ended.status == 130
    assert ended.stderr.endswith("Cancelled.\n")
    assert "error:" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert _refused(port_of(link))
    assert store(command_line).names() == ()


@posix
def test_a_request_to_end_ends(command_line: CommandLine) -> None:
    """Service managers send SIGTERM and expect to be obeyed."""
    with command_line.start("login", "--no-browser") as running:
        link = running.link()
        running.process.send_signal(signal.SIGTERM)
        ended = running.end()

    assert ended.status == -signal.SIGTERM
    assert _refused(port_of(link))


def test_a_port_in_use_is_named(command_line: CommandLine) -> None:
    """Registered ports cannot be chosen freely, so that the person has to find who holds it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = command_line.run("login", "--port", str(port), "--no-browser")

    assert ended.status == 3
    assert f"port {port}" in ended.complaint
    assert "--port" in ended.complaint


def test_a_folder_that_cannot_be_written_stops_it_before_the_browser(command_line: CommandLine) -> None:
    """Otherwise a person signs in for nothing."""
    kept_in(command_line).write_text("not a folder")
    ended = command_line.run("login", BROWSER="never-started")

    assert ended.status == 8
    assert "http://127.0.0.1" not in ended.stderr


@posix
def test_a_full_disk_stops_it_before_the_browser(command_line: CommandLine) -> None:
    """The same, for want of room."""
    command = [sys.executable, "-B", "-m", "loopback_auth", "login"]
    environment = command_line.environment({})
    ended = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
        # Nor may a measurement of this process be written.
        env={name: value for name, value in environment.items() if not name.startswith("COVERAGE_")},
    )

    assert ended.returncode == 8
    assert "http://127.0.0.1" not in ended.stderr


@pytest.mark.slow
def test_a_damaged_file_is_set_aside(command_line: CommandLine, server: RecordingServer) -> None:
    """What cannot be read is not ours to throw away, and must not keep anybody from signing in."""
    keep(command_line, "taken")
    (file,) = kept_in(command_line).rglob("*.json")
    damaged = file.with_name(server.issuer.removeprefix("http://").replace(":", "-") + ".json")
    file.rename(damaged)
    damaged.write_text("{")
    ended = sign_in(command_line, *client_flags(server.issuer))

    assert ended.status == 0
    assert len(list(damaged.parent.glob("*.corrupt-*"))) == 1


CONFLICTS = [("--client-id", "another"), ("--issuer", "https://elsewhere.example")]


@pytest.mark.parametrize("changed", CONFLICTS)
def test_another_client_of_the_same_name_is_not_signed_in_over(
    command_line: CommandLine, changed: tuple[str, str]
) -> None:
    """Its tokens would be gone without a word, and unrevoked."""
    keep(command_line, "taken")
    config = command_line.home / "config.toml"
    config.write_text('[providers.taken]\nissuer = "https://taken.example"\nclient_id = "abc"\n')
    ended = command_line.run(
        "login", "taken", *changed, LOOPBACK_AUTH_CONFIG_DIR=str(command_line.home), BROWSER="never-started"
    )

    assert ended.status == 2
    assert "logout taken" in ended.complaint
    assert "http://127.0.0.1" not in ended.stderr


def _refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.slow
@posix
def test_ctrl_c_at_a_narrow_terminal_leaves_it_clean(command_line: CommandLine) -> None:
    """The terminal's own echo of the key must not push the line into the next row, where it would stay."""
    with in_terminal(command_line, "login", "demo", columns=40, BROWSER="none") as screen:
        screen.wait_for("Keys: ")
        screen.wait_for(" left. ", after="Keys: ")
        screen.type("\x03")
        status = screen.end()
        tail = screen.shown.rpartition(" left. ")[2]

    assert status == 130
    # Whoever pastes an address while keys are heard is understood; nothing else is sent to the terminal.
    assert re.findall("\x1b[^hl]*[hl]", screen.shown) == ["\x1b[?2004h", "\x1b[?2004l"]
    assert re.fullmatch(r"[^\r]*\r +\r\x1b\[\?2004lCancelled\.\r\n", tail)
    assert max(map(len, re.findall(r"\r([^\r\n]* left[^\r\n]*)", screen.shown))) <= 40
