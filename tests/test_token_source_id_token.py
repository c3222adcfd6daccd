"""The source of sign-ins whose ID token is fresh: it has a lifetime of its own, and need not come again."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from renewing import NAME, keeping, token_endpoint

from loopback_auth.errors import ConfigError, SignInRequired
from loopback_auth.model import ClientConfig, Provider
from loopback_auth.store import FileTokenStore
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser, serve
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import IdToken, SignIn


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve an authorization server that issues ID tokens, with every renewal too."""
    with serve() as server:
        yield server


def aged(sign_in: SignIn, *, left: float) -> SignIn:
    """Return a sign-in with an ID token of an hour, which ends in so many seconds."""
    now = time.time()
    old = IdToken({"iat": now + left - 3600, "exp": now + left, "sub": "demo"}, "verified", "old")
    return replace(sign_in, tokens=replace(sign_in.tokens, id_token=old))


def signed_in(server: DemoAuthorizationServer, *, left: float) -> MemoryTokenStore:
    """Keep a sign-in whose access token is fresh."""
    kept = server.sign_in(scope="openid offline_access")
    assert kept.id_token is not None
    claims = {**kept.id_token.claims, "iat": time.time() + left - 3600, "exp": time.time() + left}
    old = IdToken(claims, "verified", "old")
    return keeping(replace(kept, tokens=replace(kept.tokens, id_token=old)))


def source(server: DemoAuthorizationServer, store: MemoryTokenStore) -> TokenSource:
    """Return a source that asks nobody."""
    return TokenSource(server.client(scope="openid offline_access"), store=store, interactive=False)


def raw(sign_in: SignIn) -> str:
    """Return its ID token as received."""
    return sign_in.id_token.raw if sign_in.id_token is not None else ""


async def test_stale_id_token_is_renewed_once(server: DemoAuthorizationServer) -> None:
    """The access token beside it is fresh, and remains so for who wants that."""
    tokens = source(server, signed_in(server, left=20.0))
    before = (await tokens.sign_in()).tokens.access_token

    got = await asyncio.gather(*(tokens.sign_in(of="id_token") for _ in range(20)))

    assert before
    assert len({raw(one) for one in got} - {"old"}) == 1
    assert server.requests("token", grant="refresh_token") == 1


def test_fresh_id_token_is_left_alone(server: DemoAuthorizationServer) -> None:
    """As with the access token, nothing is sent."""
    tokens = source(server, signed_in(server, left=1800.0))

    assert raw(tokens.sign_in_sync(of="id_token")) == "old"
    assert server.requests("token", grant="refresh_token") == 0


def test_leeway_is_for_the_id_token(server: DemoAuthorizationServer) -> None:
    """A program that hands the token on knows how long it is needed."""
    store = signed_in(server, left=1800.0)
    client = server.client(scope="openid offline_access")
    patient = TokenSource(client, store=store, interactive=False, leeway=1900.0)

    assert raw(patient.sign_in_sync(of="id_token")) != "old"


def test_refused_id_token_is_renewed(server: DemoAuthorizationServer) -> None:
    """A cluster says 401 to a token that looks fresh here; who comes second gets the new one."""
    tokens = source(server, signed_in(server, left=1800.0))
    first = tokens.sign_in_sync(of="id_token", refused="old")
    second = tokens.sign_in_sync(of="id_token", refused="old")

    assert raw(first) == raw(second) != "old"
    assert server.requests("token", grant="refresh_token") == 1


def test_user_is_asked_where_nothing_is_kept(server: DemoAuthorizationServer) -> None:
    """The sign-in brings both tokens, and the next call finds them."""
    user = SimulatedUser()
    client = server.client(scope="openid")
    tokens = TokenSource(client, open_browser=user.open, notify=print)
    first, second = tokens.sign_in_sync(of="id_token"), tokens.sign_in_sync(of="id_token")

    assert raw(first) == raw(second) != ""
    assert user.page_sync()
    assert len(user.links) == 1


