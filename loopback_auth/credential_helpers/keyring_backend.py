"""A backend of `keyring`: pip, uv and twine ask that package for a password, and it asks this class.

It is found by the entry point `keyring.backends` and loaded in programs of others, whenever they look for any
password. So it costs next to nothing while it has nothing, never asks a person, never fails, and comes after
all other backends: it is not a place to keep passwords in, and refuses them.

Source: https://keyring.readthedocs.io/en/latest/ ("Write your own keyring backend"); `keyring.backend`.
"""

from __future__ import annotations

import sys

from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.credentials import SimpleCredential
from keyring.errors import PasswordDeleteError, PasswordSetError

from loopback_auth.outputs.hosts import is_loopback, url_authority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")


class LoopbackAuthKeyring(KeyringBackend):
    """Gives the token of a kept sign-in for the address of a package index whose host it belongs to."""

    @properties.classproperty
    def priority(self) -> float:
        """Less than that of any backend that keeps passwords; with 0 it would not be asked at all."""
        return 0.1

    def get_password(self, service: str, username: str | None) -> str | None:
        """Return the token for the host of a service, which is an address; None for all else.

        Args:
            service: as the tool names it; untrusted.
            username: the user name that the tool asks for; empty: any.
        """
        found = self.get_credential(service, username)
        return found.password if found is not None else None

    def get_credential(self, service: str, username: str | None) -> SimpleCredential | None:
        """Return user name and token for the host of a service; None for all else.

        Args:
            service: as the tool names it; untrusted.
            username: the user name that the tool asks for; empty: any.
        """
        host = _host(service)
        return _beside_a_loop(lambda: _token(host, username or "")) if host else None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Refuse to keep a password.

        Raises:
            PasswordSetError: always.
        """
        raise PasswordSetError("loopback_auth keeps sign-ins, and no passwords")

    def delete_password(self, service: str, username: str) -> None:
        """Refuse to end a sign-in, which other tools use too.

        Raises:
            PasswordDeleteError: always.
        """
        raise PasswordDeleteError("a sign-in is ended by: loopback-auth logout NAME")


def _host(service: str) -> str:
    """Return the host and port that a service is about; empty for one that is not an address with https.

    A host alone is one on this machine or none: pip and uv ask for it after they were told no for an address
    with http, and would send the token there in plain text.

    Most services are names of programs, such as the one under which our own store keeps its key: they are no
    addresses. For them nothing is looked up, which might ask the keychain once more.
    """
    host = url_authority(service)
    return host if "://" in service or is_loopback(host.rpartition(":")[0]) else ""


def _token(host: str, user: str) -> SimpleCredential | None:
    from loopback_auth.errors import LoopbackAuthError

    try:
        from loopback_auth.credential_helpers.token_lookup import TokenLookup

        lookup = TokenLookup()
        one = lookup.candidate_for(host, user=user)
        if one is None:
            return None
        return SimpleCredential(one.user(), lookup.fresh_token(one, ask=False).token)
    except LoopbackAuthError as exc:
        from loopback_auth.cli import tell_error

        tell_error(exc)
        return None


def _beside_a_loop(call: Callable[[], T]) -> T:
    """Make a call that may run an event loop, also in a thread that runs one already."""
    if "asyncio" not in sys.modules:
        return call()
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()
