"""A keychain for tests: a back end of `keyring` whose secrets are in a file, which processes share.

It is chosen as a person chooses one, by PYTHON_KEYRING_BACKEND. FAKE_KEYCHAIN names its folder; what it does
wrong is in the file `fault` there.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, KeyringLocked

from loopback_auth.store import keychain_backend, keychain_key
from loopback_auth.store.keychain_question import Questions

CANARY = "canary-of-the-keychain"


class Keychain(KeyringBackend):
    """Keeps secrets as a keychain does, or has a fault."""

    priority = 5.0

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret."""
        self._note("get")
        return altered(self._fault(), _secrets().get(f"{service} {username}"))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret."""
        self._note("set")
        if self._fault() != "forgets":
            secrets = {**_secrets(), f"{service} {username}": password}
            (_folder() / "secrets").write_text(json.dumps(secrets))

    def delete_password(self, service: str, username: str) -> None:
        """Remove no secret: we never do."""
        raise NotImplementedError

    def _fault(self) -> str:
        path = _folder() / "fault"
        fault = path.read_text() if path.exists() else ""
        match fault:
            case "locked":
                raise KeyringLocked("Failed to unlock the collection!")
            case "not allowed":
                raise KeyringError("Can't get password from keychain: (-25308, 'Unknown Error')")
            case "talks":
                raise ValueError(CANARY)
            case "exits":
                raise SystemExit(3)
            case "hangs":
                threading.Event().wait()
            case "asks":
                threading.Event().wait(0.3)
        return fault

    def _note(self, what: str) -> None:
        with (_folder() / "calls").open("a") as calls:
            calls.write(f"{what}\n")


class Plain(Keychain):
    """Not recommended by `keyring`, as those that keep plain text."""

    priority = 0.5


class NoPriority(Keychain):
    """One that says nothing about itself."""

    @property
    def priority(self) -> float:  # type: ignore[override]
        """Fail, as the base class does."""
        raise NotImplementedError


def altered(fault: str, secret: str | None) -> str | None:
    """Return what a back end with a fault returns."""
    if secret is None:
        return None
    match fault:
        case "truncates":
            return secret[:20]
        case "bytes":
            return secret.encode()  # type: ignore[return-value]
        case "another":
            return "A" * len(secret)
        case "empty":
            return ""
    return secret


def _folder() -> Path:
    return Path(os.environ["FAKE_KEYCHAIN"])


def _secrets() -> dict[str, str]:
    path = _folder() / "secrets"
    secrets: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return secrets


def environment(folder: Path, kind: str = "Keychain") -> dict[str, str]:
    """Return the variables with which a process uses a keychain of these."""
    folder.mkdir(exist_ok=True)
    return {
        "FAKE_KEYCHAIN": str(folder),
        "PYTHON_KEYRING_BACKEND": f"fake_keychain.{kind}",
        "PYTHONPATH": str(Path(__file__).parent),
    }


def be_wrong(folder: Path, fault: str) -> None:
    """Let the keychain have a fault from now on."""
    (folder / "fault").write_text(fault)


def calls(folder: Path) -> list[str]:
    """Return what was asked of the keychain."""
    path = folder / "calls"
    return path.read_text().split() if path.exists() else []


def lose_all(folder: Path) -> None:
    """Let the keychain be replaced by an empty one."""
    (folder / "secrets").unlink()


def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this process has got from keychains, as another process would not have it."""
    monkeypatch.setattr(keychain_key, "_CIPHERS", {})
    monkeypatch.setattr(keychain_backend, "_QUESTIONS", Questions())


@contextmanager
def keychain(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str = "Keychain") -> Iterator[Path]:
    """Let this process use a keychain of these for the time of a test."""
    for name, value in environment(folder, kind).items():
        monkeypatch.setenv(name, value)
    new_process(monkeypatch)
    yield folder
