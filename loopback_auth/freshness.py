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


def fresh(*, obtained_at: float, expires_at: float | None, now: float, leeway: float | None = None) -> bool:
    """Return whether an access token will still be valid in `leeway` seconds.

    A token without a stated lifetime is fresh. If the clock is before the time at which the token was
    obtained, the clock was changed; then the token is not fresh, because its age is unknown.

    Args:
        obtained_at: Unix seconds.
        expires_at: Unix seconds; None when the server did not say.
        now: Unix seconds.
        leeway: seconds; None: 60, or a tenth of the lifetime if that is less.
    """
    if expires_at is None:
        return True
    if leeway is None:
        leeway = max(0.0, min(LEEWAY, (expires_at - obtained_at) / PART))
    return obtained_at - CLOCK_STEP <= now < expires_at - leeway
