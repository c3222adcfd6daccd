"""The values that a program reads: short to look at, and written down in one line."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from loopback_auth.errors import StoreError
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.tokens import IdToken, SignIn, TokenSet

CANARY = "canary-1"
TOKENS = TokenSet(
    CANARY,
    "Bearer",
    obtained_at=1000.0,
    expires_at=4600.0,
    refresh_token=CANARY,
    scope="openid email",
    id_token=IdToken({"sub": CANARY, "iat": 1000, "exp": 1600}, "verified", CANARY),
    account="ada@id.example",
    extra={"secret": CANARY, "instance_url": "https://eu5.example"},
)
METADATA = ServerMetadata("https://id.example", discovered=True, document={"scopes_supported": [CANARY]})
SIGN_IN = SignIn("id.example", "my-tool", "none", METADATA, "openid email", TOKENS, flow="code")


def test_a_sign_in_shows_six_names() -> None:
    """It is the last expression of a notebook's cell, and a line in a log."""
    assert repr(SIGN_IN) == (
        "SignIn(name='id.example', client_id='my-tool', account='ada@id.example', scope='openid email', "
        "expires_at=4600.0, flow='code')"
    )


@pytest.mark.parametrize("value", [SIGN_IN, TOKENS, METADATA, TOKENS.id_token])
def test_no_repr_has_a_secret_or_a_document(value: object) -> None:
    """Whatever the server sent may be secret."""
    assert CANARY not in repr(value)
    assert len(repr(value)) < 250


def test_what_is_asked_for_most_is_near() -> None:
    """The tokens have the rest."""
    assert (SIGN_IN.account, SIGN_IN.expires_at, SIGN_IN.scope) == ("ada@id.example", 4600.0, "openid email")
    assert SIGN_IN.id_token is TOKENS.id_token


def test_a_sign_in_is_written_and_read() -> None:
    """A store of one's own needs nothing else."""
    text = SIGN_IN.to_json()

    assert SignIn.from_json(text) == SignIn.from_json(text.encode()) == SIGN_IN
    assert SignIn.from_json(text).tokens.extra == TOKENS.extra
    assert (json.loads(text)["version"], text.isascii()) == (1, True)
    assert "document" not in json.loads(text)["metadata"]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", CANARY, f'{{"version": 1, "name": ["{CANARY}"]}}', "\xff", b"\xff"]
)
def test_another_text_is_refused_without_being_quoted(text: str | bytes) -> None:
    """It may be half of a kept sign-in."""
    with pytest.raises(StoreError) as caught:
        SignIn.from_json(text)

    assert CANARY not in repr((caught.value, caught.value.__notes__, caught.value.__cause__))


def test_what_json_cannot_have_is_refused() -> None:
    """A program may have put it there."""
    with pytest.raises(StoreError):
        replace(SIGN_IN, tokens=replace(TOKENS, extra={"odd": object()})).to_json()


@pytest.mark.parametrize(
    ("claims", "now", "fresh"),
    [
        ({"iat": 1000, "exp": 1600}, 1500.0, True),
        ({"iat": 1000, "exp": 1600}, 1541.0, False),
        ({"exp": 1600}, 1500.0, True),
        ({"iat": 2000, "exp": 2600}, 1000.0, True),
        ({"iat": 1000, "exp": "1600"}, 1500.0, False),
        ({}, 1500.0, False),
    ],
)
def test_an_id_token_has_a_life_of_its_own(claims: dict[str, object], now: float, fresh: bool) -> None:
    """Kubernetes and AWS are sent the ID token, and a renewal need not bring another."""
    tokens = replace(TOKENS, id_token=IdToken(claims, "verified", "raw"))

    assert tokens.fresh(now, of="id_token") is fresh
    assert tokens.fresh(now)
    assert not replace(TOKENS, id_token=None).fresh(now, of="id_token")


@pytest.mark.parametrize("name", ["github", "netlify", "slack"])
def test_a_provider_is_short_to_look_at(name: str) -> None:
    """Its addresses, and nothing that fills the screen: Netlify has a contract, GitHub many scopes."""
    assert f"name={name!r}" in repr(Provider.known(name))
    assert len(repr(Provider.known(name))) < 400


def test_a_client_is_short_to_look_at() -> None:
    """Nothing that has its default."""
    client = ClientConfig(Provider("x", ServerMetadata("https://x.example")), "my-tool", CANARY)

    assert repr(client) == (
        "ClientConfig(provider=Provider(name='x', metadata=ServerMetadata(issuer='https://x.example')), "
        "client_id='my-tool')"
    )
