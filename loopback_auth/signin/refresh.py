"""What is done with a kept sign-in: renew its tokens, or give them up; each under the store's lock.

Many processes share what is kept. So whoever wants to renew decides under the lock, after reading again, and
what another process has got meanwhile is taken instead. What a renewal brings is kept before anything else
is done with it: at a server that rotates refresh tokens the old one is dead by then.

A sign-in and a token that is fresh need neither flow, so that each is imported when it is due.

Source: RFC 9700 §4.14.2; RFC 6749 §6; RFC 7009 §2.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace

from loopback_auth.errors import LoopbackAuthError, NotKept, ProtocolError, SignInRequired, StoreError
from loopback_auth.events import Event, Notify, Warned, silent
from loopback_auth.model import Network, SignIn
from loopback_auth.network.threads import apart, check_asyncio, enter, to_the_end
from loopback_auth.signin.driver import Driver
from loopback_auth.signin.resources import Resources
from loopback_auth.store import FileTokenStore
from loopback_auth.store.interface import TokenStore

ENDING_SECONDS = 5.0
"""That a refresh gets to end when it is cancelled: its answer may hold the only good token."""

PAUSES = (0.05, 0.2)
"""Seconds between tries to keep what is new, where the first one fails."""


async def renew(
    sign_in: SignIn,
    *,
    store: TokenStore,
    client_secret: str | None = None,
    notify: Notify = silent,
    force: bool = False,
    leeway: float | None = None,
    network: Network | None = None,
) -> SignIn:
    """Return a sign-in whose access token is fresh, renewing it if need be.

    Whether to renew is decided under the store's lock and after reading again, so that of many processes
    one renews and the others take its result: a rotating server would revoke everything on a second use.

    A token that has not ended is returned with a warning when it cannot be renewed now, unless `force` is set
    or a person has to sign in.

    Args:
        sign_in: as last read.
        store: where it is kept.
        client_secret: for confidential clients.
        notify: told what happens; only after the new tokens are kept, so that it may raise.
        force: renew although the token is fresh, unless another process has done so meanwhile.
        leeway: seconds for which the token has to be good; None: 60, or a tenth of its lifetime where that
            is less. What has just been renewed is returned however short its life is.
        network: how the server is reached, where that is another way than at the sign-in.

    Raises:
        SignInRequired: the refresh token is missing or no longer good; whatever is kept stays as it is.
        NotKept: the tokens were renewed, and could not be kept; the error has them.
        LoopbackAuthError: everything else; what is kept stays as it is.

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


async def _read_again(sign_in: SignIn, store: TokenStore) -> SignIn:
    current = await apart(store.load, sign_in.name)
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
        return True  # Another process has renewed it meanwhile.
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
    """Refuse to take for one sign-in what another client has put in its place meanwhile."""
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


async def _renewed(current: SignIn, store: TokenStore, client_secret: str | None, notify: Notify) -> SignIn:
    from loopback_auth.flows.renewal import client_of, identified, refresh, withheld  # Start-up.

    client = client_of(current, client_secret)
    # Before the refresh token is used: what comes for it has to be kept.
    if current.tokens.refresh_token is not None:
        await apart(store.check_writable)
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
    """Pass events on at the end of the block: whoever is told may raise, and that must cost nothing."""
    events: list[Event] = []
    try:
        yield events.append
    finally:
        for event in events:
            notify(event)


async def _of_the_winner(current: SignIn, store: TokenStore, refusal: SignInRequired) -> SignIn:
    """Take what another process has got meanwhile; without that nothing that is kept is touched."""
    # The lock is ours, but there are file systems on which that means nothing. To write there after having
    # lost would wipe out what the winner is about to write.
    latest = await apart(store.load, current.name)
    if latest is None or latest.tokens == current.tokens or not latest.tokens.alive(time.time()):
        raise refusal
    return latest


async def keep(store: TokenStore, sign_in: SignIn, failures: type[Exception] = Exception) -> None:
    """Keep new tokens, trying more than once; the caller holds the lock.

    Args:
        store: what keeps them.
        sign_in: what has them.
        failures: what a store may raise; renewed tokens are too precious to be lost to its mistakes.

    Raises:
        NotKept: the store does not take them; the error has them.
    """
    for pause in (*PAUSES, None):
        try:
            return await to_the_end(apart(store.save, sign_in), ENDING_SECONDS)
        except failures as exc:
            if pause is None:
                raise NotKept(sign_in.name, sign_in, exc) from exc
            await asyncio.sleep(pause)


async def keep_new(store: TokenStore, sign_in: SignIn, notify: Notify = silent) -> None:
    """Keep what a person has just signed in for, and say so where that replaces another account.

    From then on it is the one that is meant when none is named, unless its server has ended by now.

    Raises:
        NotKept: the store does not take it; the error has it.
    """
    async with locked(store, sign_in.name):
        before = None
        with suppress(StoreError):  # A damaged file is set aside by keeping the new one.
            before = await apart(store.load, sign_in.name)
        await keep(store, sign_in, StoreError)
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
    store: TokenStore,
    client_secret: str | None = None,
    notify: Notify = silent,
    network: Network | None = None,
) -> bool:
    """Revoke a sign-in's tokens at the server and forget them here, the latter in any case.

    Args:
        sign_in: as last read.
        store: where it is kept.
        client_secret: for confidential clients.
        notify: told what happens.
        network: as for `renew`.

    Returns:
        Whether they were revoked: False when the server offers no revocation, or is gone.

    Raises:
        LoopbackAuthError: the server did not revoke them; here they are forgotten all the same.

    Source: RFC 7009 §2.
    """
    from loopback_auth.flows.giving_up import revoke  # Start-up.
    from loopback_auth.flows.renewal import client_of

    check_asyncio()
    async with locked(store, sign_in.name):
        try:
            # Another process may have renewed them: revoking the old ones would end nothing.
            with suppress(StoreError):
                kept = await apart(store.load, sign_in.name)
                sign_in = sign_in if kept is None else kept
            if sign_in.temporary:
                return False
            network = sign_in.network.updated(network or Network())
            async with Resources(notify=notify, exchanges=notify is not silent, network=network) as resources:
                return await Driver(resources).run(revoke(client_of(sign_in, client_secret), sign_in))
        finally:
            await to_the_end(apart(store.delete, sign_in.name), ENDING_SECONDS)


def can_verify_signatures() -> bool:
    """Return whether the extra `oidc` is installed and loads, importing it; look only where it is needed."""
    try:
        import joserfc.jwk  # noqa: F401 - it brings a compiled library, which may not load on this system
    except ImportError:
        return False
    return True


@asynccontextmanager
async def locked(store: TokenStore, name: str) -> AsyncGenerator[None]:
    """Hold a store's lock on one sign-in; waiting for it blocks no loop and can be cancelled."""
    lock = store.lock(name)
    await enter(lock)
    try:
        yield
    finally:
        lock.__exit__(None, None, None)
