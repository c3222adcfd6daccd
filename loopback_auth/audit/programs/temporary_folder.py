"""A folder for one run, which is removed with everything that a program has put there."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

PREFIX = "audit-"


@contextmanager
def temporary_folder(within: Path | None = None) -> Generator[Path]:
    """Make a folder that only the user can enter, and remove it.

    Args:
        within: the folder in which it is made; None: that of the system for such ones.
    """
    folder = Path(mkdtemp(prefix=PREFIX, dir=within))
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder, also where permissions stand in the way; links in it are not followed."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        _open_up(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _open_up(folder: Path) -> None:
    with suppress(OSError):
        folder.chmod(0o700)
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                _open_up(entry)
