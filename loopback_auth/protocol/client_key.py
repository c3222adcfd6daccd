"""The client's private key: read from PEM or from a JWK, and used to sign what the client says.

It authenticates the client (`protocol.client_assertion`) and signs its authorization request
(`protocol.request_object`). Signing needs the extra `oidc`: the cryptography is that of joserfc. No error
quotes anything of a key. This module refuses to know where a key is from.

Source: RFC 7517 §4; RFC 7518 §3.1, §3.3, §3.4; RFC 8037 §3.1; RFC 7468 §10, §13.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from loopback_auth.errors import ConfigError
from loopback_auth.narrow import is_list, is_object
from loopback_auth.protocol.jwk import CURVES, LONGEST, SHORTEST, number_of_bits
from loopback_auth.protocol.jws import registry_for
from loopback_auth.protocol.request_checks import check_package

ALGORITHMS: Mapping[str, tuple[str, ...]] = {
    # RS256 is what a server knows of a client that has registered nothing else (OpenID Connect Core §10.1).
    "RSA": ("RS256", "PS256", "RS384", "PS384", "RS512", "PS512"),
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA", "Ed25519"),
    "Ed448": ("EdDSA", "Ed448"),
}
"""The algorithms for each type of key or curve, the first one for servers that list none (RFC 7518 §3.1)."""

MOST_CHARACTERS = 64 * 1024
"""Characters of a key; one of RSA with 8192 bits has a tenth of them."""

_BLOCK = re.compile(r"-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A private key that can sign.

    Args:
        algorithms: by which it can sign, best first.
        kid: names it for the server (RFC 7515 §4.1.4); empty: it has no name.
        key: of joserfc.
    """

    algorithms: tuple[str, ...]
    kid: str
    key: Any = field(repr=False)


def client_key(text: str) -> ClientKey:
    """Read a private key.

    Args:
        text: PEM with one private key that is not encrypted, or a JWK as JSON.

    Raises:
        ConfigError: it is not such a key, it is too weak, or joserfc is missing.

    Source: RFC 7517 §4; RFC 7518 §3.3 (2048 bits or more), §6.2, §6.3; RFC 7468 §10, §13.
    """
    check_package("The private key cannot sign anything", "private_key")
    from joserfc.jwk import ECKey, OKPKey, RSAKey  # Optional package.

    if len(text) > MOST_CHARACTERS:
        _refuse("it is too long")
    types: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    kid = named = None
    if text.lstrip().startswith("{"):
        members = _jwk(text)
        kind, kid, named = members["kty"], members.get("kid"), members.get("alg")
        value: Any = {name: value for name, value in members.items() if name in _USED[kind]}
    else:
        value = _block(text)
        kind = _kind(value)
    try:
        key = types[kind].import_key(value)
    except Exception:
        # Of several packages, and in the words of none of them: they may quote the key.
        _refuse("it is damaged, or its members do not belong together")
    algorithms = _algorithms(key)
    if named is not None and named not in algorithms:
        _refuse("its alg is not one for keys of its type")
    return ClientKey(
        algorithms=algorithms if named is None else tuple(each for each in algorithms if each == named),
        kid=kid if isinstance(kid, str) else "",
        key=key,
    )


def signing_algorithm(key: ClientKey, supported: tuple[str, ...] | None, *, member: str) -> str:
    """Return the algorithm by which to sign for a server.

    Args:
        key: that signs.
        supported: what the server lists; None: nothing is known.
        member: of the metadata, where it lists them.

    Raises:
        ConfigError: the key fits none of the server's algorithms.

    Source: RFC 8414 §2; RFC 9101 §10.5; RFC 7515 §4.1.1.
    """
    fitting = [name for name in key.algorithms if supported is None or name in supported]
    if not fitting:
        raise ConfigError(
            f"The private key signs with {' or '.join(key.algorithms)}, which the server does not list in "
            f"{member}.",
            hint="Give a key of another type, and register its public key at the server.",
            parameter="private_key",
        )
    return fitting[0]


def signed(key: ClientKey, claims: Mapping[str, object], *, algorithm: str, kind: str) -> str:
    """Return a signed JWT in its compact form.

    Args:
        key: that signs.
        claims: what it says.
        algorithm: one of the key's.
        kind: its explicit type, the header parameter `typ`.

    Source: RFC 7515 §3.1, §5.1; RFC 8725 §3.11 (explicit types).
    """
    from joserfc import jws  # Optional package.

    header = {"alg": algorithm, "typ": kind, **({"kid": key.kid} if key.kid else {})}
    payload = json.dumps(claims, separators=(",", ":")).encode("ascii")
    return jws.serialize_compact(header, payload, key.key, registry=registry_for(algorithm))


_USED: Mapping[str, frozenset[str]] = {
    "RSA": frozenset({"kty", "n", "e", "d", "p", "q", "dp", "dq", "qi"}),
    "EC": frozenset({"kty", "crv", "x", "y", "d"}),
    "OKP": frozenset({"kty", "crv", "x", "d"}),
}
"""The members that are passed on; a library might read further ones in its own way."""


def _jwk(text: str) -> dict[str, Any]:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        _refuse("it begins like a JWK, and is not JSON")
    if not is_object(members):
        _refuse("it is not a JSON object")
    if "keys" in members:
        _refuse("it is a set of keys")
    if members.get("use", "sig") != "sig":
        _refuse("it is not for signatures (use)")
    operations = members.get("key_ops", ["sign"])
    if not is_list(operations) or "sign" not in operations:
        _refuse("it is not for signing (key_ops)")
    kind, modulus = members.get("kty"), members.get("n")
    if not isinstance(kind, str) or kind not in _USED:
        _refuse(f"its type (kty) is not one of {', '.join(_USED)}")
    if not isinstance(members.get("d"), str):
        _refuse("it is a public key")
    if kind == "RSA":
        # Before a library reads it: the time in which a key is checked grows with its length.
        try:
            _check_modulus(number_of_bits(modulus if isinstance(modulus, str) else ""))
        except ValueError:
            _refuse("its modulus is not base64url")
    return members


def _block(text: str) -> bytes:
    blocks = [match.group() for match in _BLOCK.finditer(text)]
    if len(blocks) != 1 or not text.isascii():
        _refuse("it has several private keys" if len(blocks) > 1 else "its PEM is damaged")
    return f"{blocks[0]}\n".encode("ascii")


def _kind(block: bytes) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # What joserfc works with.
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        native = load_pem_private_key(block, None)
    except Exception:
        _refuse("it is damaged, encrypted, or of a type that is not supported")
    if isinstance(native, rsa.RSAPrivateKey):
        _check_modulus(native.key_size)
        return "RSA"
    return "EC" if isinstance(native, ec.EllipticCurvePrivateKey) else "OKP"


def _check_modulus(bits: int) -> None:
    if not SHORTEST <= bits <= LONGEST:
        _refuse(f"its modulus must have {SHORTEST} to {LONGEST} bits")


def _algorithms(key: Any) -> tuple[str, ...]:
    if key.key_type == "RSA":
        return ALGORITHMS["RSA"]
    try:
        curve = key.curve_name
    except KeyError:  # Of joserfc, for curves that it has no name for.
        curve = ""
    if curve not in CURVES[key.key_type]:
        _refuse(f"its curve is not one of {', '.join(CURVES[key.key_type])}")
    return ALGORITHMS[curve]


def _refuse(detail: str) -> NoReturn:
    raise ConfigError(
        f"The private key of the client cannot be used: {detail}.",
        hint="Give one private key that is not encrypted, as PEM or as a JWK in JSON.",
        parameter="private_key",
    ) from None
