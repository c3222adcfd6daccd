"""Access tokens for a program: kept ones, renewed ones, and a new sign-in when nothing else helps."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from loopback_auth import words
from loopback_auth.api import login
from loopback_auth.errors import ConfigError, NotKept, SignInRequired, StoreError, TokenError
from loopback_auth.events import Event, Notify, Warned
from loopback_auth.flow_table import CHOOSABLE
from loopback_auth.flows.serving import why_not
from loopback_auth.model import ClientConfig, SignIn, TokenSet
from loopback_auth.network.threads import apart, check_asyncio, enter
from loopback_auth.signin.attempt import TIMEOUT
from loopback_auth.signin.refresh import keep, locked, renew
from loopback_auth.signin.resources import OpenBrowser
from loopback_auth.signin.session import Confirm
from loopback_auth.store.interface import TokenStore

REFUSED_FOR = 60.0
"""Seconds for which a refused refresh token is not sent again: some programs ask at every request."""


@dataclass(slots=True)
class _Running:
    """A renewal or a sign-in under way, and how many wait for it in its loop."""

    task: asyncio.Task[SignIn]
    waiting: int = 0


class TokenSource:
    """Hands out a fresh access token, renewing it or asking the person as needed.

    It may be used from any number of tasks, event loops and threads: of them one renews or asks. What is kept
    is used only if it was made for this client at this server, for the same resource and audience and for
    no less scope; otherwise a person signs in anew.

    Args:
        client: whose tokens; its provider's name is what they are kept under.
        store: where they are kept.
        interactive: ask a person when nothing else helps; otherwise raise `SignInRequired`.
        notify: as in `login`.
        open_browser: starts a browser on a URL, as `webbrowser.open` does.
        timeout: seconds that a person gets.
        flow: as in `login`.
        allowed_flows: as in `login`.
        confirm: as in `login`.
        leeway: seconds for which a token has to be good; None: 60, or a tenth of its lifetime where that is
            less. What has just been renewed is handed out however short its life is.
    """

    def __init__(
        self,
        client: ClientConfig,
        *,
        store: TokenStore,
        interactive: bool = True,
        notify: Notify | None = None,
        open_browser: OpenBrowser | None = None,
        timeout: float = TIMEOUT,
        flow: str | None = None,
        allowed_flows: Sequence[str] = CHOOSABLE,
        confirm: Confirm | None = None,
        leeway: float | None = None,
    ) -> None:
        self._client = client
        self._store = store
        self._interactive = interactive
        self._notify = notify
        self._open_browser = open_browser
        self._timeout = timeout
        self._flow = flow
        self._allowed_flows = allowed_flows
        self._confirm = confirm
        self._leeway = leeway
        self._running: dict[asyncio.AbstractEventLoop, _Running] = {}
        self._busy = threading.Lock()
        self._not_kept: tuple[SignIn | None, SignIn] | None = None
        """What is kept, and the newer tokens that the store did not take."""
        self._refused: tuple[TokenSet, float, str, str] | None = None
        """What the server refuses to renew, until when that is believed, message and hint."""

    async def token(self) -> str:
        """Return an access token that is good for the leeway at least.

        However many ask at the same time, there is one renewal or one sign-in, and its end is everybody's.
        It is cancelled with the last of those who wait for it.

        Raises:
            SignInRequired: a person is needed, and `interactive` is off.
            ConfigError: the flow brings no access token.
            LoopbackAuthError: renewing or signing in failed.
        """
        check_asyncio()
        running = self._running_here()
        running.waiting += 1
        try:
            return _access_token(await asyncio.shield(running.task))
        finally:
            running.waiting -= 1
            if not running.waiting and not running.task.done():
                self._forget(running)
                running.task.cancel()
                await asyncio.wait([running.task])

    def _running_here(self) -> _Running:
        """Return what is under way in this loop, begun if need be: loops cannot wait for each other."""
        for loop in [one for one in self._running if one.is_closed()]:
            self._running.pop(loop, None)
        loop = asyncio.get_running_loop()
        running = self._running.get(loop)
        if running is None or running.task.done():
            running = self._running[loop] = _Running(asyncio.create_task(self._sign_in()))
            begun = running
            running.task.add_done_callback(lambda _: self._forget(begun))
        return running

    def _forget(self, running: _Running) -> None:
        loop = running.task.get_loop()
        if self._running.get(loop) is running:
            del self._running[loop]

    async def _sign_in(self) -> SignIn:
        kept, _ = await self._kept()
        if kept is not None and (kept.tokens.fresh(time.time(), self._leeway) or self._not_kept is not None):
            return kept
        # Not by a context manager of asyncio's: a loop that is closed in the middle would not end it.
        await enter(self._busy)
        try:
            return await self._renewed_or_asked(kept)
        finally:
            self._busy.release()

    async def _renewed_or_asked(self, kept: SignIn | None) -> SignIn:
        why = ""
        if kept is None:
            # Another thread may have signed in while this one waited.
            kept, why = await self._kept()
        if kept is not None:
            try:
                return await self._renewed(kept)
            except (SignInRequired, TokenError):
                # Whatever the server calls it, only a person can help.
                if not self._interactive:
                    raise
        elif not self._interactive:
            raise SignInRequired(
                f"You are not signed in to {self._client.provider.name}{why}.", hint="Sign in first."
            )
        return await self._asked()

    async def _renewed(self, kept: SignIn) -> SignIn:
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
            return self._kept_here(await apart(self._store.load, name), exc)

    async def _kept(self) -> tuple[SignIn | None, str]:
        """Return what is kept, if it serves; else why it does not, as a clause for a message."""
        kept = await apart(self._store.load, self._client.provider.name)
        if self._not_kept is not None:
            kept = await self._kept_at_last(kept, *self._not_kept)
        if kept is None:
            return None, ""
        why = why_not(kept, self._client) if kept.tokens.access_token else "it has no access token"
        return (None, f" as it is wanted: there is a sign-in, but {why}") if why else (kept, "")

    def _kept_here(self, replaced: SignIn | None, lost: NotKept) -> SignIn:
        """Go on with tokens that the store did not take: they are good, and the kept ones no longer are."""
        if not isinstance(lost.sign_in, SignIn):
            raise lost
        self._not_kept = replaced, lost.sign_in
        (self._notify or _warned)(Warned(f"{lost.message} They are used from memory. {lost.hint}"))
        return lost.sign_in

    async def _kept_at_last(
        self, kept: SignIn | None, replaced: SignIn | None, newer: SignIn
    ) -> SignIn | None:
        """Try again to keep what the store did not take, unless it has something else by now."""
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
    """Show on stderr what should be known, and nothing else."""
    if isinstance(event, Warned):
        from loopback_auth.terminal.line import write  # Start-up.

        write(words.WARNING.format(text=event.text) + "\n")
