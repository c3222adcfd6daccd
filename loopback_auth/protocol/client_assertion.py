"""Authenticate the client by a JWT that it signs with its private key: `private_key_jwt`.

Each assertion is for one request to one server: it has an identifier of its own and ends after a minute. This
module refuses to know how the request is sent.

Source: RFC 7523 §2.2, §3; RFC 7521 §4.2; OpenID Connect Core 1.0 §9; draft-ietf-oauth-rfc7523bis.
"""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlencode

from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse, Stamp
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.answer import refusal_in
from loopback_auth.protocol.client_key import ClientKey, client_key, signed, signing_algorithm
from loopback_auth.protocol.polling import SKEW, clock_offset

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXPLICIT_TYPE = "client-authentication+jwt"
"""So that no other JWT that the key has signed can pass for an assertion (draft-ietf-oauth-rfc7523bis)."""


LIFETIME = 60
"""Seconds; many servers accept no more."""


def client_assertion(client: ClientConfig, metadata: ServerMetadata, stamp: Stamp) -> str:
    """Return a new assertion.

    Its audience is the issuer alone, at whatever endpoint: a server that is asked for its token endpoint
    could otherwise name that of another one, and use the assertion there.

    Args:
        client: that authenticates.
        metadata: of the server; one without an issuer is named by its token endpoint.
        stamp: the time, and an identifier that was never used before.

    Raises:
        ConfigError: the private key cannot be used, or not at this server.

    Source: RFC 7523 §3 (1 to 4, 6, 7); draft-ietf-oauth-rfc7523bis §4 (audience, explicit type); RFC 9126 §2.
    """
    key = client_key(client.private_key or "")
    now = int(stamp.wall)
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": metadata.issuer or metadata.token_endpoint or "",
        "jti": stamp.unique,
        "iat": now,
        "exp": now + LIFETIME,
    }
    return signed(key, claims, algorithm=_algorithm(key, metadata), kind=EXPLICIT_TYPE)


def check_assertable(client: ClientConfig, metadata: ServerMetadata) -> None:
    """Refuse a private key with which the client cannot authenticate, before the user is asked.

    Raises:
        ConfigError: the private key cannot be used, or not at this server.

    Source: RFC 8414 §2 (`token_endpoint_auth_signing_alg_values_supported`).
    """
    _algorithm(client_key(client.private_key or ""), metadata)


def asserted(
    request: HttpRequest, client: ClientConfig, metadata: ServerMetadata, stamp: Stamp
) -> HttpRequest:
    """Add a new assertion to a request that says who the client is, and does not prove it yet.

    Args:
        request: with a body of form parameters, or of JSON where the provider requires that.
        client: that authenticates.
        metadata: of the server.
        stamp: the time, and an identifier that was never used before.

    Raises:
        ConfigError: the private key cannot be used, or not at this server.

    Source: RFC 7521 §4.2; RFC 7523 §2.2.
    """
    proof = {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": client_assertion(client, metadata, stamp),
    }
    if request.header("content-type") == FORM:
        return replace(request, body=request.body + b"&" + urlencode(proof).encode("ascii"))
    return replace(request, body=json.dumps({**json.loads(request.body), **proof}).encode("ascii"))


def clock_ahead(answer: HttpResponse) -> float:
    """Return by how many seconds the server's clock is ahead, if that may be why it refused an assertion.

    Returns:
        A negative number if it is behind; 0.0 if the clocks agree, or the answer is not such a refusal.

    Source: RFC 7523 §3 (4, 6: the server compares both times with its clock), §3.2; RFC 9110 §6.6.1 (`Date`).
    """
    ahead = clock_offset(answer) if refusal_in(answer).error == "invalid_client" else None
    return ahead if ahead is not None and abs(ahead) >= SKEW else 0.0


def _algorithm(key: ClientKey, metadata: ServerMetadata) -> str:
    member = "token_endpoint_auth_signing_alg_values_supported"
    return signing_algorithm(key, getattr(metadata, member), member=member)
