"""The client's private key: which texts are one, and what is signed with it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from client_key_samples import (
    EC,
    EC_JWK,
    ED25519,
    ec_pem,
    encrypted_pem,
    public_half,
    public_pem,
    rsa_jwk,
    rsa_pem,
    verified,
)
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import CLIENT, PROPERTY

from loopback_auth.errors import ConfigError
from loopback_auth.protocol.client_key import client_key, signed, signing_algorithm

MEMBER = "request_object_signing_alg_values_supported"


def pem(key: Any, kind: PrivateFormat = PrivateFormat.PKCS8) -> str:
    """Write a key of the library that joserfc uses."""
    written: bytes = key.private_bytes(Encoding.PEM, kind, NoEncryption())
    return written.decode()


@pytest.mark.parametrize(
    ("text", "best", "kid"),
    [
        (EC_JWK, "ES256", "16"),
        (json.dumps(ED25519), "EdDSA", ""),
        (json.dumps(rsa_jwk(kid="one", alg="PS256")), "PS256", "one"),
        (json.dumps({**EC, "kid": 16}), "ES256", ""),
        (f"\n {EC_JWK} \n", "ES256", "16"),
        (rsa_pem(), "RS256", ""),
        (rsa_pem(kind=PrivateFormat.TraditionalOpenSSL), "RS256", ""),
        (ec_pem(), "ES256", ""),
        (pem(ec.generate_private_key(ec.SECP384R1())), "ES384", ""),
        (pem(ec.generate_private_key(ec.SECP521R1()), PrivateFormat.TraditionalOpenSSL), "ES512", ""),
        (f"Bag Attributes\n{public_pem()}{rsa_pem()}", "RS256", ""),
        (rsa_pem().replace("\n", "\r\n"), "RS256", ""),
    ],
)
def test_key_is_read_from_pem_and_from_a_jwk(text: str, best: str, kid: str) -> None:
    """In the forms that programs write, also beside its certificate."""
    key = client_key(text)

    assert (key.algorithms[0], key.kid) == (best, kid)


def test_jwk_without_its_primes_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7518 §6.3.2: producers SHOULD write them, and need not."""
    members = {name: value for name, value in rsa_jwk().items() if name in ("kty", "n", "e", "d")}

    assert client_key(json.dumps(members)).algorithms[0] == "RS256"


WRONG = {
    "too weak, RFC 7518 §3.3": rsa_pem(1024),
    "too weak, as a JWK": json.dumps(rsa_jwk(1024)),
    "for another key's algorithm": json.dumps({**EC, "alg": "RS256"}),
    "an algorithm that is no text": json.dumps({**EC, "alg": ["ES256"]}),
    "no signature": json.dumps({**EC, "alg": "none"}),
    "for encryption": json.dumps({**EC, "use": "enc"}),
    "for verifying": json.dumps({**EC, "key_ops": ["verify"]}),
    "operations that are no list": json.dumps({**EC, "key_ops": "sign"}),
    "public": json.dumps(public_half(EC)),
    "private part is no text": json.dumps({**EC, "d": 1}),
    "symmetric": json.dumps({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}),
    "no type": json.dumps({name: value for name, value in EC.items() if name != "kty"}),
    "type is no text": json.dumps({**EC, "kty": {}}),
    "a set of keys": json.dumps({"keys": [EC]}),
    "another curve": json.dumps({**EC, "crv": "secp256k1"}),
    "a curve for agreement": pem(x25519.X25519PrivateKey.generate()),
    "Bitcoin's curve": pem(ec.generate_private_key(ec.SECP256K1())),
    "a curve that JOSE has no name for": pem(ec.generate_private_key(ec.SECP224R1())),
    "Germany's curve": pem(ec.generate_private_key(ec.BrainpoolP256R1())),
    "public half of another": json.dumps({**EC, "x": EC["y"]}),
    "point of another key": json.dumps(
        {**EC, **{k: v for k, v in public_half(json.loads(EC_JWK)).items() if k in "xy"}, "d": EC["y"]}
    ),
    "numbers that are not base64url": json.dumps({**rsa_jwk(), "n": "*" * 342}),
    "numbers that do not belong together": json.dumps({**rsa_jwk(), "d": rsa_jwk()["n"]}),
    "endless modulus": json.dumps({**rsa_jwk(), "n": "_" * 3000}),
    "cut off": rsa_pem()[:300],
    "damaged": rsa_pem().replace("MII", "MIJ"),
    "two": rsa_pem() + ec_pem(),
    "not ASCII": rsa_pem().replace("-----BEGIN", "é-----BEGIN").replace("MII", "MIé"),
    "no JSON": "{not json",
    "no object": '{"a": 1} []',
    "beginning of many": "-----BEGIN PRIVATE KEY-----" * 20_000,
    "endless": rsa_pem() + "\n" * 1_000_000,
    "deep": '{"a":' * 2000,
    "of OpenSSH": rsa_pem(kind=PrivateFormat.OpenSSH),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_key_is_refused_and_nothing_of_it_is_quoted(what: str) -> None:
    """RFC 7517 §9.2: what stands in an error stands in a log as well."""
    text = WRONG[what]
    with pytest.raises(ConfigError) as refusal:
        client_key(text)

    error = refusal.value
    assert error.parameter == "private_key"
    assert error.__cause__ is None
    assert not any(part in f"{error} {error.hint}" for part in pieces(text))


def pieces(text: str) -> set[str]:
    """Return every run of twelve characters of a key, apart from the words of PEM."""
    bare = text.replace("BEGIN", "").replace("PRIVATE KEY", "")
    return {bare[at : at + 12] for at in range(len(bare) - 11)} - {"-" * 12}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "key.pem",
        public_pem(),
        encrypted_pem(),
        encrypted_pem(PrivateFormat.TraditionalOpenSSL),
        "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n",
        "{" + " " * 20_000,
    ],
)
def test_what_is_no_private_key_is_refused_when_the_client_is_made(text: str) -> None:
    """The program learns it at once, without the extra, and without a sign-in."""
    with pytest.raises(ConfigError) as refusal:
        replace(CLIENT, private_key=text)

    assert refusal.value.parameter == "private_key"


