"""The backend of keyring: a token for its host, nothing for all else, and no place for passwords."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest
from helper_home import TABLE, Home
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.errors import PasswordDeleteError, PasswordSetError
from renewing import TokenEndpoint

from loopback_auth.credential_helpers.keyring_backend import LoopbackAuthKeyring
from loopback_auth.store.keychain_backend import SERVICE

OURS = LoopbackAuthKeyring()  # type: ignore[no-untyped-call]
INDEX = "https://pypi.example/simple/"


def found(service: str, user: str | None = None) -> tuple[str, str] | None:
    """Ask as pip and uv do."""
    credential = OURS.get_credential(service, user)
    return (credential.username, credential.password) if credential is not None else None


def test_the_token_of_the_index_is_given(home: Home) -> None:
    """Pip asks for the address; twine for the user, then for the password."""
    home.keep("work", "pypi.example")

    assert found(INDEX) == found(INDEX, "alice") == ("alice", "canary-work")
    assert OURS.get_password(INDEX, "alice") == "canary-work"


@pytest.mark.parametrize(
    "service", ["https://pypi.org/simple/", "http://pypi.example/", "https://pypi.example.evil.example/"]
)
def test_another_index_gets_nothing(home: Home, service: str) -> None:
    """Pip asks about each index that a link leads to."""
    home.keep("work", "pypi.example")

    assert found(service) is None


@pytest.mark.parametrize("service", ["pypi.example", "pypi.example:443", "pypi.example/simple/"])
def test_a_host_alone_gets_nothing(home: Home, service: str) -> None:
    """Pip asks for it next where it was told no for an address with http, and sends what it gets in plain."""
    home.keep("work", "pypi.example", "127.0.0.1:8080")

    assert found(service) is None
    assert found("127.0.0.1:8080") == ("alice", "canary-work")


@pytest.mark.parametrize(
    "service", ["", SERVICE, "login", "system", "gh:github.com", "a b.example", "x" * 5000, "\x00"]
)
def test_other_services_are_not_looked_up(service: str) -> None:
    """Programs keep passwords under their names; our own store keeps its key so."""
    assert found(service) is None


def test_no_password_is_kept_nor_removed(home: Home) -> None:
    """The person is told, and not left to believe that it is there."""
    with pytest.raises(PasswordSetError):
        OURS.set_password(INDEX, "alice", "canary")
    with pytest.raises(PasswordDeleteError):
        OURS.delete_password(INDEX, "alice")
    assert not (home.folder / "data").exists()


def test_a_due_token_is_renewed(home: Home, server: TokenEndpoint) -> None:
    """Also in a program that runs an event loop."""
    home.keep("work", "pypi.example", issuer=server.issuer, expires_at=time.time() - 1)

    async def ask() -> tuple[str, str] | None:
        return found(INDEX)

    assert asyncio.run(ask()) == found(INDEX) == ("alice", "access-1")


def test_an_index_of_a_provider_without_a_sign_in_is_told(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pip would only ask for a password."""
    home.configure(TABLE.format(name="work", issuer="https://id.example", hosts=["pypi.example"]))

    assert found(INDEX) is None
    assert "login work" in capsys.readouterr().err


def test_a_sign_in_that_has_ended_asks_nobody(
    home: Home, server: TokenEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pip goes on with its own question; what to do is on stderr."""
    server.status, server.document = 400, {"error": "invalid_grant"}
    home.keep("work", "pypi.example", issuer=server.issuer, expires_at=time.time() - 1)

    assert found(INDEX) is None
    assert "login work" in capsys.readouterr().err


def test_it_comes_after_all_that_keep_passwords(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that a program keeps goes to the keychain of the system, where there is one."""
    kept: dict[tuple[str, str], str] = {}

    class Keychain(KeyringBackend):
        priority = 0.5

        def get_password(self, service: str, username: str) -> str | None:
            return kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            kept[service, username] = password

    home.keep("work", "pypi.example")
    keychain = Keychain()  # type: ignore[no-untyped-call]
    monkeypatch.setattr("keyring.backend.get_all_keyring", lambda: [OURS, keychain])
    chain: KeyringBackend = ChainerBackend()  # type: ignore[no-untyped-call]
    chain.set_password(INDEX, "alice", "typed")

    assert kept == {(INDEX, "alice"): "typed"}
    assert chain.get_password(INDEX, "alice") == "typed"
    assert chain.get_password("https://pypi.example/legacy/", "alice") == "canary-work"
    KeyringBackend._classes.discard(Keychain)


def test_it_is_found_and_loads_nothing_heavy() -> None:
    """Every program that asks keyring for a password loads it."""
    script = """
import sys, keyring.backend
found = {type(one).__module__ for one in keyring.backend.get_all_keyring()}
import loopback_auth.credential_helpers.keyring_backend as ours
assert ours.__name__ in found, found
ours.LoopbackAuthKeyring().get_credential("login", None)
print(*sorted({"aiohttp", "asyncio", "loopback_auth.settings", "loopback_auth.store"} & set(sys.modules)))
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)

    assert (ended.stdout, ended.stderr) == ("\n", "")
