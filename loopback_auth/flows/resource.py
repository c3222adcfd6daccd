"""Find out where and how to sign in, when only the URL of a protected resource is known.

The resource is asked first, by `resource_answer`. Then the first of its authorization servers at which a
client can sign in is chosen. Servers of the Model Context Protocol that are older than RFC 9728 are their own
authorization servers. Which servers are accepted is decided in `protocol.resource_servers`.

Source: RFC 9728 §5; MCP authorization specification 2025-11-25 and 2025-03-26.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from loopback_auth.effects import Flow, Warn
from loopback_auth.errors import (
    ConfigError,
    EndpointMissing,
    IssuerMismatch,
    LoopbackAuthError,
    ProtocolError,
    TransportError,
)
from loopback_auth.flows.discovery import discover
from loopback_auth.flows.resource_answer import ResourceFound, ask_resource
from loopback_auth.flows.reuse import canonical_resource, is_undecided
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.protocol.protected_resource import MOST_SERVERS
from loopback_auth.protocol.resource_servers import (
    check_fit,
    check_named_issuer,
    default_endpoints,
    is_below,
    other_spelling,
    scope_to_request,
)
from loopback_auth.protocol.token_demand import CHECK_RESOURCE
from loopback_auth.protocol.urls import shown_url
from loopback_auth.records import replace

MOST_REASONS = 5
"""Servers of which a message says why they were passed over."""


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
        # The issuer may have a path, and the document at the origin may speak for every issuer below it.
        named = exc.received.strip("'")
        if not legacy or not is_below(named, exc.expected):
            raise
    return (yield from discover(replace(provider, allowed_issuer=named), also=also, of_resource=True))


def _told(passed_over: Mapping[str, str]) -> str:
    reasons = [f"{ascii(issuer)[1:-1][:120]}: {why}" for issuer, why in passed_over.items()]
    rest = len(reasons) - MOST_REASONS
    return "; ".join(reasons[:MOST_REASONS] + [f"and {rest} more"] * (rest > 0))
