"""The messages of commands that show no progress: only warnings that a person should know."""

from __future__ import annotations

import time

from loopback_auth.cli import tell
from loopback_auth.events import Event, PasteRefused, Warned
from loopback_auth.invocation import as_typed
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def remark(event: Event) -> None:
    """Show warnings and refused pastes; other events are not shown."""
    match event:
        case Warned(text):
            tell(Words.WARNING.format(text=text))
        case PasteRefused(reason):
            tell(Words.PASTE_AGAIN.format(why=reason))
        case _:
            pass


REPEAT_SECONDS = 60.0
"""Seconds after which the same line is shown again."""
MOST_TEXTS = 100
"""Different lines that are shown within that time; some contain text that a client chooses."""


class Seldom:
    """Says which texts are due, so that what goes wrong at every request is not said at every request."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def is_due(self, text: str) -> bool:
        """Return whether a text is to be said now; it counts as said then."""
        now = time.monotonic()
        if self._until.get(text, 0.0) > now:
            return False
        self._until = {said: until for said, until in self._until.items() if until > now}
        if len(self._until) >= MOST_TEXTS:
            return False
        self._until[text] = now + REPEAT_SECONDS
        return True


def tell_seldom() -> Callable[[str], None]:
    """Return a function that shows a line to people, but the same line at most once a minute."""
    seldom = Seldom()

    def show(text: str) -> None:
        if seldom.is_due(text):
            tell(as_typed(text))

    return show
