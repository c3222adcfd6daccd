"""The door for other programs: sign in, keep, renew and give up tokens, from async code or without a loop.

    sign_in = await login(client)                                   # opens the browser, returns tokens
    source = TokenSource(client, store=FileTokenStore(folder))      # signs in once, then renews
    headers = {"Authorization": f"Bearer {await source.token()}"}

Everything here is cancellable: cancelling the task closes the port, the browser's wait and the connections.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec

from loopback_auth import pages
from loopback_auth.errors import (
    AttemptExpired,
    LoopbackAuthError,
    SignInRequired,
    StoreError,
    TokenError,
)
from loopback_auth.flows.catalog import Conditions, flow_named
from loopback_auth.flows.renewal import client_of, refresh, revoke
from loopback_auth.model import ClientConfig, SignIn
from loopback_auth.shell.browser import open_browser
from loopback_auth.shell.driver import Driver, OpenBrowser, Paste, new_attempt
from loopback_auth.shell.events import CallbackReceived, Event, Notify, silent
from loopback_auth.shell.live import Ending
from loopback_auth.shell.loopback import BoundRedirect
from loopback_auth.shell.threads import enter, run_sync, to_the_end
from loopback_auth.store import TokenStore

TIMEOUT = 300.0
"""Seconds that a person gets to sign in and approve."""

GRACE = 5.0
"""Seconds that a refresh gets to end when it is cancelled: its answer may hold the only good token."""


async def login(
    client: ClientConfig,
    *,
    store: TokenStore | None = None,
    notify: Notify = silent,
    open_browser: OpenBrowser = open_browser,
    start_page: bool = True,
    timeout: float | None = None,  # noqa: ASYNC109 - also the person's deadline, and part of the messages
    bound: BoundRedirect | None = None,
    flow: str = "code",
    message: str = "",
    paste: Paste | None = None,
    exchanges: bool = True,
) -> SignIn:
    """Sign a person in, with a code over a loopback redirect unless told otherwise.

    Args:
        client: the client as registered, and what it asks for.
        store: where the sign-in is kept; None keeps it nowhere.
        notify: told what happens, the link to show above all (see `shell.events`); called in this loop.
        open_browser: starts a browser on a URL, or returns an `Opening` that says why not.
        start_page: begin at a page of ours; False opens the provider's URL at once.
        timeout: seconds until the person has to be back; what is left to do then has limits of its own.
            None: `TIMEOUT`, or for tickets and device codes as long as these live.
        bound: a redirect URI that is bound already, with the browser on its way to the start page.
        flow: one of `flows.catalog.NAMES`.
        message: for the person on a ticket's approval page.
        paste: asks for a pasted address besides waiting for the redirect (see `shell.paste`).
        exchanges: tell `notify` of every HTTP exchange of ours, too, redacted; False saves the time for that.

    Raises:
        LoopbackAuthError: see `errors`; what went wrong is also told in the browser, if it is waiting.
    """
    if store is not None and bound is None:
        await asyncio.to_thread(store.check_writable)
    if timeout is None and flow not in ("ticket", "device"):
        timeout = TIMEOUT
    deadline = asyncio.timeout(timeout)

    def tell(event: Event) -> None:
        if isinstance(event, CallbackReceived) and not deadline.expired():
            deadline.reschedule(None)
        notify(event)

    conditions = Conditions(verify_signature=_verifies(client, flow), message=message)
    steps = flow_named(flow, client, new_attempt(), conditions)
    async with Driver(
        notify=tell,
        open_browser=open_browser,
        start_page=start_page and flow != "paste",
        bound=bound,
        exchanges=exchanges and notify is not silent,
        paste=paste,
    ) as driver:
        try:
            try:
                async with deadline:
                    sign_in = await driver.run(steps)
            except TimeoutError:
                if not deadline.expired():
                    raise
                raise _expired(timeout or 0) from None
            if store is not None:
                await _keep(store, sign_in)
        except LoopbackAuthError as exc:
            await driver.finish(_failure(exc))
            raise
        except BaseException:
            await driver.finish(_given_up())
            raise
        await driver.finish(_success(sign_in))
    return sign_in


def login_sync(
    client: ClientConfig,
    *,
    store: TokenStore | None = None,
    notify: Notify = silent,
    open_browser: OpenBrowser = open_browser,
    start_page: bool = True,
    timeout: float = TIMEOUT,
) -> SignIn:
    """Sign in from code without a loop, or, as in a notebook, from under one that is running.

    Arguments and errors are those of `login`. Ctrl-C cancels the sign-in and is raised again.
    """

    def begin() -> Coroutine[object, object, SignIn]:
        return login(
            client,
            store=store,
            notify=notify,
            open_browser=open_browser,
            start_page=start_page,
            timeout=timeout,
        )

    return run_sync(begin)


async def renew(
    sign_in: SignIn,
    *,
    store: TokenStore,
    client_secret: str | None = None,
    notify: Notify = silent,
    force: bool = False,
) -> SignIn:
    """Return a sign-in whose access token is fresh, renewing it if need be.

    Whether to renew is decided under the store's lock and after reading again, so that of many processes
    one renews and the others take its result: a rotating server would revoke everything on a second use.

    Args:
        sign_in: as last read.
        store: where it is kept.
        client_secret: for confidential clients.
        notify: told what happens.
        force: renew although the token is fresh, unless somebody else has done so meanwhile.

    Raises:
        SignInRequired: the refresh token is missing or no longer good; whatever is kept stays.
        LoopbackAuthError: everything else; what is kept stays as it is.

    Source: RFC 9700 §4.14.2; RFC 6749 §6.
    """
    async with _locked(store, sign_in.name):
        current = await asyncio.to_thread(store.load, sign_in.name)
        if current is None:
            raise SignInRequired(f"Nobody is signed in to {sign_in.name} any more.", hint="Sign in again.")
        meanwhile = current.tokens.access_token != sign_in.tokens.access_token
        if current.tokens.fresh(time.time()) and (meanwhile or not force):
            return current
        return await to_the_end(_renewed(current, store, client_secret, notify), GRACE)


async def _renewed(current: SignIn, store: TokenStore, client_secret: str | None, notify: Notify) -> SignIn:
    client = client_of(current, client_secret)
    async with Driver(notify=notify, exchanges=notify is not silent) as driver:
        try:
            renewed = await driver.run(refresh(client, current, verify_signature=can_verify_signatures()))
        except TokenError as exc:
            if exc.error != "invalid_grant":
                raise
            return await _after_refusal(current, store, exc)
        await asyncio.to_thread(store.save, renewed)
    return renewed


async def _after_refusal(current: SignIn, store: TokenStore, refusal: TokenError) -> SignIn:
    """Take what somebody else has got meanwhile, or forget the refresh token that is no longer good."""
    # The lock is ours, but there are file systems on which that means nothing.
    latest = await asyncio.to_thread(store.load, current.name)
    if latest is not None and latest.tokens.refresh_token == current.tokens.refresh_token:
        dead = replace(latest, tokens=replace(latest.tokens, refresh_token=None))
        await asyncio.to_thread(store.save, dead)
    elif latest is not None and latest.tokens.fresh(time.time()):
        return latest
    raise SignInRequired(
        f"The sign-in for {current.name} has ended: {refusal.message}", hint="Sign in again."
    ) from refusal


async def logout(
    sign_in: SignIn,
    *,
    store: TokenStore,
    client_secret: str | None = None,
    notify: Notify = silent,
) -> bool:
    """Revoke a sign-in's tokens at the server and forget them here, the latter in any case.

    Returns:
        Whether they were revoked: False when the server offers no revocation, or is gone.

    Raises:
        LoopbackAuthError: the server did not revoke them; here they are forgotten all the same.

    Source: RFC 7009 §2.
    """
    async with _locked(store, sign_in.name):
        try:
            # Another process may have renewed them: revoking the old ones would end nothing.
            with suppress(StoreError):
                kept = await asyncio.to_thread(store.load, sign_in.name)
                sign_in = sign_in if kept is None else kept
            if sign_in.temporary:
                return False
            async with Driver(notify=notify, exchanges=notify is not silent) as driver:
                return await driver.run(revoke(client_of(sign_in, client_secret), sign_in))
        finally:
            await to_the_end(asyncio.to_thread(store.delete, sign_in.name))


class TokenSource:
    """Hands out a fresh access token, renewing it or asking the person as needed.

    Args:
        client: whose tokens; its provider's name is what they are kept under.
        store: where they are kept.
        interactive: ask a person when nothing else helps; otherwise raise `SignInRequired`.
        notify: told what happens.
        open_browser: starts a browser on a URL.
        timeout: seconds that a person gets.
    """

    def __init__(
        self,
        client: ClientConfig,
        *,
        store: TokenStore,
        interactive: bool = True,
        notify: Notify = silent,
        open_browser: OpenBrowser = open_browser,
        timeout: float = TIMEOUT,
    ) -> None:
        self._client = client
        self._store = store
        self._interactive = interactive
        self._notify = notify
        self._open_browser = open_browser
        self._timeout = timeout
        self._running: asyncio.Task[SignIn] | None = None
        self._waiting = 0

    async def token(self) -> str:
        """Return an access token that is good for another minute at least.

        However many ask at the same time, there is one renewal or one sign-in, and its end is everybody's.
        It is cancelled with the last of those who wait for it.

        Raises:
            SignInRequired: a person is needed, and `interactive` is off.
            LoopbackAuthError: renewing or signing in failed.
        """
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._sign_in())
        running = self._running
        self._waiting += 1
        try:
            return (await asyncio.shield(running)).tokens.access_token
        finally:
            self._waiting -= 1
            if not self._waiting and not running.done():
                self._running = None
                running.cancel()
                await asyncio.wait([running])

    async def _sign_in(self) -> SignIn:
        name = self._client.provider.name
        kept = await asyncio.to_thread(self._store.load, name)
        if kept is not None and kept.client_id == self._client.client_id:
            if kept.tokens.fresh(time.time()):
                return kept
            try:
                return await renew(
                    kept, store=self._store, client_secret=self._client.client_secret, notify=self._notify
                )
            except SignInRequired:
                if not self._interactive:
                    raise
        if not self._interactive:
            raise SignInRequired(f"Nobody is signed in to {name}.", hint="Sign in first.")
        return await login(
            self._client,
            store=self._store,
            notify=self._notify,
            open_browser=self._open_browser,
            timeout=self._timeout,
        )


def _verifies(client: ClientConfig, flow: str) -> bool:
    # Looking for a package takes longer than most steps of a sign-in, and few of them need it.
    return ("openid" in client.scope.split() or "id_token" in flow) and can_verify_signatures()


def can_verify_signatures() -> bool:
    """Tell whether the extra `oidc` is installed, without importing it."""
    return find_spec("joserfc") is not None


@asynccontextmanager
async def _locked(store: TokenStore, name: str) -> AsyncIterator[None]:
    lock = store.lock(name)
    await enter(lock)
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


async def _keep(store: TokenStore, sign_in: SignIn) -> None:
    async with _locked(store, sign_in.name):
        await to_the_end(asyncio.to_thread(store.save, sign_in))


def _expired(timeout: float) -> AttemptExpired:
    return AttemptExpired(
        f"Nobody came back from the browser within {timeout:g} seconds.",
        hint="Run the command again; --timeout gives more time.",
    )


def _success(sign_in: SignIn) -> Ending:
    tokens = sign_in.tokens
    page = pages.success(
        client=sign_in.client_id, provider=sign_in.name, account=tokens.account, scope=tokens.scope, detail=""
    )
    who = f"Signed in as {tokens.account}. " if tokens.account else ""
    return Ending(page, "Signed in", f"{who}You may close this tab and return to the terminal.")


def _failure(error: LoopbackAuthError) -> Ending:
    page = pages.failure(title="Not signed in", message=error.message, hint=error.hint, status=400)
    return Ending(page, "Not signed in", f"{error.message} {error.hint}".strip())


def _given_up() -> Ending:
    title, message = "Sign-in cancelled", "The program that asked for this sign-in has given up."
    page = pages.failure(title=title, message=message, hint="Run it again if that was not meant.", status=400)
    return Ending(page, title, message)
