"""From the URL of a resource to its token and back, with the commands that people type."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from command_line import CommandLine, Ended
from joserfc.jwk import ECKey

from commands.people import RecordingServer, kept_in, sign_in, store, visit
from loopback_auth.commands.demo import CLIENT_ID
from loopback_auth.demo.serve import demo_thread
from loopback_auth.flows.registration import MADE_UP_URI

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """A server with a resource, for this test alone: what is registered there stays."""
    with demo_thread(server_factory=RecordingServer) as demo:
        assert isinstance(demo.server, RecordingServer)
        yield demo.server


def registrations(server: RecordingServer) -> int:
    """Return how many clients were registered."""
    return len([one for one in server.requests if one.method == "POST" and one.url.endswith("/register")])


def called(url: str, lines: str) -> int:
    """Call the resource with headers as `token --headers` prints them; return the status."""
    headers = dict(line.split(": ", 1) for line in lines.splitlines())
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
    asked = Request(url, body, {**headers, "Content-Type": "application/json", "Accept": "application/json"})
    with urlopen(asked, timeout=60) as answer:
        return int(answer.status)


def test_a_url_is_enough(command_line: CommandLine, server: RecordingServer) -> None:
    """Neither an issuer nor a client ID is known to the person: both are found, and said."""
    url = f"{server.issuer}/mcp"
    ended = sign_in(command_line, url)
    headers = command_line.run("token", url, "--headers", url)

    assert ended.status == 0
    for line in (
        f"Asking {url} ",
        f"You sign in at {server.issuer}.",
        f"Registering this program at {server.issuer}.",
    ):
        assert line in ended.stderr
    assert called(url, headers.stdout) == 200
    assert server.sent("resource") == {url}


def test_a_second_sign_in_registers_nothing(command_line: CommandLine, server: RecordingServer) -> None:
    """The registration is kept beside the sign-in, and outlives it; its port is bound first."""
    url = f"{server.issuer}/mcp"
    sign_in(command_line, url)
    assert command_line.run("logout", url).status == 0
    again = sign_in(command_line, url)

    assert again.status == 0
    assert registrations(server) == 1
    assert len(server.sent("redirect_uri") - {MADE_UP_URI}) == 1
    assert not [one for one in server.requests if one.method == "PUT"]


def test_unregister_deletes_the_client(command_line: CommandLine, server: RecordingServer) -> None:
    """At the server, and here (RFC 7592 §2.3)."""
    url = f"{server.issuer}/mcp"
    sign_in(command_line, url)
    ended = command_line.run("logout", url, "--unregister", "--json")
    deleted = [one.url for one in server.requests if one.method == "DELETE"]

    assert (ended.status, ended.json["revoked"], ended.json["unregistered"]) == (0, True, True)
    assert len(deleted) == 1
    assert list((kept_in(command_line) / "registrations").glob("*.json")) == []


def test_an_unsafe_registration_does_not_pass_for_none(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Without the sign-in it could not be found again, so that nothing is given up before it can be read."""
    url = f"{server.issuer}/mcp"
    sign_in(command_line, url)
    (file,) = (kept_in(command_line) / "registrations").glob("*.json")
    file.chmod(0o666)
    refused = command_line.run("logout", url, "--unregister")
    still = command_line.run("token", url)
    file.chmod(0o600)
    ended = command_line.run("logout", url, "--unregister", "--json")

    assert (refused.status, still.status) == (8, 0)
    assert str(file) in refused.complaint
    assert (ended.status, ended.json["unregistered"]) == (0, True)


def test_a_client_made_by_hand_is_not_given_up(command_line: CommandLine, server: RecordingServer) -> None:
    """It is the person's, and other programs may use it."""
    url = f"{server.issuer}/mcp"
    sign_in(command_line, url, "--client-id", CLIENT_ID)
    ended = command_line.run("logout", url, "--unregister", "--json")

    assert (ended.status, ended.json["unregistered"]) == (0, False)
    assert registrations(server) == 0


def test_bound_tokens_are_used_with_a_proof(command_line: CommandLine, server: RecordingServer) -> None:
    """A stolen file of the token alone is worth nothing (RFC 9449 §2)."""
    url = f"{server.issuer}/mcp"
    ended = sign_in(command_line, url, "--dpop")
    headers = command_line.run("token", url, "--headers", url, "--method", "POST")
    (status,) = json.loads(command_line.run("status", url, "--json").stdout)

    assert (ended.status, status["token_type"], status["registered"]) == (0, "DPoP", True)
    assert "--headers URL" in ended.stderr
    assert called(url, headers.stdout) == 200
    renewed = command_line.run("token", url, "--renew", "--json")
    assert (renewed.status, renewed.json["token_type"]) == (0, "DPoP")


