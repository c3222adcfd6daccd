"""`proxy` as a person and a program meet it: an address, no token, and words where something is wrong."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from command_line import PATIENCE, CommandLine, Running

from commands.forwarding_server import Echo, echo
from commands.people import RecordingServer, age, client_flags, keep, sign_in, store, visit
from loopback_auth.commands.demo import CLIENT_ID
from loopback_auth.records import replace

NOW = time.time()
TOKEN = "access-token-of-one"


@pytest.fixture
def behind() -> Iterator[Echo]:
    """A server that is to get the token."""
    with echo() as server:
        yield server


@contextmanager
def running(command_line: CommandLine, *arguments: str) -> Iterator[tuple[Running, str]]:
    """Start a proxy; give it with the first line of its stdout."""
    with command_line.start("proxy", *arguments) as started:
        assert started.process.stdout is not None
        yield started, started.process.stdout.readline().strip()


def fetch(url: str, method: str = "GET", content: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Make a request, past every proxy of the environment; return status and content."""
    opener = build_opener(ProxyHandler({}))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with opener.open(Request(url, content, named, method=method), timeout=PATIENCE) as response:
            return response.status, response.read().decode()
    except HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()


def test_a_program_gets_the_address_and_no_token(command_line: CommandLine, behind: Echo) -> None:
    """Stdout has the address alone; the token is in no output, no argument and no answer."""
    keep(command_line, "one", expires_at=NOW + 3600, obtained_at=NOW)
    with running(command_line, "one", "--to", f"{behind.url}/v1") as (started, url):
        status, text = fetch(f"{url}/things", "POST", b"content", Authorization="Bearer theirs")
        told = started.line("Forwarding to")
        process = Path(f"/proc/{started.process.pid}")
        shown = [(process / one).read_text() for one in ("cmdline", "environ") if (process / one).exists()]
        started.process.terminate()
        ended = started.end()

    assert (status, json.loads(text)) == (200, {"method": "POST", "path": "/v1/things", "content": "content"})
    assert behind.tokens == [TOKEN]
    assert "one (me@example.com)" in told
    assert len(urlsplit(url).path) > 30
    for output in (text, url, ended.stdout, ended.stderr, *shown):
        assert TOKEN not in output
        assert "refresh-token" not in output


def test_json_says_where_the_proxy_is(command_line: CommandLine, behind: Echo) -> None:
    """One line, so that a program can read it from a pipe that stays open."""
    keep(command_line, "one")
    with running(command_line, "--to", behind.url, "--port", "0", "--json") as (started, line):
        document = json.loads(line)
        status, _ = fetch(f"{document['url']}/")

    assert document == {
        "url": document["url"],
        "socket": None,
        "pid": started.process.pid,
        "name": "one",
        "to": behind.url,
    }
    assert status == 200


def test_without_the_secret_or_from_a_browser_there_is_nothing(
    command_line: CommandLine, behind: Echo
) -> None:
    """Every program on this machine, and every page in its browser, can reach the port."""
    keep(command_line, "one")
    with running(command_line, "one", "--to", behind.url) as (started, url):
        without = url.rpartition("/")[0]
        statuses = [
            fetch(f"{without}/things")[0],
            fetch(f"{url}/things", Origin="https://evil.example")[0],
            fetch(f"{url}/things", Host="evil.example")[0],
            fetch(f"{url}/../things")[0],
        ]
        started.line("pages in a browser")

    assert statuses == [404, 403, 421, 400]
    assert behind.tokens == []


def test_read_only_changes_nothing(command_line: CommandLine, behind: Echo) -> None:
    """For a program that is to look around, and no more."""
    keep(command_line, "one")
    with running(command_line, "one", "--to", behind.url, "--read-only") as (_, url):
        assert [fetch(f"{url}/a", method)[0] for method in ("GET", "POST", "DELETE")] == [200, 405, 405]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets for Python there")
def test_a_unix_socket_is_for_this_user_alone_and_gone_at_the_end(
    command_line: CommandLine, behind: Echo
) -> None:
    """The safest form: neither other users nor pages in a browser can open it."""
    keep(command_line, "one")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        with running(command_line, "one", "--to", behind.url, "--unix", str(path)) as (started, line):
            mode = path.stat().st_mode & 0o777
            connection = http.client.HTTPConnection("localhost")
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(path))
            connection.request("GET", "/things")
            status = connection.getresponse().status
            connection.close()
            started.process.terminate()
            started.end()

        assert (line, mode, status) == (str(path), 0o600, 200)
        assert not path.exists()
    assert behind.tokens == [TOKEN]


@pytest.mark.slow
def test_a_token_is_renewed_when_it_is_due_and_when_it_is_refused(
    command_line: CommandLine, behind: Echo, server: RecordingServer
) -> None:
    """The program behind the address does not notice."""
    sign_in(command_line, *client_flags(server.issuer))
    age(command_line)
    with running(command_line, "--to", behind.url) as (_, url):
        first = fetch(f"{url}/a")[0]
        behind.refused.add(behind.tokens[-1])
        second = fetch(f"{url}/a", "POST", b"again")[0]

    assert (first, second) == (200, 200)
    assert len(set(behind.tokens)) == 2


