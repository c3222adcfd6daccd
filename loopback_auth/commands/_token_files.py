"""Files that hold a token for as long as a command runs, for tools that read it again and again.

Each run has a folder of its own, that no other user can open, in a folder of the system's that does not
outlive the session, if there is one. A file has its final mode from the first byte, and is replaced as a
whole, so that a reader sees the old token or the new one.

When a process is killed it cannot remove its files. The lock that it held is free then, and the next run
removes them. A path that the person chose is a symbolic link into the folder of the run, so that nothing
secret stays behind there either.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.folders import APP_NAME, data_folder
from loopback_auth.store.locks import locked
from loopback_auth.store.private_files import (
    check_folder,
    discard,
    make_folder,
    move_over,
    quoted,
    write_private,
)

LOCK_SECONDS = 10.0
EVERYONE = ".lock"
"""The lock that is held while folders of runs are made and removed."""


def runs_folder(environ: Mapping[str, str]) -> str:
    """Return the folder that has the folders of all runs.

    Raises:
        ConfigError: there is no home directory.
    """
    session = environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(session):  # noqa: PTH117 - as in `folders`
        with suppress(StoreError):
            # XDG Base Directory Specification: it MUST be owned by the user, with mode 0700.
            if check_folder(session):
                return os.path.join(session, APP_NAME)  # noqa: PTH118
    return os.path.join(data_folder(environ), "running")  # noqa: PTH118


class TokenFiles:
    """The files of one run; a context manager.

    Args:
        folder: of all runs.
        links: paths that the person chose, and the name of the file that each leads to.
    """

    def __init__(self, folder: str, links: Mapping[str, str]) -> None:
        self._all = Path(folder)
        self._own = self._all / os.urandom(8).hex()
        self._links = {_absolute(path): name for path, name in links.items()}
        self._stack = ExitStack()
        # A renewal that comes late must not write what was removed.
        self._writing = threading.Lock()
        self._is_open = False

    def path(self, name: str) -> str:
        """Return the path of a file."""
        return str(self._own / name)

    def __enter__(self) -> TokenFiles:
        for path in self._links:
            _check_place(path)
        with ExitStack() as stack:
            make_folder(str(self._all))
            with locked(str(self._all / EVERYONE), LOCK_SECONDS):
                _sweep(self._all)
                stack.callback(discard, f"{self._own}.lock")
                stack.enter_context(locked(f"{self._own}.lock", 0.0))
                make_folder(str(self._own))
                stack.callback(_remove, self._own)
                self._is_open = True
                stack.callback(self._close)
                for path, name in self._links.items():
                    self._link(path, self._own / name)
                    stack.callback(_unlink, path, self._own / name)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, contents: Mapping[str, str]) -> None:
        """Write files, or replace them.

        Args:
            contents: of the files by their names.

        Raises:
            StoreError: one cannot be written; it has its old content.
        """
        with self._writing:
            for name, content in contents.items():
                if self._is_open:
                    move_over(write_private(str(self._own), content.encode()), self.path(name))

    def _close(self) -> None:
        with self._writing:
            self._is_open = False

    def _link(self, path: Path, target: Path) -> None:
        """Let a path lead to a file; one that a killed run has left is replaced."""
        if path.is_symlink() and path.readlink().parent.parent == self._all and not path.exists():
            path.unlink()
        try:
            path.symlink_to(target)
        except FileExistsError:
            raise ConfigError(
                f"{path} exists already.", hint="Choose the path of a file that does not exist."
            ) from None
        except (OSError, NotImplementedError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else None
            raise ConfigError(
                f"{path} cannot be made: {why or 'there are no symbolic links here'}",
                hint="Use {token_file} or {header_file} in the command instead.",
            ) from exc


def _absolute(path: str) -> Path:
    try:
        return Path(path).absolute()
    except OSError as exc:
        raise ConfigError(
            f"The current folder cannot be used: {exc.strerror}", hint="Change to an existing folder."
        ) from exc


def _check_place(path: Path) -> None:
    """Refuse a path that another user could make to lead elsewhere."""
    folder = path.parent
    try:
        found = folder.stat()
    except OSError as exc:
        raise ConfigError(
            f"{folder} cannot be used: {exc.strerror}", hint="Choose an existing folder of yours."
        ) from exc
    if not stat.S_ISDIR(found.st_mode):
        raise ConfigError(f"{folder} is not a folder.", hint="Choose an existing folder of yours.")
    if not hasattr(os, "geteuid"):
        return
    others_write = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
    if others_write or found.st_uid not in (os.geteuid(), 0):
        raise ConfigError(
            f"Other users can write to {folder}, and could replace the file with the token.",
            hint=f"Choose another folder, or run: chmod go-w {quoted(str(folder))}",
        )


def _sweep(folder: Path) -> None:
    """Remove what runs that were killed have left."""
    for lock in folder.glob("*.lock"):
        if lock.name == EVERYONE:
            continue
        with suppress(StoreError), locked(str(lock), 0.0):
            _remove(lock.with_suffix(""))
            discard(str(lock))


def _remove(folder: Path) -> None:
    with suppress(OSError):
        for each in list(folder.iterdir()):
            discard(str(each))
        folder.rmdir()


def _unlink(path: Path, target: Path) -> None:
    with suppress(OSError):
        if path.readlink() == target:
            path.unlink()
