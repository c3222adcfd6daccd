"""A key for tests, and a reader of proofs that has nothing in common with what makes them."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from loopback_auth.http_messages import HttpRequest
from loopback_auth.signin.dpop_keys import new_key

KEY = new_key()
OTHER_KEY = new_key()


@dataclass(frozen=True)
class Proof:
    """What a proof says."""

    header: dict[str, object]
    claims: dict[str, object]


def read_proof(text: str) -> Proof:
    """Return the header and the claims of a proof whose signature is right."""
    header, claims, signature = text.split(".")
    members = json.loads(_octets(header))
    x, y = (int.from_bytes(_octets(members["jwk"][name])) for name in "xy")
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    r, s = (int.from_bytes(half) for half in (_octets(signature)[:32], _octets(signature)[32:]))
    key.verify(utils.encode_dss_signature(r, s), f"{header}.{claims}".encode(), ec.ECDSA(SHA256()))
    return Proof(members, json.loads(_octets(claims)))


def is_signed(text: str) -> bool:
    """Return whether the signature of a proof is right."""
    try:
        read_proof(text)
    except InvalidSignature:
        return False
    return True


def proof_of(request: HttpRequest) -> Proof | None:
    """Return the one proof of a request; None when it has none."""
    found = request.values("dpop")
    assert len(found) <= 1
    return read_proof(found[0]) if found else None


def digest(text: str) -> str:
    """Return what `ath` has to be for a token."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _octets(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
