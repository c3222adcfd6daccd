"""Read the public key that a signature is checked with from an untrusted key set, and write our own keys.

Only the members of a public key are passed on. A key with private members was published by mistake and proves
nothing; a library would also test its primes, which takes minutes if they are long. This module refuses to
know what is signed.

Source: RFC 7517 §4, §9.2; RFC 7518 §3.3, §6.2, §6.3; RFC 8037 §2.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import NoReturn

from loopback_auth.errors import MalformedResponse
from loopback_auth.protocol.pkce import base64url

PUBLIC: Mapping[str, tuple[str, ...]] = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
CURVES: Mapping[str, tuple[str, ...]] = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519", "Ed448")}
SHORTEST, LONGEST = 2048, 8192
"""Bits of a modulus: fewer are not safe, more take too long."""
EC_OCTETS: Mapping[str, int] = {"P-256": 32, "P-384": 48, "P-521": 66}
"""How long the numbers of a key on a curve are."""
LONGEST_EXPONENT = 64
"""Bits of an exponent; the time of a check grows with it, and 17 are usual."""
MEMBER_LIMIT = 2000
"""Characters of a member; the longest modulus has 1366."""


def public_key(key: Mapping[str, object]) -> dict[str, str | list[str]]:
    """Return the members of a JWK that are needed to check signatures.

    Raises:
        MalformedResponse: not a public key of a known type, or one that is too weak or too long.

    Source: RFC 7517 §4; RFC 7518 §3.3 (2048 bits or more), §6.2.1, §6.3.1; RFC 8037 §2.
    """
    kind = key.get("kty")
    if not isinstance(kind, str) or kind not in PUBLIC:
        _refuse("its type is unknown")
    operations = key.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        _refuse("it is not for signatures")
    if PRIVATE & key.keys():
        _refuse("it has private members, which are no longer secret")
    members = {name: _text(key, name) for name in PUBLIC[kind]}
    if kind == "RSA":
        if not SHORTEST <= _bits(members["n"]) <= LONGEST:
            _refuse(f"its modulus must have {SHORTEST} to {LONGEST} bits")
        if _bits(members["e"]) > LONGEST_EXPONENT:
            _refuse(f"its exponent has more than {LONGEST_EXPONENT} bits")
    elif members["crv"] not in CURVES[kind]:
        _refuse("its curve is unknown")
    return {"kty": kind, **members}


def _text(key: Mapping[str, object], name: str) -> str:
    value = key.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MEMBER_LIMIT:
        _refuse(f"its {name} is missing or malformed")
    return value


def _bits(number: str) -> int:
    try:
        return number_of_bits(number)
    except ValueError:
        _refuse("a number in it is not base64url")


def number_of_bits(number: str) -> int:
    """Return how many bits a number in base64url has.

    Raises:
        ValueError: it is not base64url.

    Source: RFC 7518 §2 (Base64urlUInt).
    """
    return int.from_bytes(urlsafe_b64decode(number + "=" * (-len(number) % 4))).bit_length()


def _refuse(detail: str) -> NoReturn:
    raise MalformedResponse(
        f"The server's signature cannot be checked, because its key cannot be used: {detail}",
        source="RFC 7517 §4; RFC 7518 §6",
        hint="Report it to the provider.",
    )


def whole_numbers(members: Mapping[str, object]) -> dict[str, object]:
    """Return a JWK with the zeros at the beginning of its numbers, which joserfc 1.5 leaves out.

    One key in a hundred has such a number.

    Source: RFC 7518 §6.2.1.2, §6.2.1.3, §6.2.2.1 (the size of the curve).
    """
    size = EC_OCTETS.get(str(members.get("crv")))
    if members.get("kty") != "EC" or size is None:
        return dict(members)
    numbers = {name: members[name] for name in ("x", "y", "d") if name in members}
    return {**members, **{name: _padded(str(number), size) for name, number in numbers.items()}}


def _padded(text: str, size: int) -> str:
    return base64url(urlsafe_b64decode(text + "=" * (-len(text) % 4)).rjust(size, b"\0"))
