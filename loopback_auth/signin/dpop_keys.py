"""Make the key to which the tokens of one sign-in are bound.

Each sign-in has its own: `dpop_jkt` protects a code only if no other authorization request has the same key
(RFC 9449 §10), and two servers cannot see that the same program talks to them.
"""

from __future__ import annotations

from loopback_auth.protocol.dpop import PUBLIC, missing_package
from loopback_auth.protocol.jwk import whole_numbers


def new_key() -> dict[str, str]:
    """Return a new private key for ES256, as a JWK (RFC 7518 §6.2).

    Raises:
        ConfigError: the extra `oidc` is missing.
    """
    try:
        from joserfc.jwk import ECKey  # Optional package.
    except Exception as exc:  # A compiled library of it may not load: see `can_verify_signatures`.
        raise missing_package() from exc
    members = whole_numbers(ECKey.generate_key("P-256").as_dict(private=True))
    return {name: str(members[name]) for name in (*PUBLIC, "d")}
