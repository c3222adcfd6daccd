"""Ask the person for a client secret, which is never shown."""

from __future__ import annotations

import sys
from getpass import getpass

from loopback_auth import words


def ask_client_secret(name: str, note: str = "") -> str:
    """Ask for the client secret of a provider; empty where the person gives none.

    Args:
        name: of the provider.
        note: what an empty answer means, behind the name; begins with a blank.
    """
    try:
        return getpass(words.SECRET_PROMPT.format(name=name, note=note), sys.stderr).strip()
    except EOFError:
        return ""
