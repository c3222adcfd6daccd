"""Keep sign-ins between runs: one private JSON file each, `<folder>/sign-ins/<name>.json`.

The key of a bound token has a file of its own (`key_files`).

The command that prints a kept token uses `read_fresh_token`, which imports next to nothing; in doubt it
returns None. For everything else there is `FileTokenStore`, which explains errors.
How files are kept private is decided in `private_files`, what is in them in `sign_in_format`. This module
refuses to know what the tokens are for.

A damaged or unsafe file is never overwritten: `load` refuses it, and `save` first moves it to
`<name>.json.corrupt-<time>`.
"""

# Pathlib takes longer to import than a kept token to read.
# ruff: noqa: PTH108, PTH114, PTH118, PTH208

from __future__ import annotations

import os
import time

from loopback_auth.narrow import is_name
from loopback_auth.store.interface import LOCK_TIMEOUT, TokenStore, checked_name
from loopback_auth.store.interface import sign_in_name as sign_in_name  # One place to import it from.
from loopback_auth.store.private_files import (
    CONTENT_LIMIT,
    ENCRYPTED,
    absolute_folder,
    check_folder,
    discard,
    discard_left_overs,
    make_folder,
    read_kept,
    read_private,
    store_error,
    system_refused,
    write_private,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from loopback_auth.registration import Registrations
    from loopback_auth.store.sign_in_lock import SignInLock
    from loopback_auth.tokens import SignIn, Token

SIGN_INS = "sign-ins"
KEYCHAIN = "keychain.json"
"""The file of a data folder that says which key in the keychain is its own (see `keychain_key`)."""
SUFFIX = ".json"
PROBE_SIZE = 64 * 1024
_REPORT = "Request fewer scopes, or leave openid out, so that the tokens are smaller."


def read_fresh_token(folder: str, now: float, name: str = "", settings: Sequence[object] = ()) -> str | None:
    """Return the access token of the named sign-in, of the chosen one, or of the only one, if it is fresh.

    Args:
        folder: the data folder.
        now: Unix seconds.
        name: which sign-in; empty: the chosen one, or the only one.
        settings: from `settings_match.settings_state`; the sign-in has to be known to match them.

    Returns:
        One line of visible ASCII (RFC 6749 appendix A.12); None in every doubtful case.
    """
    found = read_fresh(folder, now, name)
    if found is None:
        return None
    if settings:
        from loopback_auth.store.settings_match import read_match

        if read_match(folder, found[2], settings) is None:
            return None
    return found[0]


def read_fresh(
    folder: str, now: float, name: str = "", *, of: Token = "access_token"
) -> tuple[str, float | None, str, str] | None:
    """Return a token likewise, with its expiry in Unix seconds, the name of the sign-in and the account.

    Args:
        folder: the data folder.
        now: Unix seconds.
        name: which sign-in; empty: the chosen one, or the only one.
        of: which token.
    """
    import json

    from loopback_auth.store.current import chosen_in

    try:
        sign_ins = os.path.join(folder, SIGN_INS)
        if not check_folder(sign_ins):
            return None
        meant = name or chosen_in(sign_ins)
        names = (meant,) if meant else _names_in(sign_ins)
        if len(names) != 1 or not is_name(names[0]):
            return None
        path = os.path.join(sign_ins, names[0] + SUFFIX)
        content = read_private(path)
        found = _fresh(json.loads(content.decode("ascii")), now, of) if content else None
        # A copy of another sign-in counts as damaged.
        return found if found is not None and found[2] == names[0] else None
    except Exception:
        # FileTokenStore meets the same fault again, and explains it.
        return None


def _fresh(kept: Any, now: float, of: Token) -> tuple[str, float | None, str, str] | None:
    from loopback_auth.freshness import fresh

    tokens = kept["tokens"]
    token, obtained_at, expires_at = tokens["access_token"], tokens["obtained_at"], tokens.get("expires_at")
    if of == "id_token":
        # The same times as in `TokenSet.fresh`.
        token, claims = tokens["id_token"]["raw"], tokens["id_token"]["claims"]
        expires_at = claims["exp"]
        obtained_at = min(obtained_at, claims.get("iat", expires_at))
    elif str(tokens.get("token_type")).lower() == "dpop":
        return None  # Of no use without a proof, which has to be said.
    if type(kept["version"]) is not int or kept["version"] != 1 or not isinstance(token, str):
        return None
    if not (token and token.isascii() and token.isprintable()):
        return None
    if expires_at is not None:
        if type(obtained_at) not in (int, float) or type(expires_at) not in (int, float):
            return None
        if not fresh(obtained_at=obtained_at, expires_at=expires_at, now=now):
            return None
    return token, expires_at, str(kept["name"]), str(tokens.get("account", ""))


class FileTokenStore(TokenStore):
    """Keeps sign-ins in files that only their owner can read.

    Args:
        folder: the data folder; created when something is kept for the first time. `~` at its beginning is
            the home folder.

    Raises:
        ConfigError: it is not a path.
    """

    excludes_processes = True
    encrypts = False
    """Whether everything is encrypted that is written, also where nothing is encrypted yet."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._data = absolute_folder(folder)
        self._folder = os.path.join(self._data, SIGN_INS)

    def names(self) -> tuple[str, ...]:
        """Return the names of all kept sign-ins, in alphabetical order.

        Raises:
            StoreError: the folder cannot be read or trusted.
        """
        try:
            return _names_in(self._folder) if check_folder(self._folder) else ()
        except OSError as exc:
            raise system_refused(exc, self._folder, "listed") from exc

    def read(self, name: str) -> SignIn | None:
        """Return a sign-in; None when there is none of that name.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: its file, or that of its key, cannot be read, is unsafe or is damaged, or the key is
                missing; nothing is changed.
        """
        path, content = self.path(name), self.read_file(name)
        if content is None:
            return None
        from loopback_auth.sign_in_format import WrittenByNewer, read_as
        from loopback_auth.tokens import DPOP, SignIn

        try:
            sign_in = read_as(SignIn, content)
            if sign_in.name != name:
                raise ValueError("written for another name")
            if sign_in.tokens.token_type == DPOP and not sign_in.dpop_key:
                raise ValueError("its token is bound, and it names no key")
        except WrittenByNewer as exc:
            from loopback_auth.errors import StoreError  # Start-up.

            raise StoreError(
                f"{path} was written by a newer version of this program, for it is {exc}.",
                hint="Use the newer version, or keep the sign-ins of this one in another folder.",
            ) from None
        except ValueError as exc:
            from loopback_auth.store.damaged import Damaged  # Start-up.

            raise Damaged(
                f"{path} is damaged: {exc}", hint="Sign in again; the damaged file will be renamed."
            ) from None
        if sign_in.dpop_key:
            from loopback_auth.store.key_files import with_key  # Start-up.

            return with_key(sign_in, self._data)
        return sign_in

    def glance(self, name: str) -> SignIn | None:
        """Return what decides whether a kept token can be used, under the names of a `SignIn`; None in doubt.

        Raises:
            Exception: any, in doubt.
        """
        from loopback_auth.store.glance import glance

        content = self.read_file(name)
        return glance(content, name) if content is not None else None  # type: ignore[return-value]

    def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep a sign-in completely or not at all; None: remove it.

        Raises:
            ConfigError: its name cannot be one.
            StoreError: it cannot be kept; the previous file is unchanged.
        """
        if sign_in is None:
            self.delete(name)
            return
        from loopback_auth.store.kept_files import keep

        path = self.path(name)
        content = _kept_form(sign_in)
        self._prepare()
        if sign_in.dpop_key:
            from loopback_auth.store.key_files import keep_key  # Start-up.

            keep_key(self._data, name, sign_in.dpop_key, path, encrypt=self.encrypts)
        keep(
            path,
            content,
            label=name,
            encrypt=self.encrypts,
            first=lambda: self._keep_damaged_aside(name),
        )
        if not sign_in.dpop_key:
            self._discard_key(name)

    def delete(self, name: str) -> bool:
        """Delete a sign-in and all its copies; return whether there was one. The caller holds its lock.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: the file exists and cannot be removed.
        """
        from loopback_auth.store.current import forget_in
        from loopback_auth.store.damaged import discard_copies
        from loopback_auth.store.settings_match import discard_match

        path = self.path(name)
        discard_copies(path, name)
        discard_match(self._data, name)
        if self.chosen() == name:
            forget_in(self._folder)
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        except OSError as exc:
            raise system_refused(exc, path, "removed") from exc
        finally:
            self._discard_key(name)
            vars(self)["changes"] = self.changes + 1
        return True

    def chosen(self) -> str:
        """Return the name of the sign-in to use when none is named; empty when none was chosen."""
        from loopback_auth.errors import StoreError
        from loopback_auth.store.current import chosen_in

        try:
            name = chosen_in(self._folder) if check_folder(self._folder) else ""
        except StoreError:
            return ""  # An unreadable choice counts as none.
        return name if is_name(name) and os.path.lexists(self.path(name)) else ""

    def choose(self, name: str) -> None:
        """Choose the sign-in to use when none is named.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: the choice cannot be kept.
        """
        from loopback_auth.store.current import choose_in

        self._prepare()
        choose_in(self._folder, checked_name(name))

    def lock(self, name: str, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Return a lock that excludes other threads and processes; it ends with its process.

        Args:
            name: of a sign-in, which need not exist yet.
            timeout: seconds to wait for the lock on entry.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: (on entry) the lock was not free in time, or its file cannot be created.
        """
        from loopback_auth.store.locks import locked

        return locked(self.path(name) + ".lock", timeout)

    def sign_in_lock(self, name: str) -> SignInLock:
        """Return the lock that lets one process at a time sign in under a name.

        Raises:
            ConfigError: this cannot be a name.
        """
        from loopback_auth.store.sign_in_lock import FileSignInLock

        return FileSignInLock(self.path(name) + ".crowd")

    def check_writable(self) -> None:
        """Check that a sign-in can be kept now, by writing and removing a file of 64 KiB.

        Where sign-ins are encrypted, the key is made or found: the person is asked for it before the sign-in.

        Raises:
            ConfigError: the extra `keychain` is needed and not installed.
            StoreError: it cannot.
        """
        self._prepare()
        if self.encrypts or os.path.lexists(os.path.join(self._data, KEYCHAIN)):
            from loopback_auth.store.kept_files import check_can_keep

            check_can_keep(self._data, encrypt=self.encrypts)
        # Random bytes, because zeros need no space on a file system that compresses.
        discard(write_private(self._folder, os.urandom(PROBE_SIZE)))

    def read_registrations(self, issuer: str) -> Registrations | None:
        """Return the clients that were registered at an issuer; a damaged file counts as none.

        Raises:
            StoreError: the file cannot be read, or is unsafe.
        """
        from loopback_auth.store.registration_files import read_registrations

        return read_registrations(self._data, issuer)

    def write_registrations(self, issuer: str, registrations: Registrations | None) -> None:
        """Keep the clients that are registered at an issuer, completely or not at all; None: remove them.

        Raises:
            StoreError: they cannot be kept; the previous file is unchanged.
        """
        from loopback_auth.store.registration_files import write_registrations

        write_registrations(self._data, issuer, registrations, encrypt=self.encrypts)

    def registered_ports(self, issuer: str) -> tuple[int, ...]:
        """Return the ports of the redirect URIs that are registered, those that were used last first.

        Raises:
            StoreError: a file cannot be read, or is unsafe.
        """
        from loopback_auth.store.registered_ports import registered_ports

        return registered_ports(self._data, issuer)

    def _prepare(self) -> None:
        make_folder(self._folder)
        discard_left_overs(self._folder, time.time())

    def path(self, name: str) -> str:
        """Return the file of a sign-in, whether or not it exists."""
        return os.path.join(self._folder, checked_name(name) + SUFFIX)

    def is_encrypted(self, name: str) -> bool:
        """Return whether the file of a sign-in is encrypted with a key that the keychain has.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: the file cannot be read, or is unsafe.
        """
        return (read_private(self.path(name)) or b"").startswith(ENCRYPTED)

    def read_file(self, name: str) -> bytes | None:
        """Return what is in the file of a sign-in, decrypted; None when there is none.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: the file cannot be read, is unsafe, or cannot be decrypted.
        """
        path = self.path(name)
        return read_kept(path) if check_folder(self._folder) else None

    def _discard_key(self, name: str) -> None:
        from loopback_auth.store.key_files import discard_key

        discard_key(self._data, name)

    def _keep_damaged_aside(self, name: str) -> None:
        from loopback_auth.errors import StoreError

        path = self.path(name)
        try:
            self.load(name)
        except StoreError:
            # A link is replaced; what it points to is not ours.
            if not os.path.islink(path):
                from loopback_auth.store.damaged import move_aside

                move_aside(path, time.time())


def _kept_form(sign_in: SignIn) -> bytes:
    # Start-up.
    from loopback_auth.sign_in_format import written

    if sign_in.dpop_key:
        from loopback_auth.store.key_files import without_key  # Start-up.

        sign_in = without_key(sign_in)
    try:
        content = written(sign_in).encode("ascii")
    except ValueError as exc:
        raise store_error(f"The sign-in {sign_in.name} cannot be kept: {exc}", _REPORT) from None
    if len(content) > CONTENT_LIMIT:
        raise store_error(f"The sign-in {sign_in.name} cannot be kept: it is larger than 1 MiB", _REPORT)
    return content


def _names_in(folder: str) -> tuple[str, ...]:
    stems = (entry.removesuffix(SUFFIX) for entry in os.listdir(folder) if entry.endswith(SUFFIX))
    return tuple(sorted(stem for stem in stems if is_name(stem)))
