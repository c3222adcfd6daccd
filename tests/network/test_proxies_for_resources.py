"""Requests with tokens go through a SOCKS proxy, too: those of `proxy`, and those of its bridge to stdio."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from multidict import CIMultiDict
from relays import HOST, Authority, Relay, answer, listening, relaying

from loopback_auth.clients.presentation import Presentation
from loopback_auth.errors import TransportError
from loopback_auth.model import Network
from loopback_auth.proxy.mcp_endpoint import McpEndpoint
from loopback_auth.proxy.upstream import FAILURES, upstream

pytestmark = pytest.mark.skipif(
    sys.platform == "win32",
    reason="there the system verifies certificates, which Wine does by rules of its own",
)

ORIGIN = f"https://{HOST}"


class Source:
    """Where the token comes from."""

    async def presentation(self, *, refused: str | None = None, challenge: str | None = None) -> Presentation:
        """Return the only one."""
        return Presentation("token-1")


async def by_the_bridge(network: Network) -> int:
    """Send a message as `proxy --stdio` does; return the status of the answer."""
    async with (
        McpEndpoint(Source(), f"{ORIGIN}/mcp", network) as endpoint,
        endpoint.request("POST", {}, b"{}") as response,
    ):
        return response.status


async def by_the_proxy(network: Network) -> int:
    """Send a request as `proxy` does; return the status of the answer."""
    async with upstream(ORIGIN, network) as server:
        try:
            response = await server.send("GET", f"{ORIGIN}/mcp", CIMultiDict[str](), None)
        except FAILURES as exc:
            raise server.failed(exc) from None
        response.close()
        return response.status


BOTH = pytest.mark.parametrize("send", [by_the_bridge, by_the_proxy])
Send = Callable[[Network], Awaitable[int]]


@BOTH
async def test_a_socks_proxy_is_gone_through(
    send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In some networks there is no other way out; the proxy resolves the name."""
    authority = Authority(tmp_path)
    async with listening(answer, authority.server()) as port, relaying(Relay(port)) as relay:
        monkeypatch.setenv("HTTPS_PROXY", f"socks5h://127.0.0.1:{relay.port}")
        status = await send(Network(ca_file=str(authority.file)))

    assert (status, relay.asked) == (200, [HOST.encode()])


@BOTH
async def test_a_socks_proxy_that_refuses_is_named(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library raises exceptions of its own kind, and the person has to know which variable to look at."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(3)
        writer.write(b"\5\xff")  # No acceptable method (RFC 1928 §3).

    async with listening(refuse) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"socks5h://127.0.0.1:{port}")
        with pytest.raises(TransportError) as caught:
            await send(Network())

    assert "HTTPS_PROXY" in caught.value.hint
