"""Give a client that has no client ID one: its document, a kept registration, or a new one.

A registration is kept, under the lock of the store, before the browser is led on: a process that is killed
then has registered something that the next one finds. What is asked for is decided in
`protocol.registration`, what is accepted in `protocol.registration_response`; what is kept is used and given
up in `registered_clients`.

Before the user is sent to a server with a kept registration, the program asks whether the server still knows
it. One that is forgotten or has expired is made anew, once; the new one is not asked about.

Source: RFC 7591; RFC 7592; draft-ietf-oauth-client-id-metadata-document.
"""

from __future__ import annotations

import time
from contextlib import suppress

from loopback_auth.errors import LoopbackAuthError, OAuthError
from loopback_auth.events import Notify, Preparing, Warned
from loopback_auth.flows.discovery import discover
from loopback_auth.flows.registration import (
    ends_on_error_page,
    known_to_server,
    refuses_client,
    register,
    reread,
    with_registration,
)
from loopback_auth.model import ClientAuth, ClientConfig, ServerMetadata
from loopback_auth.network.threads import to_the_end
from loopback_auth.program import Program
from loopback_auth.protocol.client_id_document import client_by_document
from loopback_auth.protocol.pushed import pushes
from loopback_auth.protocol.registration import METHODS, key_thumbprint, registered_auth
from loopback_auth.records import replace
from loopback_auth.registration import Registration, Registrations
from loopback_auth.signin.driver import RunFlow, new_attempt
from loopback_auth.signin.registered_clients import ends_at, is_due, registration_lock, remove_registration
from loopback_auth.signin.stores import ENDING_SECONDS, OpenStore, Store

SOON = 7 * 86400.0
"""Seconds; a secret that lives no longer is worth a warning."""

MOST_TRIES = 4
"""Kept registrations that the server is asked about."""

NOWHERE = "http://127.0.0.1/callback"
"""What is registered where no port is bound, as for a device code (RFC 8252 §7.3)."""


async def registered(
    client: ClientConfig,
    redirect_uri: str,
    run: RunFlow,
    store: Store | None,
    program: Program | None,
    *,
    notify: Notify,
    anew: bool = False,
) -> ClientConfig:
    """Return a client with a client ID: the given one, its document's, that of a registration.

    Args:
        client: that may have none.
        redirect_uri: that is bound, to be registered exactly so; empty: none is.
        run: runs the flows, over the connections of the sign-in.
        store: where registrations are kept; None: the registration is for this sign-in alone.
        program: whose name a server shows to the user.
        notify: called with what is done.
        anew: register again, whatever is kept.

    Raises:
        EndpointMissing: the server registers no clients by itself.
        RegistrationError: the server refused.
        StoreError: the registration could not be kept.
        LoopbackAuthError: the server's answer cannot be used, or there is none.

    Source: MCP authorization specification 2025-11-25, "Client Registration Approaches".
    """
    if client.client_id or client.client_metadata is None:
        return client
    metadata = await run(discover(client.provider))
    if (by_document := client_by_document(client, metadata)) is not None:
        return by_document
    issuer, name = metadata.issuer or "", program.name if program is not None else ""
    redirect_uri = redirect_uri or NOWHERE

    async def made() -> Registration:
        notify(Preparing("registration", issuer))
        found = await run(register(client, metadata, redirect_uri, name=name))
        if warning := _short_lived(found):
            notify(Warned(warning))
        return found

    if store is None:
        return with_registration(client, await made())
    opened = OpenStore(store)
    async with registration_lock(opened, issuer):
        kept = await opened.registrations(issuer)
        found, kept = (None, kept) if anew else await _fitting(client, metadata, redirect_uri, kept, run)
        if found is None:
            found = await made()
        latest = kept.used(found) if kept is not None else Registrations((found,))
        await to_the_end(opened.keep_registrations(issuer, latest), ENDING_SECONDS)
    return with_registration(client, found)


