"""Sign the authorization request: the parameters travel in a JWT, which nothing on the way can change.

It is sent by value, in the URL or in a pushed request; outside stands the client ID alone, so that a server
that does not know signed requests refuses, instead of answering a request without state. This module refuses
to know how the request is sent.

Source: RFC 9101 §4, §5, §10; RFC 9126 §3; OpenID Connect Core 1.0 §5.5, §6.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import Stamp
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.authorization import with_parameters
from loopback_auth.protocol.client_key import client_key, signed, signing_algorithm

EXPLICIT_TYPE = "oauth-authz-req+jwt"
LIFETIME = 900
"""Seconds in which the user may open the link; a sign-in in two steps waits for ten minutes."""

BACKDATED = 60
"""Seconds by which the server's clock may be behind ours; some demand an `nbf`, and refuse one to come."""

REGISTERED = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
"""Claims that say what the JWT is (RFC 7519 §4.1): no parameter may take their place."""

NUMBERS = frozenset({"max_age"})
STRUCTURED = frozenset({"claims", "authorization_details"})
"""JSON in a query, and members of the JWT themselves: OpenID Connect Core 1.0 §5.5, RFC 9396 §3."""

ALGORITHMS = "request_object_signing_alg_values_supported"


def check_signed_request(client: ClientConfig, metadata: ServerMetadata) -> None:
    """Refuse a client that is to sign its authorization request and cannot.

    Raises:
        ConfigError: the settings forbid what the server requires, there is no key, or it cannot be used here.

    Source: RFC 9101 §10.5; RFC 8414 §2.
    """
    if client.signed_request is False:
        raise ConfigError(
            "The server requires signed authorization requests, but they were switched off.",
            hint="Allow them.",
            parameter="signed_request",
        )
    if client.private_key is None:
        raise ConfigError(
            "The authorization request is to be signed, but no private key was given.",
            hint="Give the private key of the client.",
            parameter="private_key",
        )
    signing_algorithm(client_key(client.private_key), getattr(metadata, ALGORITHMS), member=ALGORITHMS)


def signed_authorization_request(
    client: ClientConfig, request: AuthorizationRequest, stamp: Stamp
) -> AuthorizationRequest:
    """Return the authorization request with its parameters in a signed request object.

    Args:
        client: that signs.
        request: with the parameters that the server has to read.
        stamp: the time, and an identifier that was never used before.

    Raises:
        ConfigError: the key cannot be used, or a parameter has the name of a claim.

    Source: RFC 9101 §4, §5, §6.1, §10.2, §10.8.
    """
    metadata = request.metadata
    key = client_key(client.private_key or "")
    algorithm = signing_algorithm(key, getattr(metadata, ALGORITHMS), member=ALGORITHMS)
    token = signed(key, _claims(client, request, stamp), algorithm=algorithm, kind=EXPLICIT_TYPE)
    parameters = [("client_id", client.client_id), ("request", token)]
    return replace(
        request,
        url=with_parameters(metadata.authorization_endpoint or "", parameters),
        parameters=tuple(parameters),
    )


def _claims(client: ClientConfig, request: AuthorizationRequest, stamp: Stamp) -> Mapping[str, object]:
    names = [name for name, _ in request.parameters]
    if clash := sorted(REGISTERED.intersection(names)):
        raise ConfigError(
            f"In a signed request an extra parameter cannot be called {', '.join(clash)}.",
            hint="Leave it out, or do not sign the request.",
            parameter="extra signed_request",
        )
    now = int(stamp.wall)
    claims: dict[str, object] = {
        "iss": client.client_id,
        "aud": request.metadata.issuer or request.metadata.authorization_endpoint or "",
        "iat": now,
        "nbf": now - BACKDATED,
        "exp": now + LIFETIME,
        "jti": stamp.unique,
    }
    # RFC 9101 §10.8: without a `sub` that is the client's ID, it cannot pass for a client assertion.
    for name in dict.fromkeys(names):
        values = [_value(name, value) for one, value in request.parameters if one == name]
        # RFC 8707 §2: several resources are a list.
        claims[name] = values if len(values) > 1 else values[0]
    return claims


def _value(name: str, text: str) -> object:
    """Return a parameter as the member of a JWT: numbers are numbers, and structures are structures."""
    if name in NUMBERS and text.isascii() and text.isdigit():
        return int(text)
    if name not in STRUCTURED:
        return text
    try:
        structure: object = json.loads(text)
        json.dumps(structure, allow_nan=False)  # RFC 8259 §6: Python reads numbers that JSON has not.
    except (ValueError, RecursionError):
        return text  # The server says what is wrong with it.
    return structure
