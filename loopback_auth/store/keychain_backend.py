"""Ask the keychain of the system for one key, through `keyring`, and end in time.

Which keychain that is: the one that `keyring` is configured to use, if it is; otherwise the one that has the
key already; otherwise that of the system. What else is installed as a back end of `keyring` is not looked
for: it may keep secrets in plain text or, as one for package indexes does, hold other secrets only.

A call to a keychain may wait for ever, for a person or for a daemon that hangs, and cannot be cancelled. So
it is made in a thread of its own, and waited for only so long. Until it has ended no other call is made for
the same key: who asks meanwhile gets its answer, so that a person sees one question and not many. The text of
the key does not leave that thread, whose frames no error reporter sees.

Source: `keyring` 25.7 (`keyring.core`, `backend.recommended`); freedesktop.org Secret Service API 0.2,
"Locking and Unlocking".
"""

from __future__ import annotations

import importlib
import os
import re
import secrets
import sys
import threading
import time
from contextlib import closing
from typing import Any, Generic, Protocol, TypeVar

from loopback_auth.errors import LoopbackAuthError
from loopback_auth.plan.signals import CI, DISPLAYS, SSH
from loopback_auth.store.encryption import Encryption, missing_library
from loopback_auth.store.private_files import store_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loopback_auth.errors import StoreError

KEY_SIZE = 32
"""Random bytes of a key; 43 characters, which every keychain takes."""
SERVICE = "loopback_auth"
"""Under which the key is in the keychain, beside its own name."""
VARIABLE = "PYTHON_KEYRING_BACKEND"
ANSWER_SECONDS = 10.0
"""For a keychain that asks nobody."""
PERSON_SECONDS = 60.0
"""For a person to unlock the keychain, after that."""
REMEMBERED_SECONDS = 5.0
"""For which a failure is the answer to the next call too."""
_SECRET_SERVICE = "keyring.backends.SecretService.Keyring"
_OF_SYSTEM = {
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
}
_OF_OTHERS = (_SECRET_SERVICE, "keyring.backends.kwallet.DBusKeyring")
_FILES = "or keep the sign-ins in files"
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


