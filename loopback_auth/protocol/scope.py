"""Scopes: how they are read from an answer, and whether the granted ones are the requested ones.

A difference is only a warning, because the API itself refuses a token whose scope is too small. Two names of
the same scope are not a difference: people stop reading a warning that is always there.

Source: RFC 6749 §3.3, §5.1; OpenID Connect Core 1.0 §5.4, §11.
"""

from __future__ import annotations

from collections.abc import Collection

from loopback_auth.narrow import is_strings
from loopback_auth.quirks import Quirks
from loopback_auth.redact import server_text
from loopback_auth.tokens import TokenSet

IDENTITY = frozenset({"openid", "profile", "email", "address", "phone"})
"""They stand for claims (OpenID Connect Core 1.0 §5.4), so a server need not list them as granted."""

OFFLINE = "offline_access"
"""It stands for a refresh token (OpenID Connect Core 1.0 §11). Entra never lists it as granted."""

ALIASES = (
    ("email", "https://www.googleapis.com/auth/userinfo.email"),
    ("profile", "https://www.googleapis.com/auth/userinfo.profile"),
)
"""Requested as, granted as: requests/requests-oauthlib#387. Only Google uses these URLs."""

PREFIXES = ("https://graph.microsoft.com/",)
"""Prefixes that Entra adds or leaves out."""

EVERYTHING = ".default"
"""The scope that means, at Entra, everything that the client is registered for at one resource."""

MOST = 1000
"""Scopes in one answer; each is compared with each requested one."""


def scope_words(value: object, *, asked: str) -> tuple[str, ...] | None:
    """Return the scopes in an answer; None when it has none, or more than `MOST`.

    They are separated by spaces, as in the standard, or by commas, or they are a list. A comma is part of a
    scope only if a requested scope contains it.

    Args:
        value: untrusted; empty means that nothing was granted, as GitHub uses it.
        asked: the requested scopes, separated by spaces.

    Source: RFC 6749 §3.3 (a scope may have a comma in it), §5.1.
    """
    items = [value] if isinstance(value, str) else value
    if not is_strings(items):
        return None
    known = asked.split()
    # Never cut: the granted scopes are compared with the requested ones, and kept.
    words = [word for item in items for word in server_text(item, max(1, len(item))).split()]
    parts = [part for word in words for part in ([word] if word in known else word.split(","))]
    told = tuple(dict.fromkeys(part for part in parts if part))
    return told if len(told) <= MOST else None


def scope_difference(*, requested: str, tokens: TokenSet, quirks: Quirks) -> str:
    """Return a sentence about how the granted scope differs from the requested one; empty when it does not.

    Args:
        requested: separated by spaces.
        tokens: what was granted; `offline_access` counts as granted with a refresh token, `openid` with an ID
            token.
        quirks: the provider's other names for its scopes.

    Source: RFC 6749 §3.3; OpenID Connect Core 1.0 §5.4, §11.
    """
    asked, given = requested.split(), tokens.scope.split()
    if not asked:
        return ""
    names = _Names(quirks)
    missing = scope_missing(requested=requested, tokens=tokens, quirks=quirks)
    added = [word for word in given if word not in IDENTITY | {OFFLINE} and not names.wanted(word, asked)]
    parts: list[str] = []
    if missing:
        parts.append(f"not granted: {' '.join(sorted(missing))}")
    if added:
        parts.append(f"granted but not requested: {' '.join(sorted(added))}")
    return f"The scope differs: {'; '.join(parts)}." if parts else ""


def scope_missing(*, requested: str, tokens: TokenSet, quirks: Quirks) -> list[str]:
    """List the requested scopes that were not granted under any name.

    Args:
        requested: separated by spaces.
        tokens: what was granted.
        quirks: the provider's other names for its scopes.

    Source: RFC 6749 §3.3; OpenID Connect Core 1.0 §5.4, §11.
    """
    names, given = _Names(quirks), tokens.scope.split()
    came: set[str] = set(IDENTITY if tokens.id_token is not None else ())
    came |= {OFFLINE} if tokens.refresh_token is not None else set[str]()
    return [word for word in requested.split() if word not in came and not names.covered(word, given)]


def union(*scopes: str) -> str:
    """Return every scope of several lists once, in order.

    Args:
        scopes: each separated by spaces.

    Source: RFC 6749 §3.3 (the order does not matter).
    """
    return " ".join(dict.fromkeys(word for scope in scopes for word in scope.split()))


class _Names:
    """Knows which names a provider uses for the same scope."""

    def __init__(self, quirks: Quirks) -> None:
        self._prefixes = (*quirks.scope_prefixes, *PREFIXES)
        self._aliases = {
            (self._plain(asked), self._plain(granted)) for asked, granted in (*quirks.scope_aliases, *ALIASES)
        }

    def covered(self, asked: str, given: Collection[str]) -> bool:
        """Return whether one of the granted scopes is the requested one, or includes it."""
        if asked.endswith(EVERYTHING) and given:
            return True
        return any(self._same(asked, one) or _holds(one, asked) for one in given)

    def wanted(self, granted: str, asked: Collection[str]) -> bool:
        """Return whether a granted scope was requested."""
        return any(
            self._same(one, granted) or _holds(one, granted) or one.endswith(EVERYTHING) for one in asked
        )

    def _same(self, asked: str, granted: str) -> bool:
        pair = self._plain(asked), self._plain(granted)
        return pair[0] == pair[1] or pair in self._aliases

    def _plain(self, scope: str) -> str:
        for prefix in self._prefixes:
            if scope.lower().startswith(prefix.lower()) and len(scope) > len(prefix):
                scope = scope[len(prefix) :]
        # In RFC 6749 §3.3 case matters, but Entra answers `User.Read` to `user.read`.
        return scope.lower()


def _holds(whole: str, part: str) -> bool:
    # GitHub grants `user` for `user user:email`: a scope includes those that are named below it.
    return ":" not in whole and part.startswith(f"{whole}:")
