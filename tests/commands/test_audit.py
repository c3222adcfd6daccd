"""`audit ISSUER`: a server is examined without a sign-in, and graded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import CommandLine

from commands.people import RecordingServer
from loopback_auth.audit.servers.examination import LIMIT
from loopback_auth.commands.demo import CLIENT_ID

NOBODY = "http://127.0.0.1:9"


def test_server_is_graded_with_reasons(command_line: CommandLine, server: RecordingServer) -> None:
    """The demonstration server keeps the rules, and what it offers against advice is named."""
    ended = command_line.run("audit", server.issuer, "--client-id", CLIENT_ID, "--json")
    (conclusion,) = json.loads(ended.stdout)["conclusions"]
    (run,) = json.loads(ended.stdout)["runs"]

    assert ended.status == 0
    assert (conclusion["advice"], conclusion["sentence"][:7]) == ("use", "Grade A")
    assert conclusion["reasons"]
    assert all("Sent: " in one["because"] for one in run["findings"] if one["steps"])
    assert 0 < len(run["entries"]) <= LIMIT


def test_slash_that_the_issuer_does_not_have_costs_no_grade(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """The slip is that of the user, who is told which issuer was examined."""
    typed = f"{server.issuer}/"
    graded = json.loads(command_line.run("audit", typed, "--client-id", CLIENT_ID, "--json").stdout)
    (conclusion,), (run,) = graded["conclusions"], graded["runs"]

    assert (conclusion["advice"], conclusion["sentence"][:7]) == ("use", "Grade A")
    assert typed in conclusion["reasons"][0]["text"]
    assert run["outcome"] == "examined"


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("localhost:9000/realms/a", "http://localhost:9000/realms/a"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("id.example", "https://id.example"),
        ("id.example/tenant", "https://id.example/tenant"),
    ],
)
def test_address_without_a_scheme_is_completed(command_line: CommandLine, typed: str, address: str) -> None:
    """It looks like a provider's name to us, and not to the user who typed it."""
    ended = command_line.run("audit", typed)

    assert (ended.status, ended.stdout) == (2, "")
    assert f"Did you mean {address}?" in ended.stderr


@pytest.mark.parametrize("typed", ["gihub", "a b.example", "user@id.example", "\x1b[31m.example", ":", "."])
def test_what_is_no_address_is_not_completed(command_line: CommandLine, typed: str) -> None:
    """A suggestion has to be one that works."""
    ended = command_line.run("audit", typed)

    assert ended.status == 2
    assert "Did you mean http" not in ended.stderr


def test_address_of_the_metadata_is_refused(command_line: CommandLine) -> None:
    """It is not an issuer, and the user is told what to leave out."""
    ended = command_line.run("audit", f"{NOBODY}/.well-known/openid-configuration")

    assert (ended.status, ended.stdout) == (2, "")
    assert "/.well-known/" in ended.complaint


def test_server_that_is_not_there_is_a_report_too(command_line: CommandLine) -> None:
    """It says so, and gives no grade."""
    ended = command_line.run("audit", NOBODY, "--json")
    (conclusion,) = json.loads(ended.stdout)["conclusions"]
    (run,) = json.loads(ended.stdout)["runs"]

    assert ended.status == 0
    assert conclusion["advice"] == "not judged"
    assert (run["outcome"], run["findings"]) == ("failed", [])
    assert "Connection refused" in run["reason"]


@pytest.mark.parametrize("ending", ["html", "json", "har", "md", "mmd", "txt"])
def test_every_report_can_be_written(
    command_line: CommandLine, server: RecordingServer, tmp_path: Path, ending: str
) -> None:
    """The renderers are those of `compare`."""
    report = tmp_path / f"report.{ending}"
    ended = command_line.run("audit", server.issuer, "-o", str(report))

    assert ended.status == 0
    assert server.issuer.removeprefix("http://") in report.read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="none"),
        pytest.param(("demo",), id="the demonstration, which is not there"),
        pytest.param(("--", "tool", "login"), id="a command"),
        pytest.param(("https://as.example/?tenant=x",), id="an issuer with a query"),
        pytest.param(("http://as.example",), id="not encrypted"),
        pytest.param(("file:///etc/passwd",), id="not an issuer"),
        pytest.param(("nonsense",), id="not a provider"),
        pytest.param((NOBODY, "--issuer", "https://as.example"), id="two"),
    ],
)
def test_what_is_no_server_is_refused(command_line: CommandLine, arguments: tuple[str, ...]) -> None:
    """Nothing is sent before it is clear where to."""
    ended = command_line.run("audit", *arguments)

    assert (ended.status, ended.stdout) == (2, "")
    assert ended.complaint
