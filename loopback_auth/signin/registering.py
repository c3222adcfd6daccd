"""Give a client that has no client ID one: its document, a kept registration, or a new one.

A registration is kept, under the lock of the store, before the browser is led on: a process that is killed
then has registered something that the next one finds. What a server registers, and what a program accepts, is
decided in `protocol.registration`.

Source: RFC 7591; RFC 7592; draft-ietf-oauth-client-id-metadata-document.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from loopback_auth.flows.discovery import discover
from loopback_auth.flows.registration import register, reread
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.narrow import NAME_LIMIT
from loopback_auth.network.threads import to_the_end
from loopback_auth.program import Program
from loopback_auth.protocol.client_id_document import client_by_document
from loopback_auth.protocol.registration import registered_auth
from loopback_auth.records import replace
from loopback_auth.registration import Registration, Registrations
from loopback_auth.signin.driver import RunFlow
from loopback_auth.signin.stores import ENDING_SECONDS, OpenStore, Store
from loopback_auth.store.registration_files import registration_name

WAIT_SECONDS = 120.0
"""That another process may take to register at the same server."""


async def registered(
    client: ClientConfig,
    redirect_uri: str,
    run: RunFlow,
    store: Store | None,
    program: Program | None,
) -> ClientConfig:
    """Return a client with a client ID: the given one, its document's, that of a registration.

    Args:
        client: that may have none.
        redirect_uri: that is bound, to be registered exactly so.
        run: runs the flows, over the connections of the sign-in.
        store: where registrations are kept; None: the registration is for this sign-in alone.
        program: whose name a server shows to the user.

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
    name = program.name if program is not None else ""
    issuer = metadata.issuer or ""
    if store is None:
        alone = await run(register(client, metadata, redirect_uri, name=name))
        return with_registration(client, alone)
    opened = OpenStore(store)
    async with registration_lock(opened, issuer):
        kept = await opened.registrations(issuer)
        made = await _fitting(client, metadata, redirect_uri, kept, run)
        if made is None:
            made = await run(register(client, metadata, redirect_uri, name=name))
        await to_the_end(_keep(opened, made, kept), ENDING_SECONDS)
    return with_registration(client, made)


@asynccontextmanager
async def registration_lock(store: OpenStore, issuer: str) -> AsyncGenerator[None]:
    """Hold the lock on the registrations at an issuer.

    Raises:
        StoreError: it was not free in time, or the store failed.
    """
    name = f"registration-{registration_name(issuer)}"
    async with store.locked(name[:NAME_LIMIT], WAIT_SECONDS):
        yield


def with_registration(client: ClientConfig, registration: Registration) -> ClientConfig:
    """Return a client as it is registered."""
    return replace(
        client,
        client_id=registration.client_id,
        client_secret=registration.client_secret,
        provider=replace(client.provider, client_auth=registration.client_auth),
    )


async def _fitting(
    client: ClientConfig,
    metadata: ServerMetadata,
    redirect_uri: str,
    kept: Registrations | None,
    run: RunFlow,
) -> Registration | None:
    """Return the first kept registration that can be used, or be changed so that it can."""
    now = time.time()
    usable = [
        one for one in (kept.clients if kept is not None else ()) if _usable(one, client, metadata, now)
    ]
    usable.sort(key=lambda one: not _covers(one, client, redirect_uri))
    for one in usable:
        if one.registration_client_uri:
            found = await run(reread(client, metadata, one, redirect_uri))
            if found is not None:
                return found
        elif _covers(one, client, redirect_uri):
            return one
    return None


def _usable(registration: Registration, client: ClientConfig, metadata: ServerMetadata, now: float) -> bool:
    expires_at = registration.client_secret_expires_at
    wanted = registered_auth(client, metadata)
    return (expires_at is None or expires_at > now) and (
        registration.client_auth == wanted or client.provider.client_auth is None
    )


def _covers(registration: Registration, client: ClientConfig, redirect_uri: str) -> bool:
    scopes = set(client.scope.split()) <= set(registration.scope.split())
    return scopes and redirect_uri in registration.redirect_uris


async def _keep(store: OpenStore, registration: Registration, kept: Registrations | None) -> None:
    kept = kept.used(registration) if kept is not None else Registrations((registration,))
    await store.keep_registrations(registration.issuer, kept)
