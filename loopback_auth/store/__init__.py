"""Sign-ins between runs: one private JSON file each, `<folder>/sign-ins/<name>.json`.

Two speeds. `read_fresh_token` answers the command that prints a kept token and imports next to nothing;
whenever it is in doubt it says None, and the slow way explains. `FileTokenStore` is the slow way: it reads,
keeps, deletes and locks. Refuses to know what tokens are good for; how files are kept private is
`private_files`, what is in them `kept`.

A damaged or unsafe file is never overwritten: `load` refuses it, `save` first moves it to
`<name>.json.corrupt-<time>`.
"""

# Pathlib takes longer to import than a kept token to read.
# ruff: noqa: PTH100, PTH108, PTH114, PTH116, PTH118, PTH208

from __future__ import annotations

import os
import time

from loopback_auth.store.private_files import (
    SIZE_LIMIT,
    check_folder,
    discard,
    discard_left_overs,
    make_folder,
    move_over,
    read_private,
    store_error,
    system_refused,
    write_private,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any

    from loopback_auth.model import SignIn
    from loopback_auth.store.sign_in_lock import SignInLock

SIGN_INS = "sign-ins"
SUFFIX = ".json"
LOCK_TIMEOUT = 30.0
NAME_LIMIT = 100
PROBE_SIZE = 64 * 1024
_REPORT = "Ask the server for smaller or plainer tokens: fewer scopes, or no openid scope."
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")


def read_fresh_token(folder: str, now: float, name: str = "", since: float = 0.0) -> str | None:
    """Return the access token of the named sign-in, of the chosen one, or of the only one, if it is fresh.

    Args:
        folder: the data folder.
        now: Unix seconds.
        name: which sign-in; empty: the chosen one, or the only one.
        since: Unix seconds; what was kept before that is in doubt, for the settings have changed then.

    Returns:
        One line of visible ASCII (RFC 6749 appendix A.12), or None if anything at all is doubtful.
    """
    import json

    from loopback_auth.store.current import chosen_in

    try:
        sign_ins = os.path.join(folder, SIGN_INS)
        if not check_folder(sign_ins):
            return None
        meant = name or chosen_in(sign_ins)
        names = (meant,) if meant else _names_in(sign_ins)
        if len(names) != 1 or not _is_name(names[0]):
            return None
        path = os.path.join(sign_ins, names[0] + SUFFIX)
        if since and os.stat(path).st_mtime <= since:
            return None
        content = read_private(path)
        return _fresh_token(json.loads(content.decode("ascii")), now) if content else None
    except Exception:
        # Whatever it was, the slow way meets it again and has the words for it.
        return None


def _fresh_token(kept: Any, now: float) -> str | None:
    from loopback_auth.freshness import fresh

    tokens = kept["tokens"]
    token, obtained_at, expires_at = tokens["access_token"], tokens["obtained_at"], tokens.get("expires_at")
    if type(kept["version"]) is not int or kept["version"] != 1 or not isinstance(token, str):
        return None
    if not (token and token.isascii() and token.isprintable()):
        return None
    if expires_at is not None:
        if type(obtained_at) not in (int, float) or type(expires_at) not in (int, float):
            return None
        if not fresh(obtained_at=obtained_at, expires_at=expires_at, now=now):
            return None
    return token


def sign_in_name(text: str) -> str:
    """Turn the host of an issuer, or the name of a provider, into the name of a sign-in.

    Returns:
        1 to 100 characters out of `a-z0-9._-`, of which the first is a letter or a digit.

    Raises:
        ConfigError: there is no letter or digit in it.
    """
    spelled = "".join(each if each in _NAME_CHARACTERS else "-" for each in text.lower())
    return checked_name(spelled.lstrip("._-")[:NAME_LIMIT])


class FileTokenStore:
    """Keeps sign-ins in files that only their owner can read.

    Args:
        folder: the data folder; made when something is first kept.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(os.path.abspath(folder), SIGN_INS)

    def names(self) -> tuple[str, ...]:
        """List what is kept, in alphabetical order.

        Raises:
            StoreError: the folder cannot be read or trusted.
        """
        try:
            return _names_in(self._folder) if check_folder(self._folder) else ()
        except OSError as exc:
            raise system_refused(exc, self._folder, "listed") from exc

    def load(self, name: str) -> SignIn | None:
        """Read one sign-in; None when there is none of that name.

        Raises:
            ConfigError: the name is none.
            StoreError: the file cannot be read, trusted or understood; it is left as it is.
        """
        path = self.path(name)
        content = read_private(path) if check_folder(self._folder) else None
        if content is None:
            return None
        from loopback_auth.store.kept import from_json

        try:
            return from_json(content, name)
        except ValueError as exc:
            raise store_error(
                f"{path} is damaged: {exc}", "Sign in again; the damaged file will be kept aside."
            ) from None

    def save(self, sign_in: SignIn) -> None:
        """Keep a sign-in under its name: completely, or not at all.

        Raises:
            ConfigError: its name is none.
            StoreError: it cannot be kept; what was there before still is.
        """
        path = self.path(sign_in.name)
        content = _kept_form(sign_in)
        self._prepare()
        new = write_private(self._folder, content, sign_in.name)
        try:
            self._keep_damaged_aside(sign_in.name)
            move_over(new, path)
        except BaseException:
            discard(new)
            raise

    def delete(self, name: str) -> bool:
        """Forget a sign-in with every copy of it; return whether there was one. The caller holds its lock.

        Raises:
            ConfigError: the name is none.
            StoreError: the file is there and cannot be removed.
        """
        from loopback_auth.store.current import forget_in
        from loopback_auth.store.damaged import discard_copies

        path = self.path(name)
        discard_copies(path, name)
        if self.chosen() == name:
            forget_in(self._folder)
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        except OSError as exc:
            raise system_refused(exc, path, "removed") from exc
        return True

    def chosen(self) -> str:
        """Return the name of the sign-in that is meant when none is named; empty when none was chosen."""
        from loopback_auth.errors import StoreError
        from loopback_auth.store.current import chosen_in

        try:
            name = chosen_in(self._folder) if check_folder(self._folder) else ""
        except StoreError:
            return ""  # A choice that cannot be read is made again.
        return name if _is_name(name) and os.path.lexists(self.path(name)) else ""

    def choose(self, name: str) -> None:
        """Have a sign-in meant when none is named.

        Raises:
            ConfigError: the name is none.
            StoreError: the choice cannot be kept.
        """
        from loopback_auth.store.current import choose_in

        self._prepare()
        choose_in(self._folder, checked_name(name))

    def vouch(self, name: str) -> None:
        """Note that a kept sign-in was compared with the settings just now (see `read_fresh_token`).

        Raises:
            ConfigError: the name is none.
        """
        try:
            os.utime(self.path(name))
        except OSError:
            return  # It will be compared again.

    def lock(self, name: str, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Keep other threads and processes from the sign-in; a lock dies with its process.

        Args:
            name: of a sign-in, which need not exist yet.
            timeout: seconds to wait for it on entry.

        Raises:
            ConfigError: the name is none.
            StoreError: (on entry) somebody else held it all the time, or it cannot be made.
        """
        from loopback_auth.store.locks import locked

        return locked(self.path(name) + ".lock", timeout)

    def sign_in_lock(self, name: str) -> SignInLock:
        """Return those who want to sign in under a name at the same time, in whatever process.

        Raises:
            ConfigError: the name is none.
        """
        from loopback_auth.store.sign_in_lock import SignInLock

        return SignInLock(self.path(name) + ".crowd")

    def check_writable(self) -> None:
        """Prove that a sign-in could be kept now, by writing 64 KiB to the disk and removing them.

        Raises:
            StoreError: it could not.
        """
        self._prepare()
        # Random, because zeroes take no room on a disk that compresses.
        discard(write_private(self._folder, os.urandom(PROBE_SIZE)))

    def _prepare(self) -> None:
        make_folder(self._folder)
        discard_left_overs(self._folder, time.time())

    def path(self, name: str) -> str:
        """Return the file of a sign-in, whether or not it exists."""
        return os.path.join(self._folder, checked_name(name) + SUFFIX)

    def _keep_damaged_aside(self, name: str) -> None:
        from loopback_auth.errors import StoreError

        path = self.path(name)
        try:
            self.load(name)
        except StoreError:
            # A link is not worth keeping: it is replaced, and what it points to is not ours.
            if not os.path.islink(path):
                from loopback_auth.store.damaged import move_aside

                move_aside(path, time.time())


def _kept_form(sign_in: SignIn) -> bytes:
    from loopback_auth.store.kept import to_json

    try:
        content = to_json(sign_in)
    except ValueError as exc:
        raise store_error(f"The sign-in {sign_in.name} cannot be kept: {exc}", _REPORT) from None
    if len(content) > SIZE_LIMIT:
        raise store_error(f"The sign-in {sign_in.name} cannot be kept: it is larger than 1 MiB", _REPORT)
    return content


def _names_in(folder: str) -> tuple[str, ...]:
    stems = (entry.removesuffix(SUFFIX) for entry in os.listdir(folder) if entry.endswith(SUFFIX))
    return tuple(sorted(stem for stem in stems if _is_name(stem)))


def _is_name(text: str) -> bool:
    return 0 < len(text) <= NAME_LIMIT and text[0] not in "._-" and _NAME_CHARACTERS.issuperset(text)


def checked_name(name: str) -> str:
    """Return a name that can be one of a sign-in.

    Raises:
        ConfigError: it cannot.
    """
    if not _is_name(name):
        from loopback_auth.errors import ConfigError

        raise ConfigError(
            f"{name!r} cannot name a sign-in",
            hint="Use 1 to 100 of a-z, 0-9, dot, underscore and hyphen, with a letter or a digit in front.",
        )
    return name
