"""Keep pending sign-ins, which wait for the person, between one process and the next.

One private JSON file each, `<folder>/pending/<handle>.json`: the client, the random values of the attempt,
and the journal, which is every answer that the flow has got so far. It contains a device code, a ticket or a
code verifier, and in the end the tokens, but never the client secret. It is replaced in one step, locked
while a process continues the sign-in, and removed when the sign-in has ended or expired. Its result is
remembered for an hour, without secrets. What is in the files is decided in `pending_sign_in`.
"""

# The rest of the store does without pathlib, too.
# ruff: noqa: PTH108, PTH118

from __future__ import annotations

import os
import re
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TypeVar

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.field_checks import check_instance
from loopback_auth.store import sign_in_name
from loopback_auth.store.kept_files import keep
from loopback_auth.store.pending_sign_in import Ended, PendingSignIn, from_json, to_json
from loopback_auth.store.private_files import (
    CONTENT_LIMIT,
    absolute_folder,
    check_folder,
    discard,
    discard_left_overs,
    read_kept,
    store_error,
    system_refused,
)

FOLDER, SUFFIX, ENDED, LOCK = "pending", ".json", ".ended", ".lock"
REMEMBERED = 3600.0
"""Seconds for which the result of a sign-in is remembered."""
SUFFIX_BYTES = 3
LAPSED = "It expired before it was approved and finished."
_HANDLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}-[0-9a-f]{6}")

T = TypeVar("T", PendingSignIn, Ended)


def new_handle(name: str) -> str:
    """Return a new handle for a sign-in of a name."""
    return f"{sign_in_name(name)}-{os.urandom(SUFFIX_BYTES).hex()}"


def name_in(handle: str) -> str:
    """Return the name of the sign-in that a handle is for."""
    return handle.rpartition("-")[0]


def is_handle(text: object) -> bool:
    """Return whether a value has the form of a handle."""
    return isinstance(text, str) and _HANDLE.fullmatch(text) is not None


class PendingStore:
    """Keeps pending sign-ins in files that only their owner can read.

    Args:
        folder: the data folder; created when something is kept for the first time.
        encrypt: encrypt also where nothing is encrypted yet, as `KeychainTokenStore` does.
    """

    def __init__(self, folder: str | os.PathLike[str], *, encrypt: bool = False) -> None:
        self._encrypt = encrypt
        self._folder = os.path.join(absolute_folder(folder), FOLDER)

    def handles(self) -> tuple[str, ...]:
        """Return the handles of the pending sign-ins, in alphabetical order.

        Raises:
            StoreError: the folder cannot be read or trusted.
        """
        stems = (name.removesuffix(SUFFIX) for name in self._entries() if name.endswith(SUFFIX))
        return tuple(sorted(filter(is_handle, stems)))

    def load(self, handle: str) -> PendingSignIn | Ended | None:
        """Return a pending sign-in, or its result; None when there was none, or its result is forgotten.

        Raises:
            ConfigError: this cannot be a handle.
            StoreError: the file cannot be read, is unsafe or is damaged; it is not changed.
        """
        path = self.path(handle)
        if not check_folder(self._folder):
            return None
        if (content := read_kept(path)) is not None:
            return _understood(PendingSignIn, content, handle, path)
        ended = self._ended(handle)
        content = read_kept(ended)
        return None if content is None else _understood(Ended, content, handle, ended)

    def save(self, pending: PendingSignIn) -> None:
        """Keep a pending sign-in: completely, or not at all.

        Raises:
            ConfigError: its handle cannot be one.
            StoreError: it cannot be kept.
        """
        check_instance(pending, PendingSignIn, "pending")
        self._write(self.path(pending.handle), to_json(pending), pending.handle)

    def end(self, ended: Ended) -> None:
        """Delete a pending sign-in, and remember its result.

        Raises:
            ConfigError: its handle cannot be one.
            StoreError: the file exists and cannot be removed.
        """
        check_instance(ended, Ended, "ended")
        path = self.path(ended.handle)
        with suppress(StoreError):  # The result is optional; the disk may be full.
            self._write(self._ended(ended.handle), to_json(ended), ended.handle)
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except OSError as exc:
            raise system_refused(exc, path, "removed") from exc

    @contextmanager
    def lock(self, handle: str, timeout: float) -> Generator[None]:
        """Hold a lock that excludes other processes; it waits for at most `timeout` seconds on entry.

        Raises:
            ConfigError: this cannot be a handle.
            StoreError: (on entry) the lock was not free in time, or its file cannot be created.
        """
        from loopback_auth.store.locks import locked  # Start-up.

        path = self.path(handle)
        with locked(path + LOCK, timeout):
            try:
                yield
            finally:
                # A handle is used once, so a process that still waits finds nothing to protect.
                if not os.path.lexists(path):
                    discard(path + LOCK)

    def sweep(self, now: float) -> None:
        """Remove the sign-ins that have expired, and results that were remembered for long enough.

        Raises:
            StoreError: the folder cannot be read or trusted.
        """
        for handle in self.handles():
            # It may be damaged or locked; then the caller that needs it gets the error.
            with suppress(StoreError):
                if self._has_lapsed(handle, now):
                    with self.lock(handle, 0):
                        self._let_lapse(handle, now)
        discard_left_overs(self._folder, now)
        kept = set(self.handles())
        for name in self._entries():
            path = os.path.join(self._folder, name)
            trace = name.endswith((ENDED, LOCK)) and name.removesuffix(SUFFIX + LOCK) not in kept
            if trace and now - _changed_at(path, now) > REMEMBERED:
                discard(path)

    def path(self, handle: str) -> str:
        """Return the file of a sign-in, whether or not it exists.

        Raises:
            ConfigError: this cannot be a handle.
        """
        if not is_handle(handle):
            raise ConfigError(
                f"{ascii(handle)[:80]} is not a handle, such as github-0a1b2c.",
                hint="Use the handle that the beginning of this login gave you.",
                parameter="handle",
            )
        return os.path.join(self._folder, handle + SUFFIX)

    def _has_lapsed(self, handle: str, now: float) -> bool:
        found = self.load(handle)
        return isinstance(found, PendingSignIn) and found.lapsed(now)

    def _let_lapse(self, handle: str, now: float) -> None:
        # Read again under the lock: another process may just have finished it.
        if self._has_lapsed(handle, now):
            self.end(Ended(handle, name_in(handle), "expired", LAPSED))

    def _ended(self, handle: str) -> str:
        return self.path(handle).removesuffix(SUFFIX) + ENDED

    def _entries(self) -> list[str]:
        try:
            return os.listdir(self._folder) if check_folder(self._folder) else []  # noqa: PTH208
        except OSError as exc:
            raise system_refused(exc, self._folder, "listed") from exc

    def _write(self, path: str, content: bytes, handle: str) -> None:
        if len(content) > CONTENT_LIMIT:
            raise store_error(
                f"The sign-in {handle} cannot be kept: it is larger than 1 MiB",
                "Begin again, and ask less often whether it is approved.",
            )
        discard_left_overs(self._folder, time.time())
        keep(path, content, label=handle, encrypt=self._encrypt)


def _understood(kind: type[T], content: bytes, handle: str, path: str) -> T:
    try:
        return from_json(kind, content, handle)
    except ValueError as exc:
        raise store_error(
            f"{path} cannot be used: {exc}",
            "Forget it, then begin again; nothing else is lost.",
            "handle",
        ) from None


def _changed_at(path: str, now: float) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return now
