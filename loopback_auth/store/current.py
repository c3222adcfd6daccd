"""Which sign-in is meant when none is named: the last one that was made, or the one that was chosen.

One private file beside the sign-ins holds its name. A name that is not kept any more means nothing.
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
    """Choose a sign-in; what is chosen already is not written again, for a person may be waiting.

    Raises:
        StoreError: the choice cannot be kept; the one before still is.
    """
    from loopback_auth.errors import StoreError  # Not on the way to a kept token.

    try:
        if chosen_in(folder) == name:
            return
    except StoreError:
        pass  # What cannot be read is replaced.
    new = write_private(folder, name.encode("ascii") + b"\n", FILE)
    try:
        move_over(new, os.path.join(folder, FILE))
    except BaseException:
        discard(new)
        raise


def forget_in(folder: str) -> None:
    """Choose none."""
    discard(os.path.join(folder, FILE))
