"""Access tokens for a program: the kept one, a renewed one, or one from a new sign-in."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from loopback_auth.api import login
from loopback_auth.errors import ConfigError, NotKept, SignInRequired, StoreError, TokenError
from loopback_auth.events import Event, Notify, Warned
from loopback_auth.flow_table import CHOOSABLE
from loopback_auth.flows.reuse import why_not_reusable
from loopback_auth.model import ClientConfig, SignIn, TokenSet
from loopback_auth.network.threads import check_asyncio, enter, run_sync
from loopback_auth.protocol.challenge import bearer_challenge
from loopback_auth.protocol.scope import union
from loopback_auth.signin.attempt import TIMEOUT
from loopback_auth.signin.logout import logout
from loopback_auth.signin.refresh import renew
from loopback_auth.signin.resources import OpenBrowser
from loopback_auth.signin.session import Confirm
from loopback_auth.signin.stores import OpenStore, Store, keep, locked
from loopback_auth.store.interface import check_store
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.flow_table import ChoosableFlow, FlowName

REFUSED_FOR = 60.0
"""Seconds for which a refused refresh token is not sent again: some programs ask at every request."""


@dataclass(slots=True)
class _Running:
    """A renewal or a sign-in that is under way.

    Args:
        task: does it, in its own event loop.
        waiting: how many tasks of that loop wait for it.
    """

    task: asyncio.Task[SignIn]
    waiting: int = 0


class TokenSource:
    """Returns a fresh access token; renews it, or asks the person to sign in, when that is needed.

    Any number of tasks, event loops and threads may use one source: only one of them renews or asks. A kept
    sign-in is used only if it is for this client at this server, for the same resource and audience, and for
    at least the same scope; otherwise the person signs in again.

    Args:
        client: whose tokens; they are kept under its provider's name.
        store: where they are kept; None: in memory, for as long as the program runs.
        interactive: ask the person when a token can be had in no other way; False: raise `SignInRequired`.
        notify: as in `login`.
        open_browser: as in `login`.
        timeout: seconds that the person has to come back from the browser.
        flow: as in `login`.
        allowed_flows: as in `login`.
        confirm: as in `login`.
        leeway: seconds for which a token must still be valid; None: 60, or a tenth of its lifetime if that
            is less. A token that has just been renewed is returned even if its lifetime is shorter.
    """

    def __init__(
        self,
        client: ClientConfig,
        *,
        store: Store | None = None,
        interactive: bool = True,
        notify: Notify | None = None,
        open_browser: OpenBrowser | None = None,
        timeout: float = TIMEOUT,
        flow: FlowName | None = None,
        allowed_flows: Sequence[ChoosableFlow] = CHOOSABLE,
        confirm: Confirm | None = None,
        leeway: float | None = None,
    ) -> None:
        if store is not None:
            check_store(store)
        self._client = client
        self._store: Store = MemoryTokenStore() if store is None else store
        self._interactive = interactive
        self._notify = notify
        self._open_browser = open_browser
        self._timeout = timeout
        self._flow: FlowName | None = flow
        self._allowed_flows = allowed_flows
        self._confirm = confirm
        self._leeway = leeway
        self._running: dict[asyncio.AbstractEventLoop, _Running] = {}
        self._busy = threading.Lock()
        self._not_kept: tuple[SignIn | None, SignIn] | None = None
        """What the store has, and the newer tokens that it did not take."""
        self._refused: tuple[TokenSet, float, str, str] | None = None
        """Tokens that the server refused to renew, until when not to ask (monotonic), message and hint."""

    @property
    def client(self) -> ClientConfig:
        """Whose tokens these are, and what it asks for."""
        return self._client

    @property
    def store(self) -> Store:
        """Where the tokens are kept."""
        return self._store

    @property
    def interactive(self) -> bool:
        """Whether the person may be asked to sign in."""
        return self._interactive

    async def token(self, *, refused: str | None = None, challenge: str | None = None) -> str:
        """Return an access token that is valid for at least the leeway.

        Calls at the same time share one renewal or one sign-in and its result. It is cancelled when the last
        of those calls is.

        Args:
            refused: an access token that a server did not accept (HTTP status 401). It is renewed, once for
                all callers: those that come later with the same one get the new one.
            challenge: the value of the server's `WWW-Authenticate` header (RFC 6750 §3). With
                `insufficient_scope` the person is asked for the scope that is missing.

        Raises:
            SignInRequired: the person has to sign in, and `interactive` is False; its `scope` is the one that
                a challenge asks for.
            ConfigError: the flow that was used returns no access token.
            LoopbackAuthError: the renewal or the sign-in failed.
        """
        return _access_token(await self.sign_in(refused=refused, challenge=challenge))

    def token_sync(self, *, refused: str | None = None, challenge: str | None = None) -> str:
        """Return what `token` returns, from code without an event loop, or while one is running."""
        return run_sync(lambda: self.token(refused=refused, challenge=challenge))

    async def headers(self) -> dict[str, str]:
        """Return the header that an HTTP request needs (RFC 6750 §2.1)."""
        return {"Authorization": f"Bearer {await self.token()}"}

    def headers_sync(self) -> dict[str, str]:
        """Return what `headers` returns, from code without an event loop, or while one is running."""
        return {"Authorization": f"Bearer {self.token_sync()}"}

    def sign_in_sync(self, *, refused: str | None = None, challenge: str | None = None) -> SignIn:
        """Return what `sign_in` returns, from code without an event loop, or while one is running."""
        return run_sync(lambda: self.sign_in(refused=refused, challenge=challenge))

    def with_scope(self, scope: str) -> TokenSource:
        """Return a source of tokens that have this scope too, over the same store.

        Args:
            scope: separated by spaces.
        """
        return TokenSource(
            replace(self._client, scope=union(self._client.scope, scope)),
            store=self._store,
            interactive=self._interactive,
            notify=self._notify,
            open_browser=self._open_browser,
            timeout=self._timeout,
            flow=self._flow,
            allowed_flows=self._allowed_flows,
            confirm=self._confirm,
            leeway=self._leeway,
        )

    async def logout(self) -> bool:
        """Revoke the tokens at the server, and delete them here in any case.

        Returns:
            Whether they were revoked; False if the server offers no revocation, or nothing was kept.

        Raises:
            LoopbackAuthError: the server did not revoke them; here they are deleted all the same.

        Source: RFC 7009 §2.
        """
        kept, _ = await self._kept()
        if kept is None:
            return False
        return await logout(
            kept,
            store=self._store,
            client_secret=self._client.client_secret,
            notify=self._notify or _warned,
            network=self._client.provider.network,
        )

    def logout_sync(self) -> bool:
        """Do what `logout` does, from code without an event loop, or while one is running."""
        return run_sync(self.logout)

    async def sign_in(self, *, refused: str | None = None, challenge: str | None = None) -> SignIn:
        """Return the sign-in that `token` takes its token from: account, expiry, ID token, granted scope.

        Arguments and errors are those of `token`.
        """
        check_asyncio()
        asked = bearer_challenge(challenge) if challenge is not None else None
        if asked is not None and asked.error == "insufficient_scope" and asked.scope:
            wider = self.with_scope(asked.scope)
            if not self._interactive and (await wider._kept())[0] is None:
                raise SignInRequired(
                    f"The token for {self._client.provider.name} lacks a scope: {asked.scope}.",
                    hint="Sign in with that scope.",
                    scope=asked.scope,
                )
            return await wider.sign_in()
        running = self._running_here(refused or "")
        running.waiting += 1
        try:
            return await asyncio.shield(running.task)
        finally:
            running.waiting -= 1
            if not running.waiting and not running.task.done():
                self._forget(running)
                running.task.cancel()
                await asyncio.wait([running.task])

    def _running_here(self, refused: str) -> _Running:
        """Return what is under way in this loop, or begin it: loops cannot wait for each other."""
        for loop in [one for one in self._running if one.is_closed()]:
            self._running.pop(loop, None)
        loop = asyncio.get_running_loop()
        running = self._running.get(loop)
        if running is None or running.task.done():
            running = self._running[loop] = _Running(asyncio.create_task(self._sign_in(refused)))
            begun = running
            running.task.add_done_callback(lambda _: self._forget(begun))
        return running

    def _forget(self, running: _Running) -> None:
        loop = running.task.get_loop()
        if self._running.get(loop) is running:
            del self._running[loop]

    async def _sign_in(self, refused: str) -> SignIn:
        kept, _ = await self._kept()
        accepted = kept is not None and kept.tokens.access_token != refused
        if kept is not None and accepted and self._usable(kept.tokens):
            return kept
        # Not by a context manager of asyncio's: a loop that is closed in the middle would not end it.
        await enter(self._busy)
        try:
            return await self._renewed_or_asked(kept, refused)
        finally:
            self._busy.release()

    def _usable(self, tokens: TokenSet) -> bool:
        return tokens.fresh(time.time(), self._leeway) or self._not_kept is not None

    async def _renewed_or_asked(self, kept: SignIn | None, refused: str) -> SignIn:
        why = ""
        if kept is None:
            # Another thread may have signed in while this one waited.
            kept, why = await self._kept()
        if kept is not None:
            try:
                return await self._renewed(kept, refused)
            except (SignInRequired, TokenError):
                # Whatever the server calls it, only a person can help.
                if not self._interactive:
                    raise
        elif not self._interactive:
            raise SignInRequired(
                f"You are not signed in to {self._client.provider.name}{why}.", hint="Sign in first."
            )
        return await self._asked()

    async def _renewed(self, kept: SignIn, refused: str) -> SignIn:
        if self._refused is not None and self._refused[0] == kept.tokens:
            _, until, message, hint = self._refused
            if time.monotonic() < until:
                raise SignInRequired(message, hint=hint)
        try:
            return await renew(
                kept,
                store=self._store,
                client_secret=self._client.client_secret,
                notify=self._notify or _warned,
                force=kept.tokens.access_token == refused,
                leeway=self._leeway,
                network=self._client.provider.network,
            )
        except NotKept as exc:
            return self._kept_here(kept, exc)
        except SignInRequired as exc:
            self._refused = kept.tokens, time.monotonic() + REFUSED_FOR, exc.message, exc.hint
            raise

    async def _asked(self) -> SignIn:
        try:
            return await login(
                self._client,
                store=self._store,
                notify=self._notify,
                open_browser=self._open_browser,
                timeout=self._timeout,
                flow=self._flow,
                allowed_flows=self._allowed_flows,
                confirm=self._confirm,
            )
        except NotKept as exc:
            name = self._client.provider.name
            return self._kept_here(await OpenStore(self._store).load(name), exc)

    async def _kept(self) -> tuple[SignIn | None, str]:
        """Return the kept sign-in if it is the wanted one; else why it is not, as a clause."""
        kept = await OpenStore(self._store).load(self._client.provider.name)
        if self._not_kept is not None:
            kept = await self._kept_at_last(kept, *self._not_kept)
        if kept is None:
            return None, ""
        why = why_not_reusable(kept, self._client) if kept.tokens.access_token else "it has no access token"
        return (None, f" as it is wanted: there is a sign-in, but {why}") if why else (kept, "")

    def _kept_here(self, replaced: SignIn | None, lost: NotKept) -> SignIn:
        """Use tokens that the store did not take: they are valid, and the kept ones may no longer be."""
        if not isinstance(lost.sign_in, SignIn):
            raise lost
        self._not_kept = replaced, lost.sign_in
        (self._notify or _warned)(Warned(f"{lost.message} They are used from memory. {lost.hint}"))
        return lost.sign_in

    async def _kept_at_last(
        self, kept: SignIn | None, replaced: SignIn | None, newer: SignIn
    ) -> SignIn | None:
        """Try again to keep what the store did not take, unless it has other tokens by now."""
        if kept == replaced:
            try:
                async with locked(self._store, newer.name):
                    await keep(self._store, newer)
            except StoreError:
                if not newer.tokens.alive(time.time()):
                    raise
                return newer
            kept = newer
        self._not_kept = None
        return kept


def _access_token(sign_in: SignIn) -> str:
    if not sign_in.tokens.access_token:
        raise ConfigError(
            f"The sign-in to {sign_in.name} says who signed in, but it came without an access token.",
            hint="Choose another flow: code, for example.",
        )
    return sign_in.tokens.access_token


def _warned(event: Event) -> None:
    """Show warnings on stderr, and nothing else."""
    if isinstance(event, Warned):
        from loopback_auth.terminal.line import write  # Start-up.

        write(Words.WARNING.format(text=event.text) + "\n")
