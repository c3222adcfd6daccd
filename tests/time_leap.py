"""Time that passes at a moment which a test chooses, and not while a busy machine works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from loopback_auth.events import Event, silent


def leap(seconds: float) -> None:
    """Let time pass for the running loop: what it was to do within these seconds is due now."""
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign]


def leaping(
    seconds: float, *, at: type[Event], notify: Callable[[Event], object] = silent
) -> Callable[[Event], None]:
    """Return a `notify` that lets time pass at the first event of a kind.

    Args:
        seconds: that pass.
        at: the kind.
        notify: gets every event before.
    """
    over = False

    def tell(event: Event) -> None:
        nonlocal over
        notify(event)
        if isinstance(event, at) and not over:
            over = True
            leap(seconds)

    return tell
