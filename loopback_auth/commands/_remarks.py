"""The messages of commands that show no progress: only warnings that a person should know."""

from __future__ import annotations

from loopback_auth.cli import tell
from loopback_auth.events import Event, PasteRefused, Warned
from loopback_auth.words import Words


def remark(event: Event) -> None:
    """Show warnings and refused pastes; other events are not shown."""
    match event:
        case Warned(text):
            tell(Words.WARNING.format(text=text))
        case PasteRefused(reason):
            tell(Words.PASTE_AGAIN.format(why=reason))
        case _:
            pass
