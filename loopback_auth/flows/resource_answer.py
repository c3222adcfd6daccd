"""Ask a protected resource what it demands, and for its metadata.

Its answer to a request without a token, and its metadata, name the authorization servers and the scope. Which
documents are accepted is decided in `protocol.protected_resource`.

Source: RFC 9728 §3, §5; MCP authorization specification 2025-11-25 and 2025-03-26.
"""

from __future__ import annotations

from dataclasses import dataclass

from loopback_auth.effects import Flow, Send, Warn
from loopback_auth.errors import ConfigError, EndpointMissing
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.answer import came_instead
from loopback_auth.protocol.metadata import is_absent
from loopback_auth.protocol.protected_resource import (
    ProtectedResource,
    check_metadata_url,
    check_resource_identity,
    metadata_place,
    resource_metadata_request,
    resource_metadata_response,
    resource_metadata_urls,
)
from loopback_auth.protocol.token_demand import (
    CHECK_RESOURCE,
    TokenDemand,
    advice_without_demand,
    challenge_demand,
    initialize_request,
    may_take_post,
    resource_request,
    token_demand,
)
from loopback_auth.protocol.urls import origin, shown_url

METADATA_STEP = "resource metadata request"
RESOURCE_STEP = "request without a token"


@dataclass(frozen=True, slots=True)
class ResourceFound:
    """What a resource has answered, and its metadata.

    Args:
        demand: of its answer to a request without a token; None when it did not ask for one.
        metadata: None when it publishes none.
        at: address of the metadata; empty when there are none.
        issuers: of the authorization servers to choose from, in its order.
    """

    demand: TokenDemand | None
    metadata: ProtectedResource | None
    at: str
    issuers: tuple[str, ...]


def ask_resource(client: ClientConfig) -> Flow[ResourceFound]:
    """Ask a resource what it demands, and for its metadata.

    Args:
        client: with a `resource_server`.

    Raises:
        ConfigError: the URL cannot be that of a resource.
        ResourceMismatch: its metadata are about another resource.
        EndpointMissing: it does not ask for a token, and publishes no metadata.
        ProtocolError, TransportError: it could not be asked.

    Source: RFC 9728 §3, §5; RFC 9110 §11.6.1.
    """
    url = client.resource_server
    answer: HttpResponse | None = None
    demand = challenge_demand(client.challenge) if client.challenge else None
    if demand is None:
        answer = yield from Send(resource_request(url), step=RESOURCE_STEP)
        demand = token_demand(answer)
        if demand is None and may_take_post(answer):
            answer = yield from Send(initialize_request(url), step=RESOURCE_STEP)
            demand = token_demand(answer)
    at, metadata = yield from _metadata(client, demand or TokenDemand())
    # MCP authorization specification 2025-03-26, "Authorization Base URL": the resource without its path.
    itself = (origin(url),)
    if metadata is not None:
        return ResourceFound(demand, metadata, at, metadata.authorization_servers or itself)
    if demand is None and answer is not None:
        raise EndpointMissing(
            f"{shown_url(url)} does not ask for a token, and publishes no metadata (RFC 9728). It answered "
            f"with {came_instead(answer)}.",
            hint=advice_without_demand(answer),
            parameter="resource_server",
        )
    if demand is not None and demand.metadata_url:
        raise EndpointMissing(
            f"The metadata of {shown_url(url)} are neither where it says nor at a well-known address.",
            hint=CHECK_RESOURCE,
            parameter="resource_server",
        )
    return ResourceFound(demand, None, "", itself)


def _metadata(client: ClientConfig, demand: TokenDemand) -> Flow[tuple[str, ProtectedResource | None]]:
    """Return the metadata of a resource and their address: from the challenge, else from a well-known one."""
    url = client.resource_server
    for at in (yield from _places(client, demand)):
        answer = yield from Send(resource_metadata_request(at), step=METADATA_STEP)
        if _is_absent(answer):
            continue
        found = resource_metadata_response(answer, at=at)
        own = metadata_place(found, url=url, at=at)
        if own != at:
            again = yield from Send(resource_metadata_request(own), step=METADATA_STEP)
            parent, found = found.resource, resource_metadata_response(again, at=own)
            check_resource_identity(found, parent)
        return own, found
    return "", None


def _places(client: ClientConfig, demand: TokenDemand) -> Flow[tuple[str, ...]]:
    url, allowed = client.resource_server, client.provider.network.allow_private
    well_known = resource_metadata_urls(url)
    if not demand.metadata_url:
        return well_known
    try:
        first = check_metadata_url(demand.metadata_url, by=url, allowed=allowed)
    except ConfigError as exc:
        if exc.parameter == "allow_private":
            raise
        yield from Warn(f"The resource names an address for its metadata that cannot be used. {exc.message}")
        return well_known
    return tuple(dict.fromkeys((first, *well_known)))


def _is_absent(answer: HttpResponse) -> bool:
    """Return whether there are no metadata at an address, so that the next one is tried."""
    return is_absent(answer, "resource", "authorization_servers")
