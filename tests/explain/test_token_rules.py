"""Rules for tokens: each is broken by one token, and kept by another that is the same but for one thing."""

from __future__ import annotations

import pytest
from link_samples import ACCESS_TOKEN, ID_TOKEN, KEY, NOW, PROOF, broken, jwt, part, token, verdicts, wrapped

from loopback_auth.explain.tokens.claim_rules import CLAIM_RULES
from loopback_auth.explain.tokens.token import LOGOUT_EVENT
from loopback_auth.explain.tokens.token_rules import TOKEN_RULES

Claims = dict[str, object]

AT: Claims = {"alg": "ES256", "kid": "1", "typ": "at+jwt"}
DPOP: Claims = {"alg": "ES256", "typ": "dpop+jwt", "jwk": KEY}
OBJECT: Claims = {"alg": "ES256", "typ": "oauth-authz-req+jwt"}
LOGOUT: Claims = {
    **{name: ID_TOKEN[name] for name in ("iss", "aud", "iat", "exp", "sub")},
    "jti": "1",
    "events": {LOGOUT_EVENT: {}},
}
REQUEST: Claims = {"client_id": "x", "redirect_uri": "y", "response_type": "code"}
ASSERTION: Claims = {**ID_TOKEN, "iss": "my-tool", "sub": "my-tool"}

GOOD = {
    "id": jwt(ID_TOKEN),
    "access": jwt(ACCESS_TOKEN, AT),
    "proof": jwt(PROOF, DPOP),
    "logout": jwt(LOGOUT, {"alg": "ES256", "kid": "1", "typ": "logout+jwt"}),
    "request": jwt(REQUEST, OBJECT),
    "assertion": jwt(ASSERTION),
    "encrypted": f"{part({'alg': 'RSA-OAEP-256', 'enc': 'A256GCM'})}.a.b.c.d",
}
"""Tokens that break no rule."""


def without(claims: Claims | object, *names: str) -> Claims:
    """Return claims without some of them."""
    assert isinstance(claims, dict)
    return {name: value for name, value in claims.items() if name not in names}


