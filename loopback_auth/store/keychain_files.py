"""Encrypt and decrypt the files of a data folder, each bound to its place in it.

The path within the data folder is the associated data, so that no file can take the place of another. A
damaged file that was renamed stays bound to its old name.
"""

# Paths stay text, as in `private_files`: pathlib takes longer to import.
# ruff: noqa: PTH119, PTH120

from __future__ import annotations

import os

from loopback_auth.errors import StoreError
from loopback_auth.store.encryption import id_in
from loopback_auth.store.keychain_key import Undecryptable, for_reading, for_writing
from loopback_auth.store.private_files import SIZE_LIMIT, store_error


def encrypted(path: str, content: bytes) -> bytes:
    """Encrypt the content of a file with the key of its data folder, which is made if there is none.

    Raises:
        ConfigError: the extra `keychain` is not installed.
        StoreError: the keychain cannot be used, or the content is too large.
    """
    made = for_writing(_folder(path)).encrypt(content, place(path))
    if len(made) > SIZE_LIMIT:
        raise store_error(f"{path} cannot be encrypted: it is larger than 1 MiB", "Sign in again.")
    return made


def decrypted(path: str, content: bytes) -> bytes:
    """Decrypt the content of a file.

    Raises:
        ConfigError: the extra `keychain` is not installed.
        Undecryptable: the keychain has lost the key, or the file was changed or moved.
        StoreError: the keychain cannot be used.
    """
    cipher = for_reading(_folder(path), id_in(content), path)
    try:
        return cipher.decrypt(content, place(path))
    except StoreError:
        raise Undecryptable(
            f"{path} is damaged: it was changed, or it is the file of another name",
            hint="Sign in again; the damaged file will be renamed.",
        ) from None


def place(path: str) -> str:
    """Return the place of a file in its data folder, such as `sign-ins/github.json`."""
    within, name = os.path.split(path)
    stem, _, moment = name.rpartition(".corrupt-")
    return f"{os.path.basename(within)}/{stem if moment.isdecimal() else name}"


def _folder(path: str) -> str:
    return os.path.dirname(os.path.dirname(path))
