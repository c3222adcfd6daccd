"""Sign-ins that cannot be read whole, and files beside them: renamed ones, and what a crash has left."""

# Paths stay text, as in `private_files`: pathlib takes longer to import.
# ruff: noqa: PTH104, PTH118, PTH208

from __future__ import annotations

import os

from loopback_auth.errors import StoreError
from loopback_auth.store.private_files import NEW_PREFIX, discard, system_refused, while_read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.tokens import SignIn


class Damaged(StoreError):
    """A sign-in that can never be read again: its file was changed, or the keychain has lost the key."""


class KeyUnreadable(StoreError):
    """The key of a bound sign-in cannot be read; what needs no key, such as a revocation, is still possible.

    Args:
        cause: why not.
        sign_in: without its key.
    """

    def __init__(self, cause: StoreError, sign_in: SignIn) -> None:
        super().__init__(cause.message, hint=cause.hint, parameter=cause.parameter)
        self.sign_in = sign_in
        self.lost: bool = isinstance(cause, Damaged)
        """Whether it can never be read again."""


def is_lost(exc: StoreError) -> bool:
    """Return whether a sign-in, or the key of a bound one, can never be read again: only a new one helps."""
    return isinstance(exc, Damaged) or (isinstance(exc, KeyUnreadable) and exc.lost)


def move_aside(path: str, now: float) -> None:
    """Rename a file to `<path>.corrupt-<Unix seconds>`, without replacing another file.

    Raises:
        StoreError: the file cannot be renamed.
    """
    second = int(now)
    while os.path.lexists(f"{path}.corrupt-{second}"):
        second += 1
    try:
        while_read(lambda: os.rename(path, f"{path}.corrupt-{second}"))
    except FileNotFoundError:
        return
    except OSError as exc:
        raise system_refused(exc, path, "renamed") from exc


def discard_copies(path: str, label: str) -> None:
    """Remove the renamed copies of a file, and what a crash has left while writing it.

    The caller holds the lock, so that no other process writes there.
    """
    folder, name = os.path.split(path)
    aside, new = f"{name}.corrupt-", f"{NEW_PREFIX}{label}-"
    try:
        entries = os.listdir(folder)
    except OSError:
        return
    for entry in entries:
        # The length is that of the suffix of `write_private`, because labels may have hyphens too.
        if entry.startswith(aside) or (entry.startswith(new) and len(entry) == len(new) + 16):
            discard(os.path.join(folder, entry))
