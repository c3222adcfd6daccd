"""Reads a JSON Web Token without a key: its header, its claims, what kind it is, and what cannot be read.

Nothing is verified: anyone can have made the token, and it can say anything. Nothing is refused either,
because a token that cannot be used is what a user wants explained. The signature is not kept. A token in a
token is read too, but not without end, and nothing is decompressed or fetched.

Source: RFC 7515 §2, §3.1, §4.1; RFC 7516 §3.1; RFC 7519 §3, §4; RFC 8725 §2.4, §3.11.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from loopback_auth.errors import MalformedResponse
from loopback_auth.narrow import is_object
from loopback_auth.protocol.json import parse_object, text_member

TokenKind = Literal[
    "ID token",
    "access token",
    "DPoP proof",
    "client assertion",
    "request object",
    "authorization response",
    "logout token",
    "token",
]
Form = Literal["signed", "encrypted", "cut"]

LONGEST = 1 << 20
"""Characters of a token that are read; servers and libraries stop at far fewer."""
DEEPEST = 3
"""How deep tokens inside of tokens are read."""

BY_TYPE: Mapping[str, TokenKind] = {
    "at+jwt": "access token",
    "dpop+jwt": "DPoP proof",
    "logout+jwt": "logout token",
    "oauth-authz-req+jwt": "request object",
    "client-authentication+jwt": "client assertion",
}
"""Kinds of tokens by the header parameter `typ`, without `application/` (RFC 7515 §4.1.9)."""
STATED: Mapping[str, TokenKind] = {
    "Bearer": "access token",
    "ID": "ID token",
    "access": "access token",
    "id": "ID token",
}
"""Kinds of tokens by the claim `typ` of Keycloak, or `token_use` of Amazon Cognito."""
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")


@dataclass(frozen=True, slots=True)
class Token:
    """A token, taken apart.

    Args:
        form: signed (three parts), encrypted (five parts), or cut.
        kind: what it is used for, as far as it says so itself.
        guessed: whether only the claims say so, and not the type in the header.
        header: empty when it cannot be read.
        claims: empty when they cannot be read.
        header_trouble: why the header cannot be read; empty: it can.
        claims_trouble: the same for the claims.
        encoding_trouble: what is wrong with the encoding of a part that can be read all the same.
        signature: bytes of the signature.
        inner: the token in this token; None when there is none.
        disclosures: parts behind a `~`, as selectively disclosable tokens have them.
    """

    form: Form
    kind: TokenKind
    header: Mapping[str, object] = field(repr=False)
    claims: Mapping[str, object] = field(repr=False)
    header_trouble: str = ""
    claims_trouble: str = ""
    encoding_trouble: str = ""
    signature: int = 0
    inner: Token | None = field(default=None, repr=False)
    disclosures: int = 0
    guessed: bool = False

    def text(self, name: str) -> str:
        """Return a claim that is a string; empty for another one."""
        return text_member(self.claims, name)

    @property
    def algorithm(self) -> str:
        """The algorithm of the header; empty when there is none that is a string."""
        return text_member(self.header, "alg")


def read_token(text: str, *, depth: int = 0) -> Token:
    """Read a token.

    Args:
        text: compact serialization, without white space; untrusted.
        depth: how many tokens it is within.

    Source: RFC 7515 §3.1 (three parts), RFC 7516 §3.1 (five parts), RFC 7519 §7.2.
    """
    text, *disclosures = text[:LONGEST].split("~", 1000)
    parts = text.split(".", 5)
    header, header_trouble, spelling = _object(parts[0])
    form: Form = {3: "signed", 5: "encrypted"}.get(len(parts), "cut")  # type: ignore[assignment]
    claims: Mapping[str, object] = {}
    claims_trouble, inner = "", None
    if form != "encrypted":
        payload = parts[1] if len(parts) > 1 else ""
        nested = payload if header.get("b64") is False else _plain(payload)
        if nested.count(".") in (2, 4) and nested.startswith("ey") and depth < DEEPEST:
            inner = read_token(nested, depth=depth + 1)
        else:
            claims, claims_trouble, spelled = _object(payload)
            spelling = spelling or spelled
        if len(parts) < 2:
            claims_trouble = "The token ends before its claims."
    kind = _kind(header, claims)
    return Token(
        form=form,
        kind=kind,
        header=header,
        claims=claims,
        header_trouble=header_trouble,
        claims_trouble=claims_trouble,
        encoding_trouble=spelling,
        signature=len(parts[2]) * 3 // 4 if form == "signed" else 0,
        inner=inner,
        disclosures=len([one for one in disclosures if one]),
        guessed=bool(claims) and kind != "token" and _type(header) not in BY_TYPE,
    )


def _object(part: str) -> tuple[Mapping[str, object], str, str]:
    """Decode a part into a JSON object; return it, why there is none, and what is wrong with its encoding."""
    spelling = ""
    if not _ALPHABET.match(part):
        padded = part.rstrip("=")
        if padded != part:
            spelling = "A part ends with =, which base64url without padding does not have."
        if re.search(r"[+/]", padded):
            spelling = "A part has + or /, which are base64 and not base64url."
        if not _ALPHABET.match(padded.replace("+", "-").replace("/", "_")):
            return {}, "It has characters that base64url does not have.", ""
    octets = _octets(part)
    if octets is None:
        return {}, "It cannot be decoded: a character is missing.", spelling
    try:
        return parse_object(octets, what="token", source="RFC 7519 §7.2"), "", spelling
    except MalformedResponse as exc:
        return {}, f"It is {exc.message.partition(': ')[2]}.", spelling


def _octets(part: str) -> bytes | None:
    bare = part.replace("+", "-").replace("/", "_").rstrip("=")
    try:
        return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except ValueError:
        return None


def _plain(part: str) -> str:
    """Return a part as ASCII, to see whether it is a token; empty when it is not."""
    octets = _octets(part)
    return octets.decode("ascii") if octets is not None and octets[:2] == b"ey" and octets.isascii() else ""


def _type(header: Mapping[str, object]) -> str:
    """Return the type in a header, as `BY_TYPE` has it."""
    return text_member(header, "typ").lower().removeprefix("application/")


def _kind(header: Mapping[str, object], claims: Mapping[str, object]) -> TokenKind:
    """Return what a token is used for: by its type, and else by the claims that only one kind has.

    Source: RFC 9068 §2.1; RFC 9449 §4.2; RFC 9101 §10.8; OpenID Connect Back-Channel Logout 1.0 §2.4;
    RFC 7523 §3; JARM §2.1; OpenID Connect Core 1.0 §2.
    """
    named = _type(header)
    events = claims.get("events")
    names = claims.keys()
    if named in BY_TYPE:
        return BY_TYPE[named]
    if is_object(events) and LOGOUT_EVENT in events:
        return "logout token"
    if {"htm", "htu"} <= names:
        return "DPoP proof"
    if "response_type" in names or {"client_id", "redirect_uri"} <= names:
        return "request object"
    if (stated := STATED.get(text_member(claims, "typ") or text_member(claims, "token_use"))) is not None:
        return stated
    if names & {"code", "error"} and {"iss", "aud", "exp"} <= names:
        return "authorization response"
    if text_member(claims, "iss") and claims.get("iss") == claims.get("sub"):
        return "client assertion"
    if names & {"scope", "scp", "client_id", "appid"}:
        return "access token"
    if {"iss", "sub", "aud", "exp"} <= names:
        return "ID token"
    return "token"
