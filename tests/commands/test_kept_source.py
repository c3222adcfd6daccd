"""The tokens of a command that runs for long: one renewal for all requests, and what others do is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from dpop_samples import KEY
from renewing import NAME, TokenEndpoint, ending_in, token_endpoint

from loopback_auth.commands._token_source import KeptSource
from loopback_auth.errors import SignInRequired, StillRefused, TokenError
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import IdToken, SignIn


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileTokenStore:
    """An empty store, and no settings of the person who runs the tests."""
    monkeypatch.setenv("LOOPBACK_AUTH_CONFIG_DIR", str(tmp_path / "config"))
    return FileTokenStore(tmp_path / "kept")


@asynccontextmanager
async def _kept(
    store: FileTokenStore, seconds: float = 3600.0
) -> AsyncIterator[tuple[TokenEndpoint, KeptSource]]:
    async with token_endpoint() as (endpoint, ended):
        store.save(ending_in(ended, seconds))
        yield endpoint, KeptSource(store, NAME)


async def test_a_fresh_token_is_presented_without_asking_the_server(store: FileTokenStore) -> None:
    """A renewal for each request would be as many as there are requests."""
    async with _kept(store) as (endpoint, source):
        shown = await source.presentation()

        assert (shown.value, (await source.sign_in()).tokens.access_token) == ("Bearer access-0", "access-0")
        assert endpoint.sent == []


async def test_fifty_requests_that_are_refused_renew_once(store: FileTokenStore) -> None:
    """A server that rotates refresh tokens would revoke all of them otherwise (RFC 9700 §4.14.2)."""
    async with _kept(store) as (endpoint, source):
        refused = [source.presentation(refused="access-0") for _ in range(25)]
        found = [source.sign_in("access-0") for _ in range(25)]
        shown, sign_ins = await asyncio.gather(asyncio.gather(*refused), asyncio.gather(*found))

        assert {one.token for one in shown} == {one.tokens.access_token for one in sign_ins} == {"access-1"}
        assert len(endpoint.sent) == 1
        assert (await source.presentation(refused="access-0")).token == "access-1"
        assert len(endpoint.sent) == 1


async def test_a_token_that_has_ended_is_renewed_before_it_is_sent(store: FileTokenStore) -> None:
    """The server's refusal would cost a request."""
    async with _kept(store, seconds=-1.0) as (endpoint, source):
        assert (await source.sign_in()).tokens.access_token == "access-1"
        assert len(endpoint.sent) == 1


async def test_a_token_that_lives_two_seconds_is_used_while_it_lives(store: FileTokenStore) -> None:
    """A leeway that is longer than its life would renew it at every request."""
    async with token_endpoint() as (endpoint, ended):
        endpoint.document = {"expires_in": 2}
        store.save(ending_in(ended, 2.0, lifetime=2.0))
        source = KeptSource(store, NAME)
        tokens = {(await source.presentation()).token for _ in range(50)}
        sign_ins = {(await source.sign_in()).tokens.access_token for _ in range(50)}

        assert tokens == sign_ins == {"access-0"}
        assert endpoint.sent == []


async def test_a_server_that_refuses_new_tokens_too_is_not_asked_for_ever(store: FileTokenStore) -> None:
    """An API that wants another audience refuses whatever the authorization server gives."""
    async with _kept(store) as (endpoint, source):

        async def refuse_all() -> None:
            token = "access-0"
            for _ in range(20):
                token = (await source.presentation(refused=token)).token

        with pytest.raises(StillRefused):
            await refuse_all()
        assert len(endpoint.sent) < 10


async def test_a_logout_is_noticed_while_the_command_runs(store: FileTokenStore) -> None:
    """Whoever signs out expects that the token is sent no longer."""
    async with _kept(store) as (_, source):
        await source.presentation()
        store.delete(NAME)

        with pytest.raises(SignInRequired) as refused:
            await source.presentation()
        assert "login" in refused.value.hint


async def test_a_new_sign_in_of_the_same_client_is_used_at_once(store: FileTokenStore) -> None:
    """A command that waits for its person must not have to be started again."""
    async with _kept(store, seconds=-1.0) as (endpoint, source):
        endpoint.status, endpoint.document = 400, {"error": "invalid_grant"}
        with pytest.raises((SignInRequired, TokenError)):
            await source.presentation()
        kept = store.load(NAME)
        assert kept is not None
        tokens = replace(ending_in(kept, 3600.0).tokens, access_token="of-today", scope="another")
        store.save(replace(kept, tokens=tokens, requested_scope="another"))

        assert (await source.presentation()).value == "Bearer of-today"


async def test_a_sign_in_of_another_client_is_not_used_in_its_place(store: FileTokenStore) -> None:
    """The name may have come to mean another server, for which the requests were not meant."""
    async with _kept(store) as (_, source):
        kept = store.load(NAME)
        assert kept is not None
        store.save(replace(kept, client_id="another"))

        with pytest.raises(SignInRequired):
            await source.presentation()


def test_settings_that_ask_for_something_else_are_heeded(
    store: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by every command: the token of another client would be sent."""
    made = asyncio.run(_made())
    store.save(made)
    monkeypatch.setenv("LOOPBACK_AUTH_CLIENT_ID", "another")

    with pytest.raises(SignInRequired, match="settings"):
        KeptSource(store, "")


async def test_the_id_token_is_presented_where_it_is_asked_for(store: FileTokenStore) -> None:
    """Clusters and clouds take it in place of the access token."""
    async with token_endpoint() as (endpoint, ended):
        fresh = ending_in(ended, 3600.0)
        claims = {"exp": fresh.tokens.expires_at, "iat": fresh.tokens.obtained_at}
        id_token = IdToken(claims, "not verified", "id.token.raw")
        store.save(replace(fresh, tokens=replace(fresh.tokens, id_token=id_token)))
        source = KeptSource(store, NAME, of="id_token")

        assert (await source.presentation()).value == "Bearer id.token.raw"
        assert endpoint.sent == []


async def test_a_bound_token_is_presented_with_a_proof(store: FileTokenStore) -> None:
    """RFC 9449 §7.1: without it the token is of no use."""
    async with token_endpoint() as (_, ended):
        fresh = ending_in(ended, 3600.0)
        tokens = replace(fresh.tokens, token_type="DPoP")
        store.save(replace(fresh, tokens=tokens, dpop_key=KEY))
        headers: dict[str, str] = {}
        (await KeptSource(store, NAME).presentation()).put(headers, "GET", "https://api.example/things")

        assert headers["Authorization"] == "DPoP access-0"
        assert headers["DPoP"].count(".") == 2


async def _made() -> SignIn:
    async with token_endpoint() as (_, ended):
        return ending_in(ended, 3600.0)
