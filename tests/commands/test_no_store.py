"""`login --no-store` prints the token, and leaves nothing of it behind."""

from __future__ import annotations

import pytest
from command_line import CommandLine

from commands.people import RecordingServer, client_flags, keep, kept_in, sign_in, store
from loopback_auth import words


def files(command_line: CommandLine) -> set[str]:
    """Return the files that are kept, without those that only keep others out."""
    return {each.name for each in kept_in(command_line).rglob("*") if each.is_file()}


@pytest.mark.slow
def test_the_token_is_printed_and_nothing_is_kept(command_line: CommandLine, server: RecordingServer) -> None:
    """Neither a sign-in nor a lock; people read that logout cannot revoke it."""
    ended = sign_in(command_line, *client_flags(server.issuer), "--no-store")
    status = command_line.run("status")

    assert (ended.status, len(ended.stdout.split())) == (0, 1), ended.stderr
    assert ended.stdout.strip() not in ended.stderr
    assert "--no-store" in ended.stderr
    assert "renewed automatically" not in ended.stderr
    assert f"send it to {server.issuer}/revoke" in " ".join(ended.stderr.split())
    assert files(command_line) == set()
    assert status.status == 9


@pytest.mark.slow
def test_json_has_all_that_is_known_of_the_tokens(command_line: CommandLine, server: RecordingServer) -> None:
    """A program that keeps them itself needs the refresh token and the ID token, too."""
    ended = sign_in(command_line, *client_flags(server.issuer), "--scope=profile", "--no-store", "--json")

    assert ended.status == 0
    assert ended.json.keys() == {
        *("name", "provider", "account", "access_token", "token_type", "expires_at", "scope"),
        *("refresh_token", "id_token"),
    }
    assert ended.json["access_token"]
    assert ended.json["refresh_token"]
    assert files(command_line) == set()


@pytest.mark.slow
def test_what_is_kept_stays_in_use(command_line: CommandLine, server: RecordingServer) -> None:
    """Also a sign-in of the same name, which another client has."""
    sign_in(command_line, *client_flags(server.issuer))
    keep(command_line, "other")
    command_line.run("use", "other")
    before = {name: store(command_line).load(name) for name in store(command_line).names()}
    ended = sign_in(command_line, *client_flags(server.issuer), "--no-store")

    assert ended.status == 0
    assert {name: store(command_line).load(name) for name in store(command_line).names()} == before
    assert store(command_line).chosen() == "other"


@pytest.mark.slow
def test_a_client_that_the_program_registers_is_kept(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Otherwise each login would leave one more at the server; to delete it would end the token."""
    first, second = (sign_in(command_line, server.issuer, "--no-store", "--json") for _ in range(2))
    registrations = [one for one in server.requests if one.url.endswith("/register")]

    assert (first.status, second.status) == (0, 0), first.stderr + second.stderr
    assert len(registrations) == 1
    assert store(command_line).names() == ()
    assert store(command_line).read_registrations(server.issuer) is not None


def test_a_token_that_would_be_bound_to_a_lost_key_is_refused(command_line: CommandLine) -> None:
    """Before the person is asked for anything."""
    ended = command_line.run(
        "login", "--issuer", "https://id.example", "--client-id", "abc", "--no-store", "--dpop"
    )

    assert (ended.status, ended.stdout) == (2, "")
    assert "--no-store" in ended.complaint


@pytest.mark.slow
def test_a_demonstration_is_printed_too(command_line: CommandLine) -> None:
    """By a simulated person, as in a test of a script; its server is gone, so there is nothing to remove."""
    ended = command_line.run("login", "--no-store", "--simulate-person")

    assert words.RESULT_PRINTED_DEMO in " ".join(ended.stderr.split())
    assert (ended.status, len(ended.stdout.split())) == (0, 1), ended.stderr
    assert files(command_line) == set()
