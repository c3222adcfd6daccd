"""What `doctor` learns from authorization servers that others wrote: oidc-provider and Authlib."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from command_line import CommandLine

from foreign.client import client
from foreign.conftest import HERE, serving
from loopback_auth.doctor.probe_flow import LIMIT, probe
from loopback_auth.doctor.redirect_probe import ProbeAnswer
from loopback_auth.events import Event, Exchanged
from loopback_auth.model import ClientAuth, ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.signin.driver import Driver, new_attempt
from loopback_auth.signin.resources import Resources

pytestmark = pytest.mark.foreign

SECRET = "a secret/with: signs+that need encoding"
DEVICE_CODE = "grant_type=urn:ietf:params:oauth:grant-type:device_code"
CODE = {
    "redirect_uri": "yes",
    "response_type=code": "yes",
    "response_mode=form_post": "yes",
    "grant_type=authorization_code": "yes",
    "grant_type=refresh_token": "yes",
    "pushed_authorization_request": "yes",
}
IN_FRONT = ("token", "code id_token", "id_token", "id_token token")


@pytest.fixture(scope="module")
def authlib() -> Iterator[str]:
    """The issuer of the server made with Authlib, which still has `response_type=token`."""
    with serving(sys.executable, HERE / "authlib_server.py") as issuers:
        yield issuers["either"]


async def answers(wanted: ClientConfig) -> dict[str, ProbeAnswer]:
    """Ask everything, over the network."""
    events = list[Event]()

    async with Resources(notify=events.append, exchanges=True) as resources:
        found = await Driver(resources).run(probe(wanted, iter(new_attempt, None)))

    assert sum(isinstance(event, Exchanged) for event in events) <= LIMIT
    return {one.what: one for one in found}


async def verdicts(wanted: ClientConfig) -> dict[str, str]:
    """Ask everything; return what is known, without the metadata and the ticket."""
    found = await answers(wanted)
    return {
        name: one.verdict
        for name, one in found.items()
        if not name.endswith("_supported") and name not in ("metadata", "ticket")
    }


def in_front(*allowed: str) -> dict[str, str]:
    """Return the verdicts on the response types that use the browser."""
    return {f"response_type={one}": "yes" if one in allowed else "no" for one in IN_FRONT}


NO_DEVICE = {DEVICE_CODE: "no", "device_authorization": "no"}


async def test_registered_client(oidc_provider: dict[str, str]) -> None:
    """Yes where it is registered for it and no where it is not, without anybody having to sign in."""
    assert await verdicts(client(oidc_provider["either"])) == CODE | NO_DEVICE | in_front()
    assert await verdicts(client(oidc_provider["either"], "hybrid")) == CODE | NO_DEVICE | in_front(
        "code id_token"
    )


async def test_client_that_gets_its_tokens_through_the_browser(oidc_provider: dict[str, str]) -> None:
    """The redirect URI is in order although the code is refused."""
    found = await verdicts(client(oidc_provider["either"], "implicit"))

    assert found["redirect_uri"] == "yes"
    assert found["response_type=code"] == found["grant_type=authorization_code"] == "no"
    assert in_front("id_token", "id_token token").items() <= found.items()


async def test_client_for_devices(oidc_provider: dict[str, str]) -> None:
    """It has no redirect URI at all."""
    found = await verdicts(client(oidc_provider["either"], "device"))

    assert (found["device_authorization"], found[DEVICE_CODE]) == ("yes", "yes")
    assert (found["grant_type=refresh_token"], found["grant_type=authorization_code"]) == ("yes", "no")
    assert found["redirect_uri"] == "no"


@pytest.mark.parametrize("server", ["either", "pushed"])
async def test_redirect_uri_that_is_not_registered(oidc_provider: dict[str, str], server: str) -> None:
    """The one thing that in a sign-in only the browser would show (RFC 6749 §4.1.2.1)."""
    found = await answers(client(oidc_provider[server], path="/elsewhere"))

    assert found["redirect_uri"].verdict == "no"
    assert "http://127.0.0.1:49152/elsewhere" in found["redirect_uri"].because
    assert found["grant_type=authorization_code"].verdict == "yes"
    assert found["response_type=code"].verdict == "unknown"


async def test_unknown_client(oidc_provider: dict[str, str]) -> None:
    """Blamed is the client, not the redirect URI."""
    found = await answers(client(oidc_provider["either"], "nobody"))

    assert found["redirect_uri"].verdict == "no"
    assert found["redirect_uri"].because == (
        "The server does not know this client ID: HTTP status 400, invalid_client."
    )
    assert found["grant_type=authorization_code"].verdict == found["device_authorization"].verdict == "no"


async def test_server_that_takes_only_pushed_requests(oidc_provider: dict[str, str]) -> None:
    """One is pushed and visited, the others are pushed, which settles only what is refused."""
    found = await verdicts(client(oidc_provider["pushed"]))

    assert found == CODE | NO_DEVICE | in_front() | {"response_mode=form_post": "likely"}


@pytest.mark.parametrize("client_id", ["basic", "post"])
async def test_confidential_client(oidc_provider: dict[str, str], client_id: str) -> None:
    """With its secret it is answered; without, what wants the secret stays open and the rest is answered."""
    method: ClientAuth = "client_secret_basic" if client_id == "basic" else "client_secret_post"
    whole = client(oidc_provider["either"], client_id, secret=SECRET, client_auth=method)
    without = await verdicts(client(oidc_provider["either"], client_id, client_auth=method))

    assert await verdicts(whole) == CODE | NO_DEVICE | in_front()
    assert without["redirect_uri"] == without["response_type=code"] == "yes"
    assert without["grant_type=authorization_code"] == without["device_authorization"] == "unknown"


async def test_scope_that_is_not_allowed(oidc_provider: dict[str, str]) -> None:
    """It is refused before anything can be said about the response type."""
    found = await answers(client(oidc_provider["either"], scope="openid address"))

    assert (found["redirect_uri"].verdict, found["response_type=code"].verdict) == ("yes", "unknown")
    assert "invalid_scope" in found["response_type=code"].because


async def test_server_that_takes_any_client(oidc_provider_mock: str) -> None:
    """oidc-provider-mock lists little, and then little is asked."""
    found = await verdicts(client(oidc_provider_mock, "any", secret="any"))

    assert found["redirect_uri"] == found["response_type=code"] == found["grant_type=refresh_token"] == "yes"
    assert found["response_mode=form_post"] == found["device_authorization"] == "no"
    assert in_front().items() <= found.items()


async def test_server_without_metadata_and_openid(authlib: str) -> None:
    """It shows its page for what it may grant; by what it refuses by redirect it knows the redirect URI."""
    endpoints = ServerMetadata(
        authorization_endpoint=f"{authlib}/authorize", token_endpoint=f"{authlib}/token"
    )
    found = await verdicts(ClientConfig(Provider("authlib", endpoints), "native", scope="email"))
    elsewhere = await verdicts(ClientConfig(Provider("authlib", endpoints, Redirect(path="/no")), "native"))

    assert found["response_type=code"] == found["response_type=token"] == "likely"
    assert found["response_type=id_token"] == found["grant_type=refresh_token"] == "no"
    assert found["redirect_uri"] == found["grant_type=authorization_code"] == "yes"
    assert elsewhere["redirect_uri"] == "no"


def test_command(oidc_provider: dict[str, str], command_line: CommandLine) -> None:
    """From the terminal, as a person who cannot sign in has it."""
    flags = ("--client-id", "native", "--redirect-uri", "http://127.0.0.1/elsewhere")
    ended = command_line.run("doctor", oidc_provider["either"], *flags, LOOPBACK_AUTH_PERSON="yes")
    shown = " ".join(ended.stdout.split())

    assert ended.status == 0
    assert "no redirect_uri The server refuses http://127.0.0.1:49152/elsewhere: invalid_request" in shown
    assert "What to do: Register that redirect URI" in shown
