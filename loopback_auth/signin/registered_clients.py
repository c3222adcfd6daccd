"""Use the registration of a kept sign-in, and give it up: its secret is in the store, not in the sign-in.

Source: RFC 7591 §3.2.1; RFC 7592 §2.3.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from loopback_auth.errors import LoopbackAuthError, OAuthError, SignInRequired, StoreError
from loopback_auth.events import Notify, Warned
from loopback_auth.flows.registration import read_registration, refuses_client, unregister
from loopback_auth.narrow import NAME_LIMIT
from loopback_auth.network.threads import to_the_end
from loopback_auth.registration import Registration
from loopback_auth.signin.driver import RunFlow
from loopback_auth.signin.stores import ENDING_SECONDS, OpenStore, Store
from loopback_auth.store.registered_ports import registration_name
from loopback_auth.tokens import SignIn

MARGIN = 86400.0
"""Seconds before its secret expires in which a registration is replaced, or a tenth of its lifetime if that
is less."""

WAIT_SECONDS = 120.0
"""Seconds that another process may take to register at the same server."""


@asynccontextmanager
async def registration_lock(store: OpenStore, issuer: str) -> AsyncGenerator[None]:
    """Hold the lock on the registrations at an issuer.

    Raises:
        StoreError: it was not free in time, or the store failed.
    """
    name = f"registration-{registration_name(issuer)}"
    async with store.locked(name[:NAME_LIMIT], WAIT_SECONDS):
        yield


async def registration_of(sign_in: SignIn, store: Store) -> Registration | None:
    """Return the registration that a sign-in was made with; None when its client was given by hand.

    Raises:
        StoreError: the store failed.
    """
    issuer = sign_in.metadata.issuer
    kept = await OpenStore(store).registrations(issuer) if issuer else None
    return kept.of(sign_in.client_id) if kept is not None else None


def ends_at(registration: Registration) -> float:
    """Return when the secret of a client expires, in Unix seconds; infinity: never, or it has none.

    Source: RFC 7591 §3.2.1 (`client_secret_expires_at`).
    """
    expires_at = registration.client_secret_expires_at
    return float("inf") if expires_at is None else expires_at


def is_due(registration: Registration, now: float) -> bool:
    """Return whether the secret of a client expires too soon for what begins now.

    Source: RFC 7591 §3.2.1.
    """
    end = ends_at(registration)
    lifetime = max(0.0, end - (registration.client_id_issued_at or 0.0))
    return end - min(MARGIN, lifetime / 10) <= now


async def registered_secret(sign_in: SignIn, store: Store, run: RunFlow) -> str | None:
    """Return the secret of the client that a sign-in was made with; None when none is kept.

    Where the server lets registrations be read, one that expires soon is read: the server may have another
    secret for the same client.

    Args:
        sign_in: that is to be renewed.
        store: where its registration is kept.
        run: runs the flows.

    Raises:
        SignInRequired: the secret has expired, or the registration is not kept any more.
        StoreError: the store failed.

    Source: RFC 7591 §3.2.1 (`client_secret_expires_at`); RFC 7592 §2.1.
    """
    if not sign_in.client_auth.startswith("client_secret"):
        return None
    found = await registration_of(sign_in, store)
    if found is not None and is_due(found, time.time()) and found.registration_client_uri:
        found = await _renewed(found, store, run)
    if found is not None and ends_at(found) > time.time():
        return found.client_secret
    if found is None and not sign_in.registered:
        return None
    what = "is not kept any more" if found is None else "has expired"
    raise SignInRequired(
        f"The registration of this program at {sign_in.metadata.issuer} {what}.",
        hint="Sign in again: the program will register again.",
    )


async def _renewed(registration: Registration, store: Store, run: RunFlow) -> Registration | None:
    """Read a registration from the server, and keep it; of several processes one does."""
    opened, issuer = OpenStore(store), registration.issuer
    async with registration_lock(opened, issuer):
        kept = await opened.registrations(issuer)
        latest = kept.of(registration.client_id) if kept is not None else None
        if kept is None or latest is None or not is_due(latest, time.time()):
            return latest
        try:
            found = await run(read_registration(latest))
        except LoopbackAuthError:
            return latest  # It is good for a while, or it has expired.
        if found is None:
            return latest  # The server will say so when it is used.
        await to_the_end(opened.keep_registrations(issuer, kept.used(found)), ENDING_SECONDS)
    return found


async def check_forgotten(sign_in: SignIn, store: Store, refusal: OAuthError) -> None:
    """Forget the registration of a sign-in if a refusal says that the server does not know it any more.

    A client that was given by hand is not ours to forget.

    Raises:
        SignInRequired: it was forgotten.
        StoreError: the store failed.

    Source: RFC 6749 §5.2 (`invalid_client`).
    """
    if not refuses_client(refusal.error):
        return
    # Of a client that was registered by the program, another process may have forgotten it already.
    if not sign_in.registered and await registration_of(sign_in, store) is None:
        return
    issuer = sign_in.metadata.issuer or ""
    await remove_registration(issuer, sign_in.client_id, store)
    raise SignInRequired(
        f"{issuer} does not know the registration of this program any more: {refusal.message}",
        hint="Sign in again: the program will register again.",
    ) from None


async def remove_registration(issuer: str, client_id: str, store: Store) -> None:
    """Remove one registration from the store, under its lock.

    Raises:
        StoreError: the store failed.
    """
    opened = OpenStore(store)
    async with registration_lock(opened, issuer):
        kept = await opened.registrations(issuer)
        if kept is not None and kept.of(client_id) is not None:
            await to_the_end(opened.keep_registrations(issuer, kept.without(client_id)), ENDING_SECONDS)


async def unregister_client(sign_in: SignIn, store: Store, run: RunFlow, notify: Notify) -> bool:
    """Delete the registration of a sign-in at the server, and here; the sign-in is given up already.

    Other sign-ins may be of the same client, at other resources of the same server. They would end with the
    registration, so it stays as long as there are any.

    Returns:
        Whether the server has no such client any more.

    Raises:
        RegistrationError: the server did not delete it; here it is deleted all the same.
        TransportError: there was no answer; the same.
        StoreError: the store failed.

    Source: RFC 7592 §2.3.
    """
    found = await registration_of(sign_in, store)
    if found is None:
        return False
    if others := await _sign_ins_of(found, store, besides=sign_in.name):
        notify(
            Warned(
                f"The registration at {found.issuer} stays, because other sign-ins need it: "
                f"{', '.join(others)}."
            )
        )
        return False
    return await _unregistered(found, store, run)


async def unregister_unused(issuer: str, store: Store, run: RunFlow) -> None:
    """Delete the registrations at an issuer that no kept sign-in needs, at the server and here.

    Raises:
        LoopbackAuthError: as from `unregister_client`.

    Source: RFC 7592 §2.3.
    """
    kept = await OpenStore(store).registrations(issuer)
    for one in kept.clients if kept is not None else ():
        if not await _sign_ins_of(one, store):
            await _unregistered(one, store, run)


async def _unregistered(registration: Registration, store: Store, run: RunFlow) -> bool:
    try:
        return await run(unregister(registration))
    finally:
        await remove_registration(registration.issuer, registration.client_id, store)


async def _sign_ins_of(registration: Registration, store: Store, *, besides: str = "") -> list[str]:
    """Return the names of the kept sign-ins of a client, as far as the store can list them."""
    opened, found = OpenStore(store), list[str]()
    for name in await opened.names():
        kept = None
        if name != besides:
            with suppress(StoreError):
                kept = await opened.load(name)
        client = registration.client_id, registration.issuer
        if kept is not None and (kept.client_id, kept.metadata.issuer) == client:
            found.append(name)
    return found
