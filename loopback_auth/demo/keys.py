"""How the demo server signs ID tokens: a small protocol, and one implementation over joserfc.

The cryptography is that of joserfc. Without it (extra `oidc`) there is no signer, and the demo server is a
plain OAuth 2.0 server without the scope `openid`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
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


def has_cryptography() -> bool:
    """Return whether joserfc is installed, without importing it: that takes a tenth of a second."""
    return find_spec("joserfc") is not None


def verified_by(key: Mapping[str, object], compact: str, algorithms: Sequence[str]) -> bool:
    """Return whether a compact JWS was signed with a key, by one of these algorithms (RFC 7515 §5.2).

    Args:
        key: public JWK, as it came from the client.
        compact: the same.
        algorithms: that are accepted, all of them asymmetric.
    """
    from joserfc import jws  # Optional package.
    from joserfc.jwk import import_key

    registry = jws.JWSRegistry(algorithms=list(algorithms))
    registry.max_header_length = len(compact)  # The default of 512 is less than one RSA key.
    try:
        found = import_key(dict(key))  # type: ignore[arg-type, unused-ignore]
        jws.deserialize_compact(compact, found, registry=registry)
    except Exception:  # Whatever a client sends as its key; the libraries below raise many kinds.
        return False
    return True


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
