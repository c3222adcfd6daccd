"""One MCP server with the session that a client has begun there; a session that is lost is begun anew.

Weak spot: a request that was under way when the session was lost is sent again in the new one. Servers answer
404 before they do anything, and what the old session knew besides, such as subscriptions, is lost.

Source: MCP 2025-11-25, Transports, "Session Management".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from loopback_auth.errors import LoopbackAuthError
from loopback_auth.proxy.mcp_endpoint import McpEndpoint
from loopback_auth.proxy.mcp_exchange import SessionLost, exchange, listen
from loopback_auth.proxy.mcp_messages import Message, read_message
from loopback_auth.proxy.mcp_session import McpSession

DELETE_SECONDS = 0.7
READY = read_message(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')


class McpConnection:
    """Exchanges messages with one server.

    Args:
        endpoint: the server.
    """

    def __init__(self, endpoint: McpEndpoint) -> None:
        self.session: McpSession = McpSession()
        """What is known about the server; another one after the session was begun anew."""
        self._endpoint = endpoint
        self._beginning = asyncio.Lock()

    async def exchange(self, message: Message) -> AsyncGenerator[Message]:
        """Yield what the server sends for a message, if need be in a new session.

        Raises:
            LoopbackAuthError: there is no response.
        """
        if message.method != "initialize" and self._beginning.locked():
            async with self._beginning:
                pass
        try:
            async with aclosing(exchange(self._endpoint, self.session, message)) as messages:
                async for each in messages:
                    yield each
            return
        except SessionLost as exc:
            await self._begin_anew(exc)
        async with aclosing(exchange(self._endpoint, self.session, message)) as messages:
            async for each in messages:
                yield each

    async def listen(self) -> AsyncGenerator[Message]:
        """Yield what the server sends by itself, as long as the session lasts.

        Raises:
            LoopbackAuthError: no usable token is left.
        """
        session = self.session
        async with aclosing(listen(self._endpoint, session)) as messages:
            async for each in messages:
                yield each

    async def end(self) -> None:
        """End the session: clients that no longer need one SHOULD do so."""
        if self.session.id:
            with suppress(LoopbackAuthError, TimeoutError):
                async with asyncio.timeout(DELETE_SECONDS):
                    async with self._endpoint.request("DELETE", self.session.headers()):
                        pass

    async def _begin_anew(self, lost: SessionLost) -> None:
        """Begin another session as the client has begun the first one; once for all requests."""
        async with self._beginning:
            old = self.session
            if old.id != lost.session_id or old.initialize is None:
                return
            new = McpSession()
            await _done(self._endpoint, new, old.initialize)
            if new.initialize is None:
                raise lost
            await _done(self._endpoint, new, READY)
            self.session = new


async def _done(endpoint: McpEndpoint, session: McpSession, message: Message) -> None:
    async with aclosing(exchange(endpoint, session, message)) as messages:
        async for _ in messages:
            pass
