"""Scopes: how an answer tells them, and whether what was granted is what was asked for.

A difference is worth a warning, no more: an access token with less is refused by whoever it is shown to. A
warning that is always there teaches people to overlook the real one, so two names of one thing are no
difference.

Source: RFC 6749 §3.3, §5.1; OpenID Connect Core 1.0 §5.4, §11.
"""

from __future__ import annotations

from collections.abc import Collection

from loopback_auth.model import TokenSet
from loopback_auth.quirks import Quirks
from loopback_auth.redact import server_text

IDENTITY = frozenset({"openid", "profile", "email", "address", "phone"})
"""What they bring is claims (OpenID Connect Core 1.0 §5.4), so a server need not list them."""

OFFLINE = "offline_access"
"""What it brings is a refresh token: OpenID Connect Core 1.0 §11. Entra never lists it."""

ALIASES = (
    ("email", "https://www.googleapis.com/auth/userinfo.email"),
    ("profile", "https://www.googleapis.com/auth/userinfo.profile"),
)
"""Asked for as, granted as: requests/requests-oauthlib#387. Nobody else uses these addresses."""

PREFIXES = ("https://graph.microsoft.com/",)
"""Left out or put in front as Entra likes."""

EVERYTHING = ".default"
"""At Entra: all that the client is registered for at one resource."""

MOST = 1000
"""Scopes of one answer; each is compared with each that was asked for."""


def scope_words(value: object, *, asked: str) -> tuple[str, ...] | None:
    """Return the scopes of an answer; None when it does not tell them, or more than anybody can have.

    Separated by blanks, as the standard has it, or by commas, or as a list. A comma is part of a scope only
    where it was asked for so.

    Args:
        value: untrusted; an empty one means that nothing was granted, as GitHub says it.
        asked: what was asked for, separated by blanks.

    Source: RFC 6749 §3.3 (a scope may have a comma in it), §5.1.
    """
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        return None
    known = asked.split()
    # Never cut: what was granted is compared with what was asked for, and kept.
    words = [word for item in items for word in server_text(item, max(1, len(item))).split()]
    parts = [part for word in words for part in ([word] if word in known else word.split(","))]
    told = tuple(dict.fromkeys(part for part in parts if part))
    return told if len(told) <= MOST else None


def scope_difference(*, requested: str, tokens: TokenSet, quirks: Quirks) -> str:
    """Say in one sentence how the granted scope differs from the requested one; empty when it does not.

    Args:
        requested: separated by blanks.
        tokens: what was granted; what a refresh token and an ID token stand for is there when they are.
        quirks: the provider's other names for its scopes.

    Source: RFC 6749 §3.3; OpenID Connect Core 1.0 §5.4, §11.
    """
    asked, given = requested.split(), tokens.scope.split()
    if not asked:
        return ""
    names = _Names(quirks)
    missing = scope_missing(requested=requested, tokens=tokens, quirks=quirks)
    added = [word for word in given if word not in IDENTITY | {OFFLINE} and not names.wanted(word, asked)]
    parts = []
    if missing:
        parts.append(f"not granted: {' '.join(sorted(missing))}")
    if added:
        parts.append(f"granted beyond what was asked: {' '.join(sorted(added))}")
    return f"The scope differs: {'; '.join(parts)}." if parts else ""


def scope_missing(*, requested: str, tokens: TokenSet, quirks: Quirks) -> list[str]:
    """List the scopes among the requested ones that were not granted, under whatever name.

    Args:
        requested: separated by blanks.
        tokens: what was granted.
        quirks: the provider's other names for its scopes.

    Source: RFC 6749 §3.3; OpenID Connect Core 1.0 §5.4, §11.
    """
    names, given = _Names(quirks), tokens.scope.split()
    came = IDENTITY if tokens.id_token is not None else frozenset()
    came = came | ({OFFLINE} if tokens.refresh_token is not None else frozenset())
    return [word for word in requested.split() if word not in came and not names.covered(word, given)]


class _Names:
    """Which scopes are two names of one thing at a provider."""

    def __init__(self, quirks: Quirks) -> None:
        self._prefixes = (*quirks.scope_prefixes, *PREFIXES)
        self._aliases = {
            (self._plain(asked), self._plain(granted)) for asked, granted in (*quirks.scope_aliases, *ALIASES)
        }

    def covered(self, asked: str, given: Collection[str]) -> bool:
        """Return whether something that was granted is, or holds, what was asked for."""
        if asked.endswith(EVERYTHING) and given:
            return True
        return any(self._same(asked, one) or _holds(one, asked) for one in given)

    def wanted(self, granted: str, asked: Collection[str]) -> bool:
        """Return whether something that was granted was asked for."""
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
        # By RFC 6749 §3.3 case counts, but Entra answers `User.Read` to `user.read`.
        return scope.lower()


def _holds(whole: str, part: str) -> bool:
    # GitHub grants `user` for `user user:email`: a scope holds those that are named below it.
    return ":" not in whole and part.startswith(f"{whole}:")
