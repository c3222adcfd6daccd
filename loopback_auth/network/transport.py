"""Our own HTTP: no redirects, no cookies, bounded in size and time.

Redirects are not followed, because 307 would send a code and its verifier to any address that a server names
(RFC 9700 §4.12). Cookies are not kept. TLS is always verified; authorities can only be added (`trust`). The
usual variables name a proxy (`proxies`). `.netrc` is never read, although aiohttp's `trust_env` would do so.

A request that must not be made twice is never sent on a connection that has been idle: the server may close
that one in the same instant (RFC 9112 §9.3.1), and then it is not known whether the server has exchanged the
code (RFC 9110 §9.2.2).

A public authorization server may not lead us into this machine or its network: names are looked at again when
they are resolved (`resolver`). The person's own proxy may be anywhere.

Modules that only a proxy or a failure needs are imported then: most sign-ins have neither.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from functools import cached_property
from ipaddress import ip_address
from types import TracebackType
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from loopback_auth.errors import MalformedResponse, TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import Network
from loopback_auth.network.proxies import proxy_for
from loopback_auth.network.resolver import PrivateAddressError, Resolver
from loopback_auth.network.threads import apart
from loopback_auth.network.trust import complaints, tls_context
from loopback_auth.protocol.json import BODY_LIMIT
from loopback_auth.protocol.urls import origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.network.proxy_address import Proxy

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 30.0

REPEATABLE = ("GET", "HEAD")
"""Methods of requests that may be sent on a connection which was used before."""

ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")

# Some networks in front of token endpoints turn away requests of no or of a library's name.
USER_AGENT = "loopback_auth/0.1"


class Transport:
    """Sends requests for flows; an async context manager.

    Args:
        network: how the server is reached, see `Network`.
        environ: the environment; None: that of the process.
        total_seconds: in which the whole answer has to arrive.
        resolver: finds the addresses of names.
    """

    def __init__(
        self,
        network: Network | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        total_seconds: float = TOTAL_SECONDS,
        resolver: Resolver | None = None,
    ) -> None:
        self._network = network or Network()
        self._environ = os.environ if environ is None else environ
        self._limits = aiohttp.ClientTimeout(total=total_seconds, sock_connect=CONNECT_SECONDS)
        self._resolver = resolver or Resolver(
            allowed=self._network.allow_private, public=self._network.public
        )
        self._sessions: dict[tuple[Proxy | None, str, bool], aiohttp.ClientSession] = {}
        self._stack = AsyncExitStack()
        self._is_open = False

    async def __aenter__(self) -> Transport:
        self._is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_open = False
        await self._stack.aclose()

    @property
    def seen_public(self) -> bool:
        """Whether a public server has been spoken to, which may then lead to no private address."""
        return self._resolver.seen_public

    async def send(self, request: HttpRequest, *, step: str) -> HttpResponse:
        """Make one request and read its whole answer.

        Args:
            request: `url` absolute and already checked.
            step: what it is for, in the words of the specification, for messages.

        Raises:
            TransportError: there was no answer.
            MalformedResponse: the answer was larger than `BODY_LIMIT` bytes.
            ConfigError: a proxy or a file of certificates cannot be used.
        """
        if not self._is_open:
            raise TransportError("The transport is not open.")
        proxy = await self._proxy(request.url)
        try:
            if proxy is not None and proxy.is_socks:
                return await self._by_socks(proxy, request, step)
            if proxy is None:
                self._judge_literal(urlsplit(request.url).hostname or "")
            return await self._exchange(self._session(proxy, "", request), request, step, proxy)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as exc:
            from loopback_auth.network.failures import failure, may_want_certificate  # Start-up.

            # Not chained: the library's messages may quote what was sent, or what came back.
            wanted = proxy is None and may_want_certificate(exc) and await self._wants_certificate(request)
            raise failure(
                exc,
                step,
                urlsplit(request.url).netloc,
                proxy,
                wants_certificate=wanted,
                complaints=lambda: complaints(self._environ),
            ) from None

    async def look_at(self, urls: Iterable[str]) -> None:
        """Refuse now a private address that a public server names, which the request would refuse later.

        Names without an address are left to the request itself, and so are names that a proxy will resolve.

        Raises:
            TransportError: one of them leads inside.
            ConfigError: the proxy for one of them cannot be used.
        """
        direct = [one for one in dict.fromkeys(map(origin, urls)) if await self._proxy(one) is None]
        if self.seen_public:
            refusals = await asyncio.gather(*map(self._refusal, direct))
            for refusal in filter(None, refusals):
                raise refusal

    async def _refusal(self, url: str) -> TransportError | None:
        parts = urlsplit(url)
        try:
            await self._resolver.resolve(parts.hostname or "", parts.port or 443)
        except PrivateAddressError as exc:
            return TransportError(
                f"{parts.netloc} cannot be used: {exc}", hint=exc.hint, parameter="allow_private"
            )
        except OSError:
            return None
        return None

    async def _proxy(self, url: str) -> Proxy | None:
        if sys.platform in ("darwin", "win32"):  # There the system may have to ask a name server.
            return await apart(proxy_for, url, self._environ)
        return proxy_for(url, self._environ)

    def _judge_literal(self, host: str) -> None:
        # aiohttp resolves names only.
        with suppress(ValueError):
            self._resolver.judge(host, [str(ip_address(host))])

    async def _wants_certificate(self, request: HttpRequest) -> bool:
        from loopback_auth.network.client_certificate import ALERT_SECONDS, is_wanted  # Start-up.

        parts = urlsplit(request.url)
        host, port = parts.hostname or "", parts.port or 443
        if parts.scheme != "https" or self._network.client_cert:
            return False
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(ALERT_SECONDS):
                found = await self._resolver.resolve(host, port)
            context = ssl.create_default_context() if self._tls is True else self._tls
            return await is_wanted(host, port, address=found[0]["host"], context=context)
        return False

    async def _by_socks(self, proxy: Proxy, request: HttpRequest, step: str) -> HttpResponse:
        from loopback_auth.network.socks import through  # Start-up.

        found = await self._resolver.inner.resolve(proxy.host, proxy.port)
        sessions = {one["host"]: self._session(proxy, one["host"], request) for one in found}
        return await through(
            tuple(sessions), lambda address: self._exchange(sessions[address], request, step)
        )

    async def _exchange(
        self, session: aiohttp.ClientSession, request: HttpRequest, step: str, proxy: Proxy | None = None
    ) -> HttpResponse:
        async with session.request(
            request.method,
            # Not respelled: yarl would fold escapes and drop a default port.
            URL(request.url, encoded=True),
            headers=list(request.headers),
            data=request.body or None,
            allow_redirects=False,
            ssl=self._tls if request.url.startswith("https") else True,
            proxy=proxy.url if proxy is not None else None,
            proxy_headers=proxy.headers if proxy is not None else None,
        ) as response:
            if response.headers.get("Content-Encoding", "").lower() not in ENCODINGS:
                from loopback_auth.network.failures import AGAIN, ENCODED  # Start-up.

                raise TransportError(f"The answer to the {step} cannot be read: {ENCODED}", hint=AGAIN)
            body = await _read(response, step)
            headers = tuple((name, value) for name, value in response.headers.items())
            return HttpResponse(response.status, headers, body, time.time())

    @cached_property
    def _tls(self) -> ssl.SSLContext | Literal[True]:
        return tls_context(self._network, self._environ)

    def _session(self, proxy: Proxy | None, address: str, request: HttpRequest) -> aiohttp.ClientSession:
        """Return the session that holds the connections for requests of this kind.

        Args:
            proxy: through which they go.
            address: of a SOCKS proxy.
            request: decides whether a connection may be used again.
        """
        fresh = request.method not in REPEATABLE
        key = proxy, address, fresh
        if key not in self._sessions:
            if proxy is not None and proxy.is_socks:
                from loopback_auth.network.socks import socks_connector  # Start-up.

                connector = socks_connector(proxy, address, force_close=fresh)
            else:
                # The proxy's name comes from the person, and is nearly always a private one.
                resolver = self._resolver if proxy is None else self._resolver.inner
                connector = aiohttp.TCPConnector(resolver=resolver, limit=4, force_close=fresh)
            self._sessions[key] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._limits,
                headers={"User-Agent": USER_AGENT},
            )
            self._stack.push_async_callback(self._sessions[key].close)
        return self._sessions[key]


async def _read(response: aiohttp.ClientResponse, step: str) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise MalformedResponse(
                f"The answer to the {step} is larger than {BODY_LIMIT} bytes", source="RFC 6749 §5.1"
            )
    return bytes(body)
