"""Complete a client of which only a resource is known, while the browser of a sign-in is on its way.

What the resource says is judged in `flows.resource`; this module asks it over the connections of the sign-in.

Source: RFC 9728 §5.
"""

from __future__ import annotations

from loopback_auth.flows.resource import ResourceAccess, find_resource
from loopback_auth.model import ClientConfig
from loopback_auth.program import Program
from loopback_auth.records import replace
from loopback_auth.signin.driver import Driver
from loopback_auth.signin.registering import registered
from loopback_auth.signin.resources import Resources
from loopback_auth.signin.stores import Store


def is_resolved(client: ClientConfig) -> bool:
    """Return whether a client knows its authorization server and its client ID."""
    known = not client.resource_server or client.provider.metadata.token_endpoint is not None
    return known and (bool(client.client_id) or client.client_metadata is None)


async def resolved(
    client: ClientConfig, resources: Resources, store: Store | None, program: Program | None
) -> ClientConfig:
    """Return a client that knows its authorization server and its client ID.

    Args:
        client: of which perhaps only the resource is known.
        resources: of the sign-in: its port, and its connections.
        store: where the sign-in will be kept, and registrations are.
        program: that a server registers.

    Raises:
        LoopbackAuthError: see `flows.resource.find_resource` and `signin.registering.registered`.

    Source: RFC 9728 §5.
    """
    if is_resolved(client):
        return client
    bound = await resources.port(client.provider.redirect)
    if client.resource_server and client.provider.metadata.token_endpoint is None:
        access = await Driver(resources).run(find_resource(client))
        client = with_access(client, access)
    return await registered(client, bound.redirect_uri, resources, store, program)


def with_access(client: ClientConfig, access: ResourceAccess) -> ClientConfig:
    """Return a client with what was found about its resource.

    Source: RFC 8707 §2; RFC 9728 §2.
    """
    return replace(
        client,
        provider=replace(client.provider, metadata=access.metadata),
        resource=client.resource or (access.resource,),
        scope=access.scope,
        dpop=client.dpop if client.dpop is not None else access.dpop or None,
    )
