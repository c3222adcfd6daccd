"""Read and make one key in the keychain of the system, through `keyring`.

Which keychain that is: the one that `keyring` is configured to use, if it is; otherwise the one that has the
key already; otherwise that of the system. What else is installed as a back end of `keyring` is not looked
for: it may keep secrets in plain text or, as one for package indexes does, hold other secrets only.

Source: `keyring` 25.7 (`keyring.core`, `backend.recommended`); freedesktop.org Secret Service API 0.2,
"Locking and Unlocking".
"""

from __future__ import annotations

import importlib
import os
import re
import secrets
import sys
from contextlib import closing
from typing import Any, Protocol, TypeVar

from loopback_auth.plan.signals import CI, DISPLAYS, SSH
from loopback_auth.store.encryption import Encryption, missing_library
from loopback_auth.store.keychain_question import FILES, LOCKED, Question, Questions, keychain_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loopback_auth.errors import StoreError

KEY_SIZE = 32
"""Random bytes of a key; 43 characters, which every keychain takes."""
SERVICE = "loopback_auth"
"""The service under which the keychain has the key; the user name is the name of the key."""
VARIABLE = "PYTHON_KEYRING_BACKEND"
_SECRET_SERVICE = "keyring.backends.SecretService.Keyring"
_OF_SYSTEM = {
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
}
_OF_OTHERS = (_SECRET_SERVICE, "keyring.backends.kwallet.DBusKeyring")
_LEAST = 1.0
"""The priority from which on `keyring` recommends a back end; those for plain text are below."""


def read_key(user: str, backend: str) -> tuple[str, Encryption | None]:
    """Read a key.

    Args:
        user: the name of the key.
        backend: the class for the keychain that has it; empty: the one to use.

    Returns:
        The class that was used, and what encrypts with the key; None: the keychain does not have it.

    Raises:
        ConfigError: `keyring` is not installed.
        StoreError: there is no keychain, it is locked, or it failed.
    """
    return _answered(f"read {user}", lambda question: _read(user, backend, question))


def make_key(user: str) -> tuple[str, Encryption]:
    """Make a key, or read it if the keychain has it already; the errors are those of `read_key`.

    Raises:
        StoreError: as `read_key`; or the keychain does not return what it was given.
    """
    return _answered(f"make {user}", lambda question: _make(user, question))


def may_ask(environ: Mapping[str, str], platform: str) -> bool:
    """Return whether a person can see and answer a question of the keychain: not by SSH, and not in CI.

    Args:
        environ: the environment variables.
        platform: `sys.platform`.
    """
    if any(environ.get(name) for name in SSH):
        return False
    if any(environ.get(name, "").lower() not in ("", "0", "false", "no") for name in CI):
        return False
    return platform in _OF_SYSTEM or any(environ.get(name) for name in DISPLAYS)


def system_keychain() -> str:
    """Return the class of the keychain that a new key would be kept in.

    Raises:
        ConfigError: `keyring` is not installed.
        StoreError: there is none.
    """
    return _answered("which", lambda question: _name(_backend("")))


T = TypeVar("T")


class _BackEnd(Protocol):
    """What is used of a back end of `keyring`; what it promises is not what every one does."""

    def get_password(self, service: str, username: str, /) -> object: ...

    def set_password(self, service: str, username: str, password: str, /) -> object: ...


_QUESTIONS = Questions()


def _answered(what: str, ask: Callable[[Question[T]], T]) -> T:
    try:
        importlib.import_module("keyring.core")  # Said here, before a thread is started.
    except Exception:  # From a zip it is an AttributeError.
        raise missing_library("keyring", "keychain") from None
    return _QUESTIONS.ask(f"{what} {os.environ.get(VARIABLE, '')}", ask)


def _read(user: str, kept_by: str, question: Question[Any]) -> tuple[str, Encryption | None]:
    backend = _unlocked(_backend(kept_by), question)
    secret = _secret(backend, user)
    return _name(backend), Encryption(secret, "keychain") if secret is not None else None


def _make(user: str, question: Question[Any]) -> tuple[str, Encryption]:
    backend = _unlocked(_backend(""), question)
    secret = _secret(backend, user)
    if secret is None:
        secret = secrets.token_urlsafe(KEY_SIZE)
        made = Encryption(secret, "keychain")  # Which fails before anything is kept.
        backend.set_password(SERVICE, user, secret)
        if _secret(backend, user) != secret:
            raise _no_keychain(backend)
        return _name(backend), made
    return _name(backend), Encryption(secret, "keychain")


