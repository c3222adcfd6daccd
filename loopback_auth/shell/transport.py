"""Our own HTTP: one session a sign-in, no redirects, no cookies, bounded in size and time.

Not followed: redirects, because 307 would carry a code and its verifier to wherever a server points
(RFC 9700 §4.12). Not kept: cookies. Not verified less: TLS; `SSL_CERT_FILE` names authorities of your own.
Proxies are the usual variables' (`HTTPS_PROXY`, `NO_PROXY`), but `.netrc` is never read, which is what
aiohttp's `trust_env` would do besides.

A public authorization server may not lead us into this machine or its network: names are looked at again
when they are resolved (RFC 9728 §7.7).
"""

from __future__ import annotations

import os
import socket
import ssl
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
from loopback_auth.protocol.urls import is_loopback_url, is_public_address

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 30.0

# Some networks in front of token endpoints turn away requests of no or of a library's name.
USER_AGENT = "loopback_auth/0.1"


class PrivateAddressError(OSError):
    """A name led to an address inside, where the authorization server has no business."""


class Resolver(AbstractResolver):
    """Resolves names, and refuses private addresses once a public one has been spoken to.

    Args:
        inner: asks the system; another one in tests.
    """

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()
        self._seen_public = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Find the addresses of a name.

        Raises:
            PrivateAddressError: it leads inside after others have led outside.
            OSError: it has none.
        """
        found = await self._inner.resolve(host, port, family)
        public = [is_public_address(one["host"]) for one in found]
        if self._seen_public and not all(public):
            raise PrivateAddressError(
                f"{host} is a private address, but the authorization server is a public one"
            )
        # One public address among private ones is enough: a server could add private ones to stay unseen.
        self._seen_public = self._seen_public or any(public)
        return found

    async def close(self) -> None:
        """Let go of what resolving has opened."""
        await self._inner.close()


class Transport:
    """Sends requests for flows; an async context manager.

    Args:
        connect_seconds: until a connection has to be there.
        total_seconds: until the whole answer has to be there.
        resolver: finds the addresses of names.
    """

    def __init__(
        self,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._limits = aiohttp.ClientTimeout(total=total_seconds, sock_connect=connect_seconds)
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Transport:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self._resolver or Resolver(), limit=4),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._limits,
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
                # Not respelled: yarl would fold escapes and drop a default port.
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
            # Not chained: the library's messages may quote what was sent, or what came back.
            raise _translated(exc, step, urlsplit(request.url).netloc) from None


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
    host = parts.hostname or ""
    # RFC 8252 §8.3: what is meant for loopback stays there. Asked first: on some systems the rest is slow.
    if is_loopback_url(url):
        return None
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


RETRY = "Check the network and the address, then try again."
OWN_AUTHORITY = "If your network has a certificate authority of its own, name its file in SSL_CERT_FILE."
NOT_OUR_SERVER = "Do not go on: check the address, this machine's clock, and who runs the network you are in."
PROXY = "Check the proxy in HTTPS_PROXY, or name this host in NO_PROXY."
DOUBTFUL = frozenset({10, 62, 64})
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""


def _translated(exc: Exception, step: str, host: str) -> TransportError:
    detail, hint = _trouble(exc)
    return TransportError(f"The {step} to {host} got no answer: {detail}", hint=hint)


def _trouble(exc: Exception) -> tuple[str, str]:
    """Say what went wrong, and what to do; never in the library's words, but in the system's."""
    match exc:
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as why):
            return why.verify_message, NOT_OUR_SERVER if why.verify_code in DOUBTFUL else OWN_AUTHORITY
        case aiohttp.ClientSSLError():
            return "it does not speak TLS as it should", RETRY
        case aiohttp.ClientConnectorError(os_error=PrivateAddressError() as refused):
            return str(refused), "Do not go on, unless you trust the server with your own network."
        case aiohttp.ClientConnectorDNSError():
            return "the name is not known", RETRY
        case aiohttp.ClientProxyConnectionError():
            return "the proxy cannot be reached", PROXY
        case aiohttp.ClientHttpProxyError():
            return f"the proxy answered with HTTP status {exc.status}", PROXY
        case TimeoutError():
            return "it took too long", RETRY
        case aiohttp.ClientConnectorError():
            return _words(exc.os_error), RETRY
        case aiohttp.ServerDisconnectedError() | ConnectionError():
            return "the connection was cut", RETRY
        case OSError():
            return _words(exc), RETRY
        case _:
            return f"what came is no HTTP ({type(exc).__name__})", RETRY


def _words(exc: OSError) -> str:
    # asyncio puts "Connect call failed" where the system's words should be.
    return os.strerror(exc.errno) if exc.errno else "there is no connection"
