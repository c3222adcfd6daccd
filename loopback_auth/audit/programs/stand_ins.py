"""Commands that stand in for browsers: each writes down how it was started, and ends.

A program finds them in `$BROWSER` and, by the names of real browsers and openers, first on its PATH. They are
shell scripts, so that programs in any language can start them. Each start is a file of its own in a folder:
the name of the command and its arguments, each followed by a zero byte. A file that is there is complete.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

BROWSER = "browser"
"""The command that `$BROWSER` names."""
NAMES = (
    "xdg-open",
    "gio",
    "gnome-open",
    "gvfs-open",
    "kde-open",
    "kde-open5",
    "exo-open",
    "sensible-browser",
    "x-www-browser",
    "gnome-www-browser",
    "firefox",
    "firefox-esr",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "brave-browser",
    "epiphany",
    "konqueror",
    "open",
    "osascript",
    "wslview",
    "cygstart",
    "termux-open-url",
)
"""Commands by which programs open a browser."""
# For a moment two starts can have the same process ID only if the first has ended, and was renamed.
SCRIPT = """#!/bin/sh
umask 077
printf '%s\\0' "${{0##*/}}" "$@" > {folder}/$$.part
command -p mv {folder}/$$.part {folder}/$$.started
"""
LONGEST = 1024 * 1024
"""Bytes that are read of one start."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")


@dataclass(frozen=True, slots=True)
class Started:
    """One start of a browser.

    Args:
        command: the name by which it was started, such as `xdg-open`.
        arguments: as they were given.
    """

    command: str
    arguments: tuple[str, ...] = field(repr=False)

    @property
    def line(self) -> str:
        """The command line, as a list of processes shows it."""
        return " ".join((self.command, *self.arguments))

    @property
    def links(self) -> tuple[str, ...]:
        """The URLs among the arguments, in order."""
        return tuple(link for one in self.arguments for link in _URL.findall(one))


class StandIns:
    """The folder with the commands, and the folder in which they write.

    Args:
        root: in which both are made.
    """

    def __init__(self, root: Path) -> None:
        self.folder: Path = root / "bin"
        self._starts = root / "starts"
        for folder in (self.folder, self._starts):
            folder.mkdir(mode=0o700)
        for name in (BROWSER, *NAMES):
            command = self.folder / name
            command.write_text(SCRIPT.format(folder=quote(str(self._starts))), encoding="utf-8")
            command.chmod(0o700)

    @property
    def browser(self) -> str:
        """What `$BROWSER` is."""
        return str(self.folder / BROWSER)

    def starts(self) -> list[Started]:
        """Return the starts since the last call, in order."""
        found: list[tuple[int, Started]] = []
        for entry in self._starts.glob("*.started"):
            try:
                if not stat.S_ISREG(entry.lstat().st_mode):
                    continue  # The program has put it there: a pipe would be waited for.
                with entry.open("rb") as stream:
                    at = entry.stat().st_mtime_ns
                    words = stream.read(LONGEST).decode("utf-8", "replace").split("\0")
                entry.unlink()
            except OSError:
                continue  # The program has removed it, or closed the folder.
            found.append((at, Started(words[0], tuple(words[1:-1]))))
        return [started for _, started in sorted(found, key=lambda one: one[0])]
