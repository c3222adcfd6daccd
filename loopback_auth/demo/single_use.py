"""Keep values that can be used once: open pages and pushed requests; and remember those of others."""

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


class Seen:
    """Remembers which values came already, for as long as one could come again.

    Args:
        lifetime: seconds after which a value is refused for another reason, and may be forgotten.
    """

    def __init__(self, lifetime: float) -> None:
        self._lifetime = lifetime
        self._until: dict[str, float] = {}

    def first(self, value: str, now: float) -> bool:
        """Note a value; False when it is noted already."""
        for old in [one for one, until in islice(self._until.items(), 2) if now >= until]:
            del self._until[old]
        if value in self._until:
            return False
        self._until[value] = now + self._lifetime
        return True
