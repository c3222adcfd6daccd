"""When an access token is fresh: one rule, for tokens in memory and for those that are read off a file.

Imports nothing: the command that prints a kept token asks it before dataclasses are imported.
"""

LEEWAY = 60.0
"""Seconds before its end in which a token is renewed already, so that it does not end on its way."""
PART = 10
"""Of a short lifetime the leeway is no more than one part in so many."""
CLOCK_STEP = 60.0
"""Seconds by which a clock may be set back without a token seeming to come from the future."""


def fresh(*, obtained_at: float, expires_at: float | None, now: float, leeway: float | None = None) -> bool:
    """Return whether an access token will still be good in `leeway` seconds.

    A token without a stated lifetime counts as fresh. A clock that now stands before the moment the token
    was obtained has jumped, and then nothing can be said for the token.

    Args:
        obtained_at: Unix seconds.
        expires_at: Unix seconds; None when the server did not say.
        now: Unix seconds.
        leeway: seconds; None: 60, or a tenth of the lifetime where that is less.
    """
    if expires_at is None:
        return True
    if leeway is None:
        leeway = max(0.0, min(LEEWAY, (expires_at - obtained_at) / PART))
    return obtained_at - CLOCK_STEP <= now < expires_at - leeway
