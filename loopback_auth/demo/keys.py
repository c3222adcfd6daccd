"""How the demo server signs ID tokens: a small protocol, and one implementation over joserfc.

The cryptography is that of joserfc. Without it (extra `oidc`) there is no signer, and the demo server is a
plain OAuth 2.0 server without the scope `openid`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

KEY_BITS = 2048


class Signer(Protocol):
    """Signs claims with RS256 (RFC 7518 §3.3) and publishes the key to check them with."""

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return the claims as a signed JWT in compact form (RFC 7519 §7.1)."""
        ...

    def jwks(self) -> Mapping[str, object]:
        """Return the JWK Set with the public key (RFC 7517 §5)."""
        ...


def rsa_signer() -> Signer | None:
    """Return a signer with a new RSA key, or None when joserfc is not installed.

    Generating the key takes some tenths of a second; servers can share one signer.
    """
    try:
        from joserfc.jwk import RSAKey  # Optional package.
    except Exception:  # From a zip it is an AttributeError, of the compiled library below.
        return None
    return _RsaSigner(RSAKey.generate_key(KEY_BITS, {"use": "sig", "alg": "RS256"}))


class _RsaSigner:
    def __init__(self, key: RSAKey) -> None:
        self._key = key
        self._key_id = key.thumbprint()

    def sign(self, claims: Mapping[str, object]) -> str:
        from joserfc import jwt  # Optional package.

        header = {"alg": "RS256", "typ": "JWT", "kid": self._key_id}
        return jwt.encode(header, dict(claims), self._key, algorithms=["RS256"])

    def jwks(self) -> Mapping[str, object]:
        return {"keys": [{**self._key.as_dict(private=False), "kid": self._key_id}]}
