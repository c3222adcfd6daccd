"""`token` as a script meets it: exactly the token, or a status that tells what is missing."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from command_line import TYPED, CommandLine

from commands.people import (
    CONFIDENTIAL,
    RecordingServer,
    age,
    client_flags,
    keep,
    kept_in,
    sign_in,
    store,
    visit,
)
from loopback_auth.commands.demo import CLIENT_ID
from loopback_auth.demo.serve import demo_thread

NOW = time.time()


def test_a_token_that_is_due_is_renewed(command_line: CommandLine, server: RecordingServer) -> None:
    """The person is not asked again as long as there is a refresh token."""
    sign_in(command_line, *client_flags(server.issuer))
    before = _kept_tokens(command_line)["access_token"]
    age(command_line)
    ended = command_line.run("token")

    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout == f"{_kept_tokens(command_line)['access_token']}\n"
    assert ended.stdout.strip() != before


@pytest.mark.slow
def test_a_refresh_token_that_is_no_longer_good_asks_for_a_new_sign_in(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Used up elsewhere, revoked or expired: only the person can help."""
    sign_in(command_line, *client_flags(server.issuer))
    age(command_line)
    (file,) = kept_in(command_line).rglob("*.json")
    file.write_text(file.read_text().replace(str(_kept_tokens(command_line)["refresh_token"]), "used-up"))
    before = file.read_bytes()
    ended = command_line.run("token")

    assert (ended.status, ended.stdout) == (9, "")
    assert file.read_bytes() == before
    assert "Sign in again" in ended.complaint


def test_json_tells_how_to_use_it(command_line: CommandLine) -> None:
    """Programs need the type and the end besides the token; the refresh token is nobody's business."""
    keep(command_line, "one", expires_at=NOW + 3600, obtained_at=NOW)
    ended = command_line.run("token", "--json")

    assert ended.json == {
        "access_token": "access-token-of-one",
        "token_type": "Bearer",
        "expires_at": NOW + 3600,
        "scope": "read",
    }


def test_renew_asks_the_server_although_the_token_is_good(command_line: CommandLine) -> None:
    """Scopes may have changed at the server; here it is nowhere, which shows that it was asked."""
    keep(command_line, "one", expires_at=NOW + 3600, obtained_at=NOW)

    assert command_line.run("token").stdout == "access-token-of-one\n"
    assert command_line.run("token", "--renew").status == 6


def test_a_token_from_the_future_is_not_believed(command_line: CommandLine) -> None:
    """A clock that was set back would make an old token look good for hours."""
    keep(command_line, "one", expires_at=NOW + 7200, obtained_at=NOW + 3600)
    ended = command_line.run("token")

    assert ended.status == 6
    assert ended.stdout == ""


def test_an_identity_without_an_access_token_is_told_as_that(command_line: CommandLine) -> None:
    """`response_type=id_token` gives none, and an empty line would be taken for one."""
    made = keep(command_line, "one")
    store(command_line).save(replace(made, tokens=replace(made.tokens, access_token="")))
    ended = command_line.run("token")

    assert (ended.status, ended.stdout) == (9, "")
    assert "without an access token" in ended.complaint


def test_several_sign_ins_have_to_be_told_apart(command_line: CommandLine) -> None:
    """Guessing would hand the token of one server to another."""
    keep(command_line, "one")
    keep(command_line, "two")
    ended = command_line.run("token")

    assert (ended.status, ended.stdout) == (2, "")
    assert "one, two" in ended.complaint
    assert command_line.run("token", "two").stdout == "access-token-of-two\n"


def test_the_default_provider_is_the_one_that_is_meant(command_line: CommandLine) -> None:
    """What `login` uses when nothing is named has to be what `token` prints."""
    keep(command_line, "one")
    keep(command_line, "two")
    config = command_line.home / "config.toml"
    config.write_text('provider = "two"\n')
    by_variable = command_line.run("token", LOOPBACK_AUTH_PROVIDER="one")
    by_file = command_line.run("token", LOOPBACK_AUTH_CONFIG_DIR=str(command_line.home))

    assert by_variable.stdout == "access-token-of-one\n"
    assert by_file.stdout == "access-token-of-two\n"


def test_an_issuer_names_its_sign_in(command_line: CommandLine) -> None:
    """Whoever signed in by an issuer will ask by it."""
    keep(command_line, "id.example")
    keep(command_line, "two")

    assert command_line.run("token", "https://id.example/").stdout == "access-token-of-id.example\n"


