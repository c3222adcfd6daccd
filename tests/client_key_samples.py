"""Private keys of clients: those that RFCs publish, and one of RSA that is made anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jws
from joserfc.jwk import ECKey, import_key

from loopback_auth.protocol.jws import decode, registry_for
from loopback_auth.protocol.pkce import base64url

EC = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
}
"""Of RFC 7515 appendix A.3.1."""

ED25519 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
}
"""Of RFC 8037 appendix A.1."""

EC_JWK = json.dumps({**EC, "kid": "16"})
"""With the name that the key has in RFC 7523 §2.2 and OpenID Connect Core §9."""


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Make an RSA key once for all tests."""
    return rsa.generate_private_key(65537, bits)


def rsa_jwk(bits: int = 2048, **members: object) -> dict[str, Any]:
    """Return such a key as a JWK, with further members."""
    key = rsa_key(bits).private_numbers()
    public = key.public_numbers
    numbers = {"n": public.n, "e": public.e, "d": key.d, "p": key.p, "q": key.q}
    numbers |= {"dp": key.dmp1, "dq": key.dmq1, "qi": key.iqmp}
    octets = {name: number.to_bytes((number.bit_length() + 7) // 8) for name, number in numbers.items()}
    return {"kty": "RSA", **{name: base64url(each) for name, each in octets.items()}, **members}


def rsa_pem(
    bits: int = 2048,
    kind: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    """Return such a key as PEM."""
    return rsa_key(bits).private_bytes(Encoding.PEM, kind, encryption or NoEncryption()).decode()


def encrypted_pem(kind: PrivateFormat = PrivateFormat.PKCS8) -> str:
    """Return an encrypted key."""
    return rsa_pem(kind=kind, encryption=BestAvailableEncryption(b"a password"))


def public_pem() -> str:
    """Return the public half alone."""
    form = PublicFormat.SubjectPublicKeyInfo
    return rsa_key().public_key().public_bytes(Encoding.PEM, form).decode()


def ec_pem() -> str:
    """Return the EC key as PEM."""
    return ECKey.import_key(dict(EC)).as_pem(private=True).decode()


def public_half(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a server knows of a key."""
    return {name: value for name, value in jwk.items() if name in ("kty", "crv", "x", "y", "n", "e", "kid")}


def verified(token: str, jwk: Mapping[str, Any]) -> tuple[dict[str, object], dict[str, object]]:
    """Return header and claims of a JWT, and check its signature as a server does."""
    header, claims = decode(token)
    registry = registry_for(str(header["alg"]))
    jws.deserialize_compact(token, import_key(public_half(jwk)), registry=registry)
    return header, claims
