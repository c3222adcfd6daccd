"""Our own HTTP: one session a sign-in, no redirects, no cookies, bounded in size and time.

Not followed: redirects, because 307 would carry a code and its verifier to wherever a server points
(RFC 9700 §4.12). Not kept: cookies. Not verified less: TLS; `SSL_CERT_FILE` adds an authority of your own.
Proxies are the usual variables' (`HTTPS_PROXY`, `NO_PROXY`), but `.netrc` is never read, which is what
aiohttp's `trust_env` would do besides.

A public authorization server may not lead us into this machine or its network: names are looked at again
when they are resolved (RFC 9728 §7.7).
"""

from __future__ import annotations

import asyncio
import socket
import time
import urllib.request
from types import TracebackType
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from loopback_auth.errors import MalformedResponse, TransportError
from loopback_auth.model import HttpRequest, HttpResponse
from loopback_auth.protocol.json import BODY_LIMIT
from loopback_auth.protocol.urls import is_public_address

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 30.0

# Some networks in front of token endpoints turn away requests of no or of a library's name.
USER_AGENT = "loopback_auth/0.1"


class _Resolver(AbstractResolver):
    """Resolves names, and refuses private addresses once a public one has been spoken to."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()
        self._seen_public = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        public = [is_public_address(one["host"]) for one in found]
        if self._seen_public and not all(public):
            raise OSError(f"{host} is a private address, but the authorization server is a public one")
        self._seen_public = self._seen_public or all(public)
        return found

    async def close(self) -> None:
        await self._inner.close()


class Transport:
    """Sends requests for flows; an async context manager."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Transport:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=_Resolver(), limit=4),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS),
            headers={"User-Agent": USER_AGENT},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, request: HttpRequest, *, step: str) -> HttpResponse:
        """Make one request and read its whole answer.

        Args:
            request: `url` absolute and already checked.
            step: what it is for, in the words of the specification, for messages.

        Raises:
            TransportError: there was no answer.
            MalformedResponse: the answer was larger than `BODY_LIMIT` bytes.
        """
        if self._session is None:
            raise TransportError("The transport is not open.")
        try:
            async with self._session.request(
                request.method,
                # Never respelled: yarl would drop a default port or an empty query.
                URL(request.url, encoded=True),
                headers=list(request.headers),
                data=request.body or None,
                allow_redirects=False,
                proxy=_proxy(request.url),
            ) as response:
                body = await _read(response, step)
                headers = tuple((name, value) for name, value in response.headers.items())
                return HttpResponse(response.status, headers, body, time.time())
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as exc:
            raise _translated(exc, step, urlsplit(request.url).netloc) from exc


async def _read(response: aiohttp.ClientResponse, step: str) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise MalformedResponse(
                f"The answer to the {step} is larger than {BODY_LIMIT} bytes", source="RFC 6749 §5.1"
            )
    return bytes(body)


def _proxy(url: str) -> str | None:
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy is None or urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    # RFC 8252 §8.3: what is meant for loopback stays there.
    return None if parts.hostname in ("127.0.0.1", "::1", "localhost") else proxy


def _translated(exc: Exception, step: str, host: str) -> TransportError:
    def error(detail: str, hint: str) -> TransportError:
        return TransportError(f"The {step} to {host} got no answer: {detail}", hint=hint)

    retry = "Check the network and the address, then try again."
    match exc:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            reason = getattr(exc.__cause__, "verify_message", "") or "TLS failed"
            return error(
                str(reason),
                "If your network has a certificate authority of its own, name its file in SSL_CERT_FILE.",
            )
        case aiohttp.ClientConnectorDNSError():
            return error("the name is not known", retry)
        case TimeoutError() | asyncio.TimeoutError():
            return error(f"nothing within {TOTAL_SECONDS:.0f} seconds", retry)
        case aiohttp.ClientConnectorError():
            return error(exc.os_error.strerror or "no connection", retry)
        case aiohttp.ServerDisconnectedError() | ConnectionError():
            return error("the connection was cut", retry)
        case OSError():
            return error(str(exc), retry)
        case _:
            # Other messages of the library may quote what was sent.
            return error(f"the answer could not be read ({type(exc).__name__})", retry)
