"""`compare A B C`: servers side by side, without a sign-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command_line import CommandLine

from commands.people import RecordingServer
from loopback_auth.demo.serve import demo_thread

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def other() -> Iterator[str]:
    """A second server."""
    with demo_thread() as demo:
        yield demo.issuer


def test_servers_stand_side_by_side(
    command_line: CommandLine, server: RecordingServer, other: str, tmp_path: Path
) -> None:
    """One that cannot be reached ends no other, and has no grade."""
    badge = tmp_path / "badge.svg"
    ended = command_line.run("compare", server.issuer, other, NOBODY, "--json", "-o", str(badge))
    document = json.loads(ended.stdout)
    rows = {row["id"]: [cell["text"] for cell in row["cells"]] for row in document["rows"]}

    assert (ended.status, document["kind"]) == (0, "servers")
    assert [run["outcome"] for run in document["runs"]] == ["examined", "examined", "failed"]
    assert rows["grade"] == ["B", "B", "not graded"]
    assert rows["pkce"][0] == "announced"
    assert [one["advice"] for one in document["conclusions"]] == ["use", "use", "not judged"]
    assert ElementTree.parse(badge).getroot().tag.endswith("svg")  # noqa: S314 - it is our own


def test_only_servers_that_are_named_are_asked(command_line: CommandLine, server: RecordingServer) -> None:
    """Nothing else gets a request, and no secret of another provider is sent."""
    folder = command_line.home / ".config" / "loopback_auth"
    folder.mkdir(parents=True)
    config = folder / "config.toml"
    config.write_text(
        f'[providers.mine]\nissuer = "{server.issuer}"\nclient_id = "loopback-auth-demo"\n'
        f'[providers.yours]\nissuer = "{NOBODY}"\n'
    )
    config.chmod(0o600)
    ended = command_line.run("compare", "mine", "yours", "--json", LOOPBACK_AUTH_CLIENT_ID="of-somebody-else")
    document = json.loads(ended.stdout)
    rows = {row["id"]: [cell["text"] for cell in row["cells"]] for row in document["rows"]}

    assert [run["name"] for run in document["runs"]] == ["mine", "yours"]
    assert rows["loopback-port"][0] == "yes"  # with the client of the table
    assert "of-somebody-else" not in ended.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((NOBODY, NOBODY), id="twice"),
        pytest.param((NOBODY, "demo"), id="the demonstration, which is not there"),
        pytest.param((NOBODY, "nonsense"), id="not a provider"),
        pytest.param((NOBODY, "http://127.0.0.1:10", "--live"), id="live"),
        pytest.param((NOBODY, "http://127.0.0.1:10", "--flows", "code"), id="flows"),
        pytest.param((NOBODY, "http://127.0.0.1:10", "--simulate"), id="simulated"),
        pytest.param((NOBODY, "http://127.0.0.1:10", "--client-id", "x"), id="a client of which server?"),
        pytest.param((NOBODY, "http://as.example"), id="not encrypted"),
    ],
)
def test_what_cannot_be_compared_is_refused(command_line: CommandLine, arguments: tuple[str, ...]) -> None:
    """Before anything is sent."""
    ended = command_line.run("compare", *arguments)

    assert (ended.status, ended.stdout) == (2, "")
    assert ended.complaint