def _secret(backend: _BackEnd, user: str) -> str | None:
    secret = backend.get_password(SERVICE, user)
    if secret is None or (isinstance(secret, str) and re.fullmatch(r"[\w-]{43}", secret, re.A)):
        return secret
    raise _no_keychain(backend)


def _no_keychain(backend: _BackEnd) -> StoreError:
    return keychain_error(
        f"The keychain {_name(backend)} does not return what it was given", f"Use another keychain, {FILES}."
    )


def _backend(kept_by: str) -> _BackEnd:
    """Return the back end to use.

    Raises:
        StoreError: there is none, or it does not protect what it keeps.
    """
    from keyring import core  # Of the extra.

    if (configured := _configured()) is not None:
        return _checked(configured)
    names = _OF_SYSTEM.get(sys.platform, _OF_OTHERS)
    found: list[tuple[float, str, _BackEnd]] = []
    reasons: list[str] = []
    for name in (kept_by,) if kept_by in names else names:
        try:
            backend: _BackEnd = core.load_keyring(name)
            found.append((_priority(backend), name, backend))
        except Exception as exc:
            # Each says in its own way that it is not there.
            why = str(exc) if type(exc) is RuntimeError else type(exc).__name__
            reasons.append(f"{name.split('.')[-2]} ({why})")
    if not found:
        raise keychain_error(
            f"There is no keychain here: {'; '.join(reasons)[:300]}",
            f"Start the one of your desktop, such as GNOME Keyring or KWallet, {FILES}.",
        )
    return max(found)[2]


def _configured() -> _BackEnd | None:
    """Return the back end that `keyring` is configured to use; None when it is not.

    Raises:
        StoreError: it cannot be loaded, or the configuration cannot be read.
    """
    from keyring import core  # Of the extra.

    try:
        # Both load any class that is named, whose code may fail in any way.
        return core.load_env() or core.load_config()
    except Exception as exc:
        named = os.environ.get(VARIABLE, "")
        raise keychain_error(
            f"keyring is configured to use {ascii(named)[:120] if named else 'a back end'}, which cannot be "
            f"loaded: {type(exc).__name__}",
            f"Correct {VARIABLE} or the configuration of keyring, {FILES}.",
        ) from None


def _checked(backend: _BackEnd) -> _BackEnd:
    """Refuse a back end that `keyring` is configured to use, and that is not a keychain.

    Raises:
        StoreError: it keeps nothing, keeps plain text, or is one of several in a chain, or ours.
    """
    modules = {each.__module__ for each in type(backend).__mro__}
    if any(module.partition(".")[0] == "loopback_auth" for module in modules):
        why = "it is made of the sign-ins themselves"
    elif "keyring.backends.chainer" in modules:
        why = "it is a chain of several, which may keep the key in any of them"
    elif not _is_recommended(backend):
        why = "it does not protect what it keeps, or keeps nothing"
    else:
        return backend
    raise keychain_error(
        f"keyring is configured to use {_name(backend)}, and that is not a keychain: {why}",
        f"Name another one in {VARIABLE} or in the configuration of keyring, {FILES}.",
    )


def _is_recommended(backend: _BackEnd) -> bool:
    try:
        return _priority(backend) >= _LEAST
    except Exception:
        return False  # It has none, or cannot run here.


def _priority(backend: _BackEnd) -> float:
    return float(getattr(backend, "priority"))  # noqa: B009 - a property of the class


def _unlocked(backend: _BackEnd, question: Question[Any]) -> _BackEnd:
    """Return a back end that may be asked: it is unlocked, or a person can unlock it.

    Raises:
        StoreError: it is locked, and a person could not see its question.
    """
    asks = may_ask(os.environ, sys.platform)
    if _name(backend) == _SECRET_SERVICE:
        if _is_locked(getattr(backend, "preferred_collection", None)):
            if not asks:
                raise keychain_error(*LOCKED)
            question.waits_for_person = True
    else:
        # Others do not say whether they will ask.
        question.waits_for_person = asks
    return backend


def _is_locked(preferred: str | None) -> bool:
    # Of the extra, and of one platform.
    import secretstorage
    from secretstorage.collection import DEFAULT_COLLECTION

    with closing(secretstorage.dbus_init()) as bus:
        try:
            return secretstorage.Collection(bus, preferred or DEFAULT_COLLECTION).is_locked()
        except secretstorage.ItemNotFoundException:
            return True  # There is none yet, and to make one a password is asked for.


def _name(backend: _BackEnd) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"
