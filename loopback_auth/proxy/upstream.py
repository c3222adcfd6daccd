"""The server behind the proxy: one origin, over the connections that the sign-in's settings allow.

Authorities, client certificate, proxies of the network and private addresses are treated as for the
authorization server (`network.transport`). Nothing is decoded, followed or remembered: no redirect, no
cookie, no compression.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Literal, TypeVar

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from loopback_auth.errors import TransportError
from loopback_auth.model import Network
from loopback_auth.network.failures import failure
from loopback_auth.network.proxies import proxy_for
from loopback_auth.network.proxy_address import Proxy
from loopback_auth.network.resolver import Resolver
from loopback_auth.network.socks import socks_connector, through
from loopback_auth.network.threads import apart
from loopback_auth.network.transport import CONNECT_SECONDS
from loopback_auth.network.trust import complaints, tls_context
from loopback_auth.proxy.request_body import RequestBody

T = TypeVar("T")

IDLE_SECONDS = 4.0
"""Seconds after which an idle connection is not used again: servers close idle ones, many after five seconds,
and a request that changes something must not be sent twice (RFC 9112 §9.3.1, RFC 9110 §9.2.2)."""
HEAD_LIMIT = 64 * 1024
"""Bytes of one line of a header."""
MOST_FIELDS = 256
STEP = "forwarded request"

FAILURES = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
"""What the library raises for a server that cannot be reached, breaks off, or does not speak HTTP."""


class Upstream:
    """Connections to one server.

    Args:
        session: makes them.
        host: with its port, for messages.
        tls: how the server is verified.
        proxy: of the network, through which the connections go; None: they are direct.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        host: str,
        tls: ssl.SSLContext | Literal[True],
        proxy: Proxy | None,
    ) -> None:
        self._session = session
        self._host = host
        self._tls = tls
        self._proxy = proxy
        self._proxy_url, self._proxy_headers = http_proxy(proxy)

    async def send(
        self, method: str, url: str, headers: CIMultiDict[str], body: RequestBody | None
    ) -> aiohttp.ClientResponse:
        """Send a request, and return its answer when that begins.

        Raises:
            Exception: one of `FAILURES`, whose text is not for people.
        """
        return await by_proxy(
            self._proxy,
            self._session.request(
                method,
                URL(url, encoded=True),  # Not respelled.
                headers=headers,
                data=body.chunks() if body is not None else None,
                allow_redirects=False,
                ssl=self._tls,
                proxy=self._proxy_url,
                proxy_headers=self._proxy_headers,
            ),
        )

    def failed(self, exc: Exception) -> TransportError:
        """Return the error for what `send` raises, in words that quote nothing that was sent."""
        return failure(exc, STEP, self._host, self._proxy, complaints=lambda: complaints(os.environ))


@asynccontextmanager
async def upstream(origin: str, network: Network) -> AsyncGenerator[Upstream]:
    """Open what makes connections to an origin.

    Args:
        origin: scheme, host and port.
        network: how it is reached.

    Raises:
        ConfigError: a proxy of the network, or a file of certificates, cannot be used.
        TransportError: the name of a SOCKS proxy is not known.
    """
    proxy = await apart(proxy_for, origin, os.environ)
    # The person has named the server, so that it may be inside; what it leads to later may not be.
    connector = await connector_to(proxy, Resolver(allowed=network.allow_private))
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        # An answer may take its time, and a stream may be silent for hours.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        max_line_size=HEAD_LIMIT,
        max_field_size=HEAD_LIMIT,
        max_headers=MOST_FIELDS,
    ) as session:
        tls = tls_context(network, os.environ) if origin.startswith("https") else True
        yield Upstream(session, origin.partition("://")[2], tls, proxy)


async def connector_to(proxy: Proxy | None, resolver: Resolver) -> aiohttp.BaseConnector:
    """Return what makes any number of connections to servers, through a proxy of the network if there is one.

    Raises:
        ConfigError: what SOCKS needs is not installed.
        TransportError: the name of a SOCKS proxy is not known.
    """
    if proxy is not None and proxy.is_socks:
        return socks_connector(proxy, await _address(proxy, resolver), limit=0)
    return aiohttp.TCPConnector(
        # The proxy's name comes from the person, and is nearly always a private one.
        resolver=resolver if proxy is None else resolver.inner,
        limit=0,  # As many as requests are let in.
        keepalive_timeout=IDLE_SECONDS,
    )


def http_proxy(proxy: Proxy | None) -> tuple[str | None, dict[str, str] | None]:
    """Return URL and headers of a proxy for each request; None where the connections know their way."""
    return (None, None) if proxy is None or proxy.is_socks else (proxy.url, proxy.headers)


async def by_proxy(proxy: Proxy | None, exchange: Awaitable[T]) -> T:
    """Make an exchange over connections of `connector_to`.

    Raises:
        Exception: one of `FAILURES`, also where a SOCKS proxy has refused.
    """
    return await (through(("",), lambda _: exchange) if proxy is not None and proxy.is_socks else exchange)


async def _address(proxy: Proxy, resolver: Resolver) -> str:
    """Return an address of a SOCKS proxy: an IPv4 one first, for many listen on these alone."""
    try:
        found = await resolver.inner.resolve(proxy.host, proxy.port)
    except OSError:
        raise TransportError(
            f"The proxy {proxy.host} cannot be used: its name is not known.",
            hint=f"Check the proxy in {proxy.named_by}.",
        ) from None
    return sorted((one["host"] for one in found), key=lambda one: ":" in one)[0]
