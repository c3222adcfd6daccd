"""What has come to our port, remembered for the error when the time is over.

The reason why a person waited without success is often among the requests that were not the answer. It is
reported when it happens, and again at the end, instead of a guess.
"""

from __future__ import annotations

from loopback_auth.events import (
    CallbackTurnedAway,
    Event,
    HttpsTried,
    LinkOpened,
    LinkRequested,
    OtherUserTurnedAway,
)
from loopback_auth.words import Words


def https_tried(authority: str) -> str:
    """Return what an https request to our port means, and what to do."""
    return Words.HTTPS_TRIED.format(authority=authority)


class PortHistory:
    """Remembers what happened at our port, from its events."""

    def __init__(self) -> None:
        self.asked: bool = False
        """A browser has asked for the start page, so that it does not matter whether its opener failed."""
        self.visited: bool = False
        """A browser has reached the start page."""
        self._turned_away = 0
        self._last = ""
        self._https = ""
        self._other_user = ""

    def note(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case LinkRequested(windowless_program=""):
                self.asked = True
            case LinkOpened(windowless_program=""):
                self.asked = self.visited = True
            case CallbackTurnedAway():
                self._turned_away += 1
                self._last = str(event)
            case HttpsTried(authority):
                self._https = https_tried(authority)
            case OtherUserTurnedAway():
                self._other_user = str(event)
            case _:
                pass

    def sentences(self) -> str:
        """Return what happened, in sentences; empty if nothing did."""
        said: list[str] = []
        if self._turned_away == 1:
            said.append(f"One response was refused: {self._last}.")
        elif self._turned_away:
            said.append(f"{self._turned_away} responses were refused, the last one because {self._last}.")
        return " ".join(one for one in (*said, self._https, self._other_user) if one)