@pytest.mark.parametrize("name", ["RESOURCE", "AUDIENCE", "SCOPE", "CLIENT_ID"])
def test_what_the_environment_asks_for_is_what_is_handed_out(command_line: CommandLine, name: str) -> None:
    """A token for another resource or of another client may go to a stranger (RFC 8707 §3)."""
    keep(command_line, "one", expires_at=NOW + 3600, obtained_at=NOW)

    environment = {f"LOOPBACK_AUTH_{name}": "https://other.example"}
    unnamed, named = command_line.run("token", **environment), command_line.run("token", "one", **environment)

    assert (unnamed.status, unnamed.stdout) == (9, "")
    # Whoever names it means it, whatever the environment says of others.
    assert named.stdout == "access-token-of-one\n"


def test_an_unknown_name_is_told_with_the_known_ones(command_line: CommandLine) -> None:
    """It is most often a slip."""
    keep(command_line, "github")
    ended = command_line.run("token", "githb")

    assert ended.status == 9
    assert "signed in to github" in ended.complaint


def test_the_demonstration_cannot_be_renewed(command_line: CommandLine) -> None:
    """Its server is gone, and asking a port that somebody else has by now would show it the token."""
    made = keep(command_line, "demo", expires_at=NOW - 1, obtained_at=NOW - 3600)
    (file,) = kept_in(command_line).rglob("*.json")
    file.write_text(file.read_text().replace('"temporary": false', '"temporary": true'))
    ended = command_line.run("token")

    assert made.temporary is False
    assert ended.status == 9
    assert f"{TYPED} login" in ended.complaint


@pytest.mark.slow
def test_a_confidential_client_finds_its_secret_again(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """It is not kept with the tokens, so that it has to come from where it came from before."""
    secret = str(CONFIDENTIAL.client_secret)
    config = command_line.home / "config.toml"
    config.write_text(
        f'issuer = "{server.issuer}"\nclient_id = "{CONFIDENTIAL.client_id}"\nclient_secret = "{secret}"\n'
    )
    config.chmod(0o600)
    folder = str(command_line.home)
    signed_in = sign_in(command_line, LOOPBACK_AUTH_CONFIG_DIR=folder)
    age(command_line)
    renewed = command_line.run("token", LOOPBACK_AUTH_CONFIG_DIR=folder)
    age(command_line)
    without = command_line.run("token")
    (file,) = kept_in(command_line).rglob("*.json")
    other = {"LOOPBACK_AUTH_CLIENT_SECRET": "x", "LOOPBACK_AUTH_CLIENT_ID": "another"}
    another = command_line.run("token", file.stem, **other)

    assert (signed_in.status, renewed.status) == (0, 0)
    assert (without.status, another.status) == (2, 2)
    assert "LOOPBACK_AUTH_CLIENT_SECRET" in without.complaint


def _kept_tokens(command_line: CommandLine) -> dict[str, object]:
    (file,) = kept_in(command_line).rglob("*.json")
    tokens = json.loads(file.read_text())["tokens"]
    assert isinstance(tokens, dict)
    return tokens


def test_login_gives_the_token_of_the_new_sign_in(command_line: CommandLine, server: RecordingServer) -> None:
    """Another one that has ended stands beside it, and the person has named none of the two."""
    made = keep(command_line, "other", expires_at=NOW - 1, obtained_at=NOW - 3600)
    store(command_line).save(replace(made, tokens=replace(made.tokens, refresh_token=None)))
    environ = {"LOOPBACK_AUTH_ISSUER": server.issuer, "LOOPBACK_AUTH_CLIENT_ID": CLIENT_ID}
    with command_line.start("token", "--login", BROWSER="none", **environ) as running:
        visit(running.link())
        ended = running.end()

    assert ended.status == 0
    assert len(store(command_line).names()) == 2


def test_a_token_that_is_new_by_login_is_not_renewed_too(command_line: CommandLine) -> None:
    """Many servers give no refresh token, and then the sign-in would have been for nothing."""
    with demo_thread() as demo:
        environ = {"LOOPBACK_AUTH_ISSUER": demo.issuer, "LOOPBACK_AUTH_CLIENT_ID": CLIENT_ID}
        with command_line.start("token", "--renew", "--login", BROWSER="none", **environ) as running:
            visit(running.link())
            ended = running.end()

        assert ended.status == 0
        assert demo.server.log["POST", "/token"] == 1