CASES: dict[str, list[tuple[str, str]]] = {
    "token-signed": [
        (jwt(ID_TOKEN, {"alg": "none"}), "id"),
        (jwt(ID_TOKEN, {"alg": "nOnE"}, ""), "id"),
        (jwt(ID_TOKEN, signature=""), "id"),
    ],
    "no-private-key": [
        (jwt(PROOF, {**DPOP, "jwk": {**KEY, "d": "private"}}), "proof"),
        (jwt({**ACCESS_TOKEN, "cnf": {"jwk": {**KEY, "d": "private"}}}, AT), "access"),
        (jwt({**ID_TOKEN, "keys": [[{"kty": "oct", "k": "private"}]]}), "id"),
    ],
    "proof-algorithm": [
        (jwt(PROOF, {**DPOP, "alg": "HS256"}), "proof"),
        (jwt(PROOF, without(DPOP, "jwk")), "proof"),
    ],
    "logout-without-nonce": [(jwt({**LOGOUT, "nonce": "n"}), "logout")],
    "token-whole": [(GOOD["id"].rpartition(".")[0], "id"), (GOOD["id"] + ".x", "id")],
    "token-readable": [("!.e30.x", "id"), (f"{part({'alg': 'ES256'})}.W10.x", "id")],
    "token-encoding": [(f"{part({'alg': 'ES256'})}=.e30.x", "id")],
    "not-expired": [(jwt({**ID_TOKEN, "exp": NOW - 3600}), "id")],
    "not-in-future": [
        (jwt({**ID_TOKEN, "iat": NOW + 3600}), "id"),
        (jwt({**ID_TOKEN, "nbf": NOW + 3600}), "id"),
    ],
    "times-in-seconds": [
        (jwt({**ID_TOKEN, "exp": (NOW + 60) * 1000}), "id"),
        (jwt({**ID_TOKEN, "exp": str(NOW)}), "id"),
        (jwt({**ID_TOKEN, "exp": True}), "id"),
        (jwt({**ID_TOKEN, "iat": -1}), "id"),
        (jwt({**ID_TOKEN, "auth_time": None}), "id"),
        (jwt({**ID_TOKEN, "exp": 10**4000}), "id"),
    ],
    "claims-required": [
        (jwt(without(ID_TOKEN, "iat")), "id"),
        (jwt(without(ACCESS_TOKEN, "jti"), AT), "access"),
        (jwt(without(PROOF, "jti"), DPOP), "proof"),
        (jwt(without(LOGOUT, "sub")), "logout"),
        (jwt(without(ASSERTION, "aud")), "assertion"),
    ],
    "no-key-in-header": [
        (jwt(ID_TOKEN, {"alg": "ES256", "jwk": KEY}), "id"),
        (jwt(ID_TOKEN, {"alg": "ES256", "jku": "https://evil.example/keys"}), "proof"),
    ],
    "issuer-url": [
        (jwt({**ID_TOKEN, "iss": "http://as.example"}), "id"),
        (jwt({**ID_TOKEN, "iss": "https://as.example/?x"}), "id"),
        (jwt({**ID_TOKEN, "iss": "https://[broken"}), "id"),
    ],
    "proof-target": [(jwt({**PROOF, "htu": "https://as.example/token?x=1"}, DPOP), "proof")],
    "assertion-client": [(jwt(ID_TOKEN, {"alg": "ES256", "typ": "client-authentication+jwt"}), "assertion")],
    "request-not-nested": [(jwt({**REQUEST, "request_uri": "urn:x"}, OBJECT), "request")],
    "encryption-sound": [(f"{part({'alg': 'RSA1_5', 'enc': 'A256GCM'})}.a.b.c.d", "encrypted")],
    "token-typed": [
        (jwt(ACCESS_TOKEN), "access"),
        (jwt(PROOF, without(DPOP, "typ")), "proof"),
        (jwt(REQUEST), "request"),
    ],
    "lifetime-short": [(jwt({**ACCESS_TOKEN, "exp": NOW + 7 * 86_400}, AT), "access")],
    "subject-form": [
        (jwt({**ID_TOKEN, "sub": "x" * 256}), "id"),
        (jwt({**ID_TOKEN, "sub": 1}), "id"),
        (jwt({**ID_TOKEN, "sub": "\u00fc"}), "id"),
    ],
    "nothing-critical": [(jwt(ID_TOKEN, {"alg": "ES256", "crit": ["exp"]}), "id")],
    "asymmetric-signature": [(jwt(ID_TOKEN, {"alg": "HS256"}), "id")],
    "key-named": [(jwt(ID_TOKEN, {"alg": "ES256"}), "id")],
    "proof-fresh": [(jwt({**PROOF, "iat": NOW - 3600}, DPOP), "proof")],
    "access-token-impersonal": [(jwt({**ACCESS_TOKEN, "email": "a@b.example"}, AT), "access")],
}
PAIRS = [(name, bad, good) for name, pairs in CASES.items() for bad, good in pairs]


def test_every_rule_has_a_case() -> None:
    """A rule that nothing breaks, or that everything breaks, says nothing."""
    assert set(CASES) == {rule.id for rule in (*TOKEN_RULES, *CLAIM_RULES)}


@pytest.mark.parametrize(("name", "bad", "good"), PAIRS, ids=lambda text: text[:24])
def test_rule_is_broken_by_the_one_and_not_by_the_other(name: str, bad: str, good: str) -> None:
    """The finding names what is wrong, and what to do."""
    found = [one for one in token(bad).findings if one.id == name and one.verdict == "fail"]

    assert [min(map(len, (one.because, one.advice, one.source))) > 5 for one in found] == [True]
    assert verdicts(token(GOOD[good])).get(name) != "fail"


@pytest.mark.parametrize("name", GOOD)
def test_good_token_breaks_no_rule(name: str) -> None:
    """So that every finding about a token is worth reading."""
    assert broken(token(GOOD[name])) == set()


def test_rfc7519_4_1_4_a_minute_of_leeway_is_given() -> None:
    """The RFC allows a few minutes of clock skew."""
    just, late = (token(jwt({**ID_TOKEN, "exp": NOW - seconds})) for seconds in (30, 90))

    assert (verdicts(just)["not-expired"], verdicts(late)["not-expired"]) == ("pass", "fail")


def test_token_inside_is_checked_too() -> None:
    """The outer one may be in order."""
    assert "token-signed" in broken(token(wrapped(jwt(ID_TOKEN, {"alg": "none"}, ""))))
