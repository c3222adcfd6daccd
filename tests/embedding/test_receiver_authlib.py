"""Authlib speaks the protocol, our receiver receives the redirect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.integrations.requests_client import OAuth2Session

from loopback_auth import LoopbackReceiver
from loopback_auth.events import silent
from loopback_auth.testing import DemoAuthorizationServer, Faults, SimulatedUser, serve

CLIENT = {"client_id": "loopback-auth-demo", "scope": "profile", "code_challenge_method": "S256"}
VERIFIER = "a-code-verifier-of-at-least-43-characters-0123456789"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoAuthorizationServer]:
    """Serve a strict authorization server; Authlib has to be told that http is meant."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with serve() as server:
        yield server


async def sign_in(issuer: str, user: SimulatedUser) -> dict[str, object]:
    """Sign in with Authlib's asynchronous client, and show the user what came of it."""
    async with LoopbackReceiver(open_browser=user.open, notify=silent) as receiver:
        async with AsyncOAuth2Client(**CLIENT, redirect_uri=receiver.redirect_uri) as client:
            url, state = client.create_authorization_url(f"{issuer}/authorize", code_verifier=VERIFIER)
            parameters = await receiver.visit(url)
            token = await client.fetch_token(
                f"{issuer}/token",
                authorization_response=parameters.url,
                state=state,
                code_verifier=VERIFIER,
            )
        return dict(token)


def sign_in_sync(issuer: str, user: SimulatedUser) -> dict[str, object]:
    """Sign in with Authlib's session, and show the user what came of it."""
    with LoopbackReceiver(open_browser=user.open, notify=silent) as receiver:
        with OAuth2Session(**CLIENT, redirect_uri=receiver.redirect_uri) as session:
            url, state = session.create_authorization_url(f"{issuer}/authorize", code_verifier=VERIFIER)
            parameters = receiver.visit_sync(url)
            token = session.fetch_token(
                f"{issuer}/token",
                authorization_response=parameters.url,
                state=state,
                code_verifier=VERIFIER,
            )
        return dict(token)


async def test_async_client(server: DemoAuthorizationServer) -> None:
    """It checks the state and sends the verifier; neither is our affair."""
    user = SimulatedUser()

    assert (await sign_in(server.issuer, user))["access_token"]
    assert "Signed in" in await user.page()


def test_session(server: DemoAuthorizationServer) -> None:
    """The same without a loop."""
    user = SimulatedUser()

    assert sign_in_sync(server.issuer, user)["access_token"]
    assert "Signed in" in user.page_sync()


async def test_refusal(server: DemoAuthorizationServer) -> None:
    """Whatever the library makes of an error response, the page shows the denial."""
    user = SimulatedUser("deny")
    with pytest.raises(OAuthError):
        await sign_in(server.issuer, user)

    assert "You denied the request" in await user.page()


async def test_failed_exchange(server: DemoAuthorizationServer) -> None:
    """The code was fine, the exchange was not: the page must not have said "Signed in" before."""
    user = SimulatedUser()
    server.faults = Faults(token_status=400, token_body=b'{"error": "invalid_grant"}')
    with pytest.raises(OAuthError):
        await sign_in(server.issuer, user)

    assert "Not signed in" in await user.page()
