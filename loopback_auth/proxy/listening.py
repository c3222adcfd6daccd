"""Where the proxy listens: a port of the loopback interface, or a Unix socket that only its owner can open.

Source: RFC 8252 §8.3 (loopback only, as for the redirect); unix(7): the mode of a socket decides who may
connect on Linux, that of its folder everywhere.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from contextlib import suppress
from pathlib import Path

from loopback_auth.errors import ConfigError
from loopback_auth.network.loopback import BACKLOG, listen

ADDRESS = "127.0.0.1"
_ONLY_OWNER = 0o177
_OTHER_FILES = 100
"""Files that are open besides the connections."""
OWN_FOLDER = "Choose a path in a folder that only you can write to, such as $XDG_RUNTIME_DIR."


def on_port(port: int) -> socket.socket:
    """Listen on a port of the loopback interface.

    Args:
        port: 0 is any free one.

    Raises:
        ConfigError: it is in use, or there is no such port.
    """
    try:
        return listen(socket.AF_INET, ADDRESS, port)
    except (OSError, OverflowError) as exc:
        why = getattr(exc, "strerror", None) or "there is no such port"
        if getattr(exc, "errno", None) == errno.EADDRINUSE:
            why = "another program uses it"  # Each system has words of its own for this.
        raise ConfigError(
            f"The proxy cannot listen on port {port}: {why}.",
            hint="Choose another port, or 0 for any free one.",
            parameter="port",
        ) from None


def on_unix_socket(path: str) -> socket.socket:
    """Listen on a Unix socket of mode 0600.

    A socket of this user on which nothing listens any more is replaced.

    Args:
        path: in a folder that no other user can write to.

    Raises:
        ConfigError: there is something else, the folder is shared, or the path is too long.
    """
    if sys.platform == "win32":
        raise ConfigError(
            "There are no Unix sockets on Windows that Python can use.",
            hint="Use a port.",
            parameter="unix",
        )
    _check_folder(path)
    _discard_dead(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(_ONLY_OWNER)
    try:
        bound.bind(path)
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except OSError as exc:
        bound.close()
        why = exc.strerror or str(exc)  # The length of the path is found wrong by Python, without a number.
        raise ConfigError(
            f"The proxy cannot listen on {path}: {why}.",
            hint="Choose another path; the path of a socket may have about 100 bytes.",
            parameter="unix",
        ) from None
    finally:
        os.umask(before)
    return bound


def allow_connections(number: int) -> None:
    """Raise the system's limit for this process, so that so many connections can be open, if it lets us.

    Many systems begin with 256 or 1024 open files, for the sake of programs that use select(2).

    Args:
        number: of connections, to clients and to the server.

    Source: getrlimit(2).
    """
    if sys.platform == "win32":
        return
    import resource  # Not on every system.

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def file_of(path: str) -> tuple[int, int] | None:
    """Return which file a path means now; None: there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def remove_unix_socket(path: str, file: tuple[int, int] | None) -> None:
    """Remove the socket's file at the end.

    Args:
        path: of it.
        file: which one it was; another one, of a proxy that was started meanwhile, stays.
    """
    if file is not None and file_of(path) == file:
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - beside the other calls of os


def _check_folder(path: str) -> None:
    if sys.platform == "win32":
        return
    folder = Path(path).absolute().parent
    try:
        found = folder.stat()
    except OSError as exc:
        raise ConfigError(
            f"There is no folder for the socket {path}: {exc.strerror}.", hint=OWN_FOLDER, parameter="unix"
        ) from None
    if found.st_uid not in (os.getuid(), 0) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(
            f"Other users can change the folder {folder}, and put a socket of theirs in place of this one.",
            # Nor in a sticky folder: the path is free when the proxy has ended, and clients still use it.
            hint=OWN_FOLDER,
            parameter="unix",
        )


def _discard_dead(path: str) -> None:
    if sys.platform == "win32":
        return
    try:
        found = os.lstat(path)
    except OSError:
        return
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
        raise ConfigError(
            f"{path} exists, and is not a socket of yours.",
            hint="Choose another path.",
            parameter="unix",
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.settimeout(1.0)
        try:
            one.connect(path)
        except ConnectionRefusedError:
            remove_unix_socket(path, (found.st_dev, found.st_ino))
            return
        except OSError:
            pass  # Whatever it is, something may be there.
    raise ConfigError(
        f"Another program listens on {path}.", hint="Choose another path, or end it.", parameter="unix"
    )
