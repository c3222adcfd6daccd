"""`receive`: a redirect for a program in any language, which speaks by arguments, stdin and stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from urllib.request import urlopen

import pytest
from command_line import PATIENCE, CommandLine, Running

from commands.people import RecordingServer, visit
from loopback_auth.commands.demo import CLIENT_ID
from loopback_auth.demo.agent import Decision
from loopback_auth.http_messages import HttpResponse
from loopback_auth.words import Words

pytestmark = pytest.mark.slow
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""RFC 7636 appendix B."""


def url_at(issuer: str, **more: str) -> str:
    """Write an authorization URL with its two placeholders."""
    asked = {"response_type": "code", "client_id": CLIENT_ID, "scope": "profile", "code_challenge": CHALLENGE}
    asked |= {"code_challenge_method": "S256", **more}
    return f"{issuer}/authorize?{urlencode(asked)}&redirect_uri={{redirect_uri}}&state={{state}}"


class Program:
    """A program that has started the command, and a person at the link that it shows.

    Args:
        running: the command.
        decision: of the person.
    """

    def __init__(self, running: Running, decision: Decision) -> None:
        self._running = running
        self._pool = ThreadPoolExecutor(1)
        self.page: Future[HttpResponse] = self._pool.submit(visit, running.link(), decision)

    def read(self) -> str:
        """Read one line of the answer."""
        assert self._running.process.stdout is not None
        return self._running.process.stdout.readline()

    def write(self, line: str) -> None:
        """Write a line to stdin; an empty one closes it."""
        assert self._running.process.stdin is not None
        if line:
            self._running.process.stdin.write(line)
            self._running.process.stdin.flush()
        else:
            self._running.process.stdin.close()

    def status(self) -> int:
        """Wait for the end of the command, and return its exit status; nothing else is on stdout."""
        assert self.read() == ""
        return self._running.process.wait()

    def shown(self) -> str:
        """Return the text of the page on which the browser ended."""
        return self.page.result(10).body.decode()

    def end(self) -> None:
        """Leave nothing running."""
        self._pool.shutdown()


