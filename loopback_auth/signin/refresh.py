"""Renew or revoke the tokens of a kept sign-in, under the lock of its store; keep new ones.

Several processes share a store. Each decides under the lock, after reading again, whether to renew; if
another process has renewed the tokens, they are used. New tokens are kept before anything else is done with
them: at a server that rotates refresh tokens the old one is invalid by then.

A new sign-in and a fresh token need neither flow, so each flow is imported when it is used.

Source: RFC 9700 §4.14.2; RFC 6749 §6; RFC 7009 §2.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import replace

from loopback_auth.errors import LoopbackAuthError, NotKept, ProtocolError, SignInRequired, StoreError
from loopback_auth.events import Event, Notify, Warned, silent
from loopback_auth.model import Network, SignIn
from loopback_auth.network.threads import apart, check_asyncio, to_the_end
from loopback_auth.signin.driver import Driver
from loopback_auth.signin.resources import Resources
from loopback_auth.signin.stores import OpenStore, Store
from loopback_auth.store import FileTokenStore

ENDING_SECONDS = 5.0
"""That a refresh gets to end when it is cancelled: its answer may hold the only good token."""

PAUSES = (0.05, 0.2)
"""Seconds between tries to keep what is new, where the first one fails."""


async def renew(
    sign_in: SignIn,
    *,
    store: Store,
    client_secret: str | None = None,
    notify: Notify = silent,
    force: bool = False,
    leeway: float | None = None,
    network: Network | None = None,
) -> SignIn:
    """Return a sign-in whose access token is fresh; renew it if that is needed.

    This is decided under the lock of the store and after reading again, so that of several processes one
    renews and the others use its result: a server that rotates refresh tokens would revoke all of them when
    one is used twice.

    If the renewal fails for now, a token that has not expired is returned, with a warning; but not with
    `force`, nor if the person has to sign in again.

    Args:
        sign_in: as last read.
        store: where it is kept.
        client_secret: of a confidential client; it is never kept.
        notify: called with each event, after the new tokens are kept, so that it may raise.
        force: renew even a fresh token, unless another process has just renewed it.
        leeway: seconds for which the token must still be valid; None: 60, or a tenth of its lifetime if that
            is less. A token that has just been renewed is returned even if its lifetime is shorter.
        network: how the server is reached, if not as at the sign-in.

    Raises:
        SignInRequired: there is no refresh token, or the server no longer accepts it; the store is unchanged.
        NotKept: the tokens were renewed, but could not be kept; the error has them.
        LoopbackAuthError: any other failure; the store is unchanged.

    Source: RFC 9700 §4.14.2; RFC 6749 §6.
    """
    check_asyncio()
    try:
        async with locked(store, sign_in.name):
            current = await _read_again(sign_in, store)
            if _is_to_stay(current, sign_in, force=force, leeway=leeway):
                return current
            current = replace(current, network=current.network.updated(network or Network()))
            return await to_the_end(_renewed(current, store, client_secret, notify), ENDING_SECONDS)
    except (SignInRequired, NotKept):
        raise
    except LoopbackAuthError as exc:
        if force or not sign_in.tokens.alive(time.time()):
            raise
        notify(
            Warned(f"The token for {sign_in.name} could not be renewed: {exc.message} {exc.hint}".rstrip())
        )
        return sign_in


async def _read_again(sign_in: SignIn, store: Store) -> SignIn:
    current = await OpenStore(store).load(sign_in.name)
    if current is None:
        raise SignInRequired(f"You are no longer signed in to {sign_in.name}.", hint="Sign in again.")
    _check_same(current, sign_in)
    return current


def _is_to_stay(current: SignIn, before: SignIn, *, force: bool, leeway: float | None) -> bool:
    """Return whether to leave a token alone: it is fresh, or nothing but its end can come of a renewal.

    Raises:
        SignInRequired: it is due, and cannot be renewed.
    """
    tokens, now = current.tokens, time.time()
    if tokens.access_token != before.tokens.access_token and tokens.alive(now):
        return True  # Another process has just renewed it.
    needed = 0.0 if leeway is None and tokens.refresh_token is None else leeway
    if not force and tokens.fresh(now, needed):
        return True
    if current.temporary:
        raise SignInRequired(
            "The token of the demonstration cannot be renewed: its server ended with the sign-in.",
            hint="Sign in again: python -m loopback_auth login",
        )
    return False


def _check_same(current: SignIn, wanted: SignIn) -> None:
    """Refuse a sign-in that another client has kept in its place."""
    if _origin(current) != _origin(wanted):
        raise SignInRequired(
            f"The sign-in for {wanted.name} was replaced by one of another client or server.",
            hint="Sign in again.",
        )


def _origin(sign_in: SignIn) -> tuple[object, ...]:
    metadata = sign_in.metadata
    return (
        sign_in.client_id,
        metadata.issuer,
        metadata.token_endpoint,
        sign_in.resource,
        sign_in.audience,
    )


async def _renewed(current: SignIn, store: Store, client_secret: str | None, notify: Notify) -> SignIn:
    from loopback_auth.flows.refresh import client_of, identified, refresh, withheld  # Start-up.

    client = client_of(current, client_secret)
    # Before the refresh token is used: what comes for it has to be kept.
    if current.tokens.refresh_token is not None:
        await OpenStore(store).check_writable()
    with _told_afterwards(notify) as tell:
        async with Resources(
            notify=tell, exchanges=notify is not silent, network=current.network
        ) as resources:
            try:
                renewal = await Driver(resources).run(refresh(client, current))
            except SignInRequired as refusal:
                return await _of_the_winner(current, store, refusal)
            await keep(store, renewal.sign_in)
            try:
                verify = bool(renewal.id_token) and can_verify_signatures()
                checked = identified(client, renewal, verify_signature=verify)
                renewed = await Driver(resources).run(checked)
            except ProtocolError:
                if renewal.trouble is None:
                    await keep(store, withheld(renewal.sign_in))
                raise
            if renewed != renewal.sign_in:
                with suppress(NotKept):  # All but its ID token is kept already.
                    await keep(store, renewed)
    return renewed


@contextmanager
def _told_afterwards(notify: Notify) -> Generator[Notify]:
    """Pass events on at the end of the block: `notify` may raise, and that must not cost the tokens."""
    events: list[Event] = []
    try:
        yield events.append
    finally:
        for event in events:
            notify(event)


async def _of_the_winner(current: SignIn, store: Store, refusal: SignInRequired) -> SignIn:
    """Return the tokens that another process has just kept; without any, the store stays as it is."""
    # The lock is ours, but there are file systems on which that means nothing. To write there after having
    # lost would wipe out what the winner is about to write.
    latest = await OpenStore(store).load(current.name)
    if latest is None or latest.tokens == current.tokens or not latest.tokens.alive(time.time()):
        raise refusal
    return latest


async def keep(store: Store, sign_in: SignIn) -> None:
    """Keep new tokens, trying more than once; the caller holds the lock.

    Args:
        store: where they are kept.
        sign_in: what to keep.

    Raises:
        NotKept: the store did not take them; the error has them.
    """
    for pause in (*PAUSES, None):
        try:
            return await to_the_end(OpenStore(store).save(sign_in), ENDING_SECONDS)
        except LoopbackAuthError as exc:
            if pause is None:
                raise NotKept(sign_in.name, sign_in, exc) from exc
            await asyncio.sleep(pause)


async def keep_new(store: Store, sign_in: SignIn, notify: Notify = silent) -> None:
    """Keep a new sign-in, and warn if it replaces one of another account.

    From then on it is the default sign-in, unless it is of the demonstration, whose server has ended.

    Args:
        store: where it is kept.
        sign_in: what to keep.
        notify: called with the warning.

    Raises:
        NotKept: the store did not take it; the error has it.
    """
    async with locked(store, sign_in.name):
        before = None
        with suppress(StoreError):  # A damaged file is set aside by keeping the new one.
            before = await OpenStore(store).load(sign_in.name)
        await keep(store, sign_in)
        if isinstance(store, FileTokenStore) and not sign_in.temporary:
            with suppress(StoreError):  # The tokens are kept, and can be asked for by name.
                await apart(store.choose, sign_in.name)
    if before is not None and before.tokens.account not in ("", sign_in.tokens.account):
        notify(
            Warned(
                f"Replaced {before.tokens.account}, whose tokens for {sign_in.name} are not kept any more. "
                "To keep both, give each a provider name of its own."
            )
        )


async def logout(
    sign_in: SignIn,
    *,
    store: Store,
    client_secret: str | None = None,
    notify: Notify = silent,
    network: Network | None = None,
) -> bool:
    """Revoke the tokens of a sign-in at the server, and delete them here in any case.

    Args:
        sign_in: as last read.
        store: where it is kept.
        client_secret: of a confidential client.
        notify: called with each event.
        network: how the server is reached, if not as at the sign-in.

    Returns:
        Whether they were revoked; False if the server offers no revocation, or was the demonstration.

    Raises:
        LoopbackAuthError: the server did not revoke them; here they are deleted all the same.

    Source: RFC 7009 §2.
    """
    from loopback_auth.flows.refresh import client_of  # Start-up.
    from loopback_auth.flows.revocation import revoke

    check_asyncio()
    async with locked(store, sign_in.name):
        try:
            # Another process may have renewed them: revoking the old ones would end nothing.
            with suppress(StoreError):
                kept = await OpenStore(store).load(sign_in.name)
                sign_in = sign_in if kept is None else kept
            if sign_in.temporary:
                return False
            network = sign_in.network.updated(network or Network())
            async with Resources(notify=notify, exchanges=notify is not silent, network=network) as resources:
                return await Driver(resources).run(revoke(client_of(sign_in, client_secret), sign_in))
        finally:
            await to_the_end(OpenStore(store).delete(sign_in.name), ENDING_SECONDS)


def can_verify_signatures() -> bool:
    """Return whether the extra `oidc` can be imported; that takes time, so ask only if it is needed."""
    try:
        # It brings a compiled library, which may not load on this system.
        import joserfc.jwk  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        return False
    return True


def locked(store: Store, name: str) -> AbstractAsyncContextManager[None]:
    """Hold the lock on one kept sign-in; see `OpenStore.locked`."""
    return OpenStore(store).locked(name)
