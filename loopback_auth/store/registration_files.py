"""Keep registrations in private files, `<folder>/registrations/<name of the issuer>.json`.

A registration can be made anew, so a damaged file counts as none; it is renamed when the next registration
is kept. An unsafe file, which another user may have written, is refused.
"""

# Paths stay text, as in `private_files`: pathlib takes longer to import.
# ruff: noqa: PTH108, PTH114, PTH118

from __future__ import annotations

import os
import time
from functools import partial

from loopback_auth.errors import StoreError
from loopback_auth.registration import Registrations
from loopback_auth.store.damaged import discard_copies, move_aside
from loopback_auth.store.kept_files import keep
from loopback_auth.store.private_files import (
    check_folder,
    discard_left_overs,
    read_kept,
    system_refused,
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
    content = read_kept(_path(within, issuer), lost_is_none=True) if check_folder(within) else None
    return _read(content, issuer) if content is not None else None


def write_registrations(
    folder: str, issuer: str, registrations: Registrations | None, *, encrypt: bool = False
) -> None:
    """Keep the registrations at an issuer completely or not at all; None: remove them.

    Args:
        folder: the data folder.
        issuer: of the server.
        registrations: with their secrets.
        encrypt: encrypt them also where nothing is encrypted yet.

    Raises:
        StoreError: they cannot be kept; the previous file is unchanged.
    """
    within = os.path.join(folder, FOLDER)
    path, name = _path(within, issuer), registration_name(issuer)
    if registrations is None:
        _remove(path, name)
        return
    discard_left_overs(within, time.time())
    aside = partial(_keep_damaged_aside, path, issuer)
    keep(path, registrations.to_json().encode("ascii"), label=name, encrypt=encrypt, first=aside)


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
        content = read_kept(path)
    except StoreError:
        content = b""
    # A link is replaced; what it points to is not ours.
    if content is not None and _read(content, issuer) is None and not os.path.islink(path):
        move_aside(path, time.time())