def test_client_does_not_show_its_key() -> None:
    """A client stands in tracebacks and logs."""
    client = replace(CLIENT, private_key=EC_JWK)

    assert EC["d"] not in repr(client)
    assert EC["d"] not in repr(client_key(EC_JWK))


@given(st.text(max_size=200))
@PROPERTY
def test_any_text_is_a_key_or_is_refused(text: str) -> None:
    """A file has anything in it."""
    for each in (text, "{" + text, f"-----BEGIN PRIVATE KEY-----{text}-----END PRIVATE KEY-----"):
        with pytest.raises(ConfigError):
            client_key(each)


# RFC 7515 §4.1.1, RFC 8414 §2: the algorithm


@pytest.mark.parametrize(
    ("text", "supported", "chosen"),
    [
        (rsa_pem(), None, "RS256"),
        (rsa_pem(), ("PS256", "RS256"), "RS256"),
        (rsa_pem(), ("PS256", "ES256"), "PS256"),
        (json.dumps(ED25519), None, "EdDSA"),
        (json.dumps(ED25519), ("Ed25519",), "Ed25519"),
        (EC_JWK, ("RS256", "ES256"), "ES256"),
    ],
)
def test_algorithm_follows_key_and_server(text: str, supported: tuple[str, ...] | None, chosen: str) -> None:
    """RFC 8414 §2: what the server lists is what it accepts."""
    assert signing_algorithm(client_key(text), supported, member=MEMBER) == chosen


@pytest.mark.parametrize("supported", [(), ("RS256",), ("none",), ("HS256",)])
def test_key_that_fits_no_algorithm_is_refused(supported: tuple[str, ...]) -> None:
    """`none` and HMAC need no private key, and prove nothing of it (RFC 8725 §3.1)."""
    with pytest.raises(ConfigError) as refusal:
        signing_algorithm(client_key(EC_JWK), supported, member=MEMBER)

    assert refusal.value.parameter == "private_key"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "RS384", "PS384", "RS512", "PS512"])
def test_rfc7515_5_1_signature_of_each_rsa_algorithm(algorithm: str) -> None:
    """A server checks it with the public half alone."""
    token = signed(client_key(rsa_pem()), {"iss": "x"}, algorithm=algorithm, kind="JWT")

    assert verified(token, rsa_jwk()) == ({"alg": algorithm, "typ": "JWT"}, {"iss": "x"})


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_rfc9864_2_2_both_names_of_ed25519(algorithm: str) -> None:
    """Servers list the old name, the new one, or both; the old one must not warn the user."""
    token = signed(client_key(json.dumps(ED25519)), {"iss": "x"}, algorithm=algorithm, kind="JWT")

    assert verified(token, ED25519)[0]["alg"] == algorithm


def test_rfc7515_4_1_4_key_is_named_by_its_kid() -> None:
    """A server that knows several keys of a client finds the right one."""
    header, _ = verified(signed(client_key(EC_JWK), {}, algorithm="ES256", kind="JWT"), EC)

    assert header == {"alg": "ES256", "typ": "JWT", "kid": "16"}
