"""The key of a data folder: made once, kept by the keychain of the system, and found again.

`keychain.json` in the data folder has no secret. It says under which name and in which keychain the key is,
and what the encrypted files call it; and whether what is written in the folder is encrypted. The key has a
random name, so that a folder can be moved, and two folders never share a key.

A keychain has no way to create a key only if there is none. So a lock makes sure that of two processes one
makes it. A key is read back before anything is encrypted with it. If the keychain loses it, another one is
made when the user signs in again; the file keeps the names of all keys, so that older files can be read as
soon as the keychain has their key again.
"""

# Paths stay text, as in `private_files`: pathlib takes longer to import.
# ruff: noqa: PTH118

from __future__ import annotations

import json
import os
import time

from loopback_auth.codec import from_members, read_object, to_members
from loopback_auth.errors import StoreError
from loopback_auth.records import dataclass, replace
from loopback_auth.store import KEYCHAIN
from loopback_auth.store.damaged import Damaged
from loopback_auth.store.encryption import Encryption
from loopback_auth.store.keychain_backend import make_key, read_key
from loopback_auth.store.keychain_question import FILES
from loopback_auth.store.private_files import (
    discard,
    discard_left_overs,
    make_folder,
    move_over,
    read_private,
    store_error,
    write_private,
)

FORMAT_VERSION = 1
LOCK_SECONDS = 90.0
"""Longer than a person may take to unlock the keychain for the process that makes the key."""


@dataclass(frozen=True, slots=True)
class KeyName:
    """The name under which the keychain has a key.

    Args:
        user: the name of the key in the keychain, beside that of the service.
        backend: the class of `keyring` for the keychain; empty before the key was kept.
        key: hexadecimal; what encrypted files call the key (`Encryption.key_id`); empty before it was kept.
    """

    user: str
    backend: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class KeychainFile:
    """What `keychain.json` says.

    Args:
        encrypts: what is written in the data folder is encrypted.
        keys: those of the folder; new files are encrypted with the first one.
    """

    encrypts: bool = False
    keys: tuple[KeyName, ...] = ()


WITHOUT_IT = (
    "or move the sign-ins into files where the keychain works, or sign in here with another data folder"
)
"""What helps in place of `FILES` where sign-ins are encrypted already."""


class Undecryptable(Damaged):
    """A file that can never be decrypted: the keychain has lost its key, or the file was changed."""


_CIPHERS: dict[str, Encryption] = {}
"""What this process has got from keychains, by `KeyName.key`: a person is asked once at most."""


def read_keychain(folder: str) -> KeychainFile:
    """Return what the file of a data folder says; nothing is encrypted where there is none.

    Raises:
        StoreError: it cannot be read, is unsafe or is damaged.
    """
    path = os.path.join(folder, KEYCHAIN)
    content = read_private(path)
    if content is None:
        return KeychainFile()
    try:
        members = read_object(content)
        if members.pop("version", None) != FORMAT_VERSION:
            raise ValueError(f"not of format version {FORMAT_VERSION}")
        return from_members(KeychainFile, members)
    except ValueError as exc:
        raise store_error(
            f"{path} is damaged: {exc}",
            "Bring it back from a backup. Without it encrypted sign-ins cannot be read; if you remove it, "
            "sign in again.",
        ) from None


def set_encrypts(folder: str, encrypts: bool) -> None:
    """Say whether what is written in a data folder is encrypted from now on.

    Raises:
        StoreError: the file cannot be read or written.
    """
    from loopback_auth.store.locks import locked  # It imports filelock.

    with locked(_lock(folder), LOCK_SECONDS):
        before = read_keychain(folder)
        if before.encrypts != encrypts:
            _write(folder, replace(before, encrypts=encrypts))


def for_reading(folder: str, key_id: bytes, path: str) -> Encryption:
    """Return what decrypts a file.

    Args:
        folder: the data folder.
        key_id: what the file calls its key.
        path: of the file, for messages.

    Raises:
        ConfigError: the extra `keychain` is not installed.
        Undecryptable: the keychain does not have the key.
        StoreError: the keychain cannot be used.
    """
    key = key_id.hex()
    if key not in _CIPHERS:
        named = next((each for each in read_keychain(folder).keys if each.key == key), None)
        if named is None:
            raise Undecryptable(
                f"{path} is encrypted with a key that {os.path.join(folder, KEYCHAIN)} does not name.",
                hint="If it came from another folder, bring the keychain.json of that folder as well. "
                "Otherwise sign in again; the file will be renamed.",
            )
        if _found_for_reading(named) is None:
            raise Undecryptable(
                f"{path} cannot be decrypted: the keychain does not have its key any more "
                f"({named.user} in {named.backend}).",
                hint="If the keychain was replaced, bring the old one back. Otherwise sign in again; the "
                "file will be renamed.",
            )
    return _CIPHERS[key]


def _found_for_reading(named: KeyName) -> Encryption | None:
    try:
        return _found(named)
    except StoreError as exc:
        # The setting is no way out: what is encrypted stays so until it is moved.
        exc.hint = exc.hint.replace(FILES, WITHOUT_IT)
        exc.parameter = "store"  # Which folder.
        raise


def for_writing(folder: str) -> Encryption:
    """Return what encrypts new files; the key is made if there is none, or if the keychain has lost it.

    Raises:
        ConfigError: the extra `keychain` is not installed.
        StoreError: the keychain cannot be used, or is not one.
    """
    return _first(folder) or _made(folder)


def _first(folder: str) -> Encryption | None:
    """Return what encrypts with the first key; None if it has to be made."""
    named = next(iter(read_keychain(folder).keys), None)
    return None if named is None or not named.key else _found(named)


def _found(named: KeyName) -> Encryption | None:
    """Return what encrypts with a key that is complete; None if the keychain does not have it."""
    if named.key not in _CIPHERS:
        _, cipher = read_key(named.user, named.backend)
        if cipher is None or cipher.key_id.hex() != named.key:
            return None
        _CIPHERS[named.key] = cipher
    return _CIPHERS[named.key]


def _made(folder: str) -> Encryption:
    from loopback_auth.store.locks import locked  # It imports filelock.

    with locked(_lock(folder), LOCK_SECONDS):
        # Another process may have made it meanwhile.
        if cipher := _first(folder):
            return cipher
        before = read_keychain(folder)
        first = next(iter(before.keys), None)
        if first is None or first.key:
            # Its name is kept first, so that a crash leaves no key in the keychain that has no name here.
            first = KeyName(f"sign-ins-{os.urandom(8).hex()}")
            before = replace(before, keys=(first, *before.keys))
            _write(folder, before)
        backend, cipher = make_key(first.user)
        named = KeyName(first.user, backend, cipher.key_id.hex())
        # Where sign-ins were moved back to plain files, a second key changes nothing about that.
        encrypts = before.encrypts or len(before.keys) == 1
        _write(folder, KeychainFile(encrypts, (named, *before.keys[1:])))
        _CIPHERS[named.key] = cipher
        return cipher


def _write(folder: str, kept: KeychainFile) -> None:
    make_folder(folder)
    discard_left_overs(folder, time.time())
    document = {"version": FORMAT_VERSION, **to_members(kept, defaults=True)}
    new = write_private(folder, json.dumps(document, indent=1).encode("ascii") + b"\n")
    try:
        move_over(new, os.path.join(folder, KEYCHAIN))
    except BaseException:
        discard(new)
        raise


def _lock(folder: str) -> str:
    return os.path.join(folder, f"{KEYCHAIN}.lock")
