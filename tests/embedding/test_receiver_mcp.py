"""The MCP SDK speaks the protocol, registration included; our receiver receives the redirect."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from aiohttp import web
from foreign.conftest import serving
from foreign.person import Page, Person
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from loopback_auth import LoopbackReceiver
from loopback_auth.events import silent
from loopback_auth.network.browser import Opening

pytestmark = [pytest.mark.foreign, pytest.mark.slow]


class Storage:
    """Keeps tokens and the registration for one session, and ends the browser's page.

    Args:
        receiver: whose page is to say that the tokens have arrived.
    """

    def __init__(self, receiver: LoopbackReceiver) -> None:
        self._receiver = receiver
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """Return what is kept."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep tokens: the login is complete."""
        self.tokens = tokens
        await self._receiver.finish()

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Return the registration."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep the registration."""
        self.client = client_info


@asynccontextmanager
async def session(server_url: str, opener: Callable[[str], Opening]) -> AsyncIterator[httpx2.AsyncClient]:
    """Speak to an MCP server, and sign in when it asks for that."""
    async with LoopbackReceiver(open_browser=opener, notify=silent) as receiver:
        urls: list[str] = []

        async def redirect(url: str) -> None:
            urls.append(url)

        async def callback() -> AuthorizationCodeResult:
            return AuthorizationCodeResult.model_validate(await receiver.visit(urls.pop()))

        client = OAuthClientMetadata.model_validate({"redirect_uris": [receiver.redirect_uri]})
        auth = OAuthClientProvider(server_url, client, Storage(receiver), redirect, callback)
        async with httpx2.AsyncClient(auth=auth) as http:
            yield http


@asynccontextmanager
async def protected(issuer: str) -> AsyncIterator[str]:
    """Serve a resource that wants a token of an authorization server (RFC 9728)."""

    async def resource(request: web.Request) -> web.Response:
        if request.headers.get("Authorization", "").startswith("Bearer "):
            return web.json_response({"answer": 42})
        challenge = f'Bearer resource_metadata="{origin}/.well-known/oauth-protected-resource"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    async def metadata(_: web.Request) -> web.Response:
        return web.json_response({"resource": f"{origin}/mcp", "authorization_servers": [issuer]})

    app = web.Application()
    app.add_routes([web.get("/mcp", resource), web.get("/.well-known/oauth-protected-resource", metadata)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield f"{origin}/mcp"
    finally:
        await runner.cleanup()


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Serve oidc-provider-mock, which registers clients (RFC 7591)."""
    with serving(sys.executable, Path(__file__).parent.parent / "foreign" / "provider_mock.py") as issuers:
        yield issuers["either"]


async def test_mcp(issuer: str) -> None:
    """The redirect URI is registered before the browser opens; the page ends long before the session."""
    person, visits = Person(), list[Future[Page]]()

    def open_browser(url: str) -> Opening:
        visits.append(person.begin(url))
        return Opening(program="a scripted person")

    async with protected(issuer) as server_url, session(server_url, open_browser) as http:
        reply = await http.get(server_url)
        page = await asyncio.wrap_future(visits[0])

    assert reply.json() == {"answer": 42}
    assert "Signed in" in page.text