def test_a_private_key_is_found_again_by_the_settings(
    command_line: CommandLine, server: RecordingServer, tmp_path: Path
) -> None:
    """It is kept with no sign-in, and each renewal is signed anew (RFC 7523 §3)."""
    url, file = f"{server.issuer}/mcp", tmp_path / "key.json"
    file.write_text(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
    file.chmod(0o600)
    ended = sign_in(command_line, url, "--client-auth", "private_key_jwt", "--private-key-file", str(file))
    without = command_line.run("token", url, "--renew")
    renewed = command_line.run("token", url, "--renew", LOOPBACK_AUTH_PRIVATE_KEY_FILE=str(file))

    assert (ended.status, without.status, renewed.status) == (0, 2, 0)
    assert "LOOPBACK_AUTH_PRIVATE_KEY_FILE" in without.complaint
    assert len(server.sent("client_assertion")) == 2


def test_a_resource_server_is_a_setting(command_line: CommandLine, server: RecordingServer) -> None:
    """In the file it has a name, and every command takes that."""
    config = command_line.home / "config.toml"
    config.write_text(f'[providers.work]\nresource_server = "{server.issuer}/mcp"\nscope = "mcp:read"\n')
    config.chmod(0o600)
    ended = sign_in(command_line, "work", LOOPBACK_AUTH_CONFIG_DIR=str(command_line.home))
    kept = store(command_line).load("work")

    assert ended.status == 0
    assert kept is not None
    assert (kept.resource_server, kept.tokens.scope) == (f"{server.issuer}/mcp", "mcp:read")
    again = command_line.run("token", "work", LOOPBACK_AUTH_CONFIG_DIR=str(command_line.home))
    assert again.stdout == f"{kept.tokens.access_token}\n"


def test_an_issuer_registers_a_client_too(command_line: CommandLine, server: RecordingServer) -> None:
    """An address that is no resource is an issuer; then no resource is requested (RFC 8707 §2)."""
    ended = sign_in(command_line, server.issuer)
    (status,) = json.loads(command_line.run("status", server.issuer, "--json").stdout)

    assert ended.status == 0
    assert (status["registered"], status["resource_server"], status["issuer"]) == (True, None, server.issuer)
    assert server.sent("resource") == set()


def test_a_login_in_two_steps_begins_at_a_resource(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """For agents, which cannot wait for a person."""
    url = f"{server.issuer}/mcp"
    started = command_line.run("start", url, "--json")
    visit(str(started.json["url"]))
    finished = command_line.run("finish", "--wait", "30", "--yes", "--json")

    assert (started.status, finished.status) == (0, 0)
    assert (finished.json["status"], finished.json["resource_server"]) == ("done", url)


WRONG = [
    pytest.param("/mpc", "spelling", id="a typo"),
    pytest.param("/authorize", "web page", id="a page"),
    pytest.param("/jwks", "does not ask for a token", id="no sign-in needed"),
]


@pytest.mark.parametrize(("path", "words"), WRONG)
def test_what_is_no_resource_ends_with_a_next_step(
    path: str, words: str, command_line: CommandLine, server: RecordingServer
) -> None:
    """What came instead shows most people at once what they mistyped."""
    ended = command_line.run("login", f"{server.issuer}{path}", "--no-browser", "--wait")

    assert ended.status == 3
    assert words in ended.complaint
    assert registrations(server) == 0


def test_several_tokens_at_once_are_one_registration(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Several programs start at once, and the person sees one page (`token --login`)."""
    url = f"{server.issuer}/mcp"
    with command_line.start("login", url, "--no-browser", "--wait") as first:
        link = first.link()
        arguments = [sys.executable, "-m", "loopback_auth", "token", url, "--login"]
        environment = command_line.environment({})
        others = [
            subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for _ in range(4)
        ]
        visit(link)
        tokens = {other.communicate(timeout=60)[0] for other in others}
        ended: Ended = first.end()

    assert ended.status == 0
    assert len(tokens) == 1
    assert registrations(server) == 1
