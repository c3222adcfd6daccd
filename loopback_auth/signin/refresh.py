"""Renew the tokens of a kept sign-in, under the lock of its store.

Several processes share a store. Each decides under the lock, after reading again, whether to renew; if
another process has renewed the tokens, they are used. New tokens are kept before anything else is done with
them: at a server that rotates refresh tokens the old one is invalid by then.

A new sign-in and a fresh token need no flow of a renewal, so that is imported when it is used.

Source: RFC 9700 §4.14.2; RFC 6749 §6.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace

from loopback_auth.errors import (
    ConfigError,
    LoopbackAuthError,
    NotKept,
    ProtocolError,
    SignInRequired,
    TokenError,
)
from loopback_auth.events import Notify, Warned
from loopback_auth.field_checks import check_choice, check_seconds
from loopback_auth.flows.reuse import why_not_reusable
from loopback_auth.model import ClientConfig, Network
from loopback_auth.network.threads import check_asyncio, run_sync, to_the_end
from loopback_auth.signin.driver import Driver
from loopback_auth.signin.notifier import Notifier, told_afterwards
from loopback_auth.signin.resources import Resources
from loopback_auth.signin.stores import ENDING_SECONDS, OpenStore, Store, keep
from loopback_auth.tokens import SignIn, Token

CHECK_SECONDS = 10.0
"""Seconds in which a resource has to say whether it has another server by now."""


async def renew(
    client_or_sign_in: ClientConfig | SignIn,
    *,
    store: Store,
    client_secret: str | None = None,
    private_key: str | None = None,
    notify: Notify | None = None,
    force: bool = False,
    leeway: float | None = None,
    of: Token = "access_token",
    network: Network | None = None,
) -> SignIn:
    """Return a sign-in whose access token, or ID token, is fresh; renew the tokens if that is needed.

    This is decided under the lock of the store and after reading again, so that of several processes one
    renews and the others use its result: a server that rotates refresh tokens would revoke all of them when
    one is used twice.

    If the renewal fails for now, a token that has not expired is returned, with a warning; but not with
    `force`, nor if the person has to sign in again.

    Args:
        client_or_sign_in: the client, whose kept sign-in is meant; or a sign-in as last read.
        store: where it is kept.
        client_secret: of a confidential client; it is never kept. None: that of the client.
        private_key: of a client that authenticates with one, likewise.
        notify: called with each event, after the new tokens are kept; a plain function or a coroutine
            function. None: events are ignored.
        force: renew even a fresh token, unless another process has just renewed it.
        leeway: seconds for which the token must still be valid; None: 60, or a tenth of its lifetime if that
            is less. A token that has just been renewed is returned even if its lifetime is shorter.
        of: which token has to be fresh; some services take the ID token, such as clusters and clouds.
        network: how the server is reached, if not as at the sign-in. None: as the client says.

    Raises:
        SignInRequired: nothing is kept for this client, there is no refresh token, or the server no longer
            accepts it; the store is unchanged. Or an ID token is wanted, and the renewal brought none.
        NotKept: the tokens were renewed, but could not be kept; the error has them.
        LoopbackAuthError: any other failure; the store is unchanged.

    Source: RFC 9700 §4.14.2; RFC 6749 §6.
    """
    check_asyncio()
    told = Notifier(notify)
    if leeway is not None:
        check_seconds(leeway, "leeway")
    check_choice(of, ("access_token", "id_token"), "of")
    sign_in = await kept_for(client_or_sign_in, store)
    if isinstance(client_or_sign_in, ClientConfig):
        client_secret = client_secret or client_or_sign_in.client_secret
        private_key = private_key or client_or_sign_in.private_key
        network = network or client_or_sign_in.provider.network
    async with told as notifier:
        try:
            if force and sign_in.resource_server:
                await _check_server(sign_in)
            async with told_afterwards(notifier.tell) as tell, OpenStore(store).locked(sign_in.name):
                current = await _read_again(sign_in, store)
                if not _is_to_stay(current, sign_in, force=force, leeway=leeway, of=of):
                    current = replace(current, network=current.network.updated(network or Network()))
                    renewing = _renewed(
                        current, store, tell, client_secret, private_key, exchanges=notifier.listens
                    )
                    current = await to_the_end(renewing, ENDING_SECONDS)
                if of == "id_token" and not current.tokens.fresh(time.time(), 0.0, of=of):
                    raise SignInRequired(
                        f"The renewal for {sign_in.name} brought no new ID token.",
                        hint="Sign in again, with the scope openid.",
                    )
                return current
        except (SignInRequired, NotKept):
            raise
        except LoopbackAuthError as exc:
            if force or not sign_in.tokens.fresh(time.time(), 0.0, of=of):
                raise
            text = f"The token for {sign_in.name} could not be renewed: {exc.message} {exc.hint}"
            notifier.tell(Warned(text.rstrip()))
            return sign_in


def renew_sync(
    client_or_sign_in: ClientConfig | SignIn,
    *,
    store: Store,
    client_secret: str | None = None,
    private_key: str | None = None,
    notify: Notify | None = None,
    force: bool = False,
    leeway: float | None = None,
    of: Token = "access_token",
    network: Network | None = None,
) -> SignIn:
    """Do what `renew` does, from code without an event loop, or while one is running in this thread."""
    return run_sync(
        lambda: renew(
            client_or_sign_in,
            store=store,
            client_secret=client_secret,
            private_key=private_key,
            notify=notify,
            force=force,
            leeway=leeway,
            of=of,
            network=network,
        )
    )


async def kept_for(client_or_sign_in: ClientConfig | SignIn, store: Store) -> SignIn:
    """Return the sign-in that is kept for a client; a sign-in is returned as it is.

    Raises:
        ConfigError: it is neither.
        SignInRequired: there is none, or one of another client, server, resource, or of less scope.
        StoreError: the store failed.
    """
    check_type(client_or_sign_in, ClientConfig, SignIn)
    if isinstance(client_or_sign_in, SignIn):
        return client_or_sign_in
    return check_is_for(await OpenStore(store).load(client_or_sign_in.provider.name), client_or_sign_in)


def check_is_for(kept: SignIn | None, client: ClientConfig) -> SignIn:
    """Return a sign-in that was read for a client, or refuse it.

    Raises:
        SignInRequired: there is none, or one of another client, server, resource, or of less scope.
    """
    name = client.provider.name
    if kept is None:
        raise SignInRequired(f"You are not signed in to {name}.", hint="Sign in first.")
    if why := why_not_reusable(kept, client):
        raise SignInRequired(
            f"You are not signed in to {name} as it is wanted: there is a sign-in, but {why}.",
            hint="Sign in again.",
        )
    return kept


def check_type(value: object, *types: type) -> None:
    """Refuse an argument of another type.

    Raises:
        ConfigError: it has none of these types.
    """
    if not isinstance(value, types):
        wanted = " or a ".join(each.__name__ for each in types)
        raise ConfigError(
            f"A {wanted} is needed, and not a value of type {type(value).__name__}.",
            hint="Pass the ClientConfig with which the user signed in.",
        )


async def _read_again(sign_in: SignIn, store: Store) -> SignIn:
    current = await OpenStore(store).load(sign_in.name)
    if current is None:
        raise SignInRequired(f"You are no longer signed in to {sign_in.name}.", hint="Sign in again.")
    _check_same(current, sign_in)
    return current


def _is_to_stay(current: SignIn, before: SignIn, *, force: bool, leeway: float | None, of: Token) -> bool:
    """Return whether to leave a token alone: it is fresh, or nothing but its end can come of a renewal.

    Raises:
        SignInRequired: it is due, and cannot be renewed.
    """
    tokens, now = current.tokens, time.time()
    if tokens.access_token != before.tokens.access_token and tokens.alive(now):
        return True  # Another process has just renewed it.
    needed = 0.0 if leeway is None and tokens.refresh_token is None else leeway
    if not force and tokens.fresh(now, needed, of=of):
        return True
    if current.temporary:
        raise SignInRequired(
            "The token of the demonstration cannot be renewed: its server ended with the sign-in.",
            hint="Sign in again.",
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


async def _check_server(sign_in: SignIn) -> None:
    """Refuse to renew a token that a resource has refused because it has another server by now."""
    from loopback_auth.flows.resource_change import check_still_named  # Start-up.

    client = ClientConfig.for_resource(sign_in.resource_server, client_id=sign_in.client_id)
    # Without the lock, and not for long: the resource may be what does not work.
    with suppress(TimeoutError):
        async with asyncio.timeout(CHECK_SECONDS), Resources(network=sign_in.network) as resources:
            await Driver(resources).run(check_still_named(client, sign_in))


async def _renewed(
    current: SignIn,
    store: Store,
    tell: Notify,
    client_secret: str | None,
    private_key: str | None,
    *,
    exchanges: bool,
) -> SignIn:
    # Start-up.
    from loopback_auth.flows.refresh import client_of, identified, refresh, withheld
    from loopback_auth.signin.registered_clients import check_forgotten, registered_secret

    # Before the refresh token is used: what comes for it has to be kept.
    if current.tokens.refresh_token is not None:
        await OpenStore(store).check_writable()
    async with Resources(notify=tell, exchanges=exchanges, network=current.network) as resources:
        driver = Driver(resources)
        client_secret = client_secret or await registered_secret(current, store, driver.run)
        client = client_of(current, client_secret, private_key)
        try:
            async with OpenStore(store).refreshing(current):
                renewal = await driver.run(refresh(client, current))
                await keep(store, renewal.sign_in)
        except SignInRequired as refusal:
            return await _of_the_winner(current, store, refusal)
        except TokenError as refusal:
            await check_forgotten(current, store, refusal)
            raise
        try:
            verify = bool(renewal.id_token) and can_verify_signatures()
            checked = identified(client, renewal, verify_signature=verify)
            renewed = await driver.run(checked)
        except ProtocolError:
            if renewal.trouble is None:
                await keep(store, withheld(renewal.sign_in))
            raise
        if renewed != renewal.sign_in:
            with suppress(NotKept):  # All but its ID token is kept already.
                await keep(store, renewed)
    return renewed


async def _of_the_winner(current: SignIn, store: Store, refusal: SignInRequired) -> SignIn:
    """Return the tokens that another process has just kept; without any, the store stays as it is."""
    # The lock is ours, but there are file systems on which that means nothing. To write there after having
    # lost would wipe out what the winner is about to write.
    latest = await OpenStore(store).load(current.name)
    if latest is None or latest.tokens == current.tokens or not latest.tokens.alive(time.time()):
        raise refusal
    return latest


def can_verify_signatures() -> bool:
    """Return whether the extra `oidc` can be imported; that takes time, so ask only if it is needed."""
    try:
        # It brings a compiled library, which may not load on this system, and cannot from a zip: there
        # cryptography fails with an AttributeError.
        import joserfc.jwk  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except Exception:
        return False
    return True
