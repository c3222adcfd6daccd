"""Keep values that can be used once: open pages and pushed requests."""

from __future__ import annotations

from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleUse(Generic[T]):
    """Keeps values under unguessable keys.

    Args:
        lifetime: how long each value can be taken, in seconds.
    """

    def __init__(self, lifetime: float) -> None:
        self._lifetime = lifetime
        self._kept: dict[str, tuple[float, T]] = {}

    def put(self, key: str, value: T, now: float) -> None:
        """Keep a value, and drop those that expired meanwhile."""
        # All have the same lifetime, so the oldest are first; removing two for each new one limits the number
        for old in [key for key, (expires_at, _) in islice(self._kept.items(), 2) if now >= expires_at]:
            del self._kept[old]
        self._kept[key] = (now + self._lifetime, value)

    def take(self, key: str, now: float) -> T | None:
        """Remove a value and return it; None when it is unknown, used or expired."""
        found = self._kept.pop(key, None)
        return found[1] if found is not None and now < found[0] else None
