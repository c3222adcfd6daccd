"""Rules for the claims of each kind of token, without a key.

Source: OpenID Connect Core 1.0 §2; RFC 9068 §2.2; RFC 9449 §4.2; RFC 7523 §3; RFC 9101 §4; OpenID Connect
Back-Channel Logout 1.0 §2.4.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from loopback_auth.compare.judging.verdicts import Judgement, failed, passed
from loopback_auth.explain.rules import Rule
from loopback_auth.explain.tokens.token_rules import SYMMETRIC, DatedToken, is_typed
from loopback_auth.explain.tokens.token_words import PERSONAL, REQUIRED

LONGEST_LIFE = 86_400.0
"""Seconds of an access token; most servers issue them for an hour."""
PROOF_LIFE = 300.0
"""Seconds; RFC 9449 §11.1 wants a proof to be accepted only for a short time."""


def lifetime(dated: DatedToken) -> Judgement | None:
    """Measure the lifetime of a token that gives access."""
    begin, end = dated.time("iat"), dated.time("exp")
    if dated.token.kind not in ("access token", "client assertion") or begin is None or end is None:
        return None
    if end - begin > LONGEST_LIFE:
        return failed(f"It is valid for {round((end - begin) / 3600)} hours.")
    return passed(f"It is valid for {max(round((end - begin) / 60), 0)} minutes.")


def proof_fresh(dated: DatedToken) -> Judgement | None:
    """Measure the age of a proof."""
    begin = dated.time("iat")
    if dated.token.kind != "DPoP proof" or begin is None:
        return None
    if dated.now - begin > PROOF_LIFE:
        return failed("The proof is older than five minutes. Servers accept proofs for a short time only.")
    return passed("The proof is fresh.")


def required(dated: DatedToken) -> Judgement | None:
    """Look for the claims that this kind of token must have."""
    token = dated.token
    if not token.claims or token.kind not in REQUIRED:
        return None
    if token.kind == "access token" and not is_typed(token):
        return None  # Its format is the server's own.
    names, clause = REQUIRED[token.kind]
    missing = [name for name in names if name not in token.claims]
    if token.kind == "logout token" and not {"sub", "sid"} & token.claims.keys():
        missing.append("sub or sid")
    if missing:
        return failed(f"Missing in this {token.kind}: {', '.join(missing)} ({clause}).")
    return passed(f"It has the claims that a {token.kind} must have ({clause}).")


def proof_algorithm(dated: DatedToken) -> Judgement | None:
    """Look at the algorithm of a proof."""
    token = dated.token
    if token.kind != "DPoP proof" or not token.algorithm:
        return None
    if token.algorithm in (*SYMMETRIC, "none") or "jwk" not in token.header:
        return failed("A proof needs an asymmetric algorithm, and the public key as jwk in its header.")
    return passed("The proof has an asymmetric algorithm and its public key.")


def issuer_url(dated: DatedToken) -> Judgement | None:
    """Look at the form of the issuer."""
    token = dated.token
    if token.kind not in ("ID token", "access token", "logout token") or not token.text("iss"):
        return None
    try:
        parts = urlsplit(token.text("iss"))
    except ValueError:
        return failed("The issuer is not a URL.")
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        return failed("The issuer is not an https URL without a query.")
    return passed("The issuer is an https URL.")


def subject_form(dated: DatedToken) -> Judgement | None:
    """Look at the form of the subject."""
    subject = dated.token.claims.get("sub")
    if dated.token.kind != "ID token" or subject is None:
        return None
    if not isinstance(subject, str) or not subject or len(subject) > 255 or not subject.isascii():
        return failed("sub is not a string of 1 to 255 ASCII characters.")
    return passed("sub has the right form.")


def target_plain(dated: DatedToken) -> Judgement | None:
    """Look at the address of a proof."""
    target = dated.token.text("htu")
    if dated.token.kind != "DPoP proof" or not target:
        return None
    if "?" in target or "#" in target:
        return failed("htu has a query or a fragment.")
    return passed("htu has neither query nor fragment.")


def own_assertion(dated: DatedToken) -> Judgement | None:
    """Compare the issuer and the subject of a client assertion."""
    token = dated.token
    if token.kind != "client assertion" or "iss" not in token.claims or "sub" not in token.claims:
        return None
    if token.claims["iss"] != token.claims["sub"]:
        return failed("iss and sub are not both the client.")
    return passed("iss and sub are both the client.")


def logout_nonce(dated: DatedToken) -> Judgement | None:
    """Look for a nonce in a logout token, which could be an ID token then."""
    if dated.token.kind != "logout token":
        return None
    if "nonce" in dated.token.claims:
        return failed("The logout token has a nonce, as only an ID token may.")
    return passed("The logout token has no nonce.")


def request_not_nested(dated: DatedToken) -> Judgement | None:
    """Look for a request in a request."""
    if dated.token.kind != "request object":
        return None
    if {"request", "request_uri"} & dated.token.claims.keys():
        return failed("There is a request or a request_uri inside of the request object.")
    return passed("No request is inside of the request object.")


def impersonal(dated: DatedToken) -> Judgement | None:
    """Look for personal data in an access token."""
    if dated.token.kind != "access token":
        return None
    found = sorted(PERSONAL & dated.token.claims.keys())
    if found:
        return failed(f"Each API that gets this access token can read {', '.join(found)}.")
    return passed("The access token does not say who the user is, but for sub.")


CLAIM_RULES: tuple[Rule[DatedToken], ...] = (
    Rule(
        "proof-algorithm",
        "high",
        "The proof can be checked with its public key",
        "RFC 9449 §4.2",
        "Sign with ES256, and put the public key into the header as jwk.",
        proof_algorithm,
    ),
    Rule(
        "logout-without-nonce",
        "high",
        "The logout token cannot be taken for an ID token",
        "OpenID Connect Back-Channel Logout 1.0 §2.4",
        "Refuse it.",
        logout_nonce,
    ),
    Rule(
        "claims-required",
        "medium",
        "The token has the claims that its kind must have",
        "RFC 7519 §4; RFC 8725 §3.12",
        "Refuse it, or ask its issuer.",
        required,
    ),
    Rule(
        "issuer-url",
        "medium",
        "The issuer is an https URL",
        "OpenID Connect Core 1.0 §2; RFC 8414 §2",
        "Compare iss with the issuer of the metadata, character by character.",
        issuer_url,
    ),
    Rule(
        "proof-target",
        "medium",
        "The proof names a plain address",
        "RFC 9449 §4.2",
        "Leave out the query and the fragment of htu.",
        target_plain,
    ),
    Rule(
        "assertion-client",
        "medium",
        "The client asserts itself",
        "RFC 7523 §3",
        "Write the client ID into iss and sub.",
        own_assertion,
    ),
    Rule(
        "request-not-nested",
        "medium",
        "The request object has no other request in it",
        "RFC 9101 §4",
        "Leave request and request_uri out of the object.",
        request_not_nested,
    ),
    Rule(
        "lifetime-short",
        "low",
        "The token is valid for a short time",
        "RFC 6819 §5.1.5.3",
        "Ask the issuer for shorter lifetimes, and use a refresh token.",
        lifetime,
    ),
    Rule(
        "subject-form",
        "low",
        "sub is a string of at most 255 ASCII characters",
        "OpenID Connect Core 1.0 §2",
        "Ask the issuer.",
        subject_form,
    ),
    Rule(
        "proof-fresh",
        "info",
        "The proof is fresh",
        "RFC 9449 §11.1",
        "Make a new proof for each request.",
        proof_fresh,
    ),
    Rule(
        "access-token-impersonal",
        "info",
        "The access token has no personal data",
        "RFC 9068 §6",
        "Take what is known of the user from the ID token or the UserInfo endpoint.",
        impersonal,
    ),
)
"""Rules for the claims."""
