"""The clients of the demo server: their redirect URIs, and how each authenticates.

Redirect URIs are compared as strings, except for the port of a loopback one (RFC 8252 §7.3, RFC 9700 §2.1).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from loopback_auth.demo.wire import Parameters, Refused
from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpRequest
from loopback_auth.model import ClientAuth

LOOPBACK = ("http://127.0.0.1", "http://[::1]", "http://localhost")
BASIC = 'Basic realm="demo", charset="UTF-8"'


@dataclass(frozen=True, slots=True)
class DemoClient:
    """A client as registered at the demo server.

    Args:
        client_id: its name at the server.
        client_secret: None makes a public client (RFC 6749 §2.1).
        redirect_uris: without fragment; the port of a loopback one does not matter.
        client_auth: the only method; None: Basic or the form with a secret, `none` without.

    Raises:
        ConfigError: no ID, no redirect URI or one with a fragment, an empty secret, or a secret that does not
            fit `client_auth`.
    """

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = ()
    client_auth: ClientAuth | None = None

    def __post_init__(self) -> None:
        if not self.client_id or not self.redirect_uris or any("#" in uri for uri in self.redirect_uris):
            raise ConfigError("A demo client needs an id, and redirect URIs without fragment")
        if self.client_secret == "":
            raise ConfigError(f"The demo client {self.client_id} has an empty secret; None makes it public")
        if self.client_auth is not None and (self.client_auth == "none") != (self.client_secret is None):
            raise ConfigError(f"The client_auth of the demo client {self.client_id} does not fit its secret")

    def allows(self, redirect_uri: str) -> bool:
        """Return whether a redirect URI is registered for this client.

        Source: RFC 8252 §7.3; RFC 9700 §2.1.
        """
        asked = _without_loopback_port(redirect_uri)
        return any(asked == _without_loopback_port(registered) for registered in self.redirect_uris)

    def accepts(self, method: ClientAuth) -> bool:
        """Return whether this client may authenticate by this method."""
        if self.client_auth is not None:
            return method == self.client_auth
        return (method == "none") == (self.client_secret is None)


DEMO_CLIENT = DemoClient("loopback-auth-demo", redirect_uris=tuple(f"{host}/callback" for host in LOOPBACK))
"""The public client that every demo server knows."""


def _without_loopback_port(uri: str) -> str:
    """Return a loopback redirect URI without its port; other URIs and malformed ports stay unchanged."""
    for host in LOOPBACK:
        if uri.startswith(f"{host}:"):
            port, slash, path = uri[len(host) + 1 :].partition("/")
            # str.isdigit alone would let superscripts and other scripts pass
            if port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536:
                return f"{host}{slash}{path}"
    return uri


def authenticate(
    request: HttpRequest, parameters: Parameters, clients: Mapping[str, DemoClient]
) -> DemoClient:
    """Return the client that makes a request, after checking its authentication.

    Source: RFC 6749 §2.3, §3.2.1, §5.2.
    """
    challenge = BASIC if request.header("authorization") else ""
    method, client_id, secret = _credentials(request, parameters)
    client = clients.get(client_id)
    if client is None or not client.accepts(method) or not _same(client.client_secret or "", secret):
        raise _unproven(challenge)
    return client


def _credentials(request: HttpRequest, parameters: Parameters) -> tuple[ClientAuth, str, str]:
    client_id, secret = parameters.get("client_id"), parameters.get("client_secret")
    if not request.header("authorization"):
        return ("client_secret_post" if secret else "none"), client_id, secret
    # RFC 6749 §2.3: the client MUST NOT use more than one authentication method in each request
    if secret or len(request.values("authorization")) > 1:
        raise Refused("invalid_request", "Use one way of client authentication, not two.")
    basic_id, basic_secret = _basic(request.header("authorization"))
    if client_id and client_id != basic_id:
        raise Refused("invalid_request", "The client_id differs from the one in the Authorization header.")
    return "client_secret_basic", basic_id, basic_secret


def _basic(header: str) -> tuple[str, str]:
    """Decode HTTP Basic credentials, both halves form-encoded (RFC 6749 §2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise _unproven(BASIC)
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise _unproven(BASIC)
        return unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError:
        raise _unproven(BASIC) from None


def _unproven(challenge: str) -> Refused:
    # RFC 6749 §5.2: 401 and WWW-Authenticate are due when the client tried the Authorization header
    status = 401 if challenge else 400
    description = "The client is unknown, or did not prove itself as registered."
    return Refused("invalid_client", description, status=status, challenge=challenge)


def _same(expected: str, received: str) -> bool:
    return hmac.compare_digest(expected.encode(), received.encode("utf-8", "surrogatepass"))
