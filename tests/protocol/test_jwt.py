"""ID tokens: the negative modules of the OpenID conformance suite that fit the code flow, and our own.

Names in brackets are those of the suite's relying party modules.
"""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from protocol_samples import ATTEMPT, CLIENT, ISSUER, METADATA, NOW, PROPERTY, PROVIDER, json_answer

from loopback_auth.errors import MalformedResponse
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.jws import (
    JWS_LIMIT,
    decode,
    jwks_request,
    jwks_response,
    names_key,
    verify_signature,
)
from loopback_auth.protocol.jwt import LEEWAY, SIGN_IN_SECONDS, check_refreshed, half_hash, id_token
from loopback_auth.tokens import IdToken

ACCESS_TOKEN = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
SECRET = "a-client-secret-of-more-than-thirty-two-octets"
CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "sub": "24400320",
    "aud": CLIENT.client_id,
    "nonce": ATTEMPT.nonce,
    "exp": int(NOW) + 600,
    "iat": int(NOW),
}

Keys = Mapping[str, object] | None


@dataclass(frozen=True)
class Signers:
    """Private keys of one server, and of somebody else."""

    rsa: RSAKey
    ec: ECKey
    stranger: RSAKey

    def key(self, name: str) -> RSAKey | ECKey:
        """Return a key by its kid."""
        keys: dict[str, RSAKey | ECKey] = {"rsa": self.rsa, "ec": self.ec, "stranger": self.stranger}
        return keys[name]

    def jwks(self, *kids: str, **changes: object) -> dict[str, object]:
        """Publish keys under their kids; a change of None removes that member."""
        listed = [self.key(kid).as_dict(private=False) | {"kid": kid, "use": "sig"} | changes for kid in kids]
        return {"keys": [{name: value for name, value in key.items() if value is not None} for key in listed]}

    def token(self, claims: Mapping[str, object] = CLAIMS, kid: str = "rsa", **header: object) -> str:
        """Sign claims; a header parameter of None is left out."""
        alg = "ES256" if kid == "ec" else "RS256"
        return signed(claims, self.key(kid), {"alg": alg, "kid": kid} | header)


@pytest.fixture(scope="module")
def signers() -> Signers:
    """Make the keys once: it takes a moment."""
    return Signers(RSAKey.generate_key(2048), ECKey.generate_key("P-256"), RSAKey.generate_key(2048))


def signed(claims: Mapping[str, object], key: Any, header: Mapping[str, object]) -> str:
    """Sign claims with any header."""
    kept = {name: value for name, value in header.items() if value is not None}
    registry = jws.JWSRegistry(algorithms=[str(kept["alg"])], strict_check_header=False)
    registry.max_header_length = JWS_LIMIT
    return jws.serialize_compact(kept, json.dumps(claims).encode(), key, registry=registry)


def unsigned(claims: Mapping[str, object] = CLAIMS, header: object = None, signature: str = "AAAA") -> str:
    """Write a token with a signature that means nothing."""
    parts = (header or {"alg": "RS256"}, claims)
    return ".".join([*(encoded(json.dumps(part).encode()) for part in parts), signature])


