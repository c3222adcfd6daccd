"""The tokens of one kept sign-in for commands that run for long: always fresh, renewed once for all requests.

The name is settled when the command begins: `use` does not move a running command to another account. What
other processes do with the sign-in is noticed within a second: a renewal, a new sign-in, a logout.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace

from loopback_auth.clients.presentation import Presentation
from loopback_auth.commands._fresh import matching
from loopback_auth.commands._kept import (
    client_secret,
    how_to_sign_in,
    how_to_sign_in_again,
    private_key,
)
from loopback_auth.commands._warnings_only import Seldom, remark
from loopback_auth.errors import SignInRequired, StillRefused
from loopback_auth.events import Event, Warned
from loopback_auth.flows.refresh import client_of
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.token_source import TokenSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.model import Network
    from loopback_auth.store import FileTokenStore
    from loopback_auth.tokens import SignIn, Token

LOOK_SECONDS = 1.0
"""Seconds for which an ID token is presented before the store is looked at again for another one."""


class KeptSource:
    """Returns a kept sign-in with a fresh token, at any time and for any number of tasks.

    Args:
        store: where it is kept.
        named: as in `kept`.
        of: which token has to be fresh, and is presented.

    Raises:
        SignInRequired: there is no such sign-in, or it does not match the settings.
        LoopbackAuthError: the store or the settings cannot be read.
    """

    def __init__(self, store: FileTokenStore, named: str, *, of: Token = "access_token") -> None:
        found = matching(store, named)
        self._store = store
        self.first: SignIn = found
        """The sign-in as it was kept when the command began; its token may be old."""
        self.name: str = found.name
        """The name of the sign-in."""
        self.of: Token = of
        self._latest: SignIn | None = None
        self._look_at = 0.0
        self._seldom = Seldom()
        client = client_of(found, client_secret(found), private_key(found))
        # A new sign-in may have another scope: the person has chosen it.
        client = replace(client, scope="openid" if of == "id_token" else "")
        self.network: Network = found.network.updated(KeptSettings(os.environ).network(found))
        """How servers are reached."""
        client = replace(client, provider=replace(client.provider, network=self.network))
        self._source = TokenSource(client, store=store, interactive=False, notify=self._tell)

    async def sign_in(self, refused: str | None = None) -> SignIn:
        """Return the sign-in with a fresh token.

        Args:
            refused: the token that a server has answered with 401: it is renewed, once for all callers.

        Raises:
            SignInRequired: the person has to sign in; it is a `StillRefused` if new tokens are refused, too.
            LoopbackAuthError: the renewal failed.
        """
        latest, now = self._latest, time.monotonic()
        recent = refused is None and now < self._look_at
        if recent and latest is not None and latest.tokens.fresh(time.time(), of=self.of):
            return latest
        try:
            found = await self._source.sign_in(refused=refused, of=self.of)
        except SignInRequired as exc:
            raise self._advised(exc) from exc.__cause__
        self._latest, self._look_at = found, now + LOOK_SECONDS
        return found

    async def presentation(self, *, refused: str | None = None, challenge: str | None = None) -> Presentation:
        """Return how one request presents the token: as a bearer token, or with proofs of its key.

        Args:
            refused: as of `sign_in`.
            challenge: the value of `WWW-Authenticate` that came with the refusal; untrusted.

        Raises:
            LoopbackAuthError: as of `sign_in`.
        """
        if self.of == "id_token":
            id_token = (await self.sign_in(refused)).id_token
            return Presentation(id_token.raw if id_token is not None else "")
        source = self._source
        try:
            token = await source.token(refused=refused, challenge=challenge)
            return Presentation(token, await source.prover(token))
        except SignInRequired as exc:
            raise self._advised(exc) from exc.__cause__

    def _advised(self, exc: SignInRequired) -> SignInRequired:
        if not isinstance(exc, StillRefused):
            found = self.first
            exc.hint = how_to_sign_in(found.resource_server or found.name, "Sign in again")
            if self._is_kept():
                exc.hint = how_to_sign_in_again(found)
        return exc

    def _is_kept(self) -> bool:
        return os.path.lexists(self._store.path(self.name))

    def _tell(self, event: Event) -> None:
        """Show a warning, but not at every request."""
        if isinstance(event, Warned) and self._seldom.is_due(event.text):
            remark(event)
