"""Proofs that the program which sends a token has the key that the token is bound to (DPoP).

This module refuses to know where a key is kept, and what servers answer (`dpop_answers`). Signing needs the
extra `oidc`: the cryptography is that of joserfc.

Source: RFC 9449; RFC 7638.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import quote, urlsplit

from loopback_auth.errors import ConfigError, LoopbackAuthError, StoreError
from loopback_auth.http_messages import Stamp
from loopback_auth.model import ServerMetadata
from loopback_auth.narrow import is_list
from loopback_auth.protocol.pkce import base64url
from loopback_auth.protocol.urls import compared_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from joserfc.jwk import ECKey

ALGORITHM = "ES256"
PUBLIC = ("crv", "kty", "x", "y")
"""Members of a public key of this type, in the order of a thumbprint (RFC 7638 §3.2)."""

_NUMBER = re.compile(r"[A-Za-z0-9_-]{43}")
_PATH = "%/:@!$&'()*+,;=[]"
"""What stays in a path beside letters, digits and `-._~` (RFC 3986 §3.3)."""


class DpopKey:
    """A private key to which tokens are bound; its `repr` shows the thumbprint of the public one.

    Args:
        jwk: of an EC key on the curve P-256, with the private member `d`.

    Raises:
        StoreError: it is not such a key: what was kept of it is damaged.
        ConfigError: the extra `oidc` is missing.

    Source: RFC 9449 §4.2, §11.6; RFC 7518 §6.2.
    """

    def __init__(self, jwk: Mapping[str, str]) -> None:
        self.public: dict[str, str] = {name: str(jwk.get(name, "")) for name in PUBLIC}
        try:
            self._key = _imported(jwk)
        except LoopbackAuthError as exc:
            # Reporters of errors may write down the local variables of each frame.
            del jwk
            raise exc.with_traceback(None) from None

    def __repr__(self) -> str:
        return f"DpopKey({thumbprint(self.public)!r})"

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return a proof with these claims, as a compact JWS.

        Source: RFC 9449 §4.2 (`typ`, `alg`, `jwk`).
        """
        from joserfc import jws  # Optional package.

        # RFC 9449 §4.2: the jwk MUST NOT contain a private key.
        header = {"typ": "dpop+jwt", "alg": ALGORITHM, "jwk": self.public}
        payload = json.dumps(claims, separators=(",", ":")).encode("ascii")
        return jws.serialize_compact(header, payload, self._key, algorithms=[ALGORITHM])


def _imported(jwk: Mapping[str, str]) -> ECKey:
    """Return a key of joserfc."""
    known = (jwk.get("kty"), jwk.get("crv")) == ("EC", "P-256")
    if not known or not all(_NUMBER.fullmatch(jwk.get(name, "")) for name in ("x", "y", "d")):
        raise _unusable()
    try:
        from joserfc.jwk import ECKey  # Optional package.
    except Exception as exc:  # A compiled library of it may not load: see `can_verify_signatures`.
        raise missing_package() from exc
    try:
        key = ECKey.import_key({name: jwk[name] for name in (*PUBLIC, "d")})
        public_numbers = key.private_key.public_key().public_numbers()  # type: ignore[union-attr]
    except Exception as exc:
        raise _unusable() from exc
    ours = (base64url(number.to_bytes(32)) for number in (public_numbers.x, public_numbers.y))
    if tuple(ours) != (jwk["x"], jwk["y"]):
        raise _unusable()
    return key


def missing_package() -> ConfigError:
    """Return the error for a program that cannot sign, because the extra `oidc` is not installed.

    Source: RFC 9449 §4.2 (a proof is signed).
    """
    return ConfigError(
        "Tokens cannot be bound to a key, because the package joserfc is missing.",
        hint="Install the extra: pip install 'loopback-auth[oidc]'.",
        parameter="dpop",
    )


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the SHA-256 thumbprint of an EC key, as it stands in `dpop_jkt` and in `cnf`: 43 characters.

    Source: RFC 7638 §3; RFC 9449 §6.1, §10.
    """
    members = {name: jwk[name] for name in PUBLIC}
    return base64url(sha256(json.dumps(members, separators=(",", ":")).encode("ascii")).digest())


def proof(
    key: DpopKey,
    method: str,
    url: str,
    stamp: Stamp,
    *,
    nonce: str = "",
    access_token: str = "",
    skew: float = 0.0,
) -> str:
    """Return the value of the `DPoP` header for one request.

    Args:
        key: to which the token is, or will be, bound.
        method: of the request, in upper case.
        url: of the request, absolute.
        stamp: the time, and an identifier that no other proof has.
        nonce: that the server wants; empty: none.
        access_token: that the request carries; empty: none.
        skew: seconds by which the server's clock is ahead of ours.

    Source: RFC 9449 §4.2, §8, §9.
    """
    claims: dict[str, object] = {
        "jti": stamp.unique,
        "htm": method,
        "htu": target(url),
        "iat": max(0, int(stamp.wall + skew)),
    }
    if access_token:
        claims["ath"] = base64url(sha256(access_token.encode("ascii")).digest())
    if nonce:
        claims["nonce"] = nonce
    return key.sign(claims)


def target(url: str) -> str:
    """Return the `htu` of a request: its URL without query and fragment.

    Scheme, host, port and an empty path are normalized, and what must be escaped is. The rest of the path
    stays as it is sent: a server that normalizes it gets the same from both, and one that does not would see
    a difference.

    Args:
        url: absolute; a user name and password in it are left out.

    Source: RFC 9449 §4.2, §4.3 (9); RFC 3986 §6.2.2.1, §6.2.3.
    """
    return f"{compared_origin(url)}{quote(urlsplit(url).path, safe=_PATH) or '/'}"


def check_offered(metadata: ServerMetadata) -> str:
    """Refuse a server that lists other algorithms only; return a sentence of doubt where it lists none.

    Raises:
        ConfigError: ES256 is not among the algorithms.

    Source: RFC 9449 §5.1 (`dpop_signing_alg_values_supported`).
    """
    listed = metadata.document.get("dpop_signing_alg_values_supported")
    if listed is None and metadata.discovered:
        return "The server does not announce DPoP; it is used anyway, and may be ignored."
    if is_list(listed) and ALGORITHM not in listed:
        raise ConfigError(
            f"The server does not accept DPoP proofs that are signed with {ALGORITHM}.",
            hint="Switch DPoP off, or ask the provider to accept this algorithm.",
            parameter="dpop",
        )
    return ""


def _unusable() -> StoreError:
    return StoreError(
        "The key to which the tokens are bound cannot be used: it is not a private key for ES256.",
        hint="Sign in again.",
    )