def encoded(octets: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def check(
    raw: str,
    keys: Keys = None,
    *,
    client: ClientConfig = CLIENT,
    metadata: ServerMetadata = METADATA,
    nonce: str | None = ATTEMPT.nonce,
    now: float = NOW,
) -> IdToken:
    """Check a token as the sign-in does."""
    return id_token(
        raw, client=client, metadata=metadata, nonce=nonce, access_token=ACCESS_TOKEN, now=now, keys=keys
    )


def claims_with(**changes: object) -> dict[str, object]:
    """Change claims of a good token; None removes one."""
    return {name: value for name, value in (CLAIMS | changes).items() if value is not None}


@pytest.mark.parametrize("auth_time", [None, "soon", NOW - 60 - SIGN_IN_SECONDS - 1])
def test_oidc_core_2_auth_time_must_be_there_and_recent_with_max_age(
    signers: Signers, auth_time: object
) -> None:
    """§2, §3.1.3.7 (13): a server that does not know `max_age` signs in a user of long ago without a word."""
    client = replace(CLIENT, max_age=60)

    with pytest.raises(MalformedResponse, match="auth_time"):
        check(signers.token(claims_with(auth_time=auth_time)), client=client)


def test_oidc_core_3_1_3_7_recent_auth_time_is_accepted(signers: Signers) -> None:
    """The user may take some time to allow the access after the authentication."""
    raw = signers.token(claims_with(auth_time=NOW - 300))

    assert check(raw, client=replace(CLIENT, max_age=0)).claims["auth_time"] == NOW - 300


# Signatures


@pytest.mark.parametrize("kid", ["rsa", "ec"])
def test_good_token_is_accepted_and_verified(signers: Signers, kid: str) -> None:
    """[oidcc-client-test, idtoken-sig-rs256] All else here is measured against this."""
    checked = check(signers.token(kid=kid), signers.jwks("rsa", "ec"))

    assert (checked.claims, checked.signature) == (CLAIMS, "verified")
    assert "24400320" not in repr(checked)


def test_token_without_keys_is_accepted_as_not_verified(signers: Signers) -> None:
    """OpenID Connect Core §3.1.3.7 (6): TLS may stand for the signature; the result says which it was."""
    assert check(signers.token()).signature == "not verified"


@pytest.mark.parametrize("kid", ["rsa", "ec"])
def test_wrong_signature_is_refused(signers: Signers, kid: str) -> None:
    """[invalid-sig-rs256, invalid-sig-es256] RFC 7515 §5.2."""
    head, _, signature = signers.token(kid=kid).rpartition(".")
    octets = bytearray(base64.urlsafe_b64decode(signature + "=="))
    octets[5] ^= 1

    with pytest.raises(MalformedResponse, match="signature") as refusal:
        check(f"{head}.{encoded(bytes(octets))}", signers.jwks("rsa", "ec"))

    assert refusal.value.hint


def test_signature_of_another_key_is_refused(signers: Signers) -> None:
    """[invalid-sig-rs256] The kid is a label, not a proof."""
    forged = signed(CLAIMS, signers.stranger, {"alg": "RS256", "kid": "rsa"})

    for raw in (forged, signers.token(kid="stranger")):
        with pytest.raises(MalformedResponse, match="signature"):
            check(raw, signers.jwks("rsa"))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, 256, ["RS256"], "RS257", "HS256", "HS512"])
@pytest.mark.parametrize("with_keys", [True, False])
def test_algorithm_outside_the_list_is_refused(signers: Signers, alg: object, with_keys: bool) -> None:
    """[idtoken-sig-none, invalid-sig-hs256] RFC 8725 §3.1: asymmetric only, for a public client."""
    raw = unsigned(header={"alg": alg, "kid": "rsa"}, signature="")

    with pytest.raises(MalformedResponse, match="alg"):
        check(raw, signers.jwks("rsa") if with_keys else None)


def test_public_key_is_no_hmac_secret(signers: Signers) -> None:
    """The classic confusion: HS256 with the published RSA key as secret (RFC 8725 §2.1)."""
    pem = OctKey.import_key(encoded(signers.rsa.as_pem(private=False)))
    raw = signed(CLAIMS, pem, {"alg": "HS256", "kid": "rsa"})

    for client in (CLIENT, replace(CLIENT, client_secret=SECRET)):
        with pytest.raises(MalformedResponse):
            check(raw, signers.jwks("rsa"), client=client)


def test_client_secret_verifies_hs256_of_a_confidential_client(signers: Signers) -> None:
    """OpenID Connect Core §10.1: the key is then the client secret."""
    client = replace(CLIENT, client_secret=SECRET)
    header = {"alg": "HS256"}

    assert check(signed(CLAIMS, OctKey.import_key(SECRET), header), {}, client=client).signature == "verified"
    with pytest.raises(MalformedResponse, match="signature"):
        check(signed(CLAIMS, OctKey.import_key(SECRET + "x"), header), {}, client=client)


def test_algorithm_that_the_server_does_not_announce_is_refused(signers: Signers) -> None:
    """[invalid-alternate-alg] The metadata is authenticated by TLS, the header of the token is not yet."""
    metadata = replace(METADATA, id_token_signing_alg_values_supported=("ES256",))

    assert check(signers.token(kid="ec"), signers.jwks("ec"), metadata=metadata).signature == "verified"
    with pytest.raises(MalformedResponse, match="alg"):
        check(signers.token(), signers.jwks("rsa"), metadata=metadata)


