"""The login of the MCP SDK's client example, simple-auth-client, with our receiver in place of its own.

There `CallbackHandler`, `CallbackServer` and two handlers are 105 lines: a fixed port, any path, a page that
says "successful" before the tokens have come. Its storage is kept, and ends the browser's page.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from loopback_auth import LoopbackReceiver


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
async def session(url: str, opener: Callable[[str], object]) -> AsyncIterator[httpx2.AsyncClient]:
    """Speak to an MCP server, and sign in when it asks for that."""
    async with LoopbackReceiver(open_browser=opener) as receiver:
        urls = asyncio.Queue[str]()

        async def callback() -> AuthorizationCodeResult:
            return AuthorizationCodeResult.model_validate(await receiver.visit(await urls.get()))

        client = OAuthClientMetadata.model_validate({"redirect_uris": [receiver.redirect_uri]})
        auth = OAuthClientProvider(url, client, Storage(receiver), urls.put, callback)
        async with httpx2.AsyncClient(auth=auth) as http:
            yield http
