"""Rules for the form, the header and the times of a token, without a key.

Those for the claims of each kind of token are in `claim_rules`.

A token that keeps every one of them can still be forged: only its signature shows who made it.

Source: RFC 7515; RFC 7519; RFC 8725 §3; and for each kind of token its own specification.
"""

from __future__ import annotations

from dataclasses import dataclass

from loopback_auth.compare.judging.verdicts import Judgement, failed, passed
from loopback_auth.explain.rules import Rule
from loopback_auth.explain.tokens.token import Token
from loopback_auth.explain.tokens.token_words import TIMES, TYPES
from loopback_auth.narrow import is_list, is_mapping
from loopback_auth.protocol.json import LARGEST, text_member
from loopback_auth.protocol.jwk import PRIVATE

LEEWAY = 60.0
"""Seconds by which clocks may differ."""
MILLISECONDS = 1e11
"""A larger time is in milliseconds: in seconds it would be after the year 5000."""
SYMMETRIC = ("HS256", "HS384", "HS512")


@dataclass(frozen=True, slots=True)
class DatedToken:
    """A token, and the time at which it is looked at.

    Args:
        token: that was read.
        now: in Unix seconds.
    """

    token: Token
    now: float

    def time(self, name: str) -> float | None:
        """Return a claim that is a time in seconds; None when it is missing or something else."""
        value = self.token.claims.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MILLISECONDS:
            return None
        return float(min(value, LARGEST))


def whole(dated: DatedToken) -> Judgement | None:
    """Count the parts."""
    if dated.token.form == "cut":
        return failed("The token is cut: a signed one has three parts, an encrypted one five.")
    return passed("The token has all its parts.")


def readable(dated: DatedToken) -> Judgement | None:
    """Look whether header and claims could be read."""
    token = dated.token
    if token.header_trouble:
        return failed(f"The header cannot be read. {token.header_trouble}")
    if token.claims_trouble:
        return failed(f"The claims cannot be read. {token.claims_trouble}")
    return passed("What is not encrypted can be read.")


def encoding(dated: DatedToken) -> Judgement | None:
    """Look at the encoding."""
    trouble = dated.token.encoding_trouble
    return failed(trouble) if trouble else passed("It is base64url without padding.")


def signed(dated: DatedToken) -> Judgement | None:
    """Look for a token without a signature."""
    token = dated.token
    if token.form != "signed" or token.header_trouble:
        return None
    if not token.algorithm:
        return failed("The header names no algorithm.")
    if token.algorithm.lower() == "none":
        return failed("The algorithm is none: anyone can have written this token.")
    if not token.signature:
        return failed("The third part is empty: there is no signature.")
    return passed("There is a signature, which was not checked.")


def not_expired(dated: DatedToken) -> Judgement | None:
    """Compare the end with the time."""
    end = dated.time("exp")
    if end is None:
        return None
    return failed("Its time is over.") if dated.now >= end + LEEWAY else passed("Its time is not over.")


def not_in_future(dated: DatedToken) -> Judgement | None:
    """Compare the beginning with the time."""
    found = [(name, at) for name in ("iat", "nbf") if (at := dated.time(name)) is not None]
    if not found:
        return None
    for name, at in found:
        if at > dated.now + LEEWAY:
            return failed(f"{name} lies in the future: a clock is wrong, or the token is not valid yet.")
    return passed("It has begun.")