def test_token_without_kid_is_checked_with_the_only_key(signers: Signers) -> None:
    """[kid-absent-single-jwks] Also with a key of another kind beside it."""
    raw = signed(CLAIMS, signers.rsa, {"alg": "RS256"})

    signing, sealing = signers.jwks("rsa")["keys"], signers.jwks("stranger", use="enc")["keys"]
    assert isinstance(signing, list)
    assert isinstance(sealing, list)
    both: dict[str, object] = {"keys": [*signing, *sealing]}

    for keys in (signers.jwks("rsa"), signers.jwks("rsa", kid=None), signers.jwks("rsa", "ec"), both):
        assert check(raw, keys).signature == "verified"


def test_token_without_kid_among_several_keys_is_refused(signers: Signers) -> None:
    """[kid-absent-multiple-jwks] OpenID Connect Core §10.1: a kid MUST be given then."""
    raw = signed(CLAIMS, signers.rsa, {"alg": "RS256"})

    with pytest.raises(MalformedResponse, match="several keys"):
        check(raw, signers.jwks("rsa", "stranger"))


@pytest.mark.parametrize(
    "change",
    [
        {"kid": "other"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"kty": "oct"},
        {"key_ops": ["sign"]},
        {"kid": None},
    ],
)
def test_key_that_does_not_fit_is_not_used(signers: Signers, change: dict[str, object]) -> None:
    """Each key says what it is for (RFC 7517 §4)."""
    with pytest.raises(MalformedResponse, match="signature"):
        check(signers.token(), signers.jwks("rsa", **change))


@pytest.mark.parametrize("keys", [{"keys": []}, {}, {"keys": [{}]}, {"keys": [{"kty": "RSA", "kid": "rsa"}]}])
def test_key_set_without_a_usable_key_verifies_nothing(signers: Signers, keys: dict[str, object]) -> None:
    """No key is no permission."""
    with pytest.raises(MalformedResponse, match="signature"):
        check(signers.token(), keys)


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_key_in_the_token_itself_is_not_looked_at(signers: Signers, name: str) -> None:
    """RFC 8725 §3.10: whoever writes the token would bring the key that fits it."""
    inside: dict[str, object] = {
        "jwk": signers.stranger.as_dict(private=False),
        "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/cert",
        "x5c": ["MIIB"],
    }
    forged = signed(CLAIMS, signers.stranger, {"alg": "RS256", "kid": "rsa", name: inside[name]})
    genuine = signed(CLAIMS, signers.rsa, {"alg": "RS256", "kid": "rsa", name: inside[name]})

    with pytest.raises(MalformedResponse, match="signature"):
        check(forged, signers.jwks("rsa"))
    assert check(genuine, signers.jwks("rsa")).signature == "verified"


def test_unknown_header_parameters_are_ignored(signers: Signers) -> None:
    """RFC 7515 §4: those that are not understood MUST be ignored; some servers add their own."""
    header: dict[str, Any] = {"pi.atm": "1", "x5t#S256": "A" * 43, "note": "x" * 2000}
    raw = signers.token(**header)

    assert check(raw, signers.jwks("rsa")).signature == "verified"


@pytest.mark.parametrize("crit", [["b64"], ["exp"], ["unknown"], [], None, "b64"])
def test_critical_extension_is_refused(crit: object) -> None:
    """RFC 7515 §4.1.11 (Authlib, CVE-2025-59420): none is understood here, and an empty list is no list."""
    with pytest.raises(MalformedResponse, match="crit"):
        check(unsigned(header={"alg": "RS256", "crit": crit, "b64": False}))


# Examples of RFC 7515 appendix A

