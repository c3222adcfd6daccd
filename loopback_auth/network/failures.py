"""Why an HTTP request got no answer, and what to do: in our words or the system's, never in a library's.

Those may quote what was sent, or what came back. Who is at fault comes first: the proxy, the name server, the
certificate, or the server.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import NamedTuple

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from loopback_auth.errors import TransportError
from loopback_auth.network.client_certificate import WANTS_ONE
from loopback_auth.network.proxy_address import ADDRESS, Proxy
from loopback_auth.network.resolver import LOOPBACK, PrivateAddressError
from loopback_auth.network.socks import SocksError
from loopback_auth.protocol.urls import is_localhost

RETRY = "Check the network and the address, then try again."
NOT_RUNNING = "Start the server, or wait until it has started, and check the port; then try again."
NOT_TLS = "Check the address: this port may speak plain http, or be that of another service."
AGAIN = "Try again; if it happens again, the server or something on the way to it has a problem."
OWN_AUTHORITY = (
    "If your network has a certificate authority of its own, name its file, or set SSL_CERT_FILE to it."
)
NOT_OUR_SERVER = "Do not go on: check the address, this machine's clock, and who runs the network you are in."
DOUBTFUL = frozenset({9, 10, 62, 64, 0x800B0101, 0x800B010F})
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID, _CERT_HAS_EXPIRED, _HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH; and
CERT_E_EXPIRED and CERT_E_CN_NO_MATCH, where Windows is asked."""
STRICT = range(79, 95)
"""From X509_V_ERR_INVALID_CA to _EC_KEY_EXPLICIT_PARAMS: what X509_V_FLAG_X509_STRICT looks at."""
STRICTLY = (
    "Create the authority that signed it again: this Python checks authorities strictly "
    "(RFC 5280 §4.2.1.1, §4.2.1.9), so that trusting it in another place changes nothing."
)
CLIENT_CERTIFICATE = "Name the file of your client certificate, and that of its key."
REFUSES_OURS = (
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "TLSV1_ALERT_UNKNOWN_CA",
    "TLSV1_ALERT_ACCESS_DENIED",
)
"""Alerts of the server (RFC 8446 §6.2) about the certificate that the client has sent, or not."""

CUT = "the connection was cut"
ENCODED = "it came in an encoding that was not asked for, or is damaged"


class Trouble(NamedTuple):
    """Why there was no answer, and what to do.

    Args:
        detail: what happened, to follow a colon.
        hint: what to do.
        parameter: the arguments that it is about, as in `LoopbackAuthError`.
    """

    detail: str
    hint: str
    parameter: str = ""


MISSING = Trouble("the server wants a client certificate", CLIENT_CERTIFICATE, "client_cert client_key")


def failure(
    exc: Exception,
    step: str,
    host: str,
    proxy: Proxy | None = None,
    *,
    wants_certificate: bool = False,
    complaints: Callable[[], Sequence[str]],
) -> TransportError:
    """Describe why there was no answer.

    Args:
        exc: as the library has raised it; it has to be left out of the traceback.
        step: what the request was for.
        host: whom it was for, with the port if one was given.
        proxy: through which it went.
        wants_certificate: the server does not speak to clients without one.
        complaints: says which files of authorities are not there.
    """
    trouble = _of_proxy(exc, proxy) if proxy is not None else None
    trouble = trouble or _of_server(exc, complaints)
    if trouble.detail == CUT and wants_certificate:
        trouble = MISSING
    return TransportError(
        f"The {step} to {host} got no answer: {trouble.detail}",
        hint=trouble.hint,
        parameter=trouble.parameter,
    )


def may_want_certificate(exc: Exception) -> bool:
    """Return whether a connection ended so that an alert about a client certificate may have been lost."""
    return _tls_error(exc) is None and _of_server(exc, tuple).detail == CUT


def _of_proxy(exc: Exception, proxy: Proxy) -> Trouble | None:
    """Return what is wrong with the proxy; None if the server or its name is at fault."""
    check = f"Check the proxy in {proxy.named_by}, or name this host in NO_PROXY."
    if isinstance(exc, aiohttp.ClientHttpProxyError):
        return _refused_by(proxy, exc, check)
    if isinstance(exc, aiohttp.ClientProxyConnectionError):
        return Trouble(f"the proxy {proxy.host} cannot be reached", check)
    if isinstance(exc, SocksError):
        return Trouble(f"the proxy {proxy.host} {exc}", check)
    if isinstance(exc, aiohttp.ClientConnectorError) and exc.host == proxy.host:
        detail = _of_server(exc, tuple).detail
        return Trouble(f"the proxy {proxy.host} cannot be used: {detail}", check)
    if isinstance(exc, socket.gaierror):
        return Trouble(f"the proxy {proxy.host} cannot be used: {_of_name(exc).detail}", check)
    return None


