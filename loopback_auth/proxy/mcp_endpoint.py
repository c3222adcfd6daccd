"""Requests to an MCP server with the access token of a sign-in: sent, refused, renewed, and sent again.

The token goes to the server of the URL alone. A redirect is followed only on that server, and only if it
keeps the method (RFC 9110 §15.4.8, §15.4.9), because another server would get the token.

Source: MCP 2025-11-25, Authorization, "Access Token Usage"; RFC 6750 §2.1, §3.1; RFC 9449 §7.1.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from http import HTTPStatus
from io import BytesIO
from shlex import quote
from typing import Literal
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from loopback_auth.clients.bearer import FORBIDDEN, UNAUTHORIZED, Refusals
from loopback_auth.clients.presentation import READ, Presentation
from loopback_auth.errors import SignInRequired, StillRefused, TransportError
from loopback_auth.model import Network
from loopback_auth.network.failures import failure
from loopback_auth.network.proxies import proxy_for
from loopback_auth.network.proxy_address import Proxy
from loopback_auth.network.resolver import Resolver
from loopback_auth.network.threads import apart
from loopback_auth.network.transport import CONNECT_SECONDS, USER_AGENT
from loopback_auth.network.trust import complaints, tls_context
from loopback_auth.protocol.challenge import token_challenge
from loopback_auth.protocol.urls import compared_origin, shown_url
from loopback_auth.proxy.source import Source
from loopback_auth.proxy.upstream import FAILURES, by_proxy, connector_to, http_proxy

STEP = "request to the MCP server"
MOST_REDIRECTS = 3
KEEP_METHOD = (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT)


class McpEndpoint:
    """One MCP server; an async context manager.

    Args:
        source: of the access token.
        url: of the server.
        network: how it is reached.
    """

    def __init__(self, source: Source, url: str, network: Network) -> None:
        self._source = source
        self._url = url
        self._network = network
        self._http: aiohttp.ClientSession | None = None
        self._proxy: Proxy | None = None

    async def __aenter__(self) -> McpEndpoint:
        # Redirects stay on the server, so that one proxy is for all requests.
        self._proxy = await apart(proxy_for, self._url, os.environ)
        resolver = Resolver(allowed=self._network.allow_private, public=self._network.public)
        self._http = aiohttp.ClientSession(
            connector=await connector_to(self._proxy, resolver),
            cookie_jar=aiohttp.DummyCookieJar(),
            # A tool may take its time, and a stream of messages may be silent for hours.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            headers={"User-Agent": USER_AGENT},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    @asynccontextmanager
    async def request(
        self, method: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Send a request with the token; yield the answer, whatever its status but for those below.

        Raises:
            SignInRequired: the server refuses new tokens too, or wants more than the sign-in has; or there is
                no usable sign-in.
            TransportError: there was no answer, or one that redirects to elsewhere.
            LoopbackAuthError: the token could not be renewed.
        """
        refusals, redirects = Refusals(interactive=False), 0
        sent = await self._source.presentation()
        while True:
            response = await self._sent(method, headers, body, sent)
            try:
                if self._again(sent, response):
                    continue
                if response.status in KEEP_METHOD and redirects < MOST_REDIRECTS and self._moved(response):
                    redirects += 1
                    continue
                challenge = ", ".join(response.headers.getall("WWW-Authenticate", ()))
                arguments = refusals.token_arguments(response.status, challenge, sent.token)
                if arguments is not None:
                    renewed = await self._renewed(arguments.get("refused"), challenge)
                    if renewed is not None and renewed.token != sent.token:
                        sent = renewed
                        continue
                _check(response, challenge, self._url)
                yield response
                return
            finally:
                response.close()

    async def _renewed(self, refused: str | None, challenge: str) -> Presentation | None:
        try:
            return await self._source.presentation(refused=refused, challenge=challenge or None)
        except StillRefused:
            return None  # What the server has answered says more.

    async def _sent(
        self, method: str, headers: Mapping[str, str], body: bytes | None, sent: Presentation
    ) -> aiohttp.ClientResponse:
        if self._http is None:
            raise TransportError("The connection to the MCP server is closed.")
        complete = dict(headers)
        sent.put(complete, method, self._url)
        proxy_url, proxy_headers = http_proxy(self._proxy)
        try:
            return await by_proxy(
                self._proxy,
                self._http.request(
                    method,
                    URL(self._url, encoded=True),
                    headers=complete,
                    # As a file, large bodies are sent in pieces, and the event loop goes on in between.
                    data=BytesIO(body) if body is not None else None,
                    allow_redirects=False,
                    ssl=self._tls if self._url.startswith("https") else True,
                    proxy=proxy_url,
                    proxy_headers=proxy_headers,
                ),
            )
        except FAILURES as exc:
            raise self.failed(exc) from None

    def failed(self, exc: Exception) -> TransportError:
        """Return the error for a request or an answer that was cut off, in words without what was sent."""
        host = urlsplit(self._url).netloc.rpartition("@")[2]
        return failure(exc, STEP, host, self._proxy, complaints=lambda: complaints(os.environ))

    @cached_property
    def _tls(self) -> ssl.SSLContext | Literal[True]:
        return tls_context(self._network, os.environ)

    def _again(self, sent: Presentation, response: aiohttp.ClientResponse) -> bool:
        if not sent.bound:
            return False
        found = ((name, value) for name in READ for value in response.headers.getall(name, ()))
        return sent.again(response.method, self._url, response.status, found)

    def _moved(self, response: aiohttp.ClientResponse) -> bool:
        """Go on at the address of a redirect, if it is on the same server."""
        url = urljoin(self._url, response.headers.get("Location", ""))
        if url == self._url or compared_origin(url) != compared_origin(self._url):
            return False
        self._url = url.partition("#")[0]
        return True


def _check(response: aiohttp.ClientResponse, challenge: str, url: str) -> None:
    """Refuse answers that are not about the message that was sent."""
    status = response.status
    login = f"python -m loopback_auth login {shown_url(url)}"
    asked = token_challenge(challenge)
    if 300 <= status < 400:
        target = shown_url(urljoin(str(response.url), response.headers.get("Location", "")))
        raise TransportError(
            f"The MCP server redirects to {target}, where the token is not sent.",
            hint="If that is the address of the server, use it.",
        )
    if asked is not None and asked.error in ("insufficient_scope", "insufficient_user_authentication"):
        wanted = {
            "scope": asked.scope,
            "acr_values": asked.acr_values,
            "max_age": "" if asked.max_age is None else str(asked.max_age),
        }
        named = ", ".join(f"{name} {value}" for name, value in wanted.items() if value)
        raise SignInRequired(
            f"The MCP server wants more than this sign-in has: {named or asked.error}",
            hint=f"Sign in again: {login}" + (f" --scope {quote(asked.scope)}" if asked.scope else ""),
            parameter="scope",
            scope=asked.scope,
            acr_values=asked.acr_values,
            max_age=asked.max_age,
        )
    if status == UNAUTHORIZED:
        raise SignInRequired("The MCP server refused the access token (401).", hint=f"Sign in again: {login}")
    if status == FORBIDDEN and asked is not None:
        raise SignInRequired(
            "The MCP server refused this request (403).", hint="Sign in with another account, or more scope."
        )
