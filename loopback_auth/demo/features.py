"""What a demo server offers beyond the sign-in itself; its metadata announces exactly what is on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Features:
    """Switches of one demo server, which stay as they are while it runs.

    Args:
        registration: clients can register themselves (RFC 7591) and manage that registration (RFC 7592).
        dpop: whether access tokens are bound to a key of the client (RFC 9449): `offered` to every client
            that sends proofs, or `required` of all. Without joserfc (extra `oidc`) it is always `off`.
        server_nonces: the authorization server wants a nonce of its own in each proof (RFC 9449 §8).
        resource_nonces: so do the protected resources and the UserInfo endpoint (RFC 9449 §9).
    """

    registration: bool = True
    dpop: Literal["off", "offered", "required"] = "offered"
    server_nonces: bool = False
    resource_nonces: bool = False