def _refused_by(proxy: Proxy, exc: aiohttp.ClientHttpProxyError, check: str) -> Trouble:
    if exc.status != 407:
        return Trouble(f"the proxy answered with HTTP status {exc.status}", check)
    challenges = exc.headers.getall("Proxy-Authenticate", []) if exc.headers else []
    offered = sorted({one.partition(" ")[0] for one in challenges})
    if offered and "basic" not in map(str.lower, offered):
        ways = ", ".join(filter(str.isalnum, offered))
        return Trouble(
            f"the proxy wants an authentication method that is not supported ({ways})",
            "Run a local proxy that knows that method, and name it in HTTPS_PROXY.",
        )
    if proxy.user:
        return Trouble(f"the proxy does not accept the user name and password in {proxy.named_by}", ADDRESS)
    return Trouble(f"the proxy asks for a user name and a password, and {proxy.named_by} has none", ADDRESS)


def _of_server(exc: Exception, complaints: Callable[[], Sequence[str]]) -> Trouble:
    if (refused := _tls_error(exc)) is not None:
        return _of_tls(refused, complaints)
    match exc:
        case aiohttp.ClientConnectorError(os_error=PrivateAddressError() as private):
            return Trouble(str(private), private.hint, "allow_private")
        case PrivateAddressError():
            return Trouble(str(exc), exc.hint, "allow_private")
        case aiohttp.ClientConnectorDNSError(os_error=OSError() as unknown):
            return _of_name(unknown)
        case TimeoutError():
            return Trouble("it took too long", RETRY)
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError() as closed, host=host):
            return Trouble(_words(closed), NOT_RUNNING if host in LOOPBACK or is_localhost(host) else RETRY)
        case aiohttp.ClientConnectorError():
            return Trouble(_words(exc.os_error), RETRY)
        case aiohttp.ClientError() if _encoding(exc):
            return Trouble(ENCODED, AGAIN)
        case aiohttp.ClientPayloadError():
            return Trouble("it broke off", AGAIN)
        case aiohttp.ServerDisconnectedError() | ConnectionError():
            return Trouble(CUT, AGAIN)
        case aiohttp.ClientOSError(errno=None | errno.ECONNRESET | errno.EPIPE | errno.ECONNABORTED):
            return Trouble(CUT, AGAIN)
        case OSError():
            return Trouble(_words(exc), RETRY)
        case aiohttp.ClientResponseError():
            return Trouble("what came is not valid HTTP", RETRY)
        case _:
            return Trouble(f"it could not be sent ({type(exc).__name__})", RETRY)


def _of_name(exc: OSError) -> Trouble:
    if exc.errno == socket.EAI_AGAIN:
        return Trouble("no name server answered", "Check the network connection, then try again.")
    return Trouble("the name is not known", RETRY)


def _of_tls(exc: ssl.SSLError, complaints: Callable[[], Sequence[str]]) -> Trouble:
    if isinstance(exc, ssl.SSLCertVerificationError):
        said = exc.verify_message
        if exc.verify_code in DOUBTFUL:
            return Trouble(said, NOT_OUR_SERVER)
        if exc.verify_code in STRICT:
            return Trouble(said, STRICTLY)
        return Trouble(said, " ".join((*complaints(), OWN_AUTHORITY)), "ca_file")
    if exc.reason in WANTS_ONE:
        return MISSING
    if exc.reason in REFUSES_OURS:
        return MISSING._replace(detail="the server does not accept the client certificate")
    if exc.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE":
        return MISSING._replace(
            detail="the server refused the TLS handshake",
            hint=f"It may want another certificate. {CLIENT_CERTIFICATE}",
        )
    return Trouble("it does not speak TLS as it should", NOT_TLS)


def _tls_error(exc: BaseException) -> ssl.SSLError | None:
    """Find the error of OpenSSL, whose `errno` is not a number of the system."""
    # The library's own classes inherit from OpenSSL's without having their attributes.
    inner = (getattr(exc, "certificate_error", None), getattr(exc, "os_error", None), exc.__cause__, exc)
    return next((one for one in inner if isinstance(one, ssl.SSLError)), None)


def _encoding(exc: aiohttp.ClientError) -> bool:
    """Return whether the answer cannot be decoded, which the library may say in words alone."""
    named = isinstance(exc, aiohttp.ClientResponseError) and "content-encoding" in exc.message.lower()
    return named or isinstance(exc.__cause__, ContentEncodingError)


def _words(exc: OSError) -> str:
    # asyncio puts "Connect call failed" where the system's words should be.
    # On Windows it is the loop that puts a number there which says something else.
    if getattr(exc, "winerror", None) and exc.strerror:
        return exc.strerror
    return os.strerror(exc.errno) if exc.errno else "there is no connection"
