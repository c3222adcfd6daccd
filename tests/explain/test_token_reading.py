"""Tokens read without a key: their parts, what kind they are, and what cannot be read."""

from __future__ import annotations

import base64
import time

import pytest
from link_samples import ACCESS_TOKEN, CANARY, ID_TOKEN, KEY, PROOF, jwt, part, wrapped

from loopback_auth.explain.tokens.token import DEEPEST, LOGOUT_EVENT, LONGEST, TokenKind, read_token

KINDS: list[tuple[TokenKind, dict[str, object], dict[str, object]]] = [
    ("ID token", {**ID_TOKEN}, {}),
    ("ID token", {**ID_TOKEN, "nonce": "n", "at_hash": "h", "azp": "my-tool"}, {}),
    ("access token", {**ACCESS_TOKEN}, {}),
    ("access token", {**ID_TOKEN}, {"typ": "at+jwt"}),
    ("access token", {**ID_TOKEN}, {"typ": "application/AT+JWT"}),
    ("access token", {**ID_TOKEN, "scp": "User.Read", "appid": "x"}, {"typ": "JWT"}),
    ("access token", {**ID_TOKEN, "typ": "Bearer"}, {}),
    ("ID token", {**ID_TOKEN, "typ": "ID", "scope": "openid"}, {}),
    ("ID token", {**ID_TOKEN, "token_use": "id"}, {}),
    ("access token", {**ID_TOKEN, "token_use": "access"}, {}),
    ("DPoP proof", {**PROOF}, {"typ": "dpop+jwt", "jwk": KEY}),
    ("DPoP proof", {**PROOF}, {}),
    ("client assertion", {**ID_TOKEN, "iss": "my-tool", "sub": "my-tool"}, {}),
    ("client assertion", {**ID_TOKEN}, {"typ": "client-authentication+jwt"}),
    ("request object", {"client_id": "x", "redirect_uri": "y", "iss": "x"}, {}),
    ("request object", {"response_type": "code"}, {}),
    ("authorization response", {**ID_TOKEN, "code": "x"}, {}),
    ("authorization response", {"iss": "x", "aud": "y", "exp": 1, "error": "access_denied"}, {}),
    ("logout token", {"events": {LOGOUT_EVENT: {}}}, {}),
    ("logout token", {}, {"typ": "logout+jwt"}),
    ("token", {"a": 1}, {}),
    ("token", {}, {"typ": ["at+jwt"]}),
]


@pytest.mark.parametrize(("kind", "claims", "header"), KINDS)
def test_kind_of_token_is_told(kind: TokenKind, claims: dict[str, object], header: dict[str, object]) -> None:
    """By its type, and else by the claims that only one kind has."""
    assert read_token(jwt(claims, {"alg": "ES256", **header})).kind == kind


def test_rfc7519_3_1_example_is_read() -> None:
    """With the claims that the RFC says it has."""
    token = read_token(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )

    assert token.header == {"typ": "JWT", "alg": "HS256"}
    assert token.claims == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
    assert (token.form, token.signature, token.encoding_trouble) == ("signed", 32, "")


def test_rfc7519_6_1_unsecured_token_is_read() -> None:
    """Its third part is empty."""
    token = read_token(
        "eyJhbGciOiJub25lIn0"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    )

    assert (token.form, token.algorithm, token.signature) == ("signed", "none", 0)


def test_rfc7516_3_1_encrypted_token_shows_its_header_alone() -> None:
    """It has five parts."""
    token = read_token(f"{part({'alg': 'RSA-OAEP', 'enc': 'A256GCM'})}.{CANARY}.iv.text.tag")

    assert (token.form, token.algorithm, dict(token.claims)) == ("encrypted", "RSA-OAEP", {})
    assert CANARY not in repr(token)


def test_rfc9449_4_1_example_is_a_proof() -> None:
    """The public key is in its header."""
    token = read_token(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXp"
        "DamRsZFBzdlBGODNCWGhFNHkyYmUiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI"
        "6IlAtMjU2In19.e30.c2lnbmF0dXJl"
    )

    assert (token.kind, token.algorithm) == ("DPoP proof", "ES256")


def test_token_in_a_token_is_read() -> None:
    """RFC 7519 §5.2: `cty` says JWT; what is inside says more."""
    token = read_token(wrapped(jwt(ID_TOKEN)))

    assert token.inner is not None
    assert token.inner.claims["sub"] == ID_TOKEN["sub"]


def test_tokens_are_not_read_without_end() -> None:
    """A token may have a hundred others in it."""
    text = jwt(ID_TOKEN)
    for _ in range(8):
        text = wrapped(text)
    token, depth = read_token(text), 0
    while token.inner is not None:
        token, depth = token.inner, depth + 1

    assert depth == DEEPEST


UNREADABLE = {
    "": "header",
    "eyJ": "header",
    "....": "header",
    "!.e30.x": "header",
    "W10.e30.x": "header",
    "eyJhIjoxLCJhIjoyfQ.e30.x": "header",
    "eyJhIjpOYU59.e30.x": "header",
    "e30.": "claims",
    "e30": "claims",
    "e30.!.x": "claims",
    "e30.W10.x": "claims",
    "e30.eyJhIjoxLCJhIjoyfQ.x": "claims",
    "e30.eyJhIjo.x": "claims",
    "e30.A.x": "claims",
    f"e30.{base64.urlsafe_b64encode(b'{' + b'[' * 60_000).decode()}.x": "claims",
    f"e30.{part('x' * 100)}.x": "claims",
}


@pytest.mark.parametrize(("text", "broken"), UNREADABLE.items(), ids=lambda text: text[:30])
def test_what_cannot_be_read_is_said(text: str, broken: str) -> None:
    """RFC 8725 §2.4: two parsers must not read it differently."""
    token = read_token(text)

    assert bool(token.header_trouble) is (broken == "header")
    assert token.header_trouble or token.claims_trouble
    assert dict(token.claims if broken == "claims" else token.header) == {}


@pytest.mark.parametrize("text", ["e30=.e30.x", "e30.e30=.x", "eyJhIjoiPz8_In0.eyJhIjoiPz8/In0.x"])
def test_wrong_alphabet_is_read_and_said(text: str) -> None:
    """RFC 7515 §2: no padding, and the alphabet of URLs."""
    token = read_token(text)

    assert token.encoding_trouble
    assert (token.header_trouble, token.claims_trouble) == ("", "")


@pytest.mark.parametrize(
    "text",
    [
        "eyJ" + "A" * LONGEST,
        f"{part({'alg': 'none'})}.{'A' * LONGEST}.x",
        "." * LONGEST,
        "e30." * 250_000,
        "~" * LONGEST,
    ],
    ids=["header", "claims", "dots", "parts", "disclosures"],
)
def test_huge_token_does_not_take_long(text: str) -> None:
    """It is read up to a limit."""
    began = time.process_time()
    read_token(text)

    assert time.process_time() - began < 2


def test_disclosures_are_counted_and_not_read() -> None:
    """Selectively disclosable tokens have parts behind a tilde."""
    token = read_token(f"{jwt(ID_TOKEN)}~{CANARY}~{CANARY}~")

    assert (token.disclosures, token.form) == (2, "signed")
    assert CANARY not in repr(token)
