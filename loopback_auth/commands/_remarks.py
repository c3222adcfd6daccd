"""What commands without a display say of a sign-in or a renewal: only what a person should know."""

from __future__ import annotations

from loopback_auth.cli import tell
from loopback_auth.events import Event, PasteRefused, Warned


def remark(event: Event) -> None:
    """Tell people what they should know."""
    match event:
        case Warned(text):
            tell(f"warning: {text}")
        case PasteRefused(reason):
            tell(f"{reason} Paste again, or cancel with Ctrl-C.")
        case _:
            pass
