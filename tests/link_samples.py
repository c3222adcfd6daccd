"""Links and tokens for the tests of `explain`: good ones, and with one thing wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from loopback_auth.explain.links.link import read_link
from loopback_auth.explain.links.link_story import link_story
from loopback_auth.explain.narration import Story
from loopback_auth.explain.tokens.token import read_token
from loopback_auth.explain.tokens.token_story import token_story
from loopback_auth.protocol.pkce import code_challenge

NOW = 1_800_000_000.0
CANARY = "cAnArY-5e6f0b1d2c3a49788796a5b4c3d2e1f0"
VERIFIER = "v" * 20 + "0123456789-abcdefghijklmnop"

REQUEST: Mapping[str, str] = {
    "response_type": "code",
    "client_id": "my-tool",
    "redirect_uri": "http://127.0.0.1:8400/callback",
    "scope": "openid profile",
    "state": "h3Jk9sLw0PqZx7Vb2Nm4Rt6Y",
    "nonce": "Qw8Er2Ty6Ui4Op0As1Df3Gh5",
    "code_challenge": code_challenge(VERIFIER),
    "code_challenge_method": "S256",
    "resource": "https://api.example/v1",
}
"""A request that breaks no rule."""
RESPONSE: Mapping[str, str] = {"code": CANARY, "state": CANARY[::-1], "iss": "https://as.example"}

ID_TOKEN: Mapping[str, object] = {
    "iss": "https://as.example",
    "sub": "248289761001",
    "aud": "my-tool",
    "exp": NOW + 600,
    "iat": NOW - 60,
}
ACCESS_TOKEN: Mapping[str, object] = {**ID_TOKEN, "client_id": "my-tool", "jti": "1", "scope": "read"}
PROOF: Mapping[str, object] = {"jti": "1", "htm": "POST", "htu": "https://as.example/token", "iat": NOW - 5}
KEY = {"kty": "EC", "crv": "P-256", "x": "x" * 43, "y": "y" * 43}


def request(
    changes: Mapping[str, str] | None = None,
    *,
    without: Iterable[str] = (),
    address: str = "https://as.example/authorize",
    more: str = "",
) -> str:
    """Make an authorization request: the good one, with changes."""
    left_out = set(without)
    pairs = {**REQUEST, **(changes or {})}
    return f"{address}?{urlencode({name: pairs[name] for name in pairs if name not in left_out})}{more}"


def response(
    changes: Mapping[str, str] | None = None,
    *,
    without: Iterable[str] = (),
    address: str = "http://127.0.0.1:8400/callback",
    mark: str = "?",
) -> str:
    """Make an authorization response: the good one, with changes."""
    left_out = set(without)
    pairs = {**RESPONSE, **(changes or {})}
    return f"{address}{mark}{urlencode({name: pairs[name] for name in pairs if name not in left_out})}"


def part(value: object) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def jwt(
    claims: Mapping[str, object],
    header: Mapping[str, object] | None = None,
    signature: str = CANARY,
) -> str:
    """Make a token; its signature is the canary."""
    return f"{part(header or {'alg': 'ES256', 'kid': 'key-1'})}.{part(claims)}.{signature}"


def wrapped(inside: str) -> str:
    """Make a token that has another one in it."""
    encoded = base64.urlsafe_b64encode(inside.encode()).decode().rstrip("=")
    return f"{part({'alg': 'ES256', 'cty': 'JWT'})}.{encoded}.{CANARY}"


def link(text: str, *, typed: bool = False) -> Story:
    """Explain a link."""
    return link_story(read_link(text), now=NOW, typed=typed)


def token(text: str) -> Story:
    """Explain a token."""
    return token_story(read_token(text), now=NOW)


def verdicts(story: Story) -> dict[str, str]:
    """Return the verdict of each finding."""
    return {finding.id: finding.verdict for finding in story.findings}


def broken(story: Story) -> set[str]:
    """Return the rules that were broken."""
    return {name for name, verdict in verdicts(story).items() if verdict == "fail"}
