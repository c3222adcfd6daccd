"""The accounts, scopes and claims of the demo server.

The accounts are invented (RFC 2606 §3). This module refuses to know about requests and tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Account:
    """One resource owner.

    Args:
        sub: identifier of the account, which never changes (OpenID Connect Core §2).
        email: address, by which the sign-in page offers the account.
        name: full name, for the ID token and the UserInfo response.
        more: further claims about it, which every scope allows.
    """

    sub: str
    email: str
    name: str
    more: Mapping[str, object] = field(default_factory=dict[str, object])


ACCOUNTS = (
    Account(sub="demo-1", email="demo@example.com", name="Demo Account"),
    Account(sub="demo-2", email="second@example.com", name="Second Account"),
)

SCOPES: Mapping[str, str] = {
    "openid": "Confirm who you are.",
    "profile": "See your name.",
    "email": "See your email address.",
    "offline_access": "Keep access while you are away.",
    "mcp:read": "Use the tools of the MCP server that change nothing.",
    "mcp:write": "Use the tools of the MCP server that change something.",
}
"""Scope names in the order of the consent page, each with the sentence shown there."""

DEFAULT_SCOPE = ("profile",)
"""Granted when a request names no scope (RFC 6749 §3.3)."""


def claims(account: Account, scope: tuple[str, ...]) -> dict[str, object]:
    """Return the claims of an account that the scope allows.

    Source: OpenID Connect Core §5.4.
    """
    allowed: dict[str, object] = {**account.more, "sub": account.sub}
    if "profile" in scope:
        allowed["name"] = account.name
    if "email" in scope:
        allowed |= {"email": account.email, "email_verified": True}
    return allowed
