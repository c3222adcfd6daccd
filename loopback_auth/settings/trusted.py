"""A file that says where codes and secrets go is obeyed only if nobody else could have written it.

As ssh and git do it: the file, and the folder that it lies in, belong to us or to root, and neither the group
nor others may write to them. In a folder with the sticky bit others cannot replace what is ours.

Source: OpenBSD ssh_config(5), "FILES"; CVE-2022-24765 (git obeyed the configuration of another user).
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
import sys
from pathlib import Path

from loopback_auth.errors import ConfigError

LONGEST = 1 << 20
"""Bytes of a configuration file; people write some hundreds."""


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


def _check(path: str, found: os.stat_result, kind: str) -> None:
    if sys.platform == "win32":
        return  # A profile's folders are private there, and a mode says nothing.
    name = shlex.quote(path)
    if found.st_uid not in (os.geteuid(), 0):
        raise ConfigError(
            f"The configuration {kind} {path} belongs to another user (user ID {found.st_uid}), who could "
            "send your secrets elsewhere",
            hint=f"Look at what is in it. If you trust it, run: sudo chown {os.geteuid()} {name}",
        )
    sticky = kind == "folder" and found.st_mode & stat.S_ISVTX
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky:
        raise ConfigError(
            f"Other users can write to the configuration {kind} {path}, and send your secrets elsewhere",
            hint=f"Look at what is in it. Then run: chmod go-w {name}",
        )