@pytest.mark.slow
def test_a_sign_in_that_is_removed_is_said_and_the_proxy_goes_on(
    command_line: CommandLine, behind: Echo
) -> None:
    """503 with words for the client, one line for the person, and a new sign-in is used at once."""
    keep(command_line, "one")
    with running(command_line, "one", "--to", behind.url) as (started, url):
        fetch(f"{url}/a")
        store(command_line).delete("one")
        until = time.monotonic() + PATIENCE
        while (answer := fetch(f"{url}/a"))[0] != 503 and time.monotonic() < until:
            pass
        said = started.line("not signed in")
        keep(command_line, "one")
        again = fetch(f"{url}/a")[0]

    assert (answer[0], again) == (503, 200)
    assert "login" in answer[1]
    assert "login" in said
    assert TOKEN not in answer[1]


def test_login_asks_the_person_first(
    command_line: CommandLine, behind: Echo, server: RecordingServer
) -> None:
    """Then the address comes, and the last page of the sign-in is left to the browser."""
    environ = {"LOOPBACK_AUTH_ISSUER": server.issuer, "LOOPBACK_AUTH_CLIENT_ID": CLIENT_ID}
    with command_line.start("proxy", "--to", behind.url, "--login", BROWSER="none", **environ) as started:
        assert started.process.stdout is not None
        visit(started.link())
        url = started.process.stdout.readline().strip()
        status, _ = fetch(f"{url}/a")

    assert status == 200
    assert len(behind.tokens) == 1


def test_the_resource_of_the_sign_in_is_where_it_leads(command_line: CommandLine, behind: Echo) -> None:
    """Its token is for no other server, so that the URL need not be said again."""
    made = replace(keep(command_line, "one"), resource_server=f"{behind.url}/mcp")
    store(command_line).save(made)
    with running(command_line, "one") as (_, url):
        status, answered = fetch(url)

    assert status == 200, answered
    assert behind.tokens == [TOKEN]


@pytest.mark.slow
def test_login_asks_the_person_before_stdin_is_read(
    command_line: CommandLine, behind: Echo, server: RecordingServer
) -> None:
    """A client of MCP writes its first message at once; it is the server's, and no answer to the login."""
    environ = {"LOOPBACK_AUTH_ISSUER": server.issuer, "LOOPBACK_AUTH_CLIENT_ID": CLIENT_ID}
    process = subprocess.Popen(
        [sys.executable, "-m", "loopback_auth", "proxy", "--to", f"{behind.url}/mcp", "--stdio", "--login"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=command_line.environment({"BROWSER": "none", **environ}),
    )
    with process:
        try:
            assert process.stdin is not None
            process.stdin.write('{"jsonrpc": "2.0", "id": 17, "method": "ping"}\n')
            process.stdin.flush()
            visit(Running(process).link())
            answers, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()

    assert json.loads(answers.splitlines()[0])["id"] == 17
    assert len(store(command_line).names()) == len(set(behind.tokens)) == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("one",), 2),
        (("one", "--to", "http://api.example"), 2),
        (("one", "--to", "https://me:hunter2@api.example"), 2),
        (("one", "--to", "https://api.example", "--port", "1", "--unix", "s"), 2),
        (("one", "--to", "https://api.example", "--port", "70000"), 2),
        (("one", "--to", "https://api.example", "--timeout", "nan"), 2),
        (("one", "--to", "https://api.example", "--stdio", "--read-only"), 2),
        (("two", "--to", "https://api.example"), 9),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_served(
    command_line: CommandLine, arguments: tuple[str, ...], status: int
) -> None:
    """Among them a token in the clear (RFC 6750 §5.3)."""
    keep(command_line, "one")
    ended = command_line.run("proxy", *arguments)

    assert (ended.status, ended.stdout) == (status, "")
    assert ended.complaint
    assert "hunter2" not in ended.stderr


def test_a_port_that_is_in_use_is_said(command_line: CommandLine) -> None:
    """Clients would speak to the other program."""
    keep(command_line, "one")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ended = command_line.run(
            "proxy", "one", "--to", "https://api.example", "--port", str(other.getsockname()[1])
        )

    assert ended.status == 2
    assert "another program uses it" in ended.complaint


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, -15), (signal.SIGHUP, -1)]
)
def test_it_ends_by_a_signal(command_line: CommandLine, behind: Echo, number: int, status: int) -> None:
    """As its sender expects: Ctrl-C is how a person ends it, and so is no failure."""
    keep(command_line, "one")
    with running(command_line, "one", "--to", behind.url) as (started, _):
        os.kill(started.process.pid, number)
        ended = started.end()

    assert ended.status == status
    assert "Stopped." in ended.stderr
    assert "Traceback" not in ended.stderr