@contextmanager
def receiving(
    command_line: CommandLine, *arguments: str, first: str = "", decision: Decision = "approve"
) -> Iterator[Program]:
    """Start the command as another program does, and open the link that it shows."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loopback_auth", "receive", "--no-browser", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=command_line.environment({}),
    )
    with process:
        try:
            if first:
                assert process.stdin is not None
                process.stdin.write(first + "\n")
                process.stdin.flush()
            program = Program(Running(process), decision)
            yield program
            program.end()
        finally:
            process.kill()


def exchange(issuer: str, answer: dict[str, object]) -> dict[str, object]:
    """Exchange the code, as the other program does."""
    parameters = answer["parameters"]
    assert isinstance(parameters, dict)
    form = {
        "grant_type": "authorization_code",
        "code": parameters["code"],
        "redirect_uri": answer["redirect_uri"],
        "client_id": CLIENT_ID,
        "code_verifier": VERIFIER,
    }
    with urlopen(f"{issuer}/token", urlencode(form).encode(), timeout=PATIENCE) as reply:
        tokens = json.load(reply)
    assert isinstance(tokens, dict)
    return tokens


def opened(link: str) -> str | None:
    """Open a link as a browser does, and return where it leads; None: nowhere."""
    connection = HTTPConnection(urlsplit(link).netloc, timeout=PATIENCE)
    connection.request("GET", urlsplit(link).path, headers={"Accept": "text/html"})
    where = connection.getresponse().getheader("Location")
    connection.close()
    return where


def test_answer_is_one_line_of_json_that_is_enough_for_the_exchange(
    server: RecordingServer, command_line: CommandLine
) -> None:
    """The page cannot know the outcome, and does not claim success."""
    with receiving(command_line, "--json", url_at(server.issuer)) as program:
        answer = json.loads(program.read())
        status = program.status()
        page = program.shown()

    assert exchange(server.issuer, answer)["access_token"]
    assert status == 0
    assert Words.RECEIVED_TITLE in page
    assert Words.SUCCESS_TITLE not in page


def test_answer_without_json_is_the_address(server: RecordingServer, command_line: CommandLine) -> None:
    """Many libraries read the response there."""
    with receiving(command_line, url_at(server.issuer)) as program:
        address = urlsplit(program.read().strip())
        assert program.status() == 0

    assert (address.scheme, address.hostname, address.path) == ("http", "127.0.0.1", "/callback")
    assert {"code", "state"} <= set(parse_qs(address.query))


def test_held_page_shows_success_after_the_exchange(
    server: RecordingServer, command_line: CommandLine
) -> None:
    """Then it is true."""
    with receiving(command_line, "--json", "--hold", url_at(server.issuer)) as program:
        tokens = exchange(server.issuer, json.loads(program.read()))
        waits = not program.page.done()
        program.write("ok\n")
        assert program.status() == 0
        page = program.shown()

    assert tokens["access_token"]
    assert waits
    assert Words.SUCCESS_TITLE in page


def test_held_page_shows_failure_in_the_words_of_the_program(
    server: RecordingServer, command_line: CommandLine
) -> None:
    """They are text, and no part of the page."""
    with receiving(command_line, "--json", "--hold", url_at(server.issuer)) as program:
        program.read()
        program.write("error You are <b>not</b> a member.\n")
        assert program.status() == 0
        page = program.shown()

    assert Words.FAILURE_TITLE in page
    assert "You are &lt;b&gt;not&lt;/b&gt; a member." in page


@pytest.mark.parametrize(("line", "status"), [("", 130), ("done\n", 2)], ids=["nothing", "another word"])
def test_held_page_shows_failure_when_the_program_does_not_say(
    server: RecordingServer, command_line: CommandLine, line: str, status: int
) -> None:
    """It may have crashed during the exchange."""
    with receiving(command_line, "--json", "--hold", url_at(server.issuer)) as program:
        program.read()
        program.write(line)
        assert program.status() == status
        page = program.shown()

    assert Words.FAILURE_TITLE in page


def test_refusal_is_printed_and_is_the_exit_status(
    server: RecordingServer, command_line: CommandLine
) -> None:
    """The other program may want to know which error it was; a shell script sees that it is one."""
    with receiving(command_line, "--json", "--hold", url_at(server.issuer), decision="deny") as program:
        answer = json.loads(program.read())
        assert program.status() == 4
        page = program.shown()

    assert answer["parameters"]["error"] == "access_denied"
    assert Words.FAILURE_DENIED in page


def test_url_comes_from_stdin(server: RecordingServer, command_line: CommandLine) -> None:
    """Other users can read arguments; what the exchange needs stays with the program."""
    with receiving(command_line, "--json", "--hold", "-", first=url_at(server.issuer)) as program:
        answer = json.loads(program.read())
        program.write("ok\n")
        assert program.status() == 0
        page = program.shown()

    assert answer["parameters"]["code"]
    assert Words.SUCCESS_TITLE in page


def test_link_that_is_opened_twice_is_replaced_and_so_is_the_state(
    server: RecordingServer, command_line: CommandLine
) -> None:
    """The first who opened it may have been another person, and has the old state."""
    with command_line.start("receive", "--no-browser", "--json", url_at(server.issuer)) as running:
        link = running.link()
        first, second = (opened(link) for _ in range(2))
        visit(running.link())
        ended = running.end()

    parameters = ended.json["parameters"]
    assert isinstance(parameters, dict)
    assert second is None
    assert first is not None
    assert parse_qs(urlsplit(first).query)["state"] != [parameters["state"]]


def test_form_post_and_a_state_of_the_program_are_received(
    server: RecordingServer, command_line: CommandLine
) -> None:
    """The URL says how the response comes, and may bring its own state."""
    state = "state-of-the-other-program"
    url = url_at(server.issuer, response_mode="form_post").replace("{state}", state)
    with receiving(command_line, "--json", url) as program:
        answer = json.loads(program.read())
        assert program.status() == 0

    assert answer["parameters"]["state"] == state


WRONG = {
    "no redirect URI": "https://id.example/authorize?state={state}",
    "another redirect URI": f"https://id.example/authorize?state=x&redirect_uri={quote('http://127.0.0.1:1/')}",
    "no state": "https://id.example/authorize?redirect_uri={redirect_uri}",
    "plain http": "http://id.example/authorize?redirect_uri={redirect_uri}&state={state}",
    "a placeholder that is none": "https://id.example/{code}?redirect_uri={redirect_uri}&state={state}",
    "no URL": "id.example",
    "nothing on stdin": "-",
}


@pytest.mark.parametrize("url", WRONG.values(), ids=WRONG)
def test_url_that_cannot_work_is_refused_before_a_link_is_shown(url: str, command_line: CommandLine) -> None:
    """The error says what to write."""
    ended = command_line.run("receive", "--no-browser", url)

    assert ended.status == 2
    assert ended.stdout == ""
    assert "  http://" not in ended.stderr
    assert ended.complaint


def test_error_is_json_too(command_line: CommandLine) -> None:
    """As with every command."""
    ended = command_line.run("receive", "--json", "https://id.example/?state={state}")

    assert ended.status == 2
    assert ended.json["error"] == "ConfigError"
    assert "redirect_uri={redirect_uri}" in str(ended.json["hint"])


def test_time_that_is_over_is_an_exit_status(server: RecordingServer, command_line: CommandLine) -> None:
    """The other program must not wait for ever."""
    ended = command_line.run("receive", "--no-browser", "--timeout", "1", url_at(server.issuer))

    assert (ended.status, ended.stdout) == (7, "")


def test_ci_is_no_place_to_wait(server: RecordingServer, command_line: CommandLine) -> None:
    """A build would stand still for five minutes; --wait says that somebody is there."""
    ended = command_line.run("receive", "--no-browser", url_at(server.issuer), CI="true")

    assert (ended.status, ended.stdout) == (3, "")
    assert "--wait" in ended.complaint


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_ends_it(server: RecordingServer, command_line: CommandLine) -> None:
    """Nothing on stdout, and the status of a cancellation."""
    with command_line.start("receive", "--no-browser", url_at(server.issuer)) as running:
        running.link()
        running.give_up()
        ended = running.end()

    assert (ended.status, ended.stdout) == (130, "")


def test_nothing_secret_is_said(server: RecordingServer, command_line: CommandLine, tmp_path: Path) -> None:
    """The answer is on stdout alone, for which it was asked."""
    with command_line.start("receive", "--no-browser", "--json", url_at(server.issuer)) as running:
        visit(running.link())
        ended = running.end()
    parameters = ended.json["parameters"]
    assert isinstance(parameters, dict)

    assert [name for name, value in parameters.items() if name != "iss" and value in ended.stderr] == []
    assert list(tmp_path.rglob("*.json")) == []