async def registered_again(
    client: ClientConfig,
    refusal: OAuthError,
    redirect_uri: str,
    run: RunFlow,
    store: Store | None,
    program: Program | None,
    *,
    declared: ClientAuth | None,
    notify: Notify,
    answered: bool,
) -> ClientConfig | None:
    """Forget the registration of a client that the server has refused, and register again.

    Args:
        client: as it was registered.
        refusal: of the server.
        redirect_uri: as in `registered`.
        run: as in `registered`.
        store: as in `registered`.
        program: as in `registered`.
        declared: how the client authenticates, as the program wants it.
        notify: as in `registered`.
        answered: the browser has come back already, so that the user has to sign in again.

    Returns:
        None: the refusal is not about a client that the program has registered, or the user has to begin.

    Raises:
        LoopbackAuthError: as from `registered`.

    Source: RFC 6749 §5.2 (`invalid_client`); RFC 9126 §2.3.
    """
    if store is None or not refuses_client(refusal.error):
        return None
    issuer = (await run(discover(client.provider))).issuer or ""
    kept = await OpenStore(store).registrations(issuer)
    if kept is None or kept.of(client.client_id) is None:
        return None
    await remove_registration(issuer, client.client_id, store)
    if answered:
        refusal.hint, refusal.parameter = "Sign in again: the program will register again.", ""
        return None
    provider = replace(client.provider, client_auth=declared)
    unregistered = replace(client, client_id="", client_secret=None, provider=provider)
    return await registered(unregistered, redirect_uri, run, store, program, notify=notify, anew=True)


async def forgotten_by_page(
    client: ClientConfig, redirect_uri: str, run: RunFlow, store: Store | None
) -> bool:
    """Forget the registration of a client, and return True, if the server shows its users an error page.

    Args:
        client: whose browser has not come back.
        redirect_uri: of the sign-in.
        run: as in `registered`.
        store: as in `registered`.

    Raises:
        LoopbackAuthError: the store failed, or the server's metadata cannot be read any more.

    Source: RFC 6749 §4.1.2.1.
    """
    if store is None:
        return False
    metadata = await run(discover(client.provider))
    issuer = metadata.issuer or ""
    kept = await OpenStore(store).registrations(issuer)
    if kept is None or kept.of(client.client_id) is None:
        return False
    if not await run(ends_on_error_page(client, metadata, new_attempt(), redirect_uri)):
        return False
    await remove_registration(issuer, client.client_id, store)
    return True


async def _fitting(
    client: ClientConfig,
    metadata: ServerMetadata,
    redirect_uri: str,
    kept: Registrations | None,
    run: RunFlow,
) -> tuple[Registration | None, Registrations | None]:
    """Return a kept registration that can be used, or changed so that it can; and what is left of all.

    What the server does not know any more, and what has expired, is of no use to any sign-in.
    """
    now, clients = time.time(), () if kept is None else kept.clients
    for one in clients:
        if ends_at(one) <= now and not one.registration_client_uri:
            kept = _without(kept, one)
    usable = [one for one in clients if _authenticates(one, client, metadata)]
    usable.sort(key=lambda one: not _covers(one, client, redirect_uri))
    for one in usable[:MOST_TRIES]:
        found = await _current(one, client, metadata, redirect_uri, run)
        kept = _without(kept, one) if found is None or kept is None else kept.used(found)
        if found is not None and _covers(found, client, redirect_uri) and not is_due(found, now):
            return found, kept
    return None, kept


async def _current(
    registration: Registration,
    client: ClientConfig,
    metadata: ServerMetadata,
    redirect_uri: str,
    run: RunFlow,
) -> Registration | None:
    """Return a registration as the server has it now; None: it has it no longer."""
    if registration.registration_client_uri:
        # A server that does not let it be read may know the client all the same.
        with suppress(LoopbackAuthError):
            return await run(reread(client, metadata, registration, redirect_uri))
    if ends_at(registration) <= time.time():
        return None
    if not _covers(registration, client, redirect_uri) or pushes(client, metadata):
        return registration  # It is not used, or the pushed request will say.
    known = known_to_server(with_registration(client, registration), metadata)
    return registration if await run(known) else None


def _without(kept: Registrations | None, registration: Registration) -> Registrations | None:
    return None if kept is None else kept.without(registration.client_id)


def _authenticates(registration: Registration, client: ClientConfig, metadata: ServerMetadata) -> bool:
    """Return whether a client can authenticate as a kept one does, and is not to do it in another way."""
    method, wanted = registration.client_auth, registered_auth(client, metadata)
    # The server may have chosen another method than the one that was asked for.
    chosen = client.provider.client_auth is None and method in METHODS and wanted in METHODS
    return (chosen or method == wanted) and registration.key_thumbprint == key_thumbprint(client)


def _covers(registration: Registration, client: ClientConfig, redirect_uri: str) -> bool:
    scopes = set(client.scope.split()) <= set(registration.scope.split())
    return scopes and redirect_uri in registration.redirect_uris


def _short_lived(registration: Registration) -> str:
    """Return a warning about a secret that expires soon; empty for any other."""
    left = ends_at(registration) - time.time()
    if left > SOON:
        return ""
    span = f"{left / 3600:.0f} hours" if left >= 7200 else f"{max(left, 0) / 60:.0f} minutes"
    return (
        f"{registration.issuer} has registered this program for {span} only. After that you will have to "
        "sign in again."
    )
