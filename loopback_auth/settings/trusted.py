"""Read the configuration file only if no other user could have written it.

It says where secrets are sent. The rule is that of ssh and git: the file and its folder belong to the user or
to root, and neither the group nor others may write to them; symbolic links on the path belong to the user or
to root too. In a folder with the sticky bit other users cannot replace the file.

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
from loopback_auth.folders import links_on

LONGEST = 1 << 20
"""Bytes of a configuration file; real ones have some hundreds."""


def read_trusted(path: str) -> tuple[bytes, int]:
    """Read the configuration file.

    Returns:
        Its content, and its mode.

    Raises:
        ConfigError: the file cannot be read, is not a regular file, or another user can write to it.
    """
    try:
        # Before it is opened: a pipe or a device may never answer.
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise OSError(errno.EINVAL, "Is not a file")
        with Path(path).open("rb") as file:
            content, found = file.read(LONGEST + 1), os.fstat(file.fileno())
        _check(path, found, "file")
        # A user who can change a link decides which file is read.
        for link, itself in links_on(path):
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
            f"The configuration file {path} is longer than {LONGEST} bytes",
            hint="Check whether it is another file.",
        )
    return content, found.st_mode


def _check(path: str, found: os.stat_result, kind: str) -> None:
    if sys.platform == "win32":
        return  # On Windows the folders of a profile are private, and modes mean nothing.
    _check_owner(path, found, kind)
    sticky = kind == "folder" and found.st_mode & stat.S_ISVTX
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky:
        raise ConfigError(
            f"Other users can write to the configuration {kind} {path}, and send your secrets elsewhere",
            hint=f"Check its content. Then run: chmod go-w {shlex.quote(path)}",
        )


def _check_owner(path: str, found: os.stat_result, kind: str) -> None:
    if sys.platform != "win32" and found.st_uid not in (os.geteuid(), 0):
        raise ConfigError(
            f"The configuration {kind} {path} belongs to another user (user ID {found.st_uid}), who could "
            "send your secrets elsewhere",
            hint="Check its content. If you trust it, run: "
            f"sudo chown {'-h ' * (kind == 'link')}{os.geteuid()} {shlex.quote(path)}",
        )
