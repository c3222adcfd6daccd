"""Files of reports: checks first that one can be written, and writes it completely or not at all.

The path is checked before any flow is run, so that you do not approve six logins for a file that cannot be
written.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from loopback_auth.compare.drawing.outputs import ending, render
from loopback_auth.compare.model import Comparison
from loopback_auth.errors import ConfigError


def check_target(path: str, *, of_form: Callable[[str], str] = ending) -> str:
    """Return the path of a report, absolute, and without links, so that no link is replaced by the file.

    Args:
        path: as the user wrote it.
        of_form: returns which form the name of a file asks for, and raises ConfigError for none.

    Raises:
        ConfigError: nothing is written with such an ending, or there.
    """
    of_form(Path(path).name)
    place = Path(os.path.realpath(path))
    try:
        place.stat()
    except FileNotFoundError:
        pass
    except OSError as exc:  # Such as a name that is too long, or a link to itself.
        raise ConfigError(
            f"{path[:200]!a} cannot be written: {exc.strerror}", hint="Choose another name or folder."
        ) from exc
    if place.is_dir():
        raise ConfigError(f"{path[:200]!a} is a folder.", hint="Add the name of a file to it.")
    if place.exists() and not place.is_file():
        raise ConfigError(
            f"{path[:200]!a} is not a regular file.", hint="Choose a file that may be replaced."
        )
    if not place.parent.is_dir() or not os.access(place.parent, os.W_OK):
        raise ConfigError(
            f"The folder cannot be written to: {str(place.parent)[:200]!a}.",
            hint="Choose a folder that exists and that you may write to.",
        )
    return str(place)


def write_report(comparison: Comparison, path: str, *, private: bool) -> None:
    """Write a report in the form that its ending says, over what may be there.

    Args:
        comparison: what to write.
        path: from `check_target`.
        private: only the user may read it.

    Raises:
        ConfigError: it cannot be written; what was there stays.
    """
    write_file(path, render(comparison, ending(Path(path).name)), private=private)


def write_file(path: str, text: str, *, private: bool = False) -> None:
    """Write a file completely or not at all, over what may be there.

    Args:
        path: from `check_target`.
        text: what to write.
        private: only the user may read it.

    Raises:
        ConfigError: it cannot be written; what was there stays.
    """
    place, content = Path(path), text.encode("utf-8")
    new = place.with_name(f".{os.urandom(8).hex()}")  # The name itself may be as long as a name can be.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(new, flags, 0o600 if private else 0o666), "wb") as file:
            file.write(content)
        new.replace(place)
    except OSError as exc:
        with suppress(OSError):
            new.unlink()
        raise ConfigError(
            f"{path[:200]!a} cannot be written: {exc.strerror}", hint="Choose a file in another folder."
        ) from exc