A2 = (
    "eyJhbGciOiJSUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
    "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIAR"
    "NPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvh"
    "J1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
A2_KEY = {
    "kty": "RSA",
    "n": (
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1"
        "Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpa"
        "SHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4"
        "LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    ),
    "e": "AQAB",
}
A3 = (
    "eyJhbGciOiJFUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
A3_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


@pytest.mark.parametrize(
    ("raw", "alg", "key"), [(A2, "RS256", A2_KEY), (A3, "ES256", A3_KEY)], ids=["A.2", "A.3"]
)
def test_signatures_of_the_specification_are_verified(raw: str, alg: str, key: dict[str, object]) -> None:
    """RFC 7515 appendices A.2 and A.3; the key of the other example must not do."""
    verify_signature(raw, algorithm=alg, client=CLIENT, keys={"keys": [key]})

    assert decode(raw)[1] == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
    with pytest.raises(MalformedResponse):
        verify_signature(raw[:-2] + "AA", algorithm=alg, client=CLIENT, keys={"keys": [key]})


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_signature_under_an_old_name_is_verified_without_a_word(algorithm: str) -> None:
    """The library warns of EdDSA (RFC 9864), though the server uses it; warnings are errors here."""
    key = OKPKey.generate_key("Ed25519")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = signed(CLAIMS, key, {"alg": algorithm})
    keys = {"keys": [key.as_dict(private=False)]}

    verify_signature(raw, algorithm=algorithm, client=CLIENT, keys=keys)

    with pytest.raises(MalformedResponse):
        verify_signature(raw, algorithm="ES256", client=CLIENT, keys={"keys": [A3_KEY]})


# Claims


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://other.example"),  # [invalid-iss]
        ("iss", ISSUER + "/"),
        ("iss", None),  # [invalid-missing-iss]
        ("iss", ""),
        ("iss", [ISSUER]),
        ("aud", "another-client"),  # [invalid-aud]
        ("aud", None),  # [missing-aud]
        ("aud", []),
        ("aud", ["another-client"]),
        ("aud", CLIENT.client_id + "x"),
        ("aud", {CLIENT.client_id: 1}),
        ("sub", None),  # [missing-sub]
        ("sub", ""),
        ("sub", 24400320),
        ("exp", None),  # [invalid-missing-exp]
        ("exp", int(NOW - LEEWAY)),  # [invalid-expired-exp]
        ("exp", 0),
        ("exp", -(10**400)),
        ("exp", str(int(NOW) + 600)),
        ("exp", True),
        ("iat", None),  # [missing-iat]
        ("iat", int(NOW) + 301),
        ("iat", 10**400),
        ("iat", "now"),
        ("nbf", int(NOW + LEEWAY) + 1),
        ("nbf", "x"),
        ("nonce", None),  # [invalid-missing-nonce]
        ("nonce", "another-nonce"),  # [nonce-invalid]
        ("nonce", ""),
        ("nonce", [ATTEMPT.nonce]),
        ("at_hash", "another-hash"),  # [invalid-athash]
        ("at_hash", ""),
        ("at_hash", 1),
    ],
)
@pytest.mark.parametrize("with_keys", [True, False])
def test_wrong_or_missing_claim_is_refused(
    signers: Signers, claim: str, value: object, with_keys: bool
) -> None:
    """OpenID Connect Core §3.1.3.7: a good signature does not make these good, nor does TLS."""
    raw = signers.token(claims_with(**{claim: value}))

    with pytest.raises(MalformedResponse, match=f"refused: {claim} ") as refusal:
        check(raw, signers.jwks("rsa") if with_keys else None)

    assert "OpenID Connect Core" in refusal.value.source
    assert refusal.value.hint
    assert ATTEMPT.nonce not in str(refusal.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [CLIENT.client_id]},  # [valid-aud-as-array]
        {"aud": [CLIENT.client_id, "api"], "azp": CLIENT.client_id},
        {"azp": CLIENT.client_id},
        {"exp": int(NOW - LEEWAY) + 1},
        {"exp": 10**400},
        {"exp": NOW + 0.5},
        {"iat": int(NOW) + 299},
        {"iat": 0},
        {"nbf": int(NOW)},
        {"at_hash": half_hash(ACCESS_TOKEN, "RS256")},
        {"auth_time": "whatever", "acr": 0, "extra": [{}]},
    ],
)
def test_unusual_but_good_claims_are_accepted(signers: Signers, changes: dict[str, object]) -> None:
    """A check that is too strict locks people out."""
    assert check(signers.token(claims_with(**changes)), signers.jwks("rsa")).claims["sub"] == "24400320"


