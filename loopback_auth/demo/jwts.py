"""Read and check the JWTs that clients send: proofs, assertions and signed requests.

Written apart from the client's half, so that a slip in one does not hide in the other.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from loopback_auth.narrow import is_list, is_object

LONGEST = 16 * 1024
CLOCKS_DIFFER = 60.0
"""Seconds by which the clock of a client may be wrong."""
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of a JWK that only private and symmetric keys have (RFC 7518 §6)."""
ALGORITHMS = ("ES256", "RS256", "PS256")
"""Algorithms of assertions and signed requests."""


def has_cryptography() -> bool:
    """Return whether joserfc is installed, without importing it: that takes a tenth of a second."""
    return find_spec("joserfc") is not None


def parts(compact: str) -> tuple[Mapping[str, object], Mapping[str, object]] | None:
    """Read header and claims of a JWT without verifying it; None when it is none (RFC 7519 §7.2)."""
    pieces = compact.split(".")
    if len(pieces) != 3 or len(compact) > LONGEST:
        return None
    header, claims = (_json(piece) for piece in pieces[:2])
    return (header, claims) if is_object(header) and is_object(claims) else None


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


def signed_by(jwks: Mapping[str, object], compact: str, header: Mapping[str, object]) -> bool:
    """Return whether a JWT was signed with a key of a client; with that of its `kid`, where it names one.

    Source: RFC 7515 §4.1.4; RFC 7517 §5.
    """
    keys = [key for key in public_keys(jwks) if "kid" not in header or key.get("kid") == header["kid"]]
    return any(verified_by(key, compact, ALGORITHMS) for key in keys)


def public_keys(jwks: Mapping[str, object]) -> list[dict[str, object]]:
    """Return the keys of a JWK Set (RFC 7517 §5)."""
    keys = jwks.get("keys")
    return [key for key in keys if is_object(key)] if is_list(keys) else []


def timely(claims: Mapping[str, object], now: float, *, longest: float) -> bool:
    """Return whether a JWT has an end, which is neither past nor too far away, and has begun.

    Args:
        claims: unchecked.
        now: Unix seconds.
        longest: seconds that it may last at most.

    Source: RFC 7519 §4.1.4, §4.1.5, §4.1.6.
    """
    end, begin, issued = (number(claims.get(name)) for name in ("exp", "nbf", "iat"))
    if end is None or not now - CLOCKS_DIFFER < end <= now + longest + CLOCKS_DIFFER:
        return False
    wrong = [name for name in ("nbf", "iat") if name in claims and number(claims[name]) is None]
    return not wrong and all(time is None or time <= now + CLOCKS_DIFFER for time in (begin, issued))


def number(value: object) -> float | None:
    """Return a number of JSON, which may be larger than every float; None for other values."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(str(value))  # An integer that is too large becomes infinite so, and raises otherwise.


def is_for(audience: object, accepted: Sequence[str]) -> bool:
    """Return whether an audience is one of these, and no other beside it (RFC 7519 §4.1.3)."""
    only = audience[0] if is_list(audience) and len(audience) == 1 else audience
    return isinstance(only, str) and only in accepted


def _json(piece: str) -> object:
    try:
        return json.loads(base64.b64decode(piece + "=" * (-len(piece) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None
