"""`audit ISSUER --attack`: a server of your own, attacked with a simulated user."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from secrets import token_bytes

import pytest
from command_line import CommandLine

from commands.people import RecordingServer
from loopback_auth.demo.clients import DEMO_CLIENT
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.serve import demo_thread
from loopback_auth.demo.server import DemoServer

CLIENT = ("--client-id", DEMO_CLIENT.client_id)
GATE = 11


@pytest.fixture(scope="module")
def faulty() -> Iterator[str]:
    """A server that takes every code verifier."""

    def made(issuer: str) -> DemoServer:
        return DemoServer(issuer, entropy=token_bytes, faults=Faults(ignore_verifier=True))

    with demo_thread(server_factory=made) as demo:
        yield demo.issuer


def test_healthy_server_withstands(command_line: CommandLine, server: RecordingServer) -> None:
    """It gets an A, and the second client that was registered is deleted."""
    ended = command_line.run("audit", server.issuer, *CLIENT, "--attack", "--json")
    document = json.loads(ended.stdout)
    (run,) = document["runs"]
    deleted = [count for (method, _), count in server.log.items() if method == "DELETE"]

    assert (ended.status, document["ground"]) == (0, "demo")
    assert document["conclusions"][0]["sentence"].startswith("Grade A")
    assert len(run["attacks"]) > 30
    assert {one["verdict"] for one in run["attacks"]} <= {"pass", "not applicable"}
    assert deleted == [1]


def test_slash_that_the_issuer_does_not_have_fails_no_attack(command_line: CommandLine) -> None:
    """The attacks are made at the issuer that the server publishes: another would be refused at once."""
    with demo_thread() as demo:  # One that has not been attacked before.
        ended = command_line.run("audit", f"{demo.issuer}/", *CLIENT, "--attack", "--json")
    document = json.loads(ended.stdout)

    assert document["conclusions"][0]["sentence"].startswith("Grade A")
    assert {one["verdict"] for one in document["runs"][0]["attacks"]} <= {"pass", "not applicable"}


def test_faulty_server_stops_the_build(command_line: CommandLine, faulty: str) -> None:
    """An attack that succeeds is a finding like every other."""
    ended = command_line.run("audit", faulty, *CLIENT, "--attack", "--fail-on", "high")

    assert ended.status == GATE
    assert "code-without-verifier" in ended.stderr
    assert "Grade F" in ended.stdout


@pytest.mark.skipif(os.name != "posix", reason="modes of files are of POSIX")
def test_password_that_others_can_read_is_refused(command_line: CommandLine, tmp_path: Path) -> None:
    """A file that everybody can read keeps no secret."""
    secret = tmp_path / "password"
    secret.write_text("an example\n")
    secret.chmod(0o644)
    ended = command_line.run(
        "audit", "http://127.0.0.1:9", *CLIENT, "--attack", "--account", "ada", "--password-file", str(secret)
    )

    assert ended.status == 2
    assert "chmod 600" in ended.complaint
    assert "an example" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("https://192.0.2.1", *CLIENT, "--attack"), id="another machine"),
        pytest.param(("https://as.invalid", *CLIENT, "--attack"), id="nowhere"),
        pytest.param(("http://127.0.0.1:9", "--attack"), id="no client"),
        pytest.param(("http://127.0.0.1:9", *CLIENT, "--account", "ada"), id="an account without --attack"),
        pytest.param(("http://127.0.0.1:9", *CLIENT, "--attack", "--field", "x"), id="a field without text"),
        pytest.param(("http://127.0.0.1:9", *CLIENT, "--attack", "--field", "otp=1"), id="a secret field"),
        pytest.param(
            ("http://127.0.0.1:9", *CLIENT, "--attack", "--password-file", "/nonexistent"), id="no such file"
        ),
        pytest.param(("--attack", *CLIENT), id="no server"),
        pytest.param(
            ("http://127.0.0.1:9", *CLIENT, "--attack", "--password", "x"), id="a password as a flag"
        ),
    ],
)
def test_what_cannot_be_attacked_is_refused(command_line: CommandLine, arguments: tuple[str, ...]) -> None:
    """Before anything is sent."""
    ended = command_line.run("audit", *arguments)

    assert (ended.status, ended.stdout) == (2, "")
    assert ended.complaint


def test_server_that_is_not_running_is_a_report(command_line: CommandLine) -> None:
    """It says so, and gives no grade."""
    ended = command_line.run("audit", "http://127.0.0.1:9", *CLIENT, "--attack", "--json")

    assert ended.status == 0
    assert json.loads(ended.stdout)["conclusions"][0]["advice"] == "not judged"