def times_in_seconds(dated: DatedToken) -> Judgement | None:
    """Look at the form of the times."""
    found = sorted(TIMES & dated.token.claims.keys())
    for name in found:
        value = dated.token.claims[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            return failed(f"{name} is not a number.")
        if value >= MILLISECONDS:
            return failed(f"{name} is in milliseconds, or is not a time.")
        if value < 0:
            return failed(f"{name} lies before 1970.")
    return passed("Its times are numbers of seconds.") if found else None


def typed(dated: DatedToken) -> Judgement | None:
    """Look for the type, which keeps one kind of token from being taken for another."""
    token = dated.token
    if token.kind not in TYPES or not token.header:
        return None
    if not is_typed(token):
        return failed(f"The header has no typ={TYPES[token.kind]}, so only its claims tell what it is.")
    return passed("The header names the kind of token.")


def key_named(dated: DatedToken) -> Judgement | None:
    """Look for the name of the key."""
    token = dated.token
    if token.kind not in ("ID token", "access token", "logout token") or token.algorithm in ("", *SYMMETRIC):
        return None
    return passed("The header names the key.") if "kid" in token.header else failed("There is no kid.")


def no_foreign_key(dated: DatedToken) -> Judgement | None:
    """Look for a key that the token brings itself."""
    token = dated.token
    found = [name for name in ("jwk", "jku", "x5u") if name in token.header]
    if not found or token.kind == "DPoP proof":
        return None
    return failed(f"The header brings its own key ({', '.join(found)}), as a forged token would.")


def no_private_key(dated: DatedToken) -> Judgement | None:
    """Look for a private key, anywhere."""
    if has_private_key(dated.token.header) or has_private_key(dated.token.claims):
        return failed("The token has a private key in it.")
    return passed("No private key is in it.") if dated.token.header else None


def nothing_critical(dated: DatedToken) -> Judgement | None:
    """Look for extensions that must be known."""
    if "crit" not in dated.token.header:
        return None
    return failed("The header has crit: a program that does not know the extensions must refuse the token.")


def asymmetric(dated: DatedToken) -> Judgement | None:
    """Look for a signature that only the holder of a secret can check."""
    token = dated.token
    if token.kind not in ("ID token", "access token"):
        return None
    if token.algorithm in SYMMETRIC:
        return failed("It is signed with a shared secret: a program that can check it can also make it.")
    return passed("It is not signed with a shared secret.") if token.algorithm else None


def modern_encryption(dated: DatedToken) -> Judgement | None:
    """Look at the encryption."""
    if dated.token.form != "encrypted":
        return None
    if dated.token.algorithm == "RSA1_5":
        return failed("The key is encrypted with RSA1_5, which leaks.")
    return passed("The key is not encrypted with RSA1_5.")


def is_typed(token: Token) -> bool:
    """Return whether the header names the kind of token."""
    typ = text_member(token.header, "typ").lower().removeprefix("application/")
    return typ == TYPES.get(token.kind)


def has_private_key(value: object, depth: int = 0) -> bool:
    """Return whether a private key is in something that was read from JSON, however deep."""
    if is_mapping(value):
        if "kty" in value and PRIVATE & value.keys():
            return True
        return depth < 32 and any(has_private_key(one, depth + 1) for one in value.values())
    return is_list(value) and depth < 32 and any(has_private_key(one, depth + 1) for one in value)


TOKEN_RULES: tuple[Rule[DatedToken], ...] = (
    Rule(
        "token-signed",
        "high",
        "The token is signed",
        "RFC 8725 §3.1, §3.2; RFC 7515 §5.2",
        "Do not accept it.",
        signed,
    ),
    Rule(
        "no-private-key",
        "high",
        "No private key is in the token",
        "RFC 9449 §4.2; RFC 7517 §9.2",
        "Replace the key: everyone who has seen the token has it.",
        no_private_key,
    ),
    Rule(
        "token-whole",
        "medium",
        "The token is whole",
        "RFC 7515 §3.1; RFC 7516 §3.1",
        "Copy it once more, with everything behind the last dot.",
        whole,
    ),
    Rule(
        "token-readable",
        "medium",
        "Header and claims are objects of JSON",
        "RFC 7519 §4, §7.2; RFC 8725 §2.4",
        "Refuse it: two programs can read it differently, or none can.",
        readable,
    ),
    Rule(
        "token-encoding",
        "medium",
        "The token is base64url without padding",
        "RFC 7515 §2",
        "Encode each part with the alphabet of URLs, and without =.",
        encoding,
    ),
    Rule(
        "not-expired",
        "medium",
        "The token has not expired",
        "RFC 7519 §4.1.4",
        "Get a new one: with the refresh token, or by signing in again.",
        not_expired,
    ),
    Rule(
        "not-in-future",
        "medium",
        "The token has begun",
        "RFC 7519 §4.1.5, §4.1.6",
        "Compare the clocks of this machine and of the issuer.",
        not_in_future,
    ),
    Rule(
        "times-in-seconds",
        "medium",
        "The times are numbers of seconds",
        "RFC 7519 §2",
        "Write times as whole Unix seconds.",
        times_in_seconds,
    ),
    Rule(
        "no-key-in-header",
        "medium",
        "The token does not bring its own key",
        "RFC 8725 §3.10; RFC 7515 §10.1",
        "Use the keys that the issuer publishes, and no other.",
        no_foreign_key,
    ),
    Rule(
        "encryption-sound",
        "medium",
        "The encryption of the key does not leak",
        "RFC 8725 §3.2",
        "Use RSA-OAEP-256 or ECDH-ES.",
        modern_encryption,
    ),
    Rule(
        "token-typed",
        "low",
        "The header names the kind of token",
        "RFC 8725 §3.11; RFC 9068 §2.1; RFC 9449 §4.2",
        "Write the typ into the header.",
        typed,
    ),
    Rule(
        "nothing-critical",
        "low",
        "The token demands no extension",
        "RFC 7515 §4.1.11",
        "Refuse it, unless the program knows each of them.",
        nothing_critical,
    ),
    Rule(
        "asymmetric-signature",
        "low",
        "A program that checks the token cannot make it",
        "RFC 8725 §3.2; OpenID Connect Core 1.0 §10.1",
        "Use ES256, RS256 or EdDSA with the keys of the issuer.",
        asymmetric,
    ),
    Rule(
        "key-named",
        "info",
        "The header names the key",
        "RFC 7515 §4.1.4; OpenID Connect Core 1.0 §10.1",
        "Without it the issuer may have one key only.",
        key_named,
    ),
)
"""Rules for the form, the header and the times."""
