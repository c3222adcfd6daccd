"""The demo server as others meet it: the client of the MCP SDK signs in."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from loopback_auth.demo.agent import browse
from loopback_auth.http_messages import HttpResponse
from loopback_auth.testing import Faults, serve

pytestmark = pytest.mark.foreign


class Kept:
    """What the SDK's client keeps, for the length of a test."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """Return the tokens."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep the tokens."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Return the registration."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep the registration."""
        self.client = client_info


class Browser:
    """A simulated browser that stops where it leaves the server."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.visits = 0
        self.came_back: dict[str, str] = {}

    async def visit(self, url: str) -> None:
        """Approve, and note what the browser brings back."""
        self.visits += 1
        agent = browse(url)
        step = next(agent)
        async with httpx2.AsyncClient() as http:
            while step.url.startswith(self.issuer):
                got = await http.request(step.method, step.url, headers=list(step.headers), content=step.body)
                step = agent.send(
                    HttpResponse(got.status_code, tuple(got.headers.multi_items()), got.content)
                )
        self.came_back = dict(parse_qsl(urlsplit(step.url).query))

    async def answer(self) -> AuthorizationCodeResult:
        """Hand over what came back."""
        back = self.came_back
        return AuthorizationCodeResult(code=back["code"], state=back["state"], iss=back["iss"])


def provider(url: str, browser: Browser, kept: Kept) -> OAuthClientProvider:
    """Make the SDK's own client."""
    metadata = OAuthClientMetadata(
        client_name="SDK", redirect_uris=[AnyUrl("http://127.0.0.1:3030/callback")]
    )
    return OAuthClientProvider(
        url, metadata, kept, redirect_handler=browser.visit, callback_handler=browser.answer
    )


async def test_it_finds_registers_signs_in_and_steps_up() -> None:
    """All that it knows is the address; writing needs a second approval."""
    with serve() as server:
        browser, kept = Browser(server.issuer), Kept()
        async with (
            httpx2.AsyncClient(auth=provider(server.mcp, browser, kept)) as http,
            Client(streamable_http_client(server.mcp, http_client=http)) as client,
        ):
            tools = [tool.name for tool in (await client.list_tools()).tools]
            who = await client.call_tool("whoami", {})
            before = browser.visits
            wrote = await client.call_tool("write", {"text": "a note"})
        registered = [one.client_name for one in server.registered]

    assert tools == ["whoami", "write"]
    assert json.loads(getattr(who.content[0], "text", ""))["email"] == "demo@example.com"
    assert (before, browser.visits, wrote.is_error) == (1, 2, False)
    assert registered == ["SDK"]


async def test_it_signs_in_at_an_older_server() -> None:
    """Without resource metadata it takes the server of the same origin, as older specifications say."""
    with serve(faults=Faults(without_resource_metadata=True)) as server:
        browser, kept = Browser(server.issuer), Kept()
        async with (
            httpx2.AsyncClient(auth=provider(server.mcp, browser, kept)) as http,
            Client(streamable_http_client(server.mcp, http_client=http)) as client,
        ):
            tools = (await client.list_tools()).tools

    assert len(tools) == 2
