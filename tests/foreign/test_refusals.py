"""How it ends when a foreign authorization server says no, seen from the terminal."""

from __future__ import annotations

import pytest
from command_line import CommandLine

from foreign.person import Person
from loopback_auth.words import Words

pytestmark = pytest.mark.foreign

REFUSED = 4
GIVEN_UP = 130


def arguments(issuer: str, client_id: str = "native") -> list[str]:
    """Ask for a sign-in at a server, without opening a browser."""
    return ["login", issuer, "--client-id", client_id, "--scope", "openid email", "--no-browser"]


def test_sign_in_and_out(oidc_provider: dict[str, str], command_line: CommandLine) -> None:
    """First the undisturbed case: sign in, look, take the token, renew it, sign out."""
    with command_line.start(*arguments(oidc_provider["either"]), "--json") as running:
        page = Person().begin(running.link())
        ended = running.end()
    status = command_line.run("status", "--json")
    token = command_line.run("token")
    renewed = command_line.run("token", "--renew")
    left = command_line.run("logout", "--json")

    assert (ended.status, ended.json["account"]) == (0, "ada@example.org")
    assert Words.SUCCESS_TITLE in page.result().text
    assert "ada@example.org" in status.stdout
    assert (token.status, renewed.status) == (0, 0)
    assert token.stdout != renewed.stdout
    assert '"revoked": true' in left.stdout
    assert command_line.run("token").status == 9


def test_denied(oidc_provider: dict[str, str], command_line: CommandLine) -> None:
    """A person who cancels has decided; nothing else is tried."""
    with command_line.start(*arguments(oidc_provider["either"])) as running:
        page = Person(deny=True).begin(running.link())
        ended = running.end()

    assert ended.status == REFUSED
    assert "access_denied" in ended.complaint
    assert (ended.stdout, "access_denied" in page.result().text) == ("", True)


def test_wrong_client(oidc_provider: dict[str, str], command_line: CommandLine) -> None:
    """A client that the server does not know is refused before the person is asked."""
    with command_line.start(*arguments(oidc_provider["pushed"], "nobody")) as running:
        page = Person().begin(running.link())
        ended = running.end()

    assert ended.status == REFUSED
    assert "invalid_client" in ended.complaint
    assert "invalid_client" in page.result().text


def test_wrong_redirect_path(oidc_provider: dict[str, str], command_line: CommandLine) -> None:
    """So is a redirect URI that was not registered."""
    wrong = ["--redirect-uri", "http://127.0.0.1/elsewhere"]
    with command_line.start(*arguments(oidc_provider["pushed"]), *wrong) as running:
        page = Person().begin(running.link())
        ended = running.end()

    assert ended.status == REFUSED
    assert "redirect_uri" in ended.complaint
    assert page.result().status == 400


@pytest.mark.parametrize("wrong", [["--client-id", "nobody"], ["--redirect-uri", "http://127.0.0.1/no"]])
def test_refusal_that_only_the_browser_shows(
    oidc_provider: dict[str, str], command_line: CommandLine, wrong: list[str]
) -> None:
    """Such a server must not redirect, so only the page says why; the person gives up (RFC 6749 §4.1.2.1)."""
    with command_line.start(*arguments(oidc_provider["either"]), *wrong) as running:
        page = Person().visit(running.link())
        running.give_up()
        ended = running.end()

    assert (page.status, page.url.startswith(oidc_provider["either"])) == (400, True)
    assert ended.status == GIVEN_UP
    assert "Traceback" not in ended.stderr


def test_scope_that_is_not_allowed(oidc_provider: dict[str, str], command_line: CommandLine) -> None:
    """The server's own words about a scope reach the terminal."""
    with command_line.start(*arguments(oidc_provider["either"]), "--scope", "openid address") as running:
        Person().begin(running.link())
        ended = running.end()

    assert ended.status == REFUSED
    assert "invalid_scope" in ended.complaint
    assert "scope" in ended.complaint.partition("what to do")[2]


def test_wrong_secret(oidc_provider: dict[str, str], command_line: CommandLine) -> None:
    """A wrong secret is refused at the token endpoint; it shows nowhere."""
    secret = {"LOOPBACK_AUTH_CLIENT_SECRET": "mistyped-secret"}
    with command_line.start(*arguments(oidc_provider["either"], "basic"), "-v", **secret) as running:
        page = Person().begin(running.link())
        ended = running.end()

    assert ended.status == REFUSED
    assert "invalid_client" in ended.complaint
    assert "mistyped-secret" not in ended.stderr + page.result().text
