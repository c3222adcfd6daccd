"""What a token source remembers between two calls in one process: which tokens can be returned as they are.

The store is the truth for all processes. What it has is looked at again when a second has passed, or when
this process has changed it through the same store object; in between, a token is returned from memory. So a
logout, a renewal or a new sign-in in another process is noticed within a second.

Two clocks are asked. The wall clock says when a token expires, and it can be set; the monotonic clock cannot,
and ends a token whose lifetime is over although the wall clock was set back. This module is on the way to a
kept token, so it imports next to nothing.
"""

from __future__ import annotations

import time

from loopback_auth.freshness import FOR_EVER, fresh_period

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.tokens import SignIn

LOOK_SECONDS = 1.0
"""Seconds for which a token is returned from memory before the store is looked at again.

For as long, a token that has just been got counts as fresh, however short its lifetime is.
"""


_Token = tuple[str, float | None]
"""An access token, and when it expires."""


class CachedToken:
    """An access token that can be returned without a look at the store.

    Args:
        token: the access token.
        look_at: monotonic seconds at which the store has to be looked at again.
        since: Unix seconds; if the clock is before it, the token is not fresh.
        until: Unix seconds at which the token is no longer fresh.
        changes: of the store, counted when it was looked at.
        bearer: it is of use by itself, and not bound to a key.
    """

    __slots__ = ("bearer", "changes", "look_at", "since", "token", "until")

    def __init__(
        self, token: str, look_at: float, since: float, until: float, changes: int, *, bearer: bool = True
    ) -> None:
        self.token: str = token
        self.look_at: float = look_at
        self.since: float = since
        self.until: float = until
        self.changes: int = changes
        self.bearer: bool = bearer

    def until_next_look(self) -> CachedToken:
        """Return the same, to be looked at a second from now."""
        look_at = time.monotonic() + LOOK_SECONDS
        return CachedToken(self.token, look_at, self.since, self.until, self.changes, bearer=self.bearer)


class TokenCache:
    """What all sources of one sign-in remember in one process."""

    def __init__(self) -> None:
        self._got: tuple[_Token, float] = ("", None), 0.0
        self._ends: tuple[_Token, float] = ("", None), 0.0
        self.has_unsaved = False
        """There are newer tokens than those in the store, which did not take them."""

    def got(self, sign_in: SignIn) -> None:
        """Remember that its token was got just now, by a renewal or a sign-in."""
        self._got = _token(sign_in), time.monotonic()

    def just_got(self, sign_in: SignIn) -> bool:
        """Return whether its token was got within the last second."""
        token, moment = self._got
        return token == _token(sign_in) and time.monotonic() < moment + LOOK_SECONDS

    def over(self, sign_in: SignIn) -> bool:
        """Return whether the lifetime of its token is over by the monotonic clock."""
        tokens = sign_in.tokens
        if tokens.expires_at is None:
            return False
        now = time.monotonic()
        if self._ends[0] != _token(sign_in):
            left = min(tokens.expires_at - time.time(), tokens.expires_at - tokens.obtained_at)
            self._ends = _token(sign_in), now + left
        return now >= self._ends[1]

    def cached(self, sign_in: SignIn, leeway: float | None, changes: int) -> CachedToken | None:
        """Return the token of a sign-in to be cached; None when it is not fresh.

        Args:
            sign_in: as the store has it.
            leeway: seconds for which the token must still be valid; None: see `freshness`.
            changes: of the store, counted before it was looked at.
        """
        tokens, now, wall = sign_in.tokens, time.monotonic(), time.time()
        token, bearer = tokens.access_token, tokens.token_type == "Bearer"
        if self.just_got(sign_in):
            look_at = self._got[1] + LOOK_SECONDS
            return CachedToken(token, look_at, -FOR_EVER, FOR_EVER, changes, bearer=bearer)
        if leeway is None and tokens.refresh_token is None:
            leeway = 0.0  # Nothing would come of an early renewal.
        since, until = fresh_period(
            obtained_at=tokens.obtained_at, expires_at=tokens.expires_at, leeway=leeway
        )
        if self.over(sign_in) or not since <= wall < until:
            return None
        return CachedToken(token, now + LOOK_SECONDS, since, until, changes, bearer=bearer)


def _token(sign_in: SignIn) -> _Token:
    return sign_in.tokens.access_token, sign_in.tokens.expires_at
