"""An MCP server with its authorization server, of the MCP SDK or of fastmcp: `mcp_server.py KIND [PORT]`.

It says on stdout where it is, as `provider_mock.py` does. `GET /counts` says how often each path was asked.
The authorization server registers every client, and approves at once: its user has nothing to do. That of the
kind `proxy` asks for consent, and then has the demo server sign the user in, as fastmcp does with providers
that register no clients.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections import Counter
from contextlib import ExitStack
from typing import Any

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.auth import AccessToken, TokenVerifier
from fastmcp.server.auth.oauth_proxy import OAuthProxy
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from key_value.aio.stores.memory import MemoryStore
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from pydantic import AnyHttpUrl
from starlette.responses import JSONResponse

from loopback_auth.testing import DemoClient, serve

SCOPES = ["read", "write"]
ENDING = ExitStack()


def provider(origin: str) -> InMemoryOAuthProvider:
    """Return an authorization server that forgets everything when it ends."""
    return InMemoryOAuthProvider(
        base_url=origin,
        client_registration_options=ClientRegistrationOptions(
            enabled=True, valid_scopes=SCOPES, default_scopes=SCOPES
        ),
        revocation_options=RevocationOptions(enabled=True),
        required_scopes=["read"],
    )


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def sdk(origin: str) -> Any:
    """Return the server of the MCP SDK."""
    server: MCPServer[Any] = MCPServer(
        "sdk",
        auth_server_provider=provider(origin),
        auth=AuthSettings(
            issuer_url=AnyHttpUrl(origin),
            resource_server_url=AnyHttpUrl(f"{origin}/mcp"),
            client_registration_options=ClientRegistrationOptions(
                enabled=True, valid_scopes=SCOPES, default_scopes=SCOPES
            ),
            revocation_options=RevocationOptions(enabled=True),
            required_scopes=["read"],
            validate_token_resource=False,
        ),
    )
    server.add_tool(add)
    return server.streamable_http_app()


def fastmcp(origin: str) -> Any:
    """Return the server of fastmcp."""
    server: FastMCP[Any] = FastMCP("fastmcp", auth=provider(origin))
    server.add_tool(add)
    return server.http_app()


class Everything(TokenVerifier):
    """Takes every token of the demo server, whose tokens cannot be looked into."""

    async def verify_token(self, token: str) -> AccessToken:
        """Say what every token is for."""
        return AccessToken(token=token, client_id="proxy", scopes=["profile"])


def proxy(origin: str) -> Any:
    """Return a server of fastmcp that hands the sign-in on to the demo server."""
    client = DemoClient("proxy", redirect_uris=(f"{origin}/auth/callback",))
    demo = ENDING.enter_context(serve(clients=[client]))
    handing_on = OAuthProxy(
        upstream_authorization_endpoint=f"{demo.issuer}/authorize",
        upstream_token_endpoint=f"{demo.issuer}/token",
        upstream_client_id="proxy",
        token_endpoint_auth_method="none",
        token_verifier=Everything(required_scopes=["profile"]),
        base_url=origin,
        client_storage=MemoryStore(),
        jwt_signing_key="of a server that ends with its test",
    )
    server: FastMCP[Any] = FastMCP("proxy", auth=handing_on)
    server.add_tool(add)
    return server.http_app()


class Counting:
    """Counts the requests of an application by method and path."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.counts: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""
        if scope["type"] == "http":
            if scope["path"] == "/counts":
                await JSONResponse(self.counts)(scope, receive, send)
                return
            self.counts[f"{scope['method']} {scope['path']}"] += 1
        await self.app(scope, receive, send)


async def main(kind: str, port: int) -> None:
    """Serve until the process is ended."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = Counting({"sdk": sdk, "fastmcp": fastmcp, "proxy": proxy}[kind](origin))
        listening.listen(100)
        sys.stdout.write(json.dumps({"origin": origin, "mcp": f"{origin}/mcp"}) + "\n")
        sys.stdout.flush()
        await uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none")).serve(sockets=[listening])


if __name__ == "__main__":
    with ENDING:
        asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