def kept_at(sign_in: SignIn, *, left: float) -> tuple[ClientConfig, SignIn]:
    """Return a client and its sign-in at a server whose renewals bring no ID token."""
    kept = replace(
        aged(sign_in, left=left),
        requested_scope="openid read",
        tokens=replace(aged(sign_in, left=left).tokens, expires_at=time.time() + 1800),
    )
    return ClientConfig(Provider(NAME, sign_in.metadata), "client", scope="openid"), kept


async def test_renewal_without_id_token_is_not_repeated() -> None:
    """Nothing would come of another one; the user has to sign in (OpenID Connect Core §12.2)."""
    async with token_endpoint() as (endpoint, sign_in):
        client, kept = kept_at(sign_in, left=5.0)
        tokens = TokenSource(client, store=keeping(kept), interactive=False)
        for _ in range(3):
            with pytest.raises(SignInRequired, match="no new ID token"):
                await tokens.sign_in(of="id_token")

        assert len(endpoint.sent) == 1
        assert await tokens.token() == endpoint.last[0]


async def test_renewal_without_id_token_serves_those_who_want_the_other() -> None:
    """Both wait for one renewal, and only one of them got nothing from it."""
    async with token_endpoint() as (endpoint, sign_in):
        client, kept = kept_at(sign_in, left=5.0)
        kept = replace(kept, tokens=replace(kept.tokens, expires_at=time.time() - 1))
        tokens = TokenSource(client, store=keeping(kept), interactive=False)
        id_token, access_token = await asyncio.gather(
            tokens.sign_in(of="id_token"), tokens.token(), return_exceptions=True
        )

        assert isinstance(id_token, SignInRequired)
        assert access_token == endpoint.last[0]
        assert len(endpoint.sent) == 1


async def test_user_is_asked_where_the_renewal_brings_none(server: DemoAuthorizationServer) -> None:
    """A grant from before the program asked for `openid` is renewed without an ID token for ever."""
    kept = aged(server.sign_in(scope="profile offline_access"), left=5.0)
    store, user = keeping(replace(kept, requested_scope="openid profile offline_access")), SimulatedUser()
    client = server.client(scope="openid profile offline_access")
    tokens = TokenSource(client, store=store, open_browser=user.open, notify=print)

    assert raw(await tokens.sign_in(of="id_token")) != "old"
    assert await user.page()
    assert (len(user.links), server.requests(grant="refresh_token")) == (1, 1)


async def test_nothing_to_renew_with(server: DemoAuthorizationServer) -> None:
    """An ID token that has ended is replaced by another sign-in."""
    store, user = signed_in(server, left=-5.0), SimulatedUser()
    kept = store.load("demo")
    assert kept is not None
    store.save(replace(kept, tokens=replace(kept.tokens, refresh_token=None)))
    client = server.client(scope="openid offline_access")
    tokens = TokenSource(client, store=store, open_browser=user.open, notify=print)

    assert raw(await tokens.sign_in(of="id_token")) != "old"
    assert await user.page()


FRESH = """
import sys
from loopback_auth import ClientConfig, FileTokenStore, TokenSource
issuer, folder = sys.argv[1:]
client = ClientConfig.at(issuer, client_id="loopback-auth-demo", scope="openid")
sign_in = TokenSource(client, store=FileTokenStore(folder)).sign_in_sync(of="id_token")
print(sign_in.id_token.raw, "asyncio" in sys.modules)
"""


def test_fresh_id_token_costs_no_event_loop(server: DemoAuthorizationServer, tmp_path: Path) -> None:
    """Kubectl runs its plugin with each command, and waits for it."""
    name = ClientConfig.at(server.issuer, client_id="c").provider.name
    kept = server.sign_in(scope="openid", name=name)
    FileTokenStore(str(tmp_path)).save(kept)
    command = [sys.executable, "-c", FRESH, server.issuer, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.split() == [raw(kept), "False"]


@pytest.mark.parametrize("of", ["id_token", "refresh_token"])
def test_what_cannot_come_is_refused_at_once(of: str) -> None:
    """Nobody is sent to a browser for a token that no answer will bring."""
    tokens = TokenSource(ClientConfig.at("https://id.example", client_id="client", scope="read"))
    with pytest.raises(ConfigError):
        tokens.sign_in_sync(of=of)  # type: ignore[arg-type]
