"""`token` when the token is due: nothing is lost, and a person is asked only where nothing else helps."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from command_line import CommandLine

from commands.people import (
    CONFIDENTIAL,
    RecordingServer,
    age,
    client_flags,
    in_terminal,
    keep,
    kept_in,
    sign_in,
    store,
    visit,
)
from loopback_auth.commands.demo import CLIENT_ID
from loopback_auth.demo.serve import demo_thread
from loopback_auth.http_messages import HttpRequest, HttpResponse

pytestmark = pytest.mark.slow


def access_token_in(command_line: CommandLine) -> str:
    """Return the access token that is kept."""
    (file,) = (kept_in(command_line) / "sign-ins").glob("*.json")
    return str(json.loads(file.read_text())["tokens"]["access_token"])


class Slow(RecordingServer):
    """Takes its time for the answer to a refresh request."""

    asked = threading.Event()
    answering = threading.Event()

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Rotate at once, and answer when told so."""
        answer = super().handle(request, now)
        if b"grant_type=refresh_token" in request.body:
            self.asked.set()
            self.answering.wait(60)
        return answer


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_rotated_refresh_token_survives_the_end_of_the_program(
    command_line: CommandLine, number: signal.Signals
) -> None:
    """The answer is on its way, and holds the only refresh token that is good (RFC 9700 §4.14.2)."""
    Slow.asked.clear()
    Slow.answering.clear()
    with demo_thread(server_factory=Slow) as demo:
        sign_in(command_line, *client_flags(demo.issuer))
        age(command_line)
        with command_line.start("token") as running:
            assert Slow.asked.wait(60)
            running.process.send_signal(number)
            Slow.answering.set()
            ended = running.end()
        (name,) = store(command_line).names()
        kept = store(command_line).load(name)
        assert kept is not None

        assert ended.status == (130 if number == signal.SIGINT else -number)
        assert demo.server.active(kept.tokens.refresh_token or "", time.time())


def test_the_leeway_says_how_long_the_token_has_to_be_good(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """A job of half an hour needs a token for as long."""
    sign_in(command_line, *client_flags(server.issuer))
    first = command_line.run("token")
    age(command_line, 3000)
    kept = command_line.run("token", "--leeway", "300")
    renewed = command_line.run("token", "--leeway", "1800")

    assert first.stdout == kept.stdout != renewed.stdout
    assert (kept.status, renewed.status) == (0, 0)


@pytest.mark.parametrize("leeway", ["-1", "nan", "x"])
def test_a_leeway_that_is_no_time_is_refused(command_line: CommandLine, leeway: str) -> None:
    """A misread one would renew always, or never."""
    keep(command_line, "one")

    assert command_line.run("token", "--leeway", leeway).status == 2


def test_a_token_that_has_not_ended_outlives_trouble_with_its_renewal(command_line: CommandLine) -> None:
    """The server is nowhere; the token is good for half a minute, and the script goes on."""
    keep(command_line, "one", expires_at=time.time() + 30, obtained_at=time.time() - 3570)
    ended = command_line.run("token")

    assert (ended.status, ended.stdout) == (0, "access-token-of-one\n")
    assert ended.stderr.startswith("warning: ")


def test_a_token_without_an_end_is_not_said_to_have_ended(command_line: CommandLine) -> None:
    """RFC 6749 §5.1: many servers give no lifetime, and no refresh token either."""
    made = keep(command_line, "one")
    store(command_line).save(replace(made, tokens=replace(made.tokens, refresh_token=None)))
    ended = command_line.run("token", "--renew")

    assert ended.status == 9
    assert "no refresh token" in ended.complaint
    assert "expired" not in ended.complaint
    assert command_line.run("token").stdout == "access-token-of-one\n"


REFUSALS = [
    (200, '{"error": "bad_refresh_token"}'),
    (401, '{"id": "unauthorized"}'),
    (401, '{"error": "invalid_client"}'),
]


class Refusing(RecordingServer):
    """Refuses refresh tokens in many ways."""

    refusal = REFUSALS[0]

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Refuse, or go on."""
        if b"grant_type=refresh_token" not in request.body:
            return super().handle(request, now)
        status, body = self.refusal
        return HttpResponse(status, (("Content-Type", "application/json"),), body.encode())


@pytest.mark.parametrize(("status", "body"), REFUSALS)
def test_login_goes_on_to_the_person_after_any_refusal(
    command_line: CommandLine, status: int, body: str
) -> None:
    """Under whatever name: the refresh token is of no use any more."""
    with demo_thread(server_factory=Refusing) as demo:
        Refusing.refusal = status, body
        sign_in(command_line, *client_flags(demo.issuer))
        age(command_line)
        (file,) = (kept_in(command_line) / "sign-ins").glob("*.json")
        before = file.read_bytes()
        alone = command_line.run("token")
        untouched = file.read_bytes() == before
        environ = {"LOOPBACK_AUTH_ISSUER": demo.issuer, "LOOPBACK_AUTH_CLIENT_ID": CLIENT_ID}
        with command_line.start("token", "--login", "--alone", BROWSER="none", **environ) as running:
            visit(running.link())
            ended = running.end()

    assert alone.status == (4 if "invalid_client" in body else 9)
    assert untouched
    assert ended.status == 0
    assert len(ended.stdout.splitlines()) == 1


@pytest.mark.parametrize(("status", "body"), [(503, "{}"), (429, '{"error": "invalid_grant"}')])
def test_login_asks_nobody_because_the_server_is_not_well(
    command_line: CommandLine, status: int, body: str
) -> None:
    """It will be well again, and the sign-in is kept."""
    with demo_thread(server_factory=Refusing) as demo:
        Refusing.refusal = status, body
        sign_in(command_line, *client_flags(demo.issuer))
        age(command_line)
        ended = command_line.run("token", "--login")

    assert (ended.status, ended.stdout) == (6, "")
    assert "kept" in ended.complaint


FULL = """
import sys
from loopback_auth.cli import run
from loopback_auth.errors import StoreError
from loopback_auth.store import FileTokenStore
def save(self, sign_in):
    raise StoreError("No space is left.", hint="Free some.")
FileTokenStore.save = save
sys.exit(run(["token"]))
"""


def test_a_token_that_cannot_be_kept_is_printed_at_least_this_once(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """It is good, and the exit status tells that something is to be done."""
    sign_in(command_line, *client_flags(server.issuer))
    age(command_line)
    ended = subprocess.run(
        [sys.executable, "-c", FULL],
        env=command_line.environment({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 8
    assert ended.stdout.strip() not in ("", access_token_in(command_line))
    assert "No space is left." in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_secret_that_is_set_nowhere_is_asked_for_at_a_terminal(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """It was typed at the sign-in, and is kept nowhere: the person has it."""
    secret = str(CONFIDENTIAL.client_secret)
    flags = ("--issuer", server.issuer, "--client-id", CONFIDENTIAL.client_id)
    basic = ("--client-auth", "client_secret_basic")
    sign_in(command_line, *flags, *basic, LOOPBACK_AUTH_CLIENT_SECRET=secret)
    age(command_line)
    with in_terminal(command_line, "token") as screen:
        screen.wait_for("Client secret for ")
        screen.type(f"{secret}\n")
        status = screen.end()

    assert status == 0
    assert secret not in screen.shown
    assert access_token_in(command_line) in screen.shown
