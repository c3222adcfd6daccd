"""Registration at oidc-provider: RFC 7591, RFC 7592, and documents for client IDs."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from foreign.keys import CLIENT_DOCUMENT, Keys
from foreign.person import Person
from loopback_auth import (
    ClientConfig,
    ClientMetadata,
    FileTokenStore,
    Registration,
    Registrations,
    SignIn,
    login,
    logout,
    renew,
)
from loopback_auth.events import Event, Exchanged, silent
from loopback_auth.model import ClientAuth
from loopback_auth.records import replace

pytestmark = pytest.mark.foreign

SCOPE = "openid email"


def unregistered(issuer: str, client_auth: ClientAuth | None = None) -> ClientConfig:
    """Return a client without a client ID."""
    client = ClientConfig.at(issuer, client_metadata=ClientMetadata(client_name="A test"), scope=SCOPE)
    return replace(client, provider=replace(client.provider, client_auth=client_auth))


async def sign_in(client: ClientConfig, store: FileTokenStore, events: list[Event] | None = None) -> SignIn:
    """Sign in with the real thing, and a scripted person for a browser."""
    notify = silent if events is None else events.append
    return await login(client, store=store, open_browser=Person().open, notify=notify, timeout=60, wait=True)


def steps(events: list[Event]) -> list[tuple[str, int]]:
    """Return what was asked about the registration, and the status of each answer."""
    told = [(event.step, event.status) for event in events if isinstance(event, Exchanged)]
    return [(step, status) for step, status in told if step.startswith(("registration", "client check"))]


def only(store: FileTokenStore, issuer: str) -> Registration:
    """Return what is kept, which is one registration."""
    kept = store.read_registrations(issuer)
    assert kept is not None
    (registration,) = kept.clients
    return registration


@pytest.mark.parametrize("kind", ["either", "pushed"])
async def test_registration_is_made_read_changed_and_deleted(
    oidc_provider: dict[str, str], tmp_path: Path, kind: str
) -> None:
    """The whole life of a registration, at a server that compares redirect URIs and rotates its token."""
    issuer, store, events = oidc_provider[kind], FileTokenStore(tmp_path), list[Event]()
    first = await sign_in(unregistered(issuer), store, events)
    second = await sign_in(unregistered(issuer), store, events)
    with socket.create_server(("127.0.0.1", store.registered_ports(issuer)[0])):
        third = await sign_in(unregistered(issuer), store, events)
    assert first.client_id == second.client_id == third.client_id == only(store, issuer).client_id
    assert len(only(store, issuer).redirect_uris) == 2
    renewed = await renew(third, store=store, force=True)
    assert renewed.tokens.account == "ada@example.org"

    assert await logout(renewed, store=store, unregister=True, notify=events.append)
    assert store.read_registrations(issuer) is None
    assert steps(events) == [
        ("registration request", 201),
        ("registration read request", 200),
        ("registration read request", 200),
        ("registration update request", 200),
        ("registration delete request", 204),
    ]


@pytest.mark.parametrize("client_auth", ["client_secret_basic", "client_secret_post"])
async def test_secret_that_the_server_hands_out(
    oidc_provider: dict[str, str], tmp_path: Path, client_auth: ClientAuth
) -> None:
    """It authenticates the exchange, the renewal and the revocation, and is in the store alone."""
    issuer, store = oidc_provider["either"], FileTokenStore(tmp_path)
    signed_in = await sign_in(unregistered(issuer, client_auth), store)
    renewed = await renew(signed_in, store=store, force=True)

    assert (signed_in.client_auth, only(store, issuer).client_secret is not None) == (client_auth, True)
    assert renewed.tokens.access_token != signed_in.tokens.access_token
    assert await logout(renewed, store=store, unregister=True)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
async def test_key_of_the_client_is_registered(
    oidc_provider: dict[str, str], client_keys: Keys, tmp_path: Path, algorithm: str
) -> None:
    """RFC 7591 §2 (`jwks`), RFC 7523 §2.2: the server checks the assertion by the key that was registered."""
    issuer, store = oidc_provider["either"], FileTokenStore(tmp_path)
    client = replace(unregistered(issuer), private_key=client_keys.pem(algorithm))
    signed_in = await sign_in(client, store)
    again = await sign_in(client, store)
    renewed = await renew(again, store=store, force=True, private_key=client_keys.pem(algorithm))

    assert (signed_in.client_auth, again.client_id) == ("private_key_jwt", signed_in.client_id)
    assert only(store, issuer).key_thumbprint
    assert renewed.tokens.access_token != again.tokens.access_token


async def test_document_is_the_client_id(oidc_provider: dict[str, str], tmp_path: Path) -> None:
    """The server reads it, and lets the program have any port (RFC 8252 §7.3); nothing is registered."""
    issuer, store, events = oidc_provider["either"], FileTokenStore(tmp_path), list[Event]()
    client = replace(unregistered(issuer), client_metadata=ClientMetadata(url=CLIENT_DOCUMENT))
    signed_in = await sign_in(client, store, events)
    renewed = await renew(signed_in, store=store, force=True)

    assert (signed_in.client_id, renewed.client_id) == (CLIENT_DOCUMENT, CLIENT_DOCUMENT)
    assert (store.read_registrations(issuer), steps(events)) == (None, [])


async def test_registered_client_has_bound_tokens(oidc_provider: dict[str, str], tmp_path: Path) -> None:
    """RFC 9449 §5: registration changes nothing about proofs, nor the nonces of a server."""
    issuer, store = oidc_provider["nonces"], FileTokenStore(tmp_path)
    client = replace(unregistered(issuer), dpop=True)
    first, second = await sign_in(client, store), await sign_in(client, store)
    unmanaged = replace(only(store, issuer), registration_client_uri="", registration_access_token="")
    store.write_registrations(issuer, Registrations((unmanaged,)))
    third = await sign_in(client, store)

    assert first.client_id == second.client_id == third.client_id
    assert third.tokens.token_type == "DPoP"


async def test_registration_that_was_deleted_elsewhere_is_made_anew(
    oidc_provider: dict[str, str], tmp_path: Path
) -> None:
    """An administrator of the server may do that; the user notices nothing but another sign-in."""
    issuer, store, elsewhere = (
        oidc_provider["either"],
        FileTokenStore(tmp_path / "a"),
        FileTokenStore(tmp_path / "b"),
    )
    first = await sign_in(unregistered(issuer), store)
    kept = store.read_registrations(issuer)
    elsewhere.write_registrations(issuer, kept)
    elsewhere.save(first)
    assert await logout(first, store=elsewhere, unregister=True)

    events = list[Event]()
    second = await sign_in(unregistered(issuer), store, events)
    assert second.client_id != first.client_id
    assert steps(events) == [("registration read request", 401), ("registration request", 201)]
