"""Signed authorization requests: the parameters come in a JWT that the client signed.

Source: RFC 9101 §4, §5, §6; OpenID Connect Core §6.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.demo.jwts import is_for, parts, signed_by, timely
from loopback_auth.demo.setup import Setup
from loopback_auth.demo.wire import Parameters, Refused
from loopback_auth.narrow import is_strings

TYPES = (None, "oauth-authz-req+jwt", "JWT")
LONGEST = 3600.0
"""Seconds for which a signed request may be valid."""
OF_THE_JWT = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})


def opened(sent: Parameters, setup: Setup, now: float) -> Parameters:
    """Return the parameters of a signed request, or those that were sent when it is not signed.

    Of what stands beside the signed request nothing counts (RFC 9101 §6.3).

    Source: RFC 9101 §5, §6.1, §6.2, §6.3, §10.5.
    """
    compact = sent.get("request")
    if setup.features.signed_requests == "off":
        return sent
    if not compact:
        if setup.features.signed_requests == "required":
            raise Refused("invalid_request", "The request must be signed.")
        return sent
    if sent.repeated & {"client_id", "request"} or sent.get("request_uri"):
        raise Refused("invalid_request", "The client_id or the request comes twice.")
    client = setup.clients.get(sent.get("client_id"))
    found = parts(compact)
    if client is None or client.jwks is None or found is None:
        raise _bad("The request object is no JWT, or the client is unknown or has no key.")
    header, claims = found
    if header.get("typ") not in TYPES or not signed_by(client.jwks, compact, header):
        raise _bad("The request object is not signed with a key of the client.")
    # §5: client_id MUST be in the request, and the same in the request object; §10.8: so must be iss, if any
    if claims.get("client_id") != client.client_id or claims.get("iss", client.client_id) != client.client_id:
        raise _bad("The request object is of another client.")
    if not is_for(claims.get("aud"), (setup.issuer,)):
        raise _bad("The aud of the request object is not this server.")
    if not timely(claims, now, longest=LONGEST):
        raise _bad("The request object has expired, or lasts too long.")
    if {"request", "request_uri"} & claims.keys():
        raise _bad("A request object must not hold another one.")
    return _parameters(claims)


def _parameters(claims: Mapping[str, object]) -> Parameters:
    """Read the claims as parameters; those that are neither text nor number are not known here."""
    resource = claims.get("resource", [])
    resources = resource if is_strings(resource) else [resource] if isinstance(resource, str) else []
    values = {
        name: str(value)
        for name, value in claims.items()
        if name not in OF_THE_JWT | {"resource"} and isinstance(value, str | int) and value is not True
    }
    if not all(value.isprintable() for value in (*values.values(), *resources)):
        raise _bad("A parameter holds a control character.")
    return Parameters({name: value for name, value in values.items() if value}, frozenset(), tuple(resources))


def _bad(description: str) -> Refused:
    return Refused("invalid_request_object", description)
