"""Revoke the tokens of a kept sign-in at the server, and delete them.

The key of bound tokens need not be there for it: what cannot be read is a reason more to give up the rest.

Source: RFC 7009 §2.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from loopback_auth.errors import SignInRequired, StoreError
from loopback_auth.events import Notify, Warned
from loopback_auth.flows.refresh import client_of
from loopback_auth.flows.revocation import revoke
from loopback_auth.model import ClientConfig, Network
from loopback_auth.network.threads import check_asyncio, run_sync, to_the_end
from loopback_auth.signin.driver import Driver
from loopback_auth.signin.notifier import Notifier, told_afterwards
from loopback_auth.signin.refresh import check_is_for, check_type
from loopback_auth.signin.registered_clients import registration_of, unregister_client, unregister_unused
from loopback_auth.signin.resources import Resources
from loopback_auth.signin.stores import ENDING_SECONDS, OpenStore, Store
from loopback_auth.store.damaged import Damaged, KeyUnreadable
from loopback_auth.tokens import SignIn


async def logout(
    client_or_sign_in: ClientConfig | SignIn,
    *,
    store: Store,
    client_secret: str | None = None,
    private_key: str | None = None,
    notify: Notify | None = None,
    network: Network | None = None,
    unregister: bool = False,
) -> bool:
    """Revoke the tokens of a sign-in at the server, and delete them here in any case.

    Args:
        client_or_sign_in: the client, whose kept sign-in is meant; or a sign-in as last read.
        store: where it is kept.
        client_secret: of a confidential client. None: that of the client.
        private_key: of a client that authenticates with one, likewise.
        notify: called with each event; a plain function or a coroutine function. None: events are ignored.
        network: how the server is reached, if not as at the sign-in. None: as the client says.
        unregister: give up the client too, if the program registered it by itself and no other kept sign-in
            needs it: at the server where it offers that (RFC 7592), and here.

    Returns:
        Whether the tokens were revoked; False if the server offers no revocation or was the demonstration,
        and if nothing is kept for this client, or nothing that can be read.

    Raises:
        StoreError: the store failed. With `unregister`, nothing is given up where the registration cannot be
            read.
        LoopbackAuthError: the server did not revoke them, or did not delete the client; here all is deleted
            all the same.

    Source: RFC 7009 §2; RFC 7592 §2.3.
    """
    check_asyncio()
    check_type(client_or_sign_in, ClientConfig, SignIn)
    told = Notifier(notify)
    if isinstance(client_or_sign_in, ClientConfig):
        client_secret = client_secret or client_or_sign_in.client_secret
        private_key = private_key or client_or_sign_in.private_key
        network = network or client_or_sign_in.provider.network
        # A sign-in of less scope is given up too, and one with or without a key.
        client_or_sign_in = replace(client_or_sign_in, scope="", dpop=None)
        try:
            kept, _ = await _loaded(client_or_sign_in.provider.name, store)
            sign_in = check_is_for(kept, client_or_sign_in)
        except SignInRequired:
            if unregister:
                await _unregister_unused(client_or_sign_in, store, told)
            return False
        except Damaged:
            # There is nothing left that could be revoked.
            opened = OpenStore(store)
            async with opened.locked(client_or_sign_in.provider.name):
                await to_the_end(opened.delete(client_or_sign_in.provider.name), ENDING_SECONDS)
            return False
    else:
        sign_in = client_or_sign_in
    async with (
        told as notifier,
        told_afterwards(notifier.tell) as tell,
        OpenStore(store).locked(sign_in.name),
    ):
        if unregister:
            await registration_of(sign_in, store)  # Without the sign-in it could not be found again.
        try:
            # Another process may have renewed them: revoking the old ones would end nothing.
            with suppress(StoreError):
                kept, why = await _loaded(sign_in.name, store)
                sign_in = sign_in if kept is None else kept
                if why:
                    tell(Warned(f"{why} A revocation does not need it: the sign-in is given up."))
            if sign_in.temporary:
                return False
            network = sign_in.network.updated(network or Network())
            secret = client_secret or await _registered_secret(sign_in, store)
            async with Resources(notify=tell, exchanges=notifier.listens, network=network) as resources:
                client = client_of(sign_in, secret, private_key)
                try:
                    return await Driver(resources).run(revoke(client, sign_in))
                finally:
                    if unregister:
                        await unregister_client(sign_in, store, Driver(resources).run, tell)
        finally:
            await to_the_end(OpenStore(store).delete(sign_in.name), ENDING_SECONDS)


async def _loaded(name: str, store: Store) -> tuple[SignIn | None, str]:
    """Return what is kept under a name, and why it is without its key; empty when it is whole.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        return await OpenStore(store).load(name), ""
    except KeyUnreadable as exc:
        return exc.sign_in, f"{exc.message.rstrip('.')}."


async def _unregister_unused(client: ClientConfig, store: Store, told: Notifier) -> None:
    """Give up what a program has registered for sign-ins that are not kept any more."""
    issuer = client.provider.metadata.issuer
    if issuer is None or client.client_id:
        return
    network = client.provider.network
    async with (
        told as notifier,
        Resources(notify=notifier.tell, exchanges=notifier.listens, network=network) as resources,
    ):
        await unregister_unused(issuer, store, Driver(resources).run)


async def _registered_secret(sign_in: SignIn, store: Store) -> str | None:
    with suppress(StoreError):  # What cannot be read must not keep the tokens here.
        found = await registration_of(sign_in, store)
        return None if found is None else found.client_secret
    return None


def logout_sync(
    client_or_sign_in: ClientConfig | SignIn,
    *,
    store: Store,
    client_secret: str | None = None,
    private_key: str | None = None,
    notify: Notify | None = None,
    network: Network | None = None,
    unregister: bool = False,
) -> bool:
    """Do what `logout` does, from code without an event loop, or while one is running in this thread."""
    return run_sync(
        lambda: logout(
            client_or_sign_in,
            store=store,
            client_secret=client_secret,
            private_key=private_key,
            notify=notify,
            network=network,
            unregister=unregister,
        )
    )
