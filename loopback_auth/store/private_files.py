"""Private files, which only their owner can read: create, replace and read them.

Decides what a file or folder must be like before the program reads or writes it: owned by the user, a plain
file or folder, and closed to other users. A file has its final mode when it is created, because a chmod
afterwards would be too late (CVE-2025-27154). It is written beside its target and then moved over it, so that
a crash or a full disk leaves the old content unchanged. Refuses to know what the files contain.

On Windows, which has neither owners nor mode bits in this sense, only the type of the file is checked. New
folders are for their user alone there too (CVE-2024-4030, fixed in Python 3.11.10, 3.12.4 and 3.13); an
existing folder keeps its access list, inside a profile that other users cannot open. Known weakness: a user
who may write to a *parent* folder can remove the whole folder, but cannot read it.
"""

# Pathlib takes longer to import than a kept token to read.
# ruff: noqa: PTH100, PTH102, PTH105, PTH108, PTH111, PTH112, PTH113, PTH118, PTH120, PTH123

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
"""Bytes; a larger file was not written by this program."""
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between attempts to move a file that another process reads, such as a virus scanner."""
LEFT_OVER_AFTER = 3600.0
"""Seconds after which a new file that was not moved into place counts as left by a crash."""
NEW_PREFIX = ".new-"
CONTENT_LIMIT = SIZE_LIMIT - 64
"""Bytes of what is written, because encryption adds a few."""
ENCRYPTED = b"\x01"
"""The first byte of a file that is encrypted (`encryption.FORM`); no JSON begins so."""

# O_NONBLOCK: otherwise opening a named pipe would wait for its other end, before it can be refused.
_OPTIONAL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _OPTIONAL
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPTIONAL

_ELSEWHERE = "choose another folder"
# Commands for hints, in the shell of the system.
WINDOWS = os.name == "nt"
_LOOK_AT = "dir /a" if WINDOWS else "ls -la"
_MOVE = "move" if WINDOWS else "mv"
_REMOVE = "del" if WINDOWS else "rm"
_OPEN_TO_ME = 'icacls {} /grant "%USERNAME%:(OI)(CI)F"' if WINDOWS else "chmod u+rwx {}"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def absolute_folder(folder: str | os.PathLike[str]) -> str:
    """Return the absolute path of a folder that a program gives; `~` at its beginning is the home folder.

    Raises:
        ConfigError: it is not a path.
    """
    try:
        path: object = os.path.abspath(os.path.expanduser(folder))
    except TypeError:
        path = None
    if isinstance(path, str) and folder != "":
        return path
    from loopback_auth.errors import ConfigError  # Start-up.

    what = "empty" if folder == "" else f"of type {type(folder).__name__}"
    raise ConfigError(
        f"The folder of a store must be a path, and is {what}.",
        hint='Give a folder, such as Path.home() / ".my-tool".',
        parameter="folder",
    )


def store_error(message: str, hint: str, parameter: str = "") -> StoreError:
    """Return a `StoreError`, which is imported only now: printing a kept token does not need it.

    Args:
        message: what happened.
        hint: what to do.
        parameter: the arguments that it is about; `store` where another folder helps.
    """
    from loopback_auth.errors import StoreError  # Start-up.

    return StoreError(message, hint=hint, parameter=parameter)


def system_refused(exc: OSError, path: str, done: str) -> StoreError:
    """Return the error for an operation that the operating system refused.

    Args:
        exc: the error of the system.
        path: the file or folder.
        done: what could not be done, as a participle: `read`, `written`.
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
    return store_error(f"{path} could not be {done}: {exc.strerror or type(exc).__name__}", hint, "store")


def _is_ours(folder: str) -> bool:
    """Return whether a folder exists and belongs to this user, who can therefore change its mode."""
    try:
        return not _foreign(os.lstat(folder))
    except OSError:
        return False


def make_folder(path: str) -> None:
    """Create a folder and its missing parents, all closed to other users with any umask.

    Args:
        path: absolute.

    Raises:
        StoreError: the folder cannot be created, or the existing one is unsafe.
    """
    try:
        _make_with_parents(path)
    except OSError as exc:
        raise system_refused(exc, path, "made") from exc
    check_folder(path)


