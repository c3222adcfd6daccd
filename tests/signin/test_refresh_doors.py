"""Renewing and signing out by the client alone, without a loop, and with a refresh token from elsewhere."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from renewing import NAME, ending_in, keeping, token_endpoint

from loopback_auth.api import login_sync
from loopback_auth.errors import ConfigError, NotKept, SignInRequired, TransportError
from loopback_auth.events import Event, Warned, silent
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.signin.foreign_refresh_token import refresh, refresh_sync
from loopback_auth.signin.logout import logout, logout_sync
from loopback_auth.signin.refresh import renew, renew_sync
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.testing import SimulatedUser, serve
from loopback_auth.tokens import IdToken, SignIn

NOWHERE = "http://127.0.0.1:1"
RS256_OF_ANOTHER = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUiLCJzdWIiOiJ0d28ifQ.AAAA"
"""{"alg":"RS256"} . {"iss":"https://other.example","sub":"two"}."""


def client_at(issuer: str, **changes: object) -> ClientConfig:
    """Return the client of the sign-ins in `renewing`."""
    metadata = ServerMetadata(issuer, token_endpoint=f"{issuer}/token")
    made = ClientConfig(Provider(NAME, metadata), "client", scope="read write")
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_a_client_names_its_kept_sign_in() -> None:
    """A program has its client at hand; what was read last is the business of the store."""
    async with token_endpoint() as (server, sign_in):
        client, store = client_at(server.issuer), keeping(sign_in)
        renewed = await renew(client, store=store)
        assert (await renew(client, store=store), len(server.sent)) == (renewed, 1)
        assert (await renew(client, store=store, force=True)).tokens.access_token == "access-2"
        await logout(client, store=store)
        assert store.load(NAME) is None
        assert await logout(client, store=store) is False
        with pytest.raises(SignInRequired):
            await renew(client, store=store)


async def test_the_secret_of_the_client_is_used() -> None:
    """It is kept nowhere else."""
    async with token_endpoint() as (server, sign_in):
        confidential = replace(sign_in, client_auth="client_secret_post")
        await renew(client_at(server.issuer, client_secret="s3"), store=keeping(confidential))
        assert server.sent[0]["client_secret"] == "s3"


@pytest.mark.parametrize(
    ("changes", "forgotten"),
    [
        ({"client_id": "another"}, False),
        ({"resource": ("https://api.example",)}, False),
        ({"scope": "read write admin"}, True),
    ],
)
async def test_a_sign_in_of_another_client_is_left_alone(changes: dict[str, object], forgotten: bool) -> None:
    """Its tokens are for another program; one of less scope is given up by signing out all the same."""
    async with token_endpoint() as (server, sign_in):
        client, store = client_at(server.issuer, **changes), keeping(ending_in(sign_in, 600))
        with pytest.raises(SignInRequired):
            await renew(client, store=store)
        await logout(client, store=store)
        assert (store.load(NAME) is None) is forgotten


async def test_what_is_neither_client_nor_sign_in_is_refused() -> None:
    """A name, for example, is the first guess of some."""
    for call in (renew, logout):
        with pytest.raises(ConfigError):
            await call(NAME, store=MemoryTokenStore())  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        await refresh(NAME, "refresh-0")  # type: ignore[arg-type]


async def test_a_client_whose_server_is_silent_uses_its_token_to_the_end() -> None:
    """As with a sign-in that was read before."""
    async with token_endpoint() as (_, sign_in):
        good = ending_in(replace(sign_in, metadata=client_at(NOWHERE).provider.metadata), 30)
    assert await renew(client_at(NOWHERE), store=keeping(good)) == good
    with pytest.raises(TransportError):
        await renew(client_at(NOWHERE), store=keeping(ending_in(good, -1)))


async def test_a_refresh_token_from_elsewhere_needs_no_sign_in() -> None:
    """Git keeps it, or a vault; the audience and the resource are named again (RFC 8707 §2.2)."""
    async with token_endpoint() as (server, _):
        client = client_at(server.issuer, audience="api", resource=("https://api.example",))
        tokens = await refresh(client, "refresh-0")
        sent = server.sent[0]
        assert (tokens.access_token, tokens.refresh_token) == server.last
        assert (sent["refresh_token"], sent["audience"], sent["resource"]) == (
            "refresh-0",
            "api",
            "https://api.example",
        )
        server.document = {"refresh_token": None}
        assert (await refresh(client, "refresh-7")).refresh_token == "refresh-7"


async def test_a_new_refresh_token_without_an_access_token_is_in_the_error() -> None:
    """The given one may be dead by now, and nothing else has the new one."""
    async with token_endpoint() as (server, _):
        server.document = {"access_token": 7}
        with pytest.raises(NotKept) as lost:
            await refresh(client_at(server.issuer), "refresh-0")
        assert isinstance(lost.value.sign_in, SignIn)
        assert lost.value.sign_in.tokens.refresh_token == "refresh-1"


async def test_an_id_token_that_is_wrong_is_left_out() -> None:
    """Raising would lose the refresh token that came with it."""
    events: list[Event] = []
    async with token_endpoint() as (server, _):
        server.document = {"id_token": RS256_OF_ANOTHER}
        client = client_at(server.issuer, scope="openid")
        tokens = await refresh(client, "refresh-0", notify=events.append)
        assert tokens.id_token is None
        assert tokens.refresh_token == "refresh-1"
    assert [type(one) for one in events if isinstance(one, Warned)] == [Warned]


@pytest.mark.parametrize("token", ["", "line\n", '"ä"'])
async def test_what_cannot_be_a_refresh_token_is_not_sent(token: str) -> None:
    """It was read from a file with its line break, for example (RFC 6749 appendix A.17)."""
    with pytest.raises(ConfigError) as refused:
        await refresh(client_at(NOWHERE), token)
    assert not token or token not in refused.value.message


async def test_a_refused_refresh_token_means_to_sign_in_again() -> None:
    """As for one that is kept here."""
    async with token_endpoint() as (server, _):
        server.status, server.document = 400, {"error": "invalid_grant"}
        with pytest.raises(SignInRequired):
            await refresh(client_at(server.issuer), "refresh-0")


def test_an_id_token_that_is_right_comes_with_the_tokens() -> None:
    """A cluster or a cloud takes that one; and everything works without a loop."""
    store, user = MemoryTokenStore(), SimulatedUser()
    with serve() as server:
        client = server.client(scope="openid email")
        first = login_sync(client, open_browser=user.open, store=store, notify=silent).tokens
        assert first.refresh_token is not None
        tokens = refresh_sync(client, first.refresh_token)
        assert tokens.id_token is not None
        assert tokens.id_token.claims["sub"] == first.id_token.claims["sub"] if first.id_token else False
        assert tokens.account == first.account
        with pytest.raises(SignInRequired):
            renew_sync(client, store=store, force=True)
        assert logout_sync(client, store=store) is True
        assert logout_sync(client, store=store) is False


def test_an_id_token_can_be_renewed_for() -> None:
    """It has a lifetime of its own, and the access token may be good for longer."""
    store, user = MemoryTokenStore(), SimulatedUser()
    with serve() as server:
        client = server.client(scope="openid email")
        first = login_sync(client, open_browser=user.open, store=store, notify=silent)
        id_token = first.tokens.id_token
        assert id_token is not None
        ends = {"iat": time.time() - 3600, "exp": time.time() - 1}
        due = replace(id_token, claims={**id_token.claims, **ends})
        old = replace(first, tokens=replace(first.tokens, id_token=due))
        store.save(old)
        assert renew_sync(client, store=store) == old
        renewed = renew_sync(client, store=store, of="id_token")
        assert renewed.tokens.fresh(time.time(), of="id_token")
        assert renew_sync(client, store=store, of="id_token") == renewed
        assert server.requests("token", grant="refresh_token") == 1


@pytest.mark.parametrize(
    "first", [None, IdToken({"sub": "one", "exp": 1.0, "iat": 0.0}, "not verified", "a.b.c")]
)
async def test_a_renewal_that_brings_no_id_token_says_so(first: IdToken | None) -> None:
    """A refresh response need not have one (OpenID Connect Core §12.2); what came is kept."""
    async with token_endpoint() as (server, sign_in):
        old = ending_in(replace(sign_in, tokens=replace(sign_in.tokens, id_token=first)), 600)
        store = keeping(old)
        for _ in range(3):
            with pytest.raises(SignInRequired):
                await renew(old, store=store, of="id_token")
        kept = store.load(NAME)
        assert kept is not None
        assert (kept.tokens.access_token, kept.tokens.refresh_token) == server.last
        assert len(server.sent) == 1
