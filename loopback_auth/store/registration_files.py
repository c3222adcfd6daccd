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
from loopback_auth.registration import Registrations
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
from loopback_auth.store.registered_ports import FOLDER, SUFFIX, registration_name


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
