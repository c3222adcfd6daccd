"""Which authorization server of a resource can be used, and which scope is requested there.

Source: RFC 9728 §7.6, §7.7; MCP authorization specification 2025-11-25 and 2025-03-26.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from loopback_auth.errors import ConfigError, EndpointMissing, MalformedResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.challenge import token_challenge
from loopback_auth.protocol.json import strings_member
from loopback_auth.protocol.protected_resource import ProtectedResource
from loopback_auth.protocol.scope import union
from loopback_auth.protocol.token_demand import CHECK_RESOURCE, TokenDemand
from loopback_auth.protocol.urls import check_issuer, leads_inside

OFFLINE = "offline_access"


def check_named_issuer(issuer: str, *, by: str, allowed: Collection[str] = ()) -> None:
    """Refuse an issuer that a resource names, and that must not be asked.

    Args:
        issuer: untrusted.
        by: the URL of the resource.
        allowed: as in `leads_inside`.

    Raises:
        MalformedResponse: it is not an issuer, or a public resource names a private address.

    Source: RFC 9728 §2, §7.7; RFC 8414 §2.
    """
    try:
        check_issuer(issuer)
    except ConfigError as exc:
        raise MalformedResponse(
            f"The resource names an authorization server that cannot be one: {exc.message.rstrip('.')}",
            source="RFC 9728 §2",
            hint=CHECK_RESOURCE,
            parameter="resource_server",
        ) from None
    if leads_inside(issuer, by=by, allowed=allowed):
        raise MalformedResponse(
            f"The resource names an authorization server on this machine or in its network: {issuer[:120]}",
            source="RFC 9728 §7.7",
            hint=f"Stop here, unless you know that {urlsplit(issuer).hostname} belongs to your own network: "
            "then allow this host.",
            parameter="allow_private",
        )


def other_spelling(issuer: str) -> str | None:
    """Return an issuer without a path with its final slash added or removed; None where it has a path.

    Resources and servers often disagree about this slash. Both spellings are one URL, so that no other server
    can answer there. From then on the server's own spelling is compared byte for byte.

    Source: RFC 3986 §6.2.3; RFC 8414 §3.3.
    """
    path = issuer.partition("://")[2].partition("/")[2]
    if path:
        return None
    return issuer.removesuffix("/") if issuer.endswith("/") else f"{issuer}/"


def is_below(issuer: str, origin: str) -> bool:
    """Return whether an issuer is at an origin, with a path.

    Args:
        issuer: untrusted.
        origin: without a slash at its end.

    Source: RFC 8414 §2; RFC 6454 §4.
    """
    try:
        check_issuer(issuer)
    except ConfigError:
        return False
    return issuer.startswith(f"{origin}/") and ".." not in issuer


def check_fit(client: ClientConfig, server: ServerMetadata, *, known: bool = False) -> None:
    """Refuse a server at which a client cannot sign in for a resource.

    Args:
        client: that signs in.
        server: its metadata.
        known: the program may have a client ID there already.

    Raises:
        EndpointMissing: the error says what is missing.

    Source: MCP authorization specification 2025-11-25, "Authorization Code Protection": without PKCE in the
    metadata, a client must not go on.
    """
    lacks, parameter = "", "resource_server"
    methods = server.code_challenge_methods_supported or ()
    if server.authorization_endpoint is None and server.device_authorization_endpoint is None:
        lacks = "no authorization endpoint"
    elif server.token_endpoint is None:
        lacks = "no token endpoint"
    elif server.authorization_endpoint is not None and "S256" not in methods:
        lacks = "no PKCE with S256 (code_challenge_methods_supported)"
    elif not (client.client_id or known or _gives_client_ids(client, server)):
        lacks, parameter = "no way for a program to get a client ID", "client_id"
    if lacks:
        raise EndpointMissing(
            f"The metadata of {server.issuer} name {lacks}.",
            hint=f"Register a client there, and give its ID. {CHECK_RESOURCE}"
            if parameter == "client_id"
            else CHECK_RESOURCE,
            parameter=parameter,
        )


def _gives_client_ids(client: ClientConfig, server: ServerMetadata) -> bool:
    document = server.document
    hosted = client.client_metadata is not None and bool(client.client_metadata.url)
    by_document = hosted and document.get("client_id_metadata_document_supported") is True
    return by_document or isinstance(document.get("registration_endpoint"), str)


def default_endpoints(issuer: str) -> ServerMetadata:
    """Return the endpoints of a server that publishes no metadata at all.

    Source: MCP authorization specification 2025-03-26, "Fallbacks for Servers without Metadata Discovery".
    """
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/authorize",
        token_endpoint=f"{issuer}/token",
        document={"registration_endpoint": f"{issuer}/register"},
    )


def scope_to_request(
    client: ClientConfig,
    demand: TokenDemand | None,
    resource: ProtectedResource | None,
    server: ServerMetadata,
) -> str:
    """Return the scope to request, separated by spaces; empty: none.

    What the client wants comes first, then what the challenge names, then all that the resource supports.
    That is added where a token has too little scope, and the challenge does not say which. A refresh token is
    asked for by `offline_access`, but only if the server lists that scope.

    Source: MCP authorization specification 2025-11-25, "Scope Selection Strategy"; OpenID Connect Core §11.
    """
    supported = resource.scopes_supported or () if resource is not None else ()
    if client.scope:
        lacks = token_challenge(client.challenge)
        unnamed = lacks is not None and lacks.error == "insufficient_scope" and not lacks.scope
        return union(client.scope, *supported) if unnamed else client.scope
    wanted = demand.scope.split() if demand is not None else []
    wanted = [scope for scope in wanted or supported if scope != OFFLINE]
    listed = strings_member(server.document, "scopes_supported") or ()
    return " ".join([*wanted, OFFLINE] if wanted and OFFLINE in listed else wanted)
