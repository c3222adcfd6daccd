"""The door for other programs: sign in, keep, renew and give up tokens, from async code or without a loop.

    sign_in = await login(client)                                   # opens the browser, returns tokens
    source = TokenSource(client, store=FileTokenStore(folder))      # signs in once, then renews
    headers = {"Authorization": f"Bearer {await source.token()}"}

Everything here is cancellable: cancelling the task closes the port, the browser's wait and the connections.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine

from loopback_auth import pages
from loopback_auth.errors import (
    AttemptCancelled,
    AttemptExpired,
    LoopbackAuthError,
    SignInRequired,
)
from loopback_auth.flows.catalog import Conditions, flow_named
from loopback_auth.model import ClientConfig, SignIn
from loopback_auth.shell.browser import open_browser
from loopback_auth.shell.driver import Driver, OpenBrowser, Paste, new_attempt
from loopback_auth.shell.events import CallbackReceived, Event, LinkOpened, Notify, silent
from loopback_auth.shell.live import Ending
from loopback_auth.shell.loopback import BoundRedirect
from loopback_auth.shell.threads import run_sync, to_the_end
from loopback_auth.store import TokenStore
from loopback_auth.upkeep import can_verify_signatures, locked, renew

Confirm = Callable[[SignIn], Awaitable[bool]]

TIMEOUT = 300.0
"""Seconds that a person gets to sign in and approve."""


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
    confirm: Confirm | None = None,
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
        confirm: asked before the sign-in is kept and handed out whether this is the right account; for flows
            that anybody could have approved (RFC 6749 §10.16).
        exchanges: tell `notify` of every HTTP exchange of ours, too, redacted; False saves the time for that.

    Raises:
        LoopbackAuthError: see `errors`; what went wrong is also told in the browser, if it is waiting.
    """
    if store is not None and bound is None:
        await asyncio.to_thread(store.check_writable)
    if timeout is None and flow not in ("ticket", "device"):
        timeout = TIMEOUT
    deadline = asyncio.timeout(timeout)

    visited = False

    def tell(event: Event) -> None:
        nonlocal visited
        visited = visited or isinstance(event, LinkOpened)
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
                raise _expired(timeout or 0, client, visited=visited) from None
            if confirm is not None and not await confirm(sign_in):
                account = sign_in.tokens.account or "an unknown account"
                raise AttemptCancelled(
                    f"The sign-in as {account} was not wanted and is not kept.",
                    hint="Sign in with the other account. What was approved can be removed at the provider.",
                )
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


async def _keep(store: TokenStore, sign_in: SignIn) -> None:
    async with locked(store, sign_in.name):
        await to_the_end(asyncio.to_thread(store.save, sign_in))


def _expired(timeout: float, client: ClientConfig, *, visited: bool) -> AttemptExpired:
    hint = "Run the command again; --timeout gives more time."
    if visited:
        # A server must not redirect a client that it does not know, so only the browser shows the reason.
        hint = (
            f"If the browser shows an error of the server, compare the client ID {client.client_id!a} and "
            "the redirect URI with what is registered there. Otherwise run the command again; --timeout "
            "gives more time."
        )
    return AttemptExpired(f"Nobody came back from the browser within {timeout:g} seconds.", hint=hint)


def _success(sign_in: SignIn) -> Ending:
    tokens = sign_in.tokens
    page = pages.success(
        client=sign_in.client_id, provider=sign_in.name, account=tokens.account, scope=tokens.scope, detail=""
    )
    who = f"Signed in as {tokens.account}. " if tokens.account else ""
    return Ending(page, "Signed in", f"{who}You may close this tab and return to the terminal.")


def _failure(error: LoopbackAuthError) -> Ending:
    page = pages.failure(title="Not signed in", message=error.message, hint=error.hint, status=400)
    said = error.message if error.message.endswith(".") else f"{error.message}."
    return Ending(page, "Not signed in", f"{said} {error.hint}".strip())


def _given_up() -> Ending:
    title, message = "Sign-in cancelled", "The program that asked for this sign-in has given up."
    page = pages.failure(title=title, message=message, hint="Run it again if that was not meant.", status=400)
    return Ending(page, title, message)
