"""Find out where and how to sign in, when only the URL of a protected resource is known.

The resource is asked first: its answer to a request without a token, and its metadata, name the authorization
servers and the scope. Then the first of these servers at which a client can sign in is chosen. Servers of the
Model Context Protocol that are older than RFC 9728 are their own authorization servers.

Which documents are accepted is decided in `protocol.protected_resource` and `protocol.metadata`.

Source: RFC 9728 §5; MCP authorization specification 2025-11-25 and 2025-03-26.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from loopback_auth.effects import Flow, Send, Warn
from loopback_auth.errors import (
    ConfigError,
    EndpointMissing,
    IssuerMismatch,
    LoopbackAuthError,
    ProtocolError,
    TransportError,
)
from loopback_auth.flows.discovery import discover
from loopback_auth.flows.reuse import canonical_resource, is_undecided
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.protocol.answer import came_instead
from loopback_auth.protocol.metadata import is_absent
from loopback_auth.protocol.protected_resource import (
    MOST_SERVERS,
    ProtectedResource,
    check_metadata_url,
    check_resource_identity,
    metadata_place,
    resource_metadata_request,
    resource_metadata_response,
    resource_metadata_urls,
)
from loopback_auth.protocol.resource_servers import (
    check_fit,
    check_named_issuer,
    default_endpoints,
    is_below,
    other_spelling,
    scope_to_request,
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
from loopback_auth.records import replace

METADATA_STEP = "resource metadata request"
MOST_REASONS = 5
"""Servers of which a message says why they were passed over."""

RESOURCE_STEP = "request without a token"


@dataclass(frozen=True, slots=True)
class ResourceFound:
    """What a resource has said.

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


@dataclass(frozen=True, slots=True)
class ResourceAccess:
    """Where and how to sign in for a resource.

    Args:
        resource: identifier that tokens are requested for (RFC 8707).
        metadata: of the chosen authorization server.
        scope: to request, separated by spaces; empty: none is named.
        dpop: the resource demands tokens that are bound to a key (RFC 9449).
        found: what the resource has said.
        passed_over: issuers that were not chosen, and why, as clauses.
    """

    resource: str
    metadata: ServerMetadata
    scope: str
    dpop: bool
    found: ResourceFound
    passed_over: Mapping[str, str] = field(default_factory=dict[str, str])


def find_resource(client: ClientConfig, *, known: Collection[str] = ()) -> Flow[ResourceAccess]:
    """Find out where and how to sign in for the resource of a client.

    Args:
        client: with a `resource_server`.
        known: as in `choose_server`.

    Raises:
        ConfigError: the URL cannot be that of a resource.
        ResourceMismatch: its metadata are about another resource.
        EndpointMissing: it names no authorization server at which a client can sign in.
        ProtocolError, TransportError: it or its servers could not be asked.

    Source: RFC 9728 §5; MCP authorization specification 2025-11-25.
    """
    found = yield from ask_resource(client)
    return (yield from choose_server(client, found, known=known))