@pytest.mark.parametrize("party", [None, "another-client", "api", 1])
@pytest.mark.parametrize("audience", [CLIENT.client_id, [CLIENT.client_id, "api"], ["api", CLIENT.client_id]])
def test_authorized_party_is_left_to_extensions(signers: Signers, audience: object, party: object) -> None:
    """OpenID Connect Core with errata set 2, §3.1.3.7 (3-5): we have to be among the audiences, no more."""
    raw = signers.token(claims_with(aud=audience, azp=party))

    assert check(raw, signers.jwks("rsa")).claims["sub"] == "24400320"


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_clock_is_named_only_where_it_may_be_wrong(signers: Signers, claim: str) -> None:
    """Whoever sets the clock for a claim that is not there does so in vain."""
    late = {"exp": int(NOW - LEEWAY), "iat": int(NOW) + 301, "nbf": int(NOW + LEEWAY) + 1}
    for value, told in ((late[claim], True), ("x", False)):
        with pytest.raises(MalformedResponse, match=claim) as refusal:
            check(signers.token(claims_with(**{claim: value})))
        assert ("clock" in refusal.value.hint) is told


def test_issuer_of_the_exception_is_accepted_and_no_other(signers: Signers) -> None:
    """The exception is the provider's, declared by name."""
    other = "https://sts.example/tenant"
    client = replace(CLIENT, provider=replace(PROVIDER, allowed_issuer=other))

    assert check(signers.token(claims_with(iss=other)), client=client).claims["iss"] == other
    with pytest.raises(MalformedResponse, match="iss"):
        check(signers.token(claims_with(iss=other)))


TENANT = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
EVERY_TENANT = "https://login.example/{tenantid}/v2.0"


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({"iss": f"https://login.example/{TENANT}/v2.0", "tid": TENANT}, True),
        ({"iss": f"https://login.example/{TENANT}/v2.0", "tid": TENANT.replace("8", "9")}, False),
        ({"iss": f"https://login.example/{TENANT}/v2.0"}, False),
        ({"iss": f"https://evil.example/{TENANT}/v2.0", "tid": TENANT}, False),
        ({"iss": "https://login.example/a/../b/v2.0", "tid": "a/../b"}, False),
        ({"iss": "https://login.example/7/v2.0", "tid": 7}, False),
    ],
)
def test_metadata_for_all_tenants_stand_for_the_one_of_the_token(
    signers: Signers, changes: Mapping[str, object], accepted: bool
) -> None:
    """Entra's common endpoint: following the advice to allow its issuer has to lead to a sign-in."""
    client = replace(CLIENT, provider=replace(PROVIDER, allowed_issuer=EVERY_TENANT))
    metadata = replace(METADATA, issuer=EVERY_TENANT)
    raw = signers.token(claims_with(**changes))
    if not accepted:
        with pytest.raises(MalformedResponse, match="iss"):
            check(raw, signers.jwks("rsa"), client=client, metadata=metadata)
        return

    assert check(raw, signers.jwks("rsa"), client=client, metadata=metadata).claims["tid"] == TENANT


def test_issuer_is_needed_even_without_one_to_compare(signers: Signers) -> None:
    """Endpoints given by hand have no issuer; the claim is required all the same (OpenID Connect Core §2)."""
    by_hand = ServerMetadata(token_endpoint=f"{ISSUER}/token")

    assert check(signers.token(claims_with(iss="https://any.example")), metadata=by_hand).claims["iss"]
    with pytest.raises(MalformedResponse, match="iss"):
        check(signers.token(claims_with(iss=None)), metadata=by_hand)


def test_nonce_is_not_needed_where_none_was_sent(signers: Signers) -> None:
    """After a refresh there is none (OpenID Connect Core §12.2)."""
    assert "nonce" not in check(signers.token(claims_with(nonce=None)), nonce=None).claims


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("RS256", "77QmUPtjPfzWtF2AnpK9RQ"),  # OpenID Connect Core appendix A.3 and A.4 have this pair
        ("ES256", "77QmUPtjPfzWtF2AnpK9RQ"),
    ],
)
def test_half_hash_of_the_specification(algorithm: str, expected: str) -> None:
    """The hash is the algorithm's, the half is the left one (OpenID Connect Core §3.1.3.6)."""
    assert half_hash(ACCESS_TOKEN, algorithm) == expected


