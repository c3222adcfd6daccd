"""Sign-ins and credentials for the tests of outputs."""

from __future__ import annotations

from loopback_auth.model import ServerMetadata
from loopback_auth.outputs.credential import Credential
from loopback_auth.records import replace
from loopback_auth.tokens import IdToken, SignIn, TokenSet

PLAIN = SignIn(
    "cluster",
    "client",
    "none",
    ServerMetadata(issuer="https://id.example"),
    "",
    TokenSet("access", "Bearer", 1_000_000_000.0, 1_000_003_600.5, account="alice@example.com"),
)

ACCESS = Credential("access", 1_000_003_600.5, "cluster", "alice@example.com", "access_token")


def with_id_token(**claims: object) -> SignIn:
    """Return a sign-in that has an ID token with these claims."""
    return replace(PLAIN, tokens=replace(PLAIN.tokens, id_token=IdToken(claims, "verified", "h.p.s")))