def ask_resource(client: ClientConfig) -> Flow[ResourceFound]:
    """Ask a resource what it demands, and for its metadata.

    Raises:
        As `find_resource`.

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


def choose_server(
    client: ClientConfig, found: ResourceFound, *, known: Collection[str] = ()
) -> Flow[ResourceAccess]:
    """Choose the authorization server of a resource at which the client signs in.

    Args:
        client: as in `find_resource`.
        found: what the resource has said.
        known: issuers at which this program has a registration or a sign-in already; they come first.

    Raises:
        As `find_resource`.

    Source: RFC 9728 §7.6; MCP authorization specification 2025-11-25.
    """
    known = frozenset(map(canonical_resource, known))
    issuers, passed_over = _candidates(client, found, known)
    errors: list[LoopbackAuthError] = []
    for issuer in issuers:
        try:
            server = yield from _server(client, found, issuer, known=canonical_resource(issuer) in known)
        except (ConfigError, EndpointMissing, ProtocolError, TransportError) as exc:
            errors.append(exc)
            passed_over[issuer] = exc.message.rstrip(".")
            continue
        if passed_over:
            yield from Warn(f"The resource names servers that were passed over. {_told(passed_over)}.")
        return ResourceAccess(
            resource=found.metadata.resource if found.metadata is not None else client.resource_server,
            metadata=server,
            scope=scope_to_request(client, found.demand, found.metadata, server),
            dpop=(found.demand is not None and found.demand.dpop)
            or (found.metadata is not None and found.metadata.dpop_bound_access_tokens_required),
            found=found,
            passed_over=passed_over,
        )
    if len(passed_over) == len(errors) == 1:
        raise errors[0]
    url = shown_url(client.resource_server)
    message = f"No authorization server of {url} can be used. {_told(passed_over)}."
    if errors and all(isinstance(exc, TransportError) for exc in errors):
        raise TransportError(message, hint=errors[0].hint, parameter="resource_server")
    raise EndpointMissing(message, hint=CHECK_RESOURCE, parameter="resource_server")


def _candidates(
    client: ClientConfig, found: ResourceFound, known: Collection[str]
) -> tuple[list[str], dict[str, str]]:
    """Return the issuers to ask, best first, and those that are not asked, with reasons."""
    wanted = None if is_undecided(client) else client.provider.metadata.issuer
    if wanted is not None and found.metadata is None:
        return [wanted], {}  # The resource says nothing that would contradict.
    others = () if wanted is None else [one for one in found.issuers if one != wanted]
    passed_over = dict.fromkeys(others, "this client is at another server")
    listed = [one for one in found.issuers if one not in passed_over]
    passed_over.update(dict.fromkeys(listed[MOST_SERVERS:], f"{MOST_SERVERS} others come before it"))
    return sorted(listed[:MOST_SERVERS], key=lambda one: canonical_resource(one) not in known), passed_over


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


def _server(client: ClientConfig, found: ResourceFound, issuer: str, *, known: bool) -> Flow[ServerMetadata]:
    """Return the metadata of an authorization server, or say why it cannot be used."""
    check_named_issuer(issuer, by=client.resource_server, allowed=client.provider.network.allow_private)
    provider = replace(
        client.provider,
        metadata=replace(client.provider.metadata, issuer=issuer),
        allowed_issuer=client.provider.allowed_issuer or other_spelling(issuer),
    )
    try:
        server = yield from _discovered(provider, legacy=found.metadata is None)
    except EndpointMissing as exc:
        if found.metadata is None:
            return default_endpoints(issuer)
        exc.hint, exc.parameter = CHECK_RESOURCE, "resource_server"
        raise
    except ProtocolError as exc:
        if exc.parameter != "allow_private":
            exc.hint, exc.parameter = CHECK_RESOURCE, "resource_server"
        raise
    check_fit(client, server, known=known)
    return server


def _discovered(provider: Provider, *, legacy: bool) -> Flow[ServerMetadata]:
    """Return the metadata of an authorization server.

    Args:
        provider: with the issuer.
        legacy: the issuer is only the origin of the resource, which has not named its own.

    Source: RFC 8414 §3; MCP authorization specification 2025-03-26, "Authorization Base URL".
    """
    also = ("code_challenge_methods_supported",)
    try:
        return (yield from discover(provider, also=also, of_resource=True))
    except IssuerMismatch as exc:
        # Nothing says that the issuer has no path, and what is at the origin may speak for all of it.
        named = exc.received.strip("'")
        if not legacy or not is_below(named, exc.expected):
            raise
    return (yield from discover(replace(provider, allowed_issuer=named), also=also, of_resource=True))


def _told(passed_over: Mapping[str, str]) -> str:
    reasons = [f"{ascii(issuer)[1:-1][:120]}: {why}" for issuer, why in passed_over.items()]
    rest = len(reasons) - MOST_REASONS
    return "; ".join(reasons[:MOST_REASONS] + [f"and {rest} more"] * (rest > 0))