@pytest.mark.parametrize(("algorithm", "length"), [("PS384", 32), ("RS512", 43), ("EdDSA", 43)])
def test_half_hash_follows_the_algorithm(algorithm: str, length: int) -> None:
    """Half of 384 and of 512 bits; Ed25519 signs with SHA-512."""
    assert len(half_hash("x", algorithm)) == length


# Form


@pytest.mark.parametrize(
    "raw",
    [
        "",
        ".",
        "..",
        "a.b",
        "e30.e30",
        "e30.e30.AAAA.AAAA",
        "e30=.e30.AAAA",
        "e30.e30.AAAA\n",
        " e30.e30.AAAA",
        "e30.e30.A+/A",
        "e30.e30.A",
        "e30.W10.AAAA",  # claims []
        "bnVsbA.e30.AAAA",  # header null
        "e31.e30.AAAA",  # unused bits are set
        "e30.e30.AB",
        "e30.eyJhIjoxLCJhIjoyfQ.AAAA",  # {"a":1,"a":2}
        "e30." + encoded(b'{"a":' + b"[" * 9000 + b"]" * 9000 + b"}") + ".AAAA",
        "e30." + encoded(b'{"exp": NaN}') + ".AAAA",
        "e30." + "A" * JWS_LIMIT + ".AAAA",
        "é.e30.AAAA",
        "\ud800.e30.AAAA",
    ],
    ids=lambda raw: ascii(raw[:24]),
)
def test_text_that_is_no_compact_jws_is_refused(raw: str) -> None:
    """RFC 7515 §3.1: three parts of base64url, JSON with one reading (Authlib, CVE-2025-61920)."""
    with pytest.raises(MalformedResponse):
        check(raw)
    with pytest.raises(MalformedResponse):
        decode(raw)


# Key sets


def test_keys_are_asked_for_where_the_server_says() -> None:
    """And nowhere if it names no place."""
    request = jwks_request(METADATA)

    assert request is not None
    assert (request.method, request.url) == ("GET", f"{ISSUER}/jwks")
    assert jwks_request(replace(METADATA, jwks_uri=None)) is None


@pytest.mark.parametrize("content_type", ["application/json", "application/jwk-set+json", "text/plain"])
def test_key_set_is_accepted_by_its_content(content_type: str) -> None:
    """Some servers publish their keys as plain text; keys are public and prove themselves."""
    answer = HttpResponse(200, (("Content-Type", content_type),), b'{"keys": []}')

    assert jwks_response(answer) == {"keys": []}


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({"keys": []}, 404),
        json_answer({"keys": []}, 302),
        json_answer({}),
        json_answer({"keys": {}}),
        json_answer({"keys": ["x"]}),
        json_answer({"keys": [{}] * 101}),
        json_answer([]),
        HttpResponse(200, (("Content-Type", "text/html"),), b"<html>"),
        HttpResponse(200, (("Content-Type", "image/png"),), b"PNG"),
    ],
)
def test_answer_that_is_no_key_set_is_refused(answer: HttpResponse) -> None:
    """RFC 7517 §5; a thousand keys are a way to keep us busy."""
    with pytest.raises(MalformedResponse):
        jwks_response(answer)


@pytest.mark.parametrize(
    ("header", "keys", "named"),
    [
        ({"alg": "RS256"}, {"keys": []}, True),
        ({"alg": "RS256", "kid": "a"}, {"keys": [{"kid": "a"}]}, True),
        ({"alg": "RS256", "kid": "a"}, {"keys": [{"kid": "b"}, {}]}, False),
        ({"alg": "RS256", "kid": "a"}, {}, False),
    ],
)
def test_unknown_kid_is_noticed(header: object, keys: dict[str, object], named: bool) -> None:
    """[signing-key-rotation] It is the sign to fetch the keys once more (OpenID Connect Core §10.1.1)."""
    assert names_key(unsigned(header=header), keys) is named


