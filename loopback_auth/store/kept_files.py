"""Replace a file of the data folder: completely or not at all, and encrypted where that is wanted.

A data folder is encrypted from the moment in which it has a key in the keychain. Then whatever writes there
encrypts, also a program that was started before and knows nothing of it, until the files are moved back
(`moving`). Reading goes by what is in the file (`private_files.read_kept`).
"""

# Paths stay text, as in `private_files`: pathlib takes longer to import.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import os

from loopback_auth.store import KEYCHAIN
from loopback_auth.store.private_files import discard, make_folder, move_over, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def keep(
    path: str,
    content: bytes,
    *,
    label: str = "",
    encrypt: bool = False,
    first: Callable[[], None] | None = None,
) -> None:
    """Replace a file of the data folder.

    Args:
        path: of a file in a folder of the data folder.
        content: at most `CONTENT_LIMIT` bytes.
        label: see `write_private`.
        encrypt: encrypt it also where nothing is encrypted yet.
        first: is called when everything is written, before the file is replaced.

    Raises:
        StoreError: it cannot be written, or not be encrypted; the previous file is unchanged.
    """
    within = os.path.dirname(path)
    make_folder(within)
    encrypted = encrypt or is_encrypted(os.path.dirname(within))
    new = write_private(within, _encrypted(path, content) if encrypted else content, label)
    try:
        if first is not None:
            first()
        move_over(new, path)
    except BaseException:
        discard(new)
        raise
    if not encrypted and is_encrypted(os.path.dirname(within)):
        # Since the first look a process began to encrypt the folder, and may have been here already.
        keep(path, content, label=label, encrypt=True)


def is_encrypted(folder: str) -> bool:
    """Return whether what is written in a data folder is encrypted there.

    Raises:
        StoreError: the file that says so cannot be read.
    """
    if not os.path.lexists(os.path.join(folder, KEYCHAIN)):
        return False
    from loopback_auth.store.keychain_key import read_keychain  # Few folders are encrypted.

    return read_keychain(folder).encrypts


def check_can_keep(folder: str, *, encrypt: bool) -> None:
    """Check that what is written in a data folder can be encrypted, if it has to be.

    Raises:
        ConfigError: the extra `keychain` is not installed.
        StoreError: the keychain cannot be used.
    """
    if encrypt or is_encrypted(folder):
        from loopback_auth.store.keychain_key import for_writing  # Few folders are encrypted.

        for_writing(folder)


def _encrypted(path: str, content: bytes) -> bytes:
    from loopback_auth.store.keychain_files import encrypted  # Few folders are encrypted.

    return encrypted(path, content)
