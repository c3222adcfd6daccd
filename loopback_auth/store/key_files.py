"""Keep the keys of bound tokens apart from the sign-ins: one private file each, `<folder>/keys/<name>.json`.

A sign-in's own file has only the public half of its key, so that a copy of it is worth nothing. A key is
written before its sign-in, and beside the key of the sign-in that is still there, so that a crash between the
two leaves a sign-in that works. How files are kept private is decided in `private_files`.

Source: RFC 7517 §5 (the form of the file).
"""

# Paths stay text, as in `private_files`: pathlib takes longer to import.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TypeGuard

from loopback_auth.codec import read_object
from loopback_auth.errors import StoreError
from loopback_auth.narrow import is_list, is_object
from loopback_auth.records import replace
from loopback_auth.store.damaged import Damaged, KeyUnreadable, discard_copies
from loopback_auth.store.kept_files import keep
from loopback_auth.store.private_files import (
    check_folder,
    discard,
    read_kept,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.tokens import SignIn

KEYS = "keys"
PRIVATE = "d"
"""The member of an EC key that is secret (RFC 7518 §6.2.2)."""
_HINT = "Sign in again."


def without_key(sign_in: SignIn) -> SignIn:
    """Return a sign-in that has only the public half of its key."""
    return replace(sign_in, dpop_key=_public(sign_in.dpop_key))


def with_key(sign_in: SignIn, folder: str) -> SignIn:
    """Return a sign-in of which only the public half of the key is known, with the private one.

    Args:
        sign_in: as its file has it.
        folder: the data folder.

    Raises:
        KeyUnreadable: the key is missing, or its file cannot be read, is unsafe or is damaged.
    """
    try:
        return replace(sign_in, dpop_key=_key(sign_in, folder))
    except StoreError as exc:
        raise KeyUnreadable(exc, replace(sign_in, dpop_key={})) from None


def _key(sign_in: SignIn, folder: str) -> dict[str, str]:
    path, public = _path(folder, sign_in.name), _public(sign_in.dpop_key)
    # Reporters of errors may write down the local variables of each frame: here is no other key among them.
    key = next((key for key in _keys_in(path) if _public(key) == public and PRIVATE in key), None)
    if key is None:
        raise Damaged(
            f"The key to which the tokens for {sign_in.name} are bound is not in {path}", hint=_HINT
        )
    return key


def keep_key(folder: str, name: str, key: Mapping[str, str], replaced: str, *, encrypt: bool = False) -> None:
    """Keep the key of a sign-in, unless it is there already.

    Args:
        folder: the data folder.
        name: of the sign-in.
        key: the private key.
        replaced: the sign-in's file, whose key is kept too while that file is there.
        encrypt: encrypt it also where nothing is encrypted yet.

    Raises:
        StoreError: it cannot be kept; the previous file is unchanged.
    """
    path = _path(folder, name)
    try:
        known = _keys_in(path)
    except StoreError:
        known = []  # What cannot be read is replaced.
    if key in known:
        return
    before = _public_in(replaced)
    keys = [dict(key), *(each for each in known if _public(each) == before)]
    content = json.dumps({"keys": keys}, indent=1).encode("ascii") + b"\n"
    keep(path, content, label=name, encrypt=encrypt)


def discard_key(folder: str, name: str) -> None:
    """Remove the key of a sign-in, and what a crash has left of it."""
    path = _path(folder, name)
    discard(path)
    discard_copies(path, name)


def _path(folder: str, name: str) -> str:
    return os.path.join(folder, KEYS, name + ".json")


def _public(key: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in key.items() if name != PRIVATE}


def _public_in(path: str) -> dict[str, str]:
    """Return the public key in a sign-in's file; empty if there is none that can be read."""
    try:
        key = read_object(read_kept(path) or b"{}").get("dpop_key")
    except (StoreError, ValueError):
        return {}
    return _public(key) if _is_key(key) else {}


def _keys_in(path: str) -> list[dict[str, str]]:
    content = read_kept(path) if check_folder(os.path.dirname(path)) else None
    if content is None:
        return []
    try:
        keys = read_object(content).get("keys")
    except ValueError as exc:
        raise Damaged(f"{path} is damaged: {exc}", hint=_HINT) from None
    if not is_list(keys):
        raise Damaged(f"{path} is damaged: it has no list of keys", hint=_HINT)
    return [key for key in keys if _is_key(key)]


def _is_key(value: object) -> TypeGuard[dict[str, str]]:
    return is_object(value) and all(isinstance(each, str) for each in value.values())
