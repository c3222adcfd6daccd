"""The expiry of a token as a timestamp, for the protocols that have a place for it.

Source: RFC 3339 §5.6.
"""

from __future__ import annotations

LAST_SECOND = 253_402_300_799
"""The last second of the year 9999: a timestamp has four digits for the year."""


def timestamp(expires_at: float | None) -> str:
    """Return a time in the form `2026-01-31T12:00:00Z`; empty when the expiry is not known.

    Args:
        expires_at: Unix seconds. What is later than the year 9999 becomes its last second.
    """
    if expires_at is None or not expires_at >= 0:
        return ""
    from datetime import UTC, datetime, timedelta  # Start-up: not every token has an expiry.

    # Windows' own functions for the time end with the year 3000.
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(min(expires_at, LAST_SECOND)))
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
