"""Keep registrations in private files, `<folder>/registrations/<name of the issuer>.json`.

A registration can be made anew, so a damaged file counts as none; it is renamed when the next registration
is kept. An unsafe file, which another user may have written, is refused.
"""

# As in `private_files`.
# ruff: noqa: PTH108, PTH114, PTH118

from __future__ import annotations

import os
import time

from loopback_auth.errors import StoreError
from loopback_auth.narrow import NAME_LIMIT
from loopback_auth.registration import Registrations, ports_of
from loopback_auth.store.damaged import discard_copies, move_aside
from loopback_auth.store.private_files import (
    check_folder,
    discard,
    discard_left_overs,
    make_folder,
    move_over,
    read_private,
    system_refused,
    write_private,
)

FOLDER = "registrations"
SUFFIX = ".json"
MOST_FILES = 32
"""Issuers whose ports are looked at."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
_HASHED = 32
"""Hexadecimal digits of a hash in the name of a long issuer."""


def registration_name(issuer: str) -> str:
    """Return the name of an issuer: for two issuers two names, because one server must not use up another's.

    Returns:
        1 to 100 characters out of `a-z0-9._-`, of which the first is a letter or a digit.
    """
    # The scheme of nearly all goes without saying, and no other name begins as it does when it is escaped.
    text = issuer.removeprefix("https://")
    spelled = "".join(
        each if each in _PLAIN and (at or each.isalnum()) else f"_{ord(each):02x}_"
        for at, each in enumerate(text)
    )
    spelled = spelled if spelled[:1].isalnum() else f"0{spelled}"
    if len(spelled) <= NAME_LIMIT - 2 - _HASHED:
        return spelled
    from hashlib import sha256  # Few issuers are that long.

    digest = sha256(issuer.encode("utf-8", "surrogatepass")).hexdigest()[:_HASHED]
    return f"{spelled[: NAME_LIMIT - 2 - _HASHED]}__{digest}"


def read_registrations(folder: str, issuer: str) -> Registrations | None:
    """Return the registrations at an issuer; None when there are none that can be read.

    Args:
        folder: the data folder.
        issuer: of the server.

    Raises:
        StoreError: the file cannot be read, or is unsafe.
    """
    within = os.path.join(folder, FOLDER)
    content = read_private(_path(within, issuer)) if check_folder(within) else None
    return _read(content, issuer) if content is not None else None


def write_registrations(folder: str, issuer: str, registrations: Registrations | None) -> None:
    """Keep the registrations at an issuer completely or not at all; None: remove them.

    Raises:
        StoreError: they cannot be kept; the previous file is unchanged.
    """
    within = os.path.join(folder, FOLDER)
    path, name = _path(within, issuer), registration_name(issuer)
    if registrations is None:
        _remove(path, name)
        return
    make_folder(within)
    discard_left_overs(within, time.time())
    new = write_private(within, registrations.to_json().encode("ascii"), name)
    try:
        _keep_damaged_aside(path, issuer)
        move_over(new, path)
    except BaseException:
        discard(new)
        raise


def registered_ports(folder: str, issuer: str) -> tuple[int, ...]:
    """Return the ports of the redirect URIs that are registered, those that were used last first.

    Args:
        folder: the data folder.
        issuer: where they are registered; empty: at any.

    Raises:
        StoreError: a file cannot be read, or is unsafe.
    """
    within = os.path.join(folder, FOLDER)
    if not check_folder(within):
        return ()
    paths = [_path(within, issuer)] if issuer else _latest_first(within)
    contents = (read_private(path) for path in paths)
    return ports_of(_read(content, issuer) for content in contents if content is not None)


def _latest_first(within: str) -> list[str]:
    try:
        with os.scandir(within) as entries:
            times = [(entry.stat().st_mtime, entry.path) for entry in entries if entry.name.endswith(SUFFIX)]
    except OSError as exc:
        raise system_refused(exc, within, "listed") from exc
    return [path for _, path in sorted(times, reverse=True)[:MOST_FILES]]


def _path(within: str, issuer: str) -> str:
    return os.path.join(within, registration_name(issuer) + SUFFIX)


def _read(content: bytes, issuer: str) -> Registrations | None:
    try:
        found = Registrations.from_json(content)
    except StoreError:
        return None
    return found if issuer in ("", found.issuer) else None


def _remove(path: str, name: str) -> None:
    discard_copies(path, name)
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as exc:
        raise system_refused(exc, path, "removed") from exc


def _keep_damaged_aside(path: str, issuer: str) -> None:
    try:
        content = read_private(path)
    except StoreError:
        content = b""
    # A link is replaced; what it points to is not ours.
    if content is not None and _read(content, issuer) is None and not os.path.islink(path):
        move_aside(path, time.time())
