"""Keys of clients, and what they sign for the demo server."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from loopback_auth.demo.clients import DemoClient

NUMBERS = count()


@cache
def ec_key(name: str) -> ECKey:
    """Make a key once."""
    return ECKey.generate_key("P-256", {"kid": name}, private=True)


@cache
def rsa_key() -> RSAKey:
    """Make a key once, because that takes a while."""
    return RSAKey.generate_key(2048)


def signed(key: Any, claims: Mapping[str, Any], **header: Any) -> str:
    """Sign claims, whatever the header says."""
    alg = "RS256" if isinstance(key, RSAKey) else "ES256"
    parts = [base64url(json.dumps(part).encode()) for part in ({"alg": alg} | header, dict(claims))]
    return ".".join([*parts, base64url(jws.JWSRegistry.algorithms[alg].sign(".".join(parts).encode(), key))])


def base64url(octets: bytes) -> str:
    """Encode without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def public(key: Any) -> dict[str, Any]:
    """Return the public half of a key as a JWK."""
    return {name: value for name, value in key.as_dict(private=False).items() if name != "kid"}


def sha256(text: str) -> str:
    """Hash a text as `ath` does."""
    return base64url(hashlib.sha256(text.encode()).digest())


@dataclass
class Holder:
    """A client with a key, which proves to have it.

    Args:
        now: its clock, in Unix seconds.
        key: of the client.
        nonce: that it puts into its proofs; empty: none.
    """

    now: float
    key: Any = field(default_factory=lambda: ec_key("holder"))
    nonce: str = ""

    @property
    def jkt(self) -> str:
        """Thumbprint of the key."""
        return str(self.key.thumbprint())

    def proof(
        self,
        url: str,
        method: str = "POST",
        *,
        token: str = "",
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> tuple[str, str]:
        """Write the header of a proof; a change to None leaves a claim out."""
        claims = {"jti": f"jti {next(NUMBERS)}", "htm": method, "htu": url, "iat": int(self.now)}
        if self.nonce:
            claims["nonce"] = self.nonce
        if token:
            claims["ath"] = sha256(token)
        said = {name: value for name, value in (claims | changes).items() if value is not None}
        top = {"typ": "dpop+jwt", "jwk": public(self.key)} | (header or {})
        return "DPoP", signed(self.key, said, **top)


def keyed_client(client_id: str = "keyed", *redirect_uris: str, key: Any = None) -> DemoClient:
    """Make a client that authenticates with a key."""
    jwk = {**public(key or ec_key("client")), "kid": "one"}
    uris = redirect_uris or ("http://127.0.0.1/callback",)
    return DemoClient(client_id, None, uris, "private_key_jwt", jwks={"keys": [jwk]})