class _Question(Generic[T]):
    """One call to a keychain, in a thread of its own."""

    def __init__(self, ask: Callable[[_Question[T]], T]) -> None:
        self.waits_for_person = False
        """The keychain may be asking a person."""
        self._ask = ask
        self._answer: T | None = None
        self._error: tuple[str, str] = "", ""
        self._ended = threading.Event()
        self._asked_at = time.monotonic()
        self._ended_at = 0.0
        threading.Thread(target=self._run, name="loopback_auth-keychain", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether the next caller has to ask again."""
        if not self._ended.is_set():
            return False
        return self._answer is not None or time.monotonic() > self._ended_at + REMEMBERED_SECONDS

    def answer(self) -> T:
        """Wait for the answer.

        Raises:
            StoreError: there is none in time, or the keychain failed.
        """
        # From when it was asked: who comes later does not wait as long again.
        if not self._is_there(ANSWER_SECONDS) and not (
            self.waits_for_person and self._is_there(ANSWER_SECONDS + PERSON_SECONDS)
        ):
            raise _error(
                "The keychain of this system does not answer", f"Unlock or restart the keychain, {_FILES}."
            )
        if self._answer is None:
            raise _error(*self._error)
        return self._answer

    def _is_there(self, seconds: float) -> bool:
        return self._ended.wait(max(self._asked_at + seconds - time.monotonic(), 0.0))

    def _run(self) -> None:
        # No exception leaves this thread: its frames and its text may have the secret.
        try:
            self._answer = self._ask(self)
        except LoopbackAuthError as exc:
            self._error = exc.message, exc.hint
        except BaseException as exc:
            self._error = _words(exc)
        finally:
            self._ended_at = time.monotonic()
            self._ended.set()


class _Questions:
    """Those of this process, by what is asked."""

    def __init__(self) -> None:
        self._process = 0
        self._lock = threading.Lock()
        self._asked: dict[str, _Question[Any]] = {}

    def ask(self, what: str, ask: Callable[[_Question[T]], T]) -> T:
        if self._process != os.getpid():
            # After a fork: its threads are not in this process.
            self._process, self._lock, self._asked = os.getpid(), threading.Lock(), {}
        with self._lock:
            question: _Question[T] | None = self._asked.get(what)
            if question is None or question.is_over:
                question = self._asked[what] = _Question(ask)
        answer = question.answer()
        self._asked.pop(what, None)
        return answer


_QUESTIONS = _Questions()


def _answered(what: str, ask: Callable[[_Question[T]], T]) -> T:
    try:
        importlib.import_module("keyring.core")  # Said here, before a thread is started.
    except Exception:  # From a zip it is an AttributeError.
        raise missing_library("keyring", "keychain") from None
    return _QUESTIONS.ask(f"{what} {os.environ.get(VARIABLE, '')}", ask)


def _read(user: str, kept_by: str, question: _Question[Any]) -> tuple[str, Encryption | None]:
    backend = _unlocked(_backend(kept_by), question)
    secret = _secret(backend, user)
    return _name(backend), Encryption(secret, "keychain") if secret is not None else None


def _make(user: str, question: _Question[Any]) -> tuple[str, Encryption]:
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
    return _error(
        f"The keychain {_name(backend)} does not return what it was given", f"Use another keychain, {_FILES}."
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
            reasons.append(str(exc) if type(exc) is RuntimeError else type(exc).__name__)
    if not found:
        raise _error(
            f"There is no keychain here: {'; '.join(reasons)[:300]}",
            f"Start the one of your desktop, such as GNOME Keyring or KWallet, {_FILES}.",
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
        raise _error(
            f"keyring is configured to use {ascii(named)[:120] if named else 'a back end'}, which cannot be "
            f"loaded: {type(exc).__name__}",
            f"Correct {VARIABLE} or the configuration of keyring, {_FILES}.",
        ) from None


def _checked(backend: _BackEnd) -> _BackEnd:
    """Refuse a back end that `keyring` is configured to use, and that is no keychain.

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
    raise _error(
        f"keyring is configured to use {_name(backend)}, and that is not a keychain: {why}",
        f"Name another one in {VARIABLE} or in the configuration of keyring, {_FILES}.",
    )


def _is_recommended(backend: _BackEnd) -> bool:
    try:
        return _priority(backend) >= _LEAST
    except Exception:
        return False  # It has none, or cannot run here.


def _priority(backend: _BackEnd) -> float:
    return float(getattr(backend, "priority"))  # noqa: B009 - a property of the class


def _unlocked(backend: _BackEnd, question: _Question[Any]) -> _BackEnd:
    """Return a back end that may be asked: it is unlocked, or a person can unlock it.

    Raises:
        StoreError: it is locked, and nobody could answer its question.
    """
    asks = may_ask(os.environ, sys.platform)
    if _name(backend) == _SECRET_SERVICE:
        if _is_locked(getattr(backend, "preferred_collection", None)):
            if not asks:
                raise _error(*_LOCKED)
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


_LOCKED = (
    "The keychain is locked, and nobody can be asked here to unlock it",
    f"Unlock it in a session at the screen of this machine, {_FILES}.",
)
_BY_NUMBER = {
    # Source: SecBase.h of macOS.
    "-25308": _LOCKED,  # errSecInteractionNotAllowed
    "-25293": ("The keychain refused the password", f"Unlock it, {_FILES}."),  # errSecAuthFailed
    "-128": ("The question of the keychain was declined", f"Allow this program to use its key, {_FILES}."),
}


def _words(exc: BaseException) -> tuple[str, str]:
    """Return what happened and what to do; what a back end says is not quoted, as it may have the secret."""
    name = type(exc).__name__
    if name == "KeyringLocked":
        return "The keychain was not unlocked", f"Unlock it, {_FILES}."
    for number in re.findall(r"(?<![\w-])-\d{3,6}\b", str(exc)):
        if number in _BY_NUMBER:
            return _BY_NUMBER[number]
    return f"The keychain failed: {name}", f"Look whether it runs and is unlocked, {_FILES}."


def _error(message: str, hint: str) -> StoreError:
    return store_error(message, hint, "keychain")


def _name(backend: _BackEnd) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"
