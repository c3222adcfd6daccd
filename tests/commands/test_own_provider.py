"""A provider of one's own: what its server differs in is said in a table, and the commands go by it."""

from __future__ import annotations

import os

import pytest
from command_line import CommandLine
from dialect_server import REVOKE, DialectServer
from dialects import Dialect

from commands.people import visit
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.demo.serve import demo_thread

HOME_MADE = Dialect(
    scope_parameter="permissions",
    scope_separator=",",
    scope_as="list",
    token_member="result",
    token_type="session",
    token_body="json",
    errors="ok",
    dead_refresh=(200, "gone_for_good"),
    revocation="bearer",
    userinfo="POST",
    account="login",
)
"""Nobody speaks like this; each of it somebody does."""

TABLE = """\
provider = "inhouse"
[providers.inhouse]
authorization_endpoint = "{issuer}/authorize"
token_endpoint = "{issuer}/token"
userinfo_endpoint = "{issuer}/userinfo"
client_id = "mine"
scope = ["profile", "email"]
scope_parameter = "permissions"
scope_separator = ","
access_token_path = "result.access_token"
token_types = "session"
token_body = "json"
dead_refresh_errors = "gone_for_good"
userinfo_method = "POST"
account_fields = "login"
revoke_method = "POST"
revoke_url = "{issuer}{revoke}"
"""


def home_made(issuer: str) -> DialectServer:
    """Make a server that speaks like nobody else."""
    mine = DemoClient("mine", redirect_uris=("http://127.0.0.1/callback",))
    server = DialectServer(issuer, entropy=os.urandom, signer=rsa_signer(), clients=(mine,), expires_in=30)
    server.dialect = HOME_MADE
    return server


@pytest.mark.slow
def test_a_table_is_enough_for_a_server_that_differs_in_everything(command_line: CommandLine) -> None:
    """From login over token to logout, without a line of code."""
    config = command_line.home / ".config" / "loopback_auth" / "config.toml"
    config.parent.mkdir(parents=True)
    with demo_thread(server_factory=home_made) as demo:
        config.write_text(TABLE.format(issuer=demo.issuer, revoke=REVOKE))
        with command_line.start("login", "--no-browser") as login:
            visit(login.link())
            signed_in = login.end()
        first = command_line.run("token")
        renewed = command_line.run("token", "--renew")
        status = command_line.run("status", "--json")
        signed_out = command_line.run("logout")

    assert (signed_in.status, "warning" in signed_in.stderr) == (0, False)
    assert (first.status, renewed.status) == (0, 0)
    assert first.stdout != renewed.stdout
    assert "demo-1" in status.stdout
    assert (signed_out.status, "not revoked" in signed_out.stderr) == (0, False)


def test_keycloak_needs_its_realm_and_a_client(command_line: CommandLine) -> None:
    """One name, one domain, one client ID; the rest is published."""
    with demo_thread() as demo:
        flags = ("--domain", demo.issuer, "--client-id", "loopback-auth-demo", "--scope", "email")
        with command_line.start("login", "keycloak", *flags, "--no-browser") as login:
            visit(login.link())
            signed_in = login.end()
        missing = command_line.run("login", "keycloak", "--client-id", "loopback-auth-demo")

    assert signed_in.status == 0
    assert missing.status == 2
    assert "--domain id.example.com/realms/example" in missing.complaint


@pytest.mark.slow
def test_a_ticket_is_made_where_the_flag_says(command_line: CommandLine) -> None:
    """Stripe asks for no client; what was named is asked, and not the demonstration."""
    with demo_thread(server_factory=home_made) as demo:
        flags = ("--ticket", "stripe", "--ticket-base", f"{demo.issuer}/stripe")
        with command_line.start("login", *flags, "--yes", "--no-browser") as login:
            visit(login.line(demo.issuer).split()[0])
            signed_in = login.end()
        token = command_line.run("token", demo.issuer.removeprefix("http://").replace(":", "-"))

    assert (signed_in.status, token.status) == (0, 0)


def test_the_demonstration_is_not_asked_at_an_address_that_was_given(command_line: CommandLine) -> None:
    """Signing in there in silence would be no answer to what was typed."""
    ended = command_line.run("login", "demo", "--ticket-base", "http://127.0.0.1:9")

    assert ended.status == 2
    assert "--ticket-base" in ended.complaint
