"""The file with the client's private key: read only if no other user can, as with the configuration file.

Whether it is a key, and of which kind, is decided in `protocol.client_key`. Only imported where such a file
is named.
"""

from __future__ import annotations

import os
import shlex
import stat
import sys
from pathlib import Path

from loopback_auth.errors import ConfigError
from loopback_auth.field_checks import check_private_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.settings import Settings

SIZE_LIMIT = 64 * 1024
"""Bytes; a key has a few thousand."""


def private_key_of(settings: Settings) -> str | None:
    """Return the content of the file that `private_key_file` names; None when it names none.

    Raises:
        ConfigError: the file cannot be read, other users can, or it is not text. The error quotes nothing
            of it.
    """
    path = settings.text("private_key_file")
    if not path:
        return None
    whole, origin = Path(path).expanduser(), f"(from {settings.origin('private_key_file')})"
    try:
        # Before it is opened: a pipe or a device may never answer.
        if not stat.S_ISREG(whole.stat().st_mode):
            raise _unfit(f"The file {path} is not a regular file {origin}.")
        with whole.open("rb") as file:
            found, content = os.fstat(file.fileno()), file.read(SIZE_LIMIT + 1)
    except OSError as exc:
        raise _unfit(f"The file {path} cannot be read: {exc.strerror} {origin}.") from exc
    if _is_open(found):
        raise ConfigError(
            f"The private key in {path} can be read or changed by other users {origin}.",
            hint=f"Run: chmod 600 {shlex.quote(path)}. If others may have read it, make a new key.",
            parameter="private_key_file",
        )
    if len(content) > SIZE_LIMIT or not content.strip() or not content.isascii():
        raise _unfit(f"The file {path} has no private key: it is empty, binary or too long {origin}.")
    return content.decode("ascii")


def check_private_key_file(settings: Settings) -> None:
    """Refuse a file that has no private key with which this program can sign.

    Raises:
        ConfigError: see `private_key_of` and `client_key`; the error quotes nothing of the file.
    """
    from loopback_auth.protocol.client_key import client_key  # Few clients have a key.

    content = private_key_of(settings) or ""
    try:
        check_private_key(content, "private_key_file")
        client_key(content)
    except ConfigError as exc:
        where = f"(from {settings.origin('private_key_file')})"
        message = f"{exc.message.rstrip('.')} {where}."
        raise ConfigError(message, hint=exc.hint, parameter="private_key_file") from None


def _is_open(found: os.stat_result) -> bool:
    if sys.platform == "win32":
        return False  # On Windows modes mean nothing.
    return found.st_uid not in (os.geteuid(), 0) or bool(found.st_mode & 0o077)


def _unfit(message: str) -> ConfigError:
    return ConfigError(
        message,
        hint="Name a PEM file with the private key, or a file with a JWK.",
        parameter="private_key_file",
    )
