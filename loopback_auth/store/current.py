"""Remember which sign-in is used when none is named: the latest one, or the one that was chosen.

A private file beside the sign-ins contains its name. If no sign-in of that name is kept any more, none is
chosen.
"""

# Pathlib takes longer to import than a kept token to read.
# ruff: noqa: PTH118

from __future__ import annotations

import os

from loopback_auth.store.private_files import discard, move_over, read_private, write_private

FILE = "chosen"


def chosen_in(folder: str) -> str:
    """Return the name of the chosen sign-in, unchecked; empty when none is chosen.

    Raises:
        StoreError: the file cannot be read or trusted.
    """
    content = read_private(os.path.join(folder, FILE))
    return content.decode("ascii", "replace").strip() if content else ""


def choose_in(folder: str, name: str) -> None:
    """Choose a sign-in; a choice that is there already is not written again, because a person may be waiting.

    Raises:
        StoreError: the choice cannot be kept; the previous one is unchanged.
    """
    from loopback_auth.errors import StoreError  # Not needed to print a kept token.

    try:
        if chosen_in(folder) == name:
            return
    except StoreError:
        pass  # An unreadable file is replaced.
    new = write_private(folder, name.encode("ascii") + b"\n")
    try:
        move_over(new, os.path.join(folder, FILE))
    except BaseException:
        discard(new)
        raise


def forget_in(folder: str) -> None:
    """Remove the choice."""
    discard(os.path.join(folder, FILE))
