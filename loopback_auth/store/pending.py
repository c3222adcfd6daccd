"""Sign-ins that were begun and wait for the person, between one process and the next.

One private JSON file each, `<folder>/pending/<handle>.json`: who asks, the randomness of the attempt, and the
journal, which is every answer that the flow has got so far. It holds a device code, a ticket or a code
verifier, at the end the tokens themselves, but never the client secret. It is replaced in one step, locked
while somebody goes on with it, and removed when the sign-in is over or its time is. What became of it stays
known for an hour, without a secret, for those who ask again. What is in the files is `handed`.
"""

# The rest of the store does without pathlib, too.
# ruff: noqa: PTH100, PTH108, PTH118

from __future__ import annotations

import os
import re
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TypeVar

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.store import sign_in_name
from loopback_auth.store.pending_sign_in import Ended, PendingSignIn, from_json, to_json
from loopback_auth.store.private_files import (
    SIZE_LIMIT,
    check_folder,
    discard,
    discard_left_overs,
    make_folder,
    move_over,
    read_private,
    store_error,
    system_refused,
    write_private,
)

FOLDER, SUFFIX, ENDED, LOCK = "pending", ".json", ".ended", ".lock"
REMEMBERED = 3600.0
"""Seconds for which it is known what became of a sign-in."""
SUFFIX_BYTES = 3
LAPSED = "It expired before it was approved and finished."
_HANDLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}-[0-9a-f]{6}")

T = TypeVar("T", PendingSignIn, Ended)


def new_handle(name: str) -> str:
    """Make the handle of a new sign-in from its name."""
    return f"{sign_in_name(name)}-{os.urandom(SUFFIX_BYTES).hex()}"


def name_in(handle: str) -> str:
    """Return the name of the sign-in that a handle is for."""
    return handle.rpartition("-")[0]


def is_handle(text: str) -> bool:
    """Return whether a text could be a handle that was made here."""
    return _HANDLE.fullmatch(text) is not None


class PendingStore:
    """Keeps sign-ins that are under way in files that only their owner can read.

    Args:
        folder: the data folder; made when something is first kept.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(os.path.abspath(folder), FOLDER)

    def handles(self) -> tuple[str, ...]:
        """List the sign-ins that are under way, in alphabetical order.

        Raises:
            StoreError: the folder cannot be read or trusted.
        """
        stems = (name.removesuffix(SUFFIX) for name in self._entries() if name.endswith(SUFFIX))
        return tuple(sorted(filter(is_handle, stems)))

    def load(self, handle: str) -> PendingSignIn | Ended | None:
        """Read a sign-in, or what became of it; None when there never was one, or nobody remembers.

        Raises:
            ConfigError: the handle is none.
            StoreError: the file cannot be read, trusted or understood; it is left as it is.
        """
        path = self.path(handle)
        if not check_folder(self._folder):
            return None
        if (content := read_private(path)) is not None:
            return _understood(PendingSignIn, content, handle, path)
        ended = self._ended(handle)
        content = read_private(ended)
        return None if content is None else _understood(Ended, content, handle, ended)

    def save(self, handed: PendingSignIn) -> None:
        """Keep a sign-in as it stands: completely, or as it stood before.

        Raises:
            ConfigError: its handle is none.
            StoreError: it cannot be kept.
        """
        self._write(self.path(handed.handle), to_json(handed), handed.handle)

    def end(self, ended: Ended) -> None:
        """Forget a sign-in, and remember what became of it.

        Raises:
            ConfigError: its handle is none.
            StoreError: it is there and cannot be removed.
        """
        path = self.path(ended.handle)
        with suppress(StoreError):  # A courtesy, for which there may be no room.
            self._write(self._ended(ended.handle), to_json(ended), ended.handle)
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except OSError as exc:
            raise system_refused(exc, path, "removed") from exc

    @contextmanager
    def lock(self, handle: str, timeout: float) -> Generator[None]:
        """Keep other processes from a sign-in; waits for at most `timeout` seconds on entry.

        Raises:
            ConfigError: the handle is none.
            StoreError: (on entry) somebody else held it all the time, or it cannot be made.
        """
        from loopback_auth.store.locks import locked  # Start-up.

        path = self.path(handle)
        with locked(path + LOCK, timeout):
            try:
                yield
            finally:
                # Handles are used once, so that whoever still waits finds nothing left to protect.
                if not os.path.lexists(path):
                    discard(path + LOCK)

    def sweep(self, now: float) -> None:
        """Remove the sign-ins whose time is over, and what was remembered for long enough.

        Raises:
            StoreError: the folder cannot be read or trusted.
        """
        for handle in self.handles():
            # It may be damaged, or somebody is at it; either will be told when it is asked for.
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
            ConfigError: the handle is none.
        """
        if not is_handle(handle):
            raise ConfigError(
                f"{ascii(handle)[:80]} is not a handle; start prints them, such as github-0a1b2c.",
                hint="Look for it with: python -m loopback_auth status",
            )
        return os.path.join(self._folder, handle + SUFFIX)

    def _has_lapsed(self, handle: str, now: float) -> bool:
        found = self.load(handle)
        return isinstance(found, PendingSignIn) and found.lapsed(now)

    def _let_lapse(self, handle: str, now: float) -> None:
        # Looked at again under the lock: somebody may have finished it just now.
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
        if len(content) > SIZE_LIMIT:
            raise store_error(
                f"The sign-in {handle} cannot be kept: it is larger than 1 MiB",
                "Begin again, and ask less often.",
            )
        make_folder(self._folder)
        discard_left_overs(self._folder, time.time())
        new = write_private(self._folder, content)
        try:
            move_over(new, path)
        except BaseException:
            discard(new)
            raise


def _understood(kind: type[T], content: bytes, handle: str, path: str) -> T:
    try:
        return from_json(kind, content, handle)
    except ValueError as exc:
        raise store_error(
            f"{path} is damaged: {exc}",
            f"Run: python -m loopback_auth cancel {handle}. Then begin again; nothing else is lost.",
        ) from None


def _changed_at(path: str, now: float) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return now