def check_folder(path: str) -> bool:
    """Return whether a folder exists.

    Raises:
        StoreError: it is not a folder, belongs to another user, or is open to other users.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        parent = os.path.dirname(path)
        # On Windows a path below a file gives the same error as a missing one.
        if os.path.isfile(parent):
            raise _not_a_folder(parent) from None
        return False
    except OSError as exc:
        raise system_refused(exc, path, "looked at") from exc
    if not stat.S_ISDIR(found.st_mode):
        raise _not_a_folder(path)
    if _foreign(found):
        raise store_error(
            f"{path} belongs to user ID {found.st_uid}, not to you",
            f"Run as that user, or {_ELSEWHERE}.",
            "store",
        )
    if _mode(found) & 0o777 != 0o700:
        raise store_error(
            f"{path} has mode {_mode(found):04o} instead of 0700", f"Run: chmod 700 {quoted(path)}"
        )
    return True


def _not_a_folder(path: str) -> StoreError:
    hint = f"Rename it: {_MOVE} {quoted(path)} {quoted(path + '.old')}; or {_ELSEWHERE}."
    return store_error(f"{path} is not a folder", hint, "store")


def read_private(path: str) -> bytes | None:
    """Read a file that only this user can have written; None when there is none.

    Raises:
        StoreError: the file cannot be read, or is unsafe: a link, not a regular file, of another user, open
            to other users, or too large.
    """
    try:
        descriptor = _opened(path)
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


def _opened(path: str) -> int:
    """Open a file, and try again while another process replaces it, which Windows does not allow."""
    for pause in _PAUSES if WINDOWS else ():
        try:
            return os.open(path, _READ)
        except PermissionError:
            time.sleep(pause)
    return os.open(path, _READ)


def read_kept(path: str, *, lost_is_none: bool = False) -> bytes | None:
    """Read a file of the data folder, and decrypt it if it is encrypted; None when there is none.

    What is in a file decides, and not where new ones are kept: while they are moved to the keychain or back,
    other processes read both.

    Args:
        path: of a file in a folder of the data folder.
        lost_is_none: return None too where the file can never be decrypted, because its key is lost or it
            was changed.

    Raises:
        ConfigError: the extra `keychain` is needed, and not installed.
        StoreError: as `read_private`; or the file cannot be decrypted.
    """
    content = read_private(path)
    if content is None or not content.startswith(ENCRYPTED):
        return content
    from loopback_auth.store.keychain_files import decrypted  # Few files are encrypted.
    from loopback_auth.store.keychain_key import Undecryptable

    try:
        return decrypted(path, content)
    except Undecryptable:
        if lost_is_none:
            return None
        raise


def write_private(folder: str, content: bytes, label: str = "") -> str:
    """Write a new file to the disk under a unique name, and return its path.

    Args:
        folder: in which to write.
        content: of the file.
        label: part of the name, by which a file that a crash has left can be found.

    Raises:
        StoreError: the file cannot be written, or the file system cannot keep it private; nothing is left.
    """
    path = os.path.join(folder, f"{NEW_PREFIX}{label}-{os.urandom(8).hex()}")
    try:
        with open(os.open(path, _CREATE, 0o600), "wb") as file:
            if flaw := _flaw(os.fstat(file.fileno())):
                raise store_error(
                    f"{folder} does not keep files private: a new one {flaw[0]}",
                    f"Run: umask 077; or {_ELSEWHERE}, on a disk with owners and modes.",
                    "store",
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
    """Move a new file over its target; a link there is replaced, not followed.

    Raises:
        StoreError: the file cannot be moved; the old content is unchanged.
    """
    try:
        while_read(lambda: os.replace(new, path))
    except OSError as exc:
        raise system_refused(exc, path, "replaced") from exc
    _sync_folder(os.path.dirname(path))


def while_read(move: Callable[[], None]) -> None:
    """Move a file, and try again while another process reads it, which Windows does not allow."""
    for pause in _PAUSES:
        try:
            return move()
        except PermissionError:
            if not WINDOWS:
                raise
            time.sleep(pause)
    return move()


def discard(path: str) -> None:
    """Remove a file, if that is possible."""
    try:
        os.unlink(path)
    except OSError:
        return


def discard_left_overs(folder: str, now: float) -> None:
    """Remove new files that were not moved into place because of a crash."""
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
    # With os.makedirs the umask would decide about the mode of the parents.
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
        # The file is in place; not every file system can flush a folder.
        return
    finally:
        os.close(descriptor)


def _flaw(found: os.stat_result) -> tuple[str, str] | None:
    # What is wrong, and the command that repairs it; removing a link never harms its target.
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link", _REMOVE
    if not stat.S_ISREG(found.st_mode):
        return "is not a regular file", f"{_REMOVE} -d" if not WINDOWS else "rmdir"
    if _foreign(found):
        return f"belongs to user ID {found.st_uid}, not to you", _REMOVE
    if found.st_nlink > 1:
        return "has a second name (a hard link)", _REMOVE
    if _mode(found) & 0o477 != 0o400:
        return f"has mode {_mode(found):04o} instead of 0600", "chmod 600"
    if found.st_size > SIZE_LIMIT:
        return "is larger than 1 MiB", _REMOVE
    return None


def _flaw_by_name(path: str) -> tuple[str, str] | None:
    # Explains why opening failed; it is not a check of a file that is opened later.
    try:
        return _flaw(os.lstat(path))
    except OSError:
        return None


def _unsafe(path: str, what: str, command: str) -> StoreError:
    return store_error(f"{path} is not safe to use: it {what}", f"Run: {command} {quoted(path)}")


def _mode(found: os.stat_result) -> int:
    # Without owners the mode bits mean nothing.
    if not hasattr(os, "geteuid"):
        return 0o700 if stat.S_ISDIR(found.st_mode) else 0o600
    return stat.S_IMODE(found.st_mode) & 0o777


def _foreign(found: os.stat_result) -> bool:
    return hasattr(os, "geteuid") and found.st_uid != os.geteuid()


def quoted(path: str) -> str:
    """Return a path as it is typed in the shell of the system."""
    if WINDOWS:
        return f'"{path}"'  # A path has no quotation mark on Windows.
    import shlex  # Start-up.

    return shlex.quote(path)
