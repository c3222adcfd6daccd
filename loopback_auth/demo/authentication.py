"""How a client proves to the demo server which one it is.

A client uses the method that it is registered with, and no other; two methods in one request are refused.
"""

from __future__ import annotations

import base64
import hmac
from urllib.parse import unquote_plus

from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.jwts import CLOCKS_DIFFER, is_for, parts, signed_by, timely
from loopback_auth.demo.setup import Setup
from loopback_auth.demo.single_use import Seen
from loopback_auth.demo.wire import Parameters, Refused
from loopback_auth.http_messages import HttpRequest
from loopback_auth.model import ClientAuth

BASIC = 'Basic realm="demo", charset="UTF-8"'


ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_TYPES = (None, "JWT", "client-authentication+jwt")
LONGEST = 600.0
"""Seconds for which an assertion may be valid."""


class Authentication:
    """The check of clients, the same for every endpoint; remembers which assertions were used.

    Args:
        setup: of the server.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._used = Seen(LONGEST + 2 * CLOCKS_DIFFER)

    def client(self, request: HttpRequest, parameters: Parameters, now: float) -> DemoClient:
        """Return the client that makes a request, after checking its authentication.

        Source: RFC 6749 §2.3, §3.2.1, §5.2.
        """
        if parameters.get("client_assertion") or parameters.get("client_assertion_type"):
            return self._asserted(request, parameters, now)
        challenge = BASIC if request.header("authorization") else ""
        method, client_id, secret = _credentials(request, parameters)
        client = self._setup.clients.get(client_id)
        if client is None or not client.accepts(method) or not _same(client.client_secret or "", secret):
            raise _unproven(challenge)
        # RFC 7591 §3.2.1: 0 means that the secret does not expire
        if 0 < client.client_secret_expires_at <= now:
            raise _unproven(challenge)
        return client

    def _asserted(self, request: HttpRequest, parameters: Parameters, now: float) -> DemoClient:
        """Return the client that signed an assertion.

        Source: RFC 7521 §4.2; RFC 7523 §2.2, §3; RFC 9126 §2 for the audience.
        """
        if request.header("authorization") or parameters.get("client_secret"):
            raise Refused("invalid_request", "Use one way of client authentication, not two.")
        compact = parameters.get("client_assertion")
        found = parts(compact) if self._setup.features.client_keys else None
        if found is None or parameters.get("client_assertion_type") != ASSERTION_TYPE:
            raise _unproven("")
        header, claims = found
        client_id = claims.get("sub")
        client = self._setup.clients.get(client_id) if isinstance(client_id, str) else None
        if client is None or client.jwks is None or not client.accepts("private_key_jwt"):
            raise _unproven("")
        issuer, identifier = self._setup.issuer, claims.get("jti")
        sound = (
            claims.get("iss") == client_id
            and parameters.get("client_id") in ("", client_id)
            and header.get("typ") in ASSERTION_TYPES
            and is_for(claims.get("aud"), (issuer, f"{issuer}/token", f"{issuer}/par"))
            and timely(claims, now, longest=LONGEST)
            and isinstance(identifier, str)
            and signed_by(client.jwks, compact, header)
        )
        if not sound or not self._used.first(f"{client_id} {identifier}", now):
            raise _unproven("")
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
