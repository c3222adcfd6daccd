"""Clients that prove who they are with a key or a certificate, at oidc-provider."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from foreign.client import client
from foreign.keys import Keys
from foreign.person import Person
from foreign.test_oidc_provider import sign_in, steps
from loopback_auth.errors import ConfigError, TokenError
from loopback_auth.events import Event, silent
from loopback_auth.model import ClientAuth, ClientConfig, Network
from loopback_auth.signin import session
from loopback_auth.signin.embedded_plan import planned
from loopback_auth.signin.logout import logout
from loopback_auth.signin.refresh import renew
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import SignIn

pytestmark = pytest.mark.foreign


def kept_in(folder: Path, kept: SignIn) -> FileTokenStore:
    """Keep a sign-in."""
    store = FileTokenStore(str(folder))
    store.save(kept)
    return store


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
async def test_private_key_jwt_from_sign_in_to_logout(
    oidc_provider: dict[str, str], client_keys: Keys, algorithm: str, tmp_path: Path
) -> None:
    """The assertion counts with a code, a refresh token and at the revocation endpoint (RFC 7523 §2.2)."""
    wanted = replace(client(oidc_provider["either"], "key"), private_key=client_keys.jwk(algorithm))
    kept = await sign_in(wanted, Person())
    store = kept_in(tmp_path, kept)
    renewed = await renew(wanted, store=store, force=True)

    assert kept.tokens.account == "ada@example.org"
    assert kept.client_auth == "private_key_jwt"
    assert renewed.tokens.access_token != kept.tokens.access_token
    assert await logout(wanted, store=store) is True


async def test_private_key_jwt_where_requests_are_pushed(
    oidc_provider: dict[str, str], client_keys: Keys
) -> None:
    """RFC 9126 §2: the client authenticates there as it does at the token endpoint."""
    events = list[Event]()
    wanted = replace(client(oidc_provider["pushed"], "key"), private_key=client_keys.pem("ES256"))
    kept = await sign_in(wanted, Person(), events)

    assert kept.tokens.account == "ada@example.org"
    assert ("pushed authorization request", 201) in steps(events)


async def test_another_key_is_refused(oidc_provider: dict[str, str]) -> None:
    """The server knows the public keys of its clients."""
    from client_key_samples import EC_JWK

    wanted = replace(client(oidc_provider["either"], "key"), private_key=EC_JWK)
    with pytest.raises(TokenError) as caught:
        await sign_in(wanted, Person())

    assert caught.value.error == "invalid_client"


def certified(
    oidc_provider: dict[str, str], keys: Keys, client_id: str, method: ClientAuth, *, name: str
) -> ClientConfig:
    """Describe a client that shows a certificate."""
    plain = client(oidc_provider["certified"], client_id, client_auth=method)
    network = Network(
        ca_file=keys.file("authority.pem"),
        client_cert=keys.file(f"{name}.pem"),
        client_key=keys.file(f"{name}.key"),
    )
    return replace(plain, provider=replace(plain.provider, network=network))


@pytest.mark.parametrize(
    ("client_id", "method", "name"),
    [
        ("certificate", "tls_client_auth", "client"),
        ("own-certificate", "self_signed_tls_client_auth", "own"),
    ],
)
async def test_mutual_tls_from_sign_in_to_logout(
    oidc_provider: dict[str, str],
    client_keys: Keys,
    client_id: str,
    method: ClientAuth,
    name: str,
    tmp_path: Path,
) -> None:
    """Every request of the client goes to the aliases, also after the sign-in was kept (RFC 8705 §2, §5)."""
    wanted = certified(oidc_provider, client_keys, client_id, method, name=name)
    person = Person(authority=client_keys.file("authority.pem"))
    kept = await sign_in(wanted, person)
    store = kept_in(tmp_path, kept)
    renewed = await renew(kept, store=store, force=True)

    assert kept.tokens.account == "ada@example.org"
    assert kept.metadata.mtls_endpoint_aliases["token_endpoint"] != kept.metadata.token_endpoint
    assert renewed.tokens.access_token != kept.tokens.access_token
    assert await logout(kept, store=store) is True


async def test_mutual_tls_without_a_certificate_is_refused_before_the_person_is_asked(
    oidc_provider: dict[str, str], client_keys: Keys
) -> None:
    """Nothing that the person could do would help (RFC 8705 §2)."""
    plain = certified(oidc_provider, client_keys, "certificate", "tls_client_auth", name="client")
    network = Network(ca_file=client_keys.file("authority.pem"))
    person = Person()
    with pytest.raises(ConfigError) as caught:
        await sign_in(replace(plain, provider=replace(plain.provider, network=network)), person)

    assert caught.value.parameter == "client_cert"
    assert not any("/interaction" in page.url for page in person.visited)


# RFC 9101: signed requests


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
async def test_signed_request_by_value(
    oidc_provider: dict[str, str], client_keys: Keys, algorithm: str
) -> None:
    """The browser carries a JWT, and the server reads nothing else (RFC 9101 §5)."""
    wanted = client(oidc_provider["either"], "signing", client_auth="none")
    person = Person()
    signing = replace(wanted, private_key=client_keys.jwk(algorithm), signed_request=True)
    kept = await sign_in(signing, person)

    assert kept.tokens.account == "ada@example.org"
    assert (kept.client_auth, kept.tokens.id_token is not None) == ("none", True)


async def test_signed_request_where_the_server_requires_it(
    oidc_provider: dict[str, str], client_keys: Keys
) -> None:
    """Nobody has to ask for it (RFC 9101 §10.5), and the same key authenticates the client."""
    wanted = replace(client(oidc_provider["signed"], "key"), private_key=client_keys.jwk("ES256"))

    assert (await sign_in(wanted, Person())).tokens.account == "ada@example.org"


@pytest.mark.parametrize("signed", [None, False])
async def test_signed_request_without_a_key_is_refused_before_the_person_is_asked(
    oidc_provider: dict[str, str], signed: bool | None
) -> None:
    """The server would only say that it requires a request object."""
    person = Person()
    with pytest.raises(ConfigError):
        await sign_in(replace(client(oidc_provider["signed"]), signed_request=signed), person)

    assert not any("/interaction" in page.url for page in person.visited)


async def test_signed_request_is_pushed(oidc_provider: dict[str, str], client_keys: Keys) -> None:
    """RFC 9126 §3: the request object goes in the pushed request, and the client authenticates beside it."""
    events = list[Event]()
    wanted = replace(
        client(oidc_provider["pushed"], "key"), private_key=client_keys.jwk("ES256"), signed_request=True
    )

    assert (await sign_in(wanted, Person(), events)).tokens.account == "ada@example.org"
    assert ("pushed authorization request", 201) in steps(events)


async def test_signed_request_for_tokens_in_front(oidc_provider: dict[str, str], client_keys: Keys) -> None:
    """With an ID token beside the code, too."""
    wanted = client(oidc_provider["either"], "hybrid-key", scope="openid email")
    signing = replace(
        wanted,
        private_key=client_keys.jwk("ES256"),
        signed_request=True,
        response_type="code id_token",
    )
    plan = planned(signing, "code id_token")
    kept = await session.sign_in(signing, plan, open_browser=Person().open, notify=silent, timeout=60)

    assert kept.tokens.account == "ada@example.org"
