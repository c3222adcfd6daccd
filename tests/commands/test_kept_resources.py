"""What is kept for a resource: found by its URL, shown with its server, sent with a proof where needed."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from command_line import CommandLine

from commands.people import keep, store
from loopback_auth.commands._kept import client_secret
from loopback_auth.registration import Registration, Registrations
from loopback_auth.signin.dpop_keys import new_key
from loopback_auth.store import sign_in_name
from loopback_auth.tokens import SignIn

URL, NAME = "https://mcp.example/mcp", "mcp.example-mcp"


def keep_resource(command_line: CommandLine, *, bound: bool = False, resource_server: str = URL) -> SignIn:
    """Keep a sign-in for a resource, whose token is fresh."""
    plain = keep(command_line, NAME, obtained_at=time.time(), expires_at=time.time() + 3600)
    tokens = replace(plain.tokens, token_type="DPoP") if bound else plain.tokens
    key = new_key() if bound else {}
    made = replace(plain, tokens=tokens, dpop_key=key, resource_server=resource_server, resource=(URL,))
    store(command_line).save(made)
    return made


def test_a_resource_is_named_by_its_url(command_line: CommandLine) -> None:
    """It is what people have, and what they signed in with."""
    keep_resource(command_line)

    assert command_line.run("token", f"{URL}/").stdout == f"access-token-of-{NAME}\n"
    assert command_line.run("status", URL, "--json").status == 0
    assert command_line.run("use", URL, "--json").json["name"] == NAME


def test_another_resource_of_the_same_name_does_not_get_the_token(command_line: CommandLine) -> None:
    """Different URLs may lead to one name, and a token of one may be an attack on the other (RFC 8707 §3)."""
    keep_resource(command_line)
    ended = command_line.run("token", "https://mcp.example-mcp")

    assert (ended.status, ended.stdout) == (9, "")
    assert "login https://mcp.example-mcp\n" in ended.complaint


@pytest.mark.parametrize(
    ("variable", "value"), [("RESOURCE_SERVER", "https://other.example"), ("DPOP", "true")]
)
def test_what_the_environment_asks_for_is_noticed(
    command_line: CommandLine, variable: str, value: str
) -> None:
    """A bearer token is not handed out where a bound one is wanted, nor a token for another resource."""
    keep_resource(command_line)
    ended = command_line.run("token", **{f"LOOPBACK_AUTH_{variable}": value})

    assert (ended.status, ended.stdout) == (9, "")


def test_status_of_one_shows_the_resource_and_its_server(command_line: CommandLine) -> None:
    """Which server was chosen, and who registered the client, is seen nowhere else."""
    made = keep_resource(command_line, bound=True)
    issuer = made.metadata.issuer or ""
    store(command_line).save(replace(made, registered=True))
    shown = dict(line.split(maxsplit=1) for line in command_line.run("status", URL).stdout.splitlines())
    (as_json,) = json.loads(command_line.run("status", URL, "--json").stdout)

    assert (shown["resource"], shown["server"]) == (URL, issuer)
    assert "registered" in shown["client"]
    assert "DPoP" in shown["token"]
    names = ("resource_server", "issuer", "registered", "token_type", "in_use")
    assert tuple(as_json[name] for name in names) == (URL, issuer, True, "DPoP", True)


def test_a_client_made_by_hand_is_not_called_registered(command_line: CommandLine) -> None:
    """Another client of the program may be registered at the same server."""
    made = keep_resource(command_line)
    issuer = made.metadata.issuer or ""
    store(command_line).write_registrations(issuer, Registrations((Registration(issuer, "another", ()),)))
    (as_json,) = json.loads(command_line.run("status", NAME, "--json").stdout)

    assert (as_json["registered"], as_json["token_type"]) == (False, "Bearer")
    assert "registered" not in command_line.run("status", NAME).stdout


def test_a_bound_token_comes_with_a_remark(command_line: CommandLine) -> None:
    """Alone it is of no use, and a script that sends it as a bearer token would only be refused."""
    keep_resource(command_line, bound=True)
    ended = command_line.run("token")

    assert ended.stdout == f"access-token-of-{NAME}\n"
    assert f"token {NAME} --headers URL" in ended.stderr
    assert command_line.run("token", "--json").stderr == ""


def test_headers_of_a_bound_token_have_a_proof(command_line: CommandLine) -> None:
    """Each for one request: its method, its URL without the query, this token, and once (RFC 9449 §4.2)."""
    from joserfc import jws
    from joserfc.jwk import ECKey

    made = keep_resource(command_line, bound=True)
    arguments = ("token", "--headers", f"{URL}?a=b", "--method", "post", "--nonce", "n1")
    first, second = (command_line.run(*arguments, "--json").json for _ in range(2))
    lines = command_line.run("token", "--headers", URL).stdout.splitlines()
    key = ECKey.import_key({name: made.dpop_key[name] for name in ("kty", "crv", "x", "y")})
    proofs = [jws.deserialize_compact(str(one["DPoP"]), key) for one in (first, second)]
    claims = [json.loads(one.payload) for one in proofs]

    assert first["Authorization"] == f"DPoP {made.tokens.access_token}"
    assert (claims[0]["htm"], claims[0]["htu"], claims[0]["nonce"]) == ("POST", URL, "n1")
    assert claims[0]["jti"] != claims[1]["jti"]
    assert [line.partition(":")[0] for line in lines] == ["Authorization", "DPoP"]


def test_headers_of_a_bearer_token_are_one(command_line: CommandLine) -> None:
    """A script need not know of which kind the token is."""
    keep_resource(command_line)

    assert (
        command_line.run("token", "--headers", URL).stdout
        == f"Authorization: Bearer access-token-of-{NAME}\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--headers", "https://evil.example/mcp"), "https://mcp.example/mcp"),
        (("--headers", "http://mcp.example/mcp"), "plain http"),
        (("--headers", ""), "valid URL"),
        (("--headers", f"{URL}\r\nX: y"), "valid URL"),
        (("--headers", URL, "--method", "GET /"), "method"),
        (("--headers", URL, "--nonce", "a b"), "nonce"),
        (("--method", "GET"), "--headers"),
        (("--nonce", "x"), "--headers"),
    ],
)
def test_headers_are_for_this_resource_alone(
    arguments: tuple[str, ...], words: str, command_line: CommandLine
) -> None:
    """A header that is copied to another server shows it the token."""
    keep_resource(command_line, bound=True)
    ended = command_line.run("token", NAME, *arguments)

    assert (ended.status, ended.stdout) == (2, "")
    assert words in ended.complaint
    assert "access-token" not in ended.stderr


def test_the_query_of_a_resource_is_not_shown(command_line: CommandLine) -> None:
    """Some services have a key there, and outputs are pasted into reports (RFC 6750 §5.3)."""
    url = f"{URL}?key=hunter2"
    made = keep_resource(command_line, resource_server=url)
    store(command_line).save(replace(made, name=sign_in_name(url.partition("://")[2])))
    shown = [
        command_line.run("status", url),
        command_line.run("status", url, "--json"),
        command_line.run("token", f"{url}3"),
        command_line.run("token", url, "--headers", "https://other.example"),
        command_line.run("login", url.replace("https://mcp.example", "http://127.0.0.1:1"), "--wait"),
        command_line.run("doctor", url.replace("https://mcp.example", "http://127.0.0.1:1"), "--json"),
    ]

    assert [one.status for one in shown] == [0, 0, 9, 2, 6, 0]
    assert "hunter2" not in "".join(one.stdout + one.stderr for one in shown)


@pytest.mark.parametrize(
    "url", ["https://u:hunter2@mcp.example/mcp", "https://mcp.example/mcp#access_token=hunter2"]
)
@pytest.mark.parametrize("command", ["token", "status", "logout", "use", "login", "doctor"])
def test_what_no_address_has_is_not_shown(command_line: CommandLine, command: str, url: str) -> None:
    """People copy such addresses from a browser or a manual (RFC 3986 §7.5)."""
    ended = command_line.run(command, url)

    assert ended.status == (2 if command in ("login", "doctor") else 9)
    assert "hunter2" not in ended.stdout + ended.complaint


@pytest.mark.parametrize(
    "url", ["https://", "https://[::1", "https://x.example:99999/", "https://x\u00e9.example"]
)
def test_doctor_asks_no_address_that_is_none(command_line: CommandLine, url: str) -> None:
    """It is said as by `login`, and not looked for in the network."""
    assert command_line.run("doctor", url).status == command_line.run("login", url).status == 2


def test_the_secret_of_a_registered_client_is_not_looked_for(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody was given it, and that of another client must not be sent there (RFC 6749 §10.3)."""
    monkeypatch.setenv("LOOPBACK_AUTH_CLIENT_SECRET", "hunter2")
    monkeypatch.setenv("LOOPBACK_AUTH_CONFIG_DIR", str(command_line.home))
    made = replace(keep_resource(command_line), client_auth="client_secret_basic")

    assert client_secret(made) == "hunter2"
    assert client_secret(replace(made, registered=True)) is None
