"""Keys that anybody may have written: only the public members of a sound key are used, and soon."""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode

import pytest
from protocol_samples import CLIENT

from loopback_auth.errors import MalformedResponse
from loopback_auth.protocol.jwk import public_key
from loopback_auth.protocol.jws import verify_signature


def number(bits: int) -> str:
    """Write an odd number of so many bits as key sets have it."""
    octets = ((1 << bits - 1) | 1).to_bytes((bits + 7) // 8)
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


RSA: dict[str, object] = {
    "kty": "RSA",
    "n": number(2048),
    "e": "AQAB",
    "kid": "a",
    "use": "sig",
    "x5c": ["x"],
}
EC: dict[str, object] = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}
OKP: dict[str, object] = {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}
RAW = "eyJhbGciOiJSUzI1NiJ9.e30.AA"
PRIVATE = {name: number(4096) for name in ("d", "p", "q", "dp", "dq", "qi")}


@pytest.mark.parametrize(
    ("key", "members"),
    [
        (RSA, {"kty", "n", "e"}),
        (RSA | {"n": number(8192), "e": "Aw"}, {"kty", "n", "e"}),
        (RSA | {"key_ops": ["verify"]}, {"kty", "n", "e"}),
        (EC | {"kid": "b"}, {"kty", "crv", "x", "y"}),
        (OKP, {"kty", "crv", "x"}),
    ],
)
def test_public_members_alone_are_passed_on(key: dict[str, object], members: set[str]) -> None:
    """A library reads whatever else there is."""
    assert public_key(key).keys() == members


@pytest.mark.parametrize(
    "key",
    [
        {},
        RSA | {"kty": "oct", "k": "AQAB"},
        RSA | {"kty": None},
        *(RSA | {name: "AQAB"} for name in (*PRIVATE, "oth", "k")),
        EC | {"d": "AQAB"},
        OKP | {"d": "AQAB"},
        RSA | {"n": number(2047)},
        RSA | {"n": number(8193)},
        RSA | {"n": number(200_000)},
        RSA | {"n": ""},
        RSA | {"n": 7},
        RSA | {"n": "*"},
        RSA | {"n": None},
        RSA | {"e": number(65)},
        RSA | {"e": number(2048)},
        RSA | {"key_ops": ["sign"]},
        RSA | {"key_ops": "verify"},
        EC | {"crv": "P-192"},
        EC | {"crv": "Ed25519"},
        EC | {"x": "A" * 5000},
        OKP | {"crv": "X25519"},
        {"kty": "EC", "crv": "P-256", "x": "A" * 43},
    ],
)
def test_unsound_key_is_refused(key: dict[str, object]) -> None:
    """Too weak, too long, private, or for something else."""
    with pytest.raises(MalformedResponse, match="signature"):
        public_key(key)


@pytest.mark.parametrize("bits", [4096, 21_000])
def test_private_members_of_a_key_do_not_hang_the_client(bits: int) -> None:
    """Testing their primes took minutes, in which neither time-outs nor Ctrl-C had an effect."""
    key = RSA | {"n": number(2 * bits), "d": number(bits)} | {name: number(bits) for name in ("p", "q")}
    key |= {name: number(bits) for name in ("dp", "dq", "qi")}
    begun = time.process_time()

    with pytest.raises(MalformedResponse, match="private members"):
        verify_signature(
            "eyJhbGciOiJSUzI1NiJ9.e30.AA", algorithm="RS256", client=CLIENT, keys={"keys": [key]}
        )
    assert time.process_time() - begun < 2
