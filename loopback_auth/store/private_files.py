"""Files for their owner alone: how they are made, replaced and read again.

Decides what a file or folder must look like before we trust or fill it: ours, of the plain kind, closed to
everybody else. A file has its final mode from its first moment, since a chmod afterwards comes too late
(CVE-2025-27154); it is written beside its target and moved over it, so that a crash or a full disk leaves
the old content whole. Refuses to know what the files contain.

Where the system has no owners or mode bits (Windows), only the kind of file is checked. Folders that we make
are for their user alone there too (CVE-2024-4030, mended in Python 3.11.10, 3.12.4 and 3.13), and one that is
there already keeps its access list; below a profile that lets nobody else in. Weak spot: somebody who may
write to a *parent* folder can take the whole folder away, though not read it.
"""

# Pathlib takes longer to import than a kept token to read.
# ruff: noqa: PTH102, PTH105, PTH108, PTH112, PTH113, PTH118, PTH120, PTH123

from __future__ import annotations

import errno
import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback_auth.errors import StoreError

SIZE_LIMIT = 1024 * 1024
"""Bytes; whatever is larger was not written by us."""
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between the tries to move a file that somebody reads: another process of ours, or a scanner."""
LEFT_OVER_AFTER = 3600.0
"""Seconds after which a file that nobody put in place is taken for the trace of a crash."""
NEW_PREFIX = ".new-"

# O_NONBLOCK: opening a named pipe would otherwise wait for its other end, before it can be refused.
_OPTIONAL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _OPTIONAL
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPTIONAL

_ELSEWHERE = "choose another folder with LOOPBACK_AUTH_DATA_DIR"
# What a person types to mend it, in the shell of their system.
WINDOWS = os.name == "nt"
_LOOK_AT = "dir /a" if WINDOWS else "ls -la"
_MOVE = "move" if WINDOWS else "mv"
_REMOVE = "del" if WINDOWS else "rm"
_OPEN_TO_ME = 'icacls {} /grant "%USERNAME%:(OI)(CI)F"' if WINDOWS else "chmod u+rwx {}"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def store_error(message: str, hint: str) -> StoreError:
    """Make the error of this corner; imported only now, because the fast path never needs it."""
    from loopback_auth.errors import StoreError  # Start-up.

    return StoreError(message, hint=hint)


def system_refused(exc: OSError, path: str, done: str) -> StoreError:
    """Say in our words that the operating system refused.

    Args:
        exc: what it said.
        path: the file or folder it was about.
        done: what was wanted, as a participle: `read`, `written`.
    """
    hint = f"Look at the folder with: {_LOOK_AT} {quoted(os.path.dirname(path))}; or {_ELSEWHERE}."
    if exc.errno in _FULL:
        hint = f"Free some space on the disk of {os.path.dirname(path)}, or {_ELSEWHERE}."
    elif exc.errno == errno.EROFS:
        hint = f"Make the disk of {os.path.dirname(path)} writable, or {_ELSEWHERE}."
    elif exc.errno in (errno.EACCES, errno.EPERM) and _is_ours(os.path.dirname(path)):
        hint = f"Run: {_OPEN_TO_ME.format(quoted(os.path.dirname(path)))}; or {_ELSEWHERE}."
    elif exc.errno in (errno.EACCES, errno.EPERM):
        # A container under a user id of its own has / for its home.
        hint = f"Set HOME to a folder in which you may write, or {_ELSEWHERE}."
    return store_error(f"{path} could not be {done}: {exc.strerror or type(exc).__name__}", hint)


def _is_ours(folder: str) -> bool:
    """Return whether a folder is there whose mode we can change."""
    try:
        return not _foreign(os.lstat(folder))
    except OSError:
        return False


def make_folder(path: str) -> None:
    """Make a folder and its missing parents, all closed to others under any umask.

    Args:
        path: absolute.

    Raises:
        StoreError: it cannot be made, or what is there cannot be trusted.
    """
    try:
        _make_with_parents(path)
    except OSError as exc:
        raise system_refused(exc, path, "made") from exc
    check_folder(path)


def check_folder(path: str) -> bool:
    """Return whether a folder is there.

    Raises:
        StoreError: it is there but not a folder, not ours, or open to others.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        parent = os.path.dirname(path)
        # Windows does not tell a missing file from one below something that is not a folder.
        if os.path.isfile(parent):
            raise _not_a_folder(parent) from None
        return False
    except OSError as exc:
        raise system_refused(exc, path, "looked at") from exc
    if not stat.S_ISDIR(found.st_mode):
        raise _not_a_folder(path)
    if _foreign(found):
        raise store_error(
            f"{path} belongs to user id {found.st_uid}, not to you", f"Run as that user, or {_ELSEWHERE}."
        )
    if _mode(found) & 0o777 != 0o700:
        raise store_error(
            f"{path} has mode {_mode(found):04o} instead of 0700", f"Run: chmod 700 {quoted(path)}"
        )
    return True


def _not_a_folder(path: str) -> StoreError:
    hint = f"Move it away: {_MOVE} {quoted(path)} {quoted(path + '.old')}; or {_ELSEWHERE}."
    return store_error(f"{path} is not a folder", hint)


