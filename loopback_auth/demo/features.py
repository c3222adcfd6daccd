"""What a demo server offers beyond the sign-in itself; its metadata announces exactly what is on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from loopback_auth.demo.jwts import has_cryptography


@dataclass(frozen=True, slots=True)
class Features:
    """Switches of one demo server, which stay as they are while it runs.

    Args:
        registration: clients can register themselves (RFC 7591) and manage that registration (RFC 7592).
        dpop: whether access tokens are bound to a key of the client (RFC 9449): `offered` to every client
            that sends proofs, or `required` of all. Without joserfc (extra `oidc`) it is always `off`.
        server_nonces: the authorization server wants a nonce of its own in each proof (RFC 9449 §8).
        resource_nonces: so do the protected resources and the UserInfo endpoint (RFC 9449 §9).
        client_keys: clients can authenticate with a key of their own (`private_key_jwt`, RFC 7523 §2.2).
            Without joserfc they never can.
        signed_requests: whether authorization requests can be signed by the client (RFC 9101): `offered`, or
            `required` of all. Without joserfc it is always `off`.
        signed_responses: authorization responses are signed for clients that ask for it (JARM). Without a
            signer they never are.
    """

    registration: bool = True
    dpop: Literal["off", "offered", "required"] = "offered"
    server_nonces: bool = False
    resource_nonces: bool = False
    client_keys: bool = True
    signed_requests: Literal["off", "offered", "required"] = "offered"
    signed_responses: bool = True


def available(wished: Features, *, signs: bool) -> Features:
    """Return what a server can really offer.

    Args:
        wished: what it was told to.
        signs: whether it has a signer.
    """
    responses = wished.signed_responses and signs
    if has_cryptography():
        return replace(wished, signed_responses=responses)
    return replace(wished, dpop="off", client_keys=False, signed_requests="off", signed_responses=responses)
