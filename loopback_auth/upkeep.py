"""What is done with a kept sign-in: renew its tokens, or give them up; each under the store's lock.

Many processes share what is kept. So whoever wants to renew decides under the lock, after reading again, and
what somebody else has got meanwhile is taken instead.

Source: RFC 9700 §4.14.2; RFC 6749 §6; RFC 7009 §2.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec

from loopback_auth.errors import SignInRequired, StoreError, TokenError
from loopback_auth.flows.renewal import client_of, refresh, revoke
from loopback_auth.model import SignIn
from loopback_auth.shell.driver import Driver
from loopback_auth.shell.events import Notify, silent
from loopback_auth.shell.threads import enter, to_the_end
from loopback_auth.store import TokenStore

GRACE = 5.0
"""Seconds that a refresh gets to end when it is cancelled: its answer may hold the only good token."""


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
    async with locked(store, sign_in.name):
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
    async with locked(store, sign_in.name):
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


def can_verify_signatures() -> bool:
    """Tell whether the extra `oidc` is installed, without importing it."""
    return find_spec("joserfc") is not None


@asynccontextmanager
async def locked(store: TokenStore, name: str) -> AsyncIterator[None]:
    """Hold a store's lock on one sign-in; waiting for it blocks no loop and can be cancelled."""
    lock = store.lock(name)
    await enter(lock)
    try:
        yield
    finally:
        lock.__exit__(None, None, None)