def read_private(path: str) -> bytes | None:
    """Read a file that only we can have written; None when there is none.

    Raises:
        StoreError: it is a link or no regular file, not ours, open to others, too large, or cannot be read.
    """
    try:
        descriptor = os.open(path, _READ)
        try:
            if flaw := _flaw(os.fstat(descriptor)):
                raise _unsafe(path, *flaw)
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(SIZE_LIMIT)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except OSError as exc:
        if flaw := _flaw_by_name(path):
            raise _unsafe(path, *flaw) from exc
        raise system_refused(exc, path, "read") from exc


def write_private(folder: str, content: bytes, label: str = "") -> str:
    """Write a new file to the disk, under a name of its own; return its path.

    Args:
        folder: where to.
        content: what.
        label: what it is for, so that what a crash has left of that can be found.

    Raises:
        StoreError: it cannot be written, or this file system cannot keep it from others; nothing is left.
    """
    path = os.path.join(folder, f"{NEW_PREFIX}{label}-{os.urandom(8).hex()}")
    try:
        with open(os.open(path, _CREATE, 0o600), "wb") as file:
            if flaw := _flaw(os.fstat(file.fileno())):
                raise store_error(
                    f"{folder} does not keep files private: a new one {flaw[0]}",
                    f"Run: umask 077; or {_ELSEWHERE}, on a disk with owners and modes.",
                )
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        discard(path)
        raise system_refused(exc, path, "written") from exc
    except BaseException:
        discard(path)
        raise
    return path


def move_over(new: str, path: str) -> None:
    """Put a written file in its place, whatever is there; a link is replaced, not followed.

    Raises:
        StoreError: it cannot be moved; the old content stays.
    """
    try:
        while_read(lambda: os.replace(new, path))
    except OSError as exc:
        raise system_refused(exc, path, "replaced") from exc
    _sync_folder(os.path.dirname(path))


def while_read(move: Callable[[], None]) -> None:
    """Move a file although somebody may be reading it, which Windows does not allow; readers are quick."""
    for pause in _PAUSES:
        try:
            return move()
        except PermissionError:
            if not WINDOWS:
                raise
            time.sleep(pause)
    return move()


def discard(path: str) -> None:
    """Remove a file if that is possible."""
    try:
        os.unlink(path)
    except OSError:
        return


def discard_left_overs(folder: str, now: float) -> None:
    """Remove the new files that a crash kept from being put in place."""
    try:
        with os.scandir(folder) as entries:
            left = [entry.path for entry in entries if _left_over(entry, now)]
    except OSError:
        return
    for path in left:
        discard(path)


def _left_over(entry: os.DirEntry[str], now: float) -> bool:
    if not entry.name.startswith(NEW_PREFIX):
        return False
    return now - entry.stat(follow_symlinks=False).st_mtime > LEFT_OVER_AFTER


def _make_with_parents(path: str) -> None:
    # os.makedirs would give the parents the mode that the umask leaves.
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        _make_with_parents(parent)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return


def _sync_folder(folder: str) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _OPTIONAL)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        # The file is in place; some file systems cannot flush a folder.
        return
    finally:
        os.close(descriptor)


def _flaw(found: os.stat_result) -> tuple[str, str] | None:
    # What is wrong, and the command that mends it; removing a name never harms what else it points to.
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link", _REMOVE
    if not stat.S_ISREG(found.st_mode):
        return "is not a regular file", f"{_REMOVE} -d" if not WINDOWS else "rmdir"
    if _foreign(found):
        return f"belongs to user id {found.st_uid}, not to you", _REMOVE
    if found.st_nlink > 1:
        return "has a second name elsewhere (a hard link)", _REMOVE
    if _mode(found) & 0o477 != 0o400:
        return f"has mode {_mode(found):04o} instead of 0600", "chmod 600"
    if found.st_size > SIZE_LIMIT:
        return "is larger than 1 MiB", _REMOVE
    return None


def _flaw_by_name(path: str) -> tuple[str, str] | None:
    # Good enough to explain why opening failed, never to trust what a later open would find.
    try:
        return _flaw(os.lstat(path))
    except OSError:
        return None


def _unsafe(path: str, what: str, command: str) -> StoreError:
    return store_error(f"{path} is not to be trusted: it {what}", f"Run: {command} {quoted(path)}")


def _mode(found: os.stat_result) -> int:
    # Without owners there is nobody to shut out, and the bits are invented.
    if not hasattr(os, "geteuid"):
        return 0o700 if stat.S_ISDIR(found.st_mode) else 0o600
    return stat.S_IMODE(found.st_mode) & 0o777


def _foreign(found: os.stat_result) -> bool:
    return hasattr(os, "geteuid") and found.st_uid != os.geteuid()


def quoted(path: str) -> str:
    """Return a path as a person types it, in the shell of their system."""
    if WINDOWS:
        return f'"{path}"'  # No path has a quotation mark there.
    import shlex  # Start-up.

    return shlex.quote(path)
