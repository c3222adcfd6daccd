"""A file that says where codes and secrets go is obeyed only if nobody else could have written it.

As ssh and git do it: the file, and the folder that it lies in, belong to us or to root, and neither the group
nor others may write to them; links on the way there belong to us or to root, too. In a folder with the sticky
bit others cannot replace what is ours.

Source: OpenBSD ssh_config(5), "FILES"; CVE-2022-24765 (git obeyed the configuration of another user).
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from loopback_auth.errors import ConfigError

LONGEST = 1 << 20
"""Bytes of a configuration file; people write some hundreds."""


MOST_LINKS = 40
"""As many as Linux follows (path_resolution(7))."""


def read_trusted(path: str) -> tuple[bytes, int]:
    """Read the configuration file.

    Returns:
        Its content, and its mode.

    Raises:
        ConfigError: it cannot be read, is not a file, or another user can or could write to it.
    """
    try:
        # Before it is opened: a pipe or a device may never answer.
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise OSError(errno.EINVAL, "Is not a file")
        with Path(path).open("rb") as file:
            content, found = file.read(LONGEST + 1), os.fstat(file.fileno())
        _check(path, found, "file")
        # A link is as good as whoever can change it, and what it leads to.
        for link, itself in _links(path):
            _check_owner(link, itself, "link")
        for folder in {os.path.dirname(path) or ".", os.path.dirname(os.path.realpath(path))}:  # noqa: PTH120
            _check(folder, Path(folder).stat(), "folder")
    except OSError as exc:
        raise ConfigError(
            f"The configuration file {path} cannot be read: {exc.strerror}",
            hint="Correct its permissions, or name another folder in LOOPBACK_AUTH_CONFIG_DIR.",
        ) from exc
    if len(content) > LONGEST:
        raise ConfigError(
            f"The configuration file {path} is longer than {LONGEST} bytes", hint="Is it another file?"
        )
    return content, found.st_mode


def _links(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Find every symbolic link that leads to a file: of the file, of a folder, and of what they lead to."""
    if sys.platform == "win32":
        return
    place, rest, found = "/", os.path.join(os.getcwd(), path).split("/"), 0  # noqa: PTH109, PTH118
    while rest:
        place = os.path.join(place, rest.pop(0))  # noqa: PTH118
        itself = os.lstat(place)
        if stat.S_ISLNK(itself.st_mode):
            found += 1
            if found > MOST_LINKS:  # Somebody has changed them since the file was opened.
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            yield place, itself
            rest = os.readlink(place).split("/") + rest  # noqa: PTH115
            place = "/" if rest[0] == "" else os.path.dirname(place)  # noqa: PTH120


def _check(path: str, found: os.stat_result, kind: str) -> None:
    if sys.platform == "win32":
        return  # A profile's folders are private there, and a mode says nothing.
    _check_owner(path, found, kind)
    sticky = kind == "folder" and found.st_mode & stat.S_ISVTX
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky:
        raise ConfigError(
            f"Other users can write to the configuration {kind} {path}, and send your secrets elsewhere",
            hint=f"Look at what is in it. Then run: chmod go-w {shlex.quote(path)}",
        )


def _check_owner(path: str, found: os.stat_result, kind: str) -> None:
    if sys.platform != "win32" and found.st_uid not in (os.geteuid(), 0):
        raise ConfigError(
            f"The configuration {kind} {path} belongs to another user (user ID {found.st_uid}), who could "
            "send your secrets elsewhere",
            hint="Look at what is in it. If you trust it, run: "
            f"sudo chown {'-h ' * (kind == 'link')}{os.geteuid()} {shlex.quote(path)}",
        )
