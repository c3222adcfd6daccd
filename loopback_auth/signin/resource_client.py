"""Complete a client of which only a resource is known, while the browser of a sign-in is on its way.

What the resource says is judged in `flows.resource`; this module asks it over the connections of the sign-in.

Source: RFC 9728 §5.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from loopback_auth.errors import StoreError
from loopback_auth.events import Notify, Preparing
from loopback_auth.flows.address import ask_address
from loopback_auth.flows.resource import choose_server, with_access
from loopback_auth.flows.reuse import as_issuer, as_resource, is_undecided, why_foreign
from loopback_auth.model import ClientConfig, Redirect, ServerMetadata
from loopback_auth.network.threads import check_asyncio, run_sync
from loopback_auth.program import Program
from loopback_auth.protocol.protected_resource import MOST_SERVERS
from loopback_auth.protocol.urls import shown_url
from loopback_auth.records import replace
from loopback_auth.signin.driver import Driver, RunFlow
from loopback_auth.signin.notifier import Notifier
from loopback_auth.signin.option_checks import check_addresses
from loopback_auth.signin.registering import registered
from loopback_auth.signin.resources import Resources
from loopback_auth.signin.stores import OpenStore, Store
from loopback_auth.store.interface import check_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Unpack

    from loopback_auth.model import ClientFields


async def client_for_resource(
    url: str,
    *,
    client_id: str = "",
    title: str = "",
    redirect: Redirect = Redirect(),  # noqa: B008 - it cannot change
    store: Store | None = None,
    notify: Notify | None = None,
    **fields: Unpack[ClientFields],
) -> ClientConfig:
    """Return a client for a protected resource, such as an MCP server, and find its authorization server now.

    `ClientConfig.for_resource` returns one that finds it when a sign-in begins, and asks nothing where a kept
    sign-in is still good. This one lets a program look at the server, the scope and the resource first. The
    client ID, if none is given, is still got when the sign-in begins.

    Args:
        url: of the resource; it begins with https://, or with http:// on this machine.
        client_id: as in `ClientConfig.for_resource`.
        title: as in `ClientConfig.for_resource`.
        redirect: as in `ClientConfig.for_resource`.
        store: of several authorization servers, one with a sign-in or a registration in this store is taken
            first. None: the one that the resource lists first.
        notify: called with warnings; a plain function or a coroutine function. None: they are ignored.
        fields: further fields of `ClientConfig`. Without a scope, the resource says which one is requested.

    Raises:
        ConfigError: a value cannot be used.
        ResourceMismatch: the resource's metadata are about another resource.
        EndpointMissing: the resource names no authorization server at which a client can sign in.
        LoopbackAuthError: the resource or its servers could not be asked.

    Source: RFC 9728 §3, §5; RFC 8707 §2.
    """
    check_asyncio()
    client = ClientConfig.for_resource(url, client_id=client_id, title=title, redirect=redirect, **fields)
    check_addresses(client)
    if store is not None:
        check_store(store)
    async with (
        Notifier(notify) as notifier,
        Resources(
            notify=notifier.tell, exchanges=notifier.listens, network=client.provider.network
        ) as resources,
    ):
        return await with_server(client, Driver(resources).run, store, notifier.tell)


def client_for_resource_sync(
    url: str,
    *,
    client_id: str = "",
    title: str = "",
    redirect: Redirect = Redirect(),  # noqa: B008 - it cannot change
    store: Store | None = None,
    notify: Notify | None = None,
    **fields: Unpack[ClientFields],
) -> ClientConfig:
    """Return what `client_for_resource` returns, from code without an event loop, or while one is running."""
    return run_sync(
        lambda: client_for_resource(
            url, client_id=client_id, title=title, redirect=redirect, store=store, notify=notify, **fields
        )
    )


def knows_server(client: ClientConfig) -> bool:
    """Return whether a client need not ask a resource for its authorization server."""
    return not client.resource_server or client.provider.metadata.token_endpoint is not None


async def completed(
    client: ClientConfig,
    run: RunFlow,
    *,
    redirect_uri: str,
    store: Store | None,
    program: Program | None,
    notify: Notify,
) -> ClientConfig:
    """Return a client that knows its authorization server and its client ID.

    Args:
        client: of which perhaps only the resource is known.
        run: runs the flows.
        redirect_uri: of this sign-in, to be registered; empty: it has none.
        store: where the sign-in will be kept, and registrations are.
        program: that a server registers.
        notify: called with what is done.

    Raises:
        LoopbackAuthError: see `flows.resource.find_resource` and `signin.registering.registered`.

    Source: RFC 9728 §5.
    """
    client = await with_server(client, run, store, notify)
    return await registered(client, redirect_uri, run, store, program, notify=notify)


async def with_server(
    client: ClientConfig, run: RunFlow, store: Store | None, notify: Notify
) -> ClientConfig:
    """Return a client that knows its authorization server.

    Args:
        client: as in `completed`.
        run: runs the flows.
        store: as in `completed`.
        notify: called with what is done.
    """
    if knows_server(client):
        return client
    # With a client ID the address is most likely an issuer, which needs no such word.
    if not (client.client_id and is_undecided(client)):
        notify(Preparing("resource", shown_url(client.resource_server)))
    found = await run(ask_address(client))
    if isinstance(found, ServerMetadata):
        client = as_issuer(client)
        return replace(client, provider=replace(client.provider, metadata=found))
    client = as_resource(client) if is_undecided(client) else client
    known = await _known_issuers(client, found.issuers, store)
    access = await run(choose_server(client, found, known=known))
    notify(Preparing("server", access.metadata.issuer or ""))
    return with_access(client, access)


async def _known_issuers(client: ClientConfig, issuers: Sequence[str], store: Store | None) -> list[str]:
    """Return the issuers where the user has signed in for this resource, or this program is registered.

    What cannot be read counts as none: a sign-in that is damaged, or has lost its key, is to be replaced.
    """
    if store is None:
        return []
    opened = OpenStore(store)
    with suppress(StoreError):
        kept = await opened.load(client.provider.name)
        if kept is not None and not why_foreign(kept, client) and kept.metadata.issuer:
            return [kept.metadata.issuer]
    if client.client_id or len(issuers) == 1:
        return []
    with suppress(StoreError):
        return [one for one in issuers[:MOST_SERVERS] if await opened.registrations(one) is not None]
    return []
