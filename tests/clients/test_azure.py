"""The credentials for Azure's libraries, in the pipeline of azure-core."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from azure.core import AsyncPipelineClient, PipelineClient
from azure.core.credentials import SupportsTokenInfo
from azure.core.credentials import TokenCredential as Sync
from azure.core.credentials_async import AsyncTokenCredential as Async
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, BearerTokenCredentialPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse

from clients.api import api, source_at
from loopback_auth import MemoryTokenStore, TokenSource
from loopback_auth.clients.azure import UNKNOWN_LIFETIME, AsyncTokenCredential, TokenCredential
from loopback_auth.errors import SignInRequired
from loopback_auth.testing import DemoAuthorizationServer

Policy = BearerTokenCredentialPolicy[HttpRequest, HttpResponse]
AsyncPolicy = AsyncBearerTokenCredentialPolicy[HttpRequest, AsyncHttpResponse]


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve an API."""
    with api() as served:
        yield served


def client_of(
    server: DemoAuthorizationServer, credential: TokenCredential
) -> PipelineClient[HttpRequest, HttpResponse]:
    """Make a client as those of Azure's services are made."""
    return PipelineClient(server.issuer, policies=[Policy(credential, "profile")])


def claims_challenge(server: DemoAuthorizationServer, claims: str) -> str:
    """Return a URL that answers with a challenge for claims, as Azure does after an account was changed."""
    encoded = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")
    challenge = f'Bearer error="insufficient_claims", claims="{encoded}"'
    return f"{server.issuer}/answer?{urlencode({'status': '401', 'challenge': challenge})}"


def test_client_of_azure_sends_the_token(server: DemoAuthorizationServer) -> None:
    """It wants a credential of its own kind."""
    credential = TokenCredential(source_at(server))
    with client_of(server, credential) as client:
        answer = client.send_request(HttpRequest("GET", server.resource), enforce_https=False)

        assert answer.status_code == 200
    assert isinstance(credential, Sync)
    assert isinstance(credential, SupportsTokenInfo)


async def test_asynchronous_client_of_azure_sends_the_token(server: DemoAuthorizationServer) -> None:
    """Its `aio` packages want another one."""
    with TokenCredential(source_at(server)):
        pass  # Closing it ends nothing: the source is the program's.
    credential = AsyncTokenCredential(source_at(server))
    client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] = AsyncPipelineClient(
        server.issuer, policies=[AsyncPolicy(credential, "profile")]
    )
    async with client, credential:
        answer = await client.send_request(HttpRequest("GET", server.resource), enforce_https=False)

        assert answer.status_code == 200
    assert isinstance(credential, Async)


def test_challenge_for_claims_renews_the_token_once(server: DemoAuthorizationServer) -> None:
    """Threads that share a token are challenged together; a second renewal would revoke the grant."""
    credential = TokenCredential(source_at(server))
    first = credential.get_token("profile").token

    def challenged(_: int) -> str:
        return credential.get_token("profile", claims='{"access_token": {}}').token

    with ThreadPoolExecutor(8) as pool:
        [second] = set(pool.map(challenged, range(24)))
    third = credential.get_token("profile", claims='{"access_token": {"nbf": {}}}').token

    assert len({first, second, third}) == 3
    assert server.requests("token", grant="refresh_token") == 2


def test_challenge_in_the_pipeline(server: DemoAuthorizationServer) -> None:
    """What azure-core does with one: it asks the credential, and sends the request again."""
    with client_of(server, TokenCredential(source_at(server))) as client:
        request = HttpRequest("GET", claims_challenge(server, '{"access_token": {}}'))

        assert client.send_request(request, enforce_https=False).status_code == 401
    assert server.requests("answer") == 2
    assert server.requests("token", grant="refresh_token") == 1


def test_scope_of_a_client_is_added(server: DemoAuthorizationServer) -> None:
    """Every client of Azure names the scope of its service."""
    source = source_at(server)
    before = TokenCredential(source).get_token().token
    after = TokenCredential(source).get_token("email").token

    assert before != after
    assert "email" in source.sign_in_sync().tokens.scope.split()


def test_nobody_is_asked_by_a_source_that_must_not(server: DemoAuthorizationServer) -> None:
    """The error is the source's own."""
    with pytest.raises(SignInRequired):
        TokenCredential(source_at(server, interactive=False)).get_token("email")


@pytest.mark.parametrize("lifetime", [3600.0, None])
def test_end_is_said_in_unix_seconds(server: DemoAuthorizationServer, lifetime: float | None) -> None:
    """azure-core decides by it when to ask again, also where the server did not say."""
    made, now = source_at(server).sign_in_sync(), time.time()
    expires_at = None if lifetime is None else now + lifetime
    store = MemoryTokenStore()
    store.save(replace(made, tokens=replace(made.tokens, expires_at=expires_at)))
    credential = TokenCredential(TokenSource(server.client(scope="profile"), store=store, interactive=False))

    assert credential.get_token_info().expires_on == pytest.approx(
        now + (lifetime or UNKNOWN_LIFETIME), abs=60
    )


async def test_asynchronous_credential_does_the_same(server: DemoAuthorizationServer) -> None:
    """Tasks are challenged together as threads are."""
    source = await asyncio.to_thread(source_at, server)
    credential = AsyncTokenCredential(source)
    first = await credential.get_token("profile")
    again = await credential.get_token("profile")
    renewed = await asyncio.gather(
        *(credential.get_token("profile", claims='{"access_token": {}}') for _ in range(8))
    )

    assert first == again
    assert len({first, *renewed}) == 2
    assert server.requests("token", grant="refresh_token") == 1
