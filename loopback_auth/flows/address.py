"""Decide whether an address is that of a resource or of an issuer: people have one, and need not know which.

A client without an ID is most likely for a resource: it is one if it publishes metadata (RFC 9728) or
demands a token by a challenge. A client ID belongs to an authorization server, so that its metadata (RFC
8414) are looked for first. What is neither gets the error about a resource.

Source: RFC 9728 §3, §5.1; RFC 8414 §3; OpenID Connect Discovery 1.0 §4.
"""

from __future__ import annotations

from loopback_auth.effects import Flow
from loopback_auth.errors import EndpointMissing
from loopback_auth.flows.discovery import discover
from loopback_auth.flows.resource_answer import ResourceFound, ask_resource
from loopback_auth.flows.reuse import as_issuer, as_resource, is_undecided
from loopback_auth.model import ClientConfig, ServerMetadata

NEITHER = (
    "Check the spelling of the address, to the last slash. An API or an MCP server has the address to which "
    "its clients send requests, an authorization server its issuer."
)


def ask_address(client: ClientConfig) -> Flow[ResourceFound | ServerMetadata]:
    """Ask an address what it is: what a resource says, or the metadata of an issuer.

    Args:
        client: with a `resource_server`; without doubt about it, that is asked alone.

    Raises:
        EndpointMissing: it is neither.
        LoopbackAuthError: as `flows.resource_answer.ask_resource` and `flows.discovery.discover`.

    Source: RFC 9728 §3, §5.1; RFC 8414 §3.
    """
    if not is_undecided(client):
        return (yield from ask_resource(client))
    if client.client_id:
        metadata = yield from _issuer(client)
        return metadata or (yield from _resource(client))
    found = yield from _asked(client)
    if isinstance(found, ResourceFound) and is_resource(found):
        return found
    metadata = yield from _issuer(client)
    if metadata is not None:
        return metadata
    if isinstance(found, EndpointMissing):
        raise _neither(client, found)
    return found


def is_resource(found: ResourceFound) -> bool:
    """Return whether an address is certainly a resource: it says so, and not only that it refuses a visit.

    Source: RFC 9728 §3, §5.1; RFC 9110 §11.6.1.
    """
    return found.metadata is not None or (found.demand is not None and found.demand.challenged)


def _resource(client: ClientConfig) -> Flow[ResourceFound]:
    found = yield from _asked(client)
    if isinstance(found, EndpointMissing):
        raise _neither(client, found)
    return found


def _asked(client: ClientConfig) -> Flow[ResourceFound | EndpointMissing]:
    try:
        return (yield from ask_resource(as_resource(client)))
    except EndpointMissing as exc:
        return exc


def _issuer(client: ClientConfig) -> Flow[ServerMetadata | None]:
    """Return the metadata of an issuer; None when the address publishes none."""
    try:
        return (yield from discover(as_issuer(client).provider))
    except EndpointMissing:
        return None


def _neither(client: ClientConfig, why: EndpointMissing) -> EndpointMissing:
    return EndpointMissing(
        f"{why.message.rstrip('.')}. Nor does it publish metadata of an authorization server (RFC 8414).",
        hint=NEITHER,
        parameter="resource_server issuer",
    )
