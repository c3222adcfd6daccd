"""The MCP SDK speaks the protocol, registration included; our receiver receives the redirect."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from foreign.conftest import serving
from foreign.person import Page, Person

from embedding.programs.mcp_login import session
from loopback_auth.network.browser import Opening

pytestmark = [pytest.mark.foreign, pytest.mark.slow]


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
