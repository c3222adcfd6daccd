"""A place for values that can be taken out once: pages under way, pushed requests."""

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
        # All live equally long, so the oldest stand first: two out for one in keeps the number bounded
        for old in [key for key, (expires_at, _) in islice(self._kept.items(), 2) if now >= expires_at]:
            del self._kept[old]
        self._kept[key] = (now + self._lifetime, value)

    def take(self, key: str, now: float) -> T | None:
        """Hand out a value for good; None when it is unknown, used or expired."""
        found = self._kept.pop(key, None)
        return found[1] if found is not None and now < found[0] else None
