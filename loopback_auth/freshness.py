"""Decide whether an access token is fresh: one rule for tokens in memory and for those in a file.

This module imports nothing, because the command that prints a kept token uses it before dataclasses are
imported. It refuses to know how a token is renewed.
"""

LEEWAY = 60.0
"""Seconds before its expiry in which a token is renewed already, so that it does not expire in transit."""
PART = 10
"""The leeway is at most the lifetime divided by this."""
CLOCK_STEP = 60.0
"""Seconds by which a clock may be set back before a token counts as one from the future."""

FOR_EVER = float("inf")


def fresh(*, obtained_at: float, expires_at: float | None, now: float, leeway: float | None = None) -> bool:
    """Return whether an access token will still be valid in `leeway` seconds.

    Args:
        obtained_at: Unix seconds.
        expires_at: Unix seconds; None when the server did not say.
        now: Unix seconds.
        leeway: seconds; None: 60, or a tenth of the lifetime if that is less.
    """
    since, until = fresh_period(obtained_at=obtained_at, expires_at=expires_at, leeway=leeway)
    return since <= now < until


def fresh_period(
    *, obtained_at: float, expires_at: float | None, leeway: float | None = None
) -> tuple[float, float]:
    """Return from when on and until when an access token is fresh, in Unix seconds.

    A token without a stated lifetime is always fresh. If the clock is before the time at which the token was
    obtained, the clock was changed; then the token is not fresh, because its age is unknown. A leeway that a
    new token would hardly have, or not at all, counts as None: otherwise each call would renew the token.

    Args:
        obtained_at: Unix seconds.
        expires_at: Unix seconds; None when the server did not say.
        leeway: seconds; None: 60, or a tenth of the lifetime if that is less.
    """
    if expires_at is None:
        return -FOR_EVER, FOR_EVER
    part = (expires_at - obtained_at) / PART
    if leeway is None or leeway > part * (PART - 1):
        leeway = max(0.0, min(LEEWAY, part))
    return obtained_at - CLOCK_STEP, expires_at - leeway
