"""Move what is kept in a data folder to the keychain, or back to plain files.

First it is said, in `keychain.json`, how the folder is written from now on; then every file is replaced by
one of the other form, each under the lock of its name and in one step. So there is no moment in which
something is not kept, and other processes read either form meanwhile. A move that was killed is taken up by
the next one: what is in a file says whether it was moved.

Whatever else may hold a secret is moved too: damaged files that were renamed, and new files that a crash has
left are removed. The blocks on the disk where plain files were are not overwritten: a program cannot know
where a disk of today has written them.
"""

# Paths stay text, as in `private_files`: pathlib takes longer to import.
# ruff: noqa: PTH116, PTH118, PTH120, PTH208

from __future__ import annotations

import os
import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from loopback_auth.errors import StoreError
from loopback_auth.narrow import NAME_LIMIT, is_name
from loopback_auth.records import dataclass
from loopback_auth.store import SIGN_INS, FileTokenStore
from loopback_auth.store.encryption import id_in
from loopback_auth.store.key_files import KEYS
from loopback_auth.store.keychain_files import decrypted, encrypted
from loopback_auth.store.keychain_key import (
    Undecryptable,
    for_reading,
    for_writing,
    read_keychain,
    set_encrypts,
)
from loopback_auth.store.pending import FOLDER as PENDING
from loopback_auth.store.pending import PendingStore, is_handle
from loopback_auth.store.private_files import (
    ENCRYPTED,
    check_folder,
    discard,
    move_over,
    read_private,
    system_refused,
    write_private,
)
from loopback_auth.store.registered_ports import FOLDER as REGISTRATIONS
from loopback_auth.store.settings_match import discard_match

FOLDERS = (SIGN_INS, KEYS, REGISTRATIONS, PENDING)
"""The folders of a data folder whose files may have secrets."""
LOCK_SECONDS = 10.0
LEFT_OVER_SECONDS = 2.0
"""Longer than a file is new before it is moved into place."""
_KEPT = re.compile(r"(?P<name>.+)\.(?:json|ended)(?:\.corrupt-\d+)?")
_NEW = re.compile(r"\.new-(?P<name>.*)-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that may have secrets.

    Args:
        folder: the one of `FOLDERS` that it is in.
        name: of what it has; empty: it is new, and for nothing in particular.
        path: of the file.
        left_over: it was not moved into place; a crash may have left it.
    """

    folder: str
    name: str
    path: str
    left_over: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """The result of a move.

    Args:
        moved: how many files were.
        failures: why others were not; each names its file.
    """

    moved: int
    failures: tuple[StoreError, ...]


def kept_files(data: str) -> tuple[KeptFile, ...]:
    """Return the files of a data folder that may have secrets, in alphabetical order.

    Raises:
        StoreError: a folder cannot be listed, or is unsafe.
    """
    return tuple(file for folder in FOLDERS for file in files_in(data, folder))


def in_keychain(path: str) -> bool | None:
    """Return whether a file is encrypted; None when there is none.

    Raises:
        StoreError: it cannot be read, or is unsafe.
    """
    content = read_private(path)
    return None if content is None else content.startswith(ENCRYPTED)


def move(data: str, *, encrypt: bool) -> Moved:
    """Move everything to the keychain, or back to plain files; what is there already stays.

    Args:
        data: the data folder.
        encrypt: to the keychain.

    Raises:
        ConfigError: the extra `keychain` is not installed.
        StoreError: the keychain cannot be used, or the folder; nothing is moved.
    """
    if encrypt:
        for_writing(data)
    else:
        _check_keys(data)
    if encrypt or read_keychain(data).encrypts:
        set_encrypts(data, encrypt)
    moved, failures = 0, list[StoreError]()
    for file in kept_files(data):
        try:
            with _locked(data, file):
                moved += _moved(file, encrypt=encrypt)
                if file.name and file.folder == SIGN_INS:
                    discard_match(data, file.name)
        except StoreError as exc:
            failures.append(exc)
    return Moved(moved, tuple(failures))


def files_in(data: str, folder: str) -> Iterator[KeptFile]:
    """Return those of one of `FOLDERS`.

    Raises:
        StoreError: the folder cannot be listed, or is unsafe.
    """
    within = os.path.join(data, folder)
    try:
        entries = sorted(os.listdir(within)) if check_folder(within) else []
    except OSError as exc:
        raise system_refused(exc, within, "listed") from exc
    is_ours = is_handle if folder == PENDING else is_name
    for entry in entries:
        path = os.path.join(within, entry)
        if new := _NEW.fullmatch(entry):
            name = new["name"] if is_ours(new["name"]) else ""
            yield KeptFile(folder, name, path, left_over=True)
        elif (kept := _KEPT.fullmatch(entry)) and is_ours(kept["name"]):
            yield KeptFile(folder, kept["name"], path)


def _check_keys(data: str) -> None:
    """Check that the keychain can be used, if anything is encrypted.

    Raises:
        ConfigError: the extra `keychain` is not installed.
        StoreError: it cannot.
    """
    for file in kept_files(data):
        try:
            content = read_private(file.path) or b""
            if content.startswith(ENCRYPTED) and not file.left_over:
                for_reading(data, id_in(content), file.path)
        except Undecryptable:
            continue  # It stays as it is, which is said when it could not be moved.


@contextmanager
def _locked(data: str, file: KeptFile) -> Generator[None]:
    """Hold the lock of what a file has."""
    store = FileTokenStore(data)
    if not file.name:
        yield
    elif file.folder == PENDING:
        with PendingStore(data).lock(file.name, LOCK_SECONDS):
            yield
    else:
        name = f"registration-{file.name}"[:NAME_LIMIT] if file.folder == REGISTRATIONS else file.name
        with store.lock(name, LOCK_SECONDS):
            yield


def _moved(file: KeptFile, *, encrypt: bool) -> bool:
    if file.left_over:
        _discard_left_over(file.path)
        return False
    while (before := read_private(file.path)) is not None:
        if before.startswith(ENCRYPTED) is encrypt:
            return False
        after = (encrypted if encrypt else decrypted)(file.path, before)
        times = os.stat(file.path)
        new = write_private(os.path.dirname(file.path), after, file.name)
        try:
            # By their times it is known which ports of registrations were used last.
            os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))
            # A program may write without the lock of its name.
            if read_private(file.path) == before:
                move_over(new, file.path)
                return True
        finally:
            discard(new)
    return False


def _discard_left_over(path: str) -> None:
    """Remove a new file, unless a process that is still there moves it into place."""
    try:
        age = time.time() - os.stat(path).st_mtime
    except OSError:
        return
    time.sleep(min(max(LEFT_OVER_SECONDS - age, 0.0), LEFT_OVER_SECONDS))
    discard(path)
