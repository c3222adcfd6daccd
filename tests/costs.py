"""What work costs, measured by what does not depend on how fast or how busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from cProfile import Profile

PROPORTIONAL = 24.0
"""Below it, `growth` is that of time proportional to the length: 8, and by chance up to thrice as much."""

SHORTEST = 1e-4
"""Seconds of the processor below which nothing is compared."""


def calls(work: Callable[[], object]) -> int:
    """Count the functions that work calls, those in C among them."""
    profile = Profile()
    profile.runcall(work)
    return sum(entry.callcount for entry in profile.getstats())


def growth(read: Callable[[str], object], text: str) -> float:
    """Return how much longer a text takes than its first eighth: 8 times in linear time, 64 in quadratic."""
    return least_seconds(lambda: read(text)) / least_seconds(lambda: read(text[: len(text) // 8]))


def least_seconds(work: Callable[[], object], runs: int = 5) -> float:
    """Return the processor time of the quickest run: what disturbs one of them does not disturb all.

    Windows counts it in steps of 16 ms; what is shorter has no time there.
    """
    seconds = []
    for _ in range(runs):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return max(SHORTEST, min(seconds))
