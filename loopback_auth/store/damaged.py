"""What lies beside a private file: damaged content, set aside, and what a crash has left of writing."""

# As in `private_files`.
# ruff: noqa: PTH104, PTH118, PTH208

from __future__ import annotations

import os

from loopback_auth.store.private_files import NEW_PREFIX, discard, system_refused, while_read


def move_aside(path: str, now: float) -> None:
    """Rename whatever is at a path to `<path>.corrupt-<Unix seconds>`, over nothing that is there already.

    Raises:
        StoreError: it cannot be renamed.
    """
    second = int(now)
    while os.path.lexists(f"{path}.corrupt-{second}"):
        second += 1
    try:
        while_read(lambda: os.rename(path, f"{path}.corrupt-{second}"))
    except FileNotFoundError:
        return
    except OSError as exc:
        raise system_refused(exc, path, "kept aside") from exc


def discard_copies(path: str, label: str) -> None:
    """Remove what was set aside from a path, and what a crash has left of writing there.

    The caller has to keep everybody else from writing there.
    """
    folder, name = os.path.split(path)
    aside, new = f"{name}.corrupt-", f"{NEW_PREFIX}{label}-"
    try:
        entries = os.listdir(folder)
    except OSError:
        return
    for entry in entries:
        # What follows the label is as long as what `write_private` puts there: labels have hyphens, too.
        if entry.startswith(aside) or (entry.startswith(new) and len(entry) == len(new) + 16):
            discard(os.path.join(folder, entry))