@PROPERTY
@given(
    st.dictionaries(
        st.sampled_from(["n", "e", "kty", "use", "alg", "key_ops", "x5c", "d", "crv", "x", "y", "k"]),
        st.sampled_from(["", "AA", "AQAB", "é", "RSA", "EC", "P-256", "sig", 1, None, [], {}, ["verify"]]),
        max_size=3,
    )
)
def test_no_key_set_brings_a_foreign_error(change: dict[str, object]) -> None:
    """Keys are parsed by another library; its errors end here."""
    try:
        verify_signature(A2, algorithm="RS256", client=CLIENT, keys={"keys": [A2_KEY | change]})
    except MalformedResponse:
        return

    assert {name: change.get(name, value) for name, value in A2_KEY.items()} == A2_KEY


# Refreshed tokens


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"nonce": None}, True),
        ({"iat": int(NOW) + 100, "extra": 1}, True),
        ({"iss": "https://other.example"}, False),  # [refresh-token-invalid-issuer]
        ({"sub": "somebody-else"}, False),  # [refresh-token-invalid-sub]
        ({"sub": None}, False),
        ({"nonce": "another"}, False),
    ],
)
def test_refreshed_token_speaks_of_the_same_person(changes: dict[str, object], good: bool) -> None:
    """OpenID Connect Core §12.2."""
    old, new = (IdToken(claims, "verified", "") for claims in (CLAIMS, claims_with(**changes)))
    check_refreshed(new, None)
    if good:
        check_refreshed(new, old)
        return

    with pytest.raises(MalformedResponse, match="first sign-in"):
        check_refreshed(new, old)


def test_nonce_out_of_nowhere_is_refused() -> None:
    """A nonce after a refresh, where the first token had none, is from another sign-in."""
    old, new = (IdToken(claims, "verified", "") for claims in (claims_with(nonce=None), CLAIMS))

    with pytest.raises(MalformedResponse, match="nonce"):
        check_refreshed(new, old)


# Properties


@pytest.fixture(scope="module")
def good(signers: Signers) -> tuple[list[str], dict[str, object]]:
    """One good token of each kind, and the keys for both."""
    return [signers.token(), signers.token(kid="ec")], signers.jwks("rsa", "ec")


FIXED = settings(PROPERTY, suppress_health_check=[HealthCheck.function_scoped_fixture])
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


@FIXED
@given(
    which=st.integers(0, 1),
    at=st.floats(0, 1, exclude_max=True),
    from_the_end=st.booleans(),
    character=st.sampled_from(ALPHABET + "=+/ \n") | st.characters(),
    change=st.sampled_from(["replace", "insert", "delete"]),
)
def test_any_single_change_of_a_signed_token_is_refused(
    good: tuple[list[str], dict[str, object]],
    which: int,
    at: float,
    from_the_end: bool,
    character: str,
    change: str,
) -> None:
    """One token has one spelling, down to the unused bits of the last character."""
    tokens, keys = good
    raw = tokens[which]
    # Ends of parts are where spellings differ, so they are hit more often.
    position = len(raw) - 1 - int(at * 4) if from_the_end else int(at * len(raw))
    tail = raw[position:] if change == "insert" else raw[position + 1 :]
    changed = raw[:position] + ("" if change == "delete" else character) + tail
    if changed == raw:
        return

    with pytest.raises(MalformedResponse):
        check(changed, keys)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3))
)


@FIXED
@given(st.sampled_from(sorted(CLAIMS)), VALUES)
def test_claims_are_checked_without_keys_too(claim: str, value: object) -> None:
    """Whatever stands in the place of a claim: refused with our error, or it keeps the rule of that claim."""
    raw = unsigned(CLAIMS | {claim: value})
    try:
        claims = check(raw).claims
    except MalformedResponse:
        return

    if claim in ("exp", "iat"):
        time = claims[claim]
        assert isinstance(time, int | float)
        assert time > NOW - LEEWAY if claim == "exp" else time <= NOW + 300
    elif claim == "sub":
        assert isinstance(value, str)
        assert value
    else:
        assert value in (CLAIMS[claim], [CLAIMS[claim]])
