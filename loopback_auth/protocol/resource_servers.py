"""Which authorization server of a resource can be used, and which scope is requested there.

Source: RFC 9728 §7.6, §7.7; MCP authorization specification 2025-11-25 and 2025-03-26.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.json import strings_member
from loopback_auth.protocol.protected_resource import ProtectedResource, TokenDemand
from loopback_auth.protocol.urls import check_issuer, leads_inside

OFFLINE = "offline_access"


def server_trouble(client: ClientConfig, issuer: str) -> str:
    """Return why an issuer that a resource names must not be asked, as a clause; empty when it may be.

    Source: RFC 8414 §2; RFC 9728 §7.7.
    """
    try:
        check_issuer(issuer)
    except ConfigError as exc:
        return exc.message.rstrip(".")
    if leads_inside(issuer, by=client.resource_server, allowed=client.provider.network.allow_private):
        return "it is on this machine or in its network, and the resource is not"
    return ""


def why_unfit(client: ClientConfig, server: ServerMetadata) -> str:
    """Return why a client cannot sign in at a server, as a clause; empty when it can.

    Source: MCP authorization specification 2025-11-25, "Authorization Code Protection": without PKCE in the
    metadata, a client must not go on.
    """
    methods = server.code_challenge_methods_supported or ()
    if server.authorization_endpoint is not None and "S256" not in methods:
        return "its metadata do not announce PKCE with S256 (code_challenge_methods_supported)"
    if server.authorization_endpoint is None and server.device_authorization_endpoint is None:
        return "its metadata name no authorization endpoint"
    if server.token_endpoint is None:
        return "its metadata name no token endpoint"
    return (
        "" if client.client_id or _gives_client_ids(client, server) else "it registers no clients by itself"
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

    What the client wants comes first, then what the challenge names, then all that the resource supports. A
    refresh token is asked for by `offline_access`, but only if the server lists that scope.

    Source: MCP authorization specification 2025-11-25, "Scope Selection Strategy"; OpenID Connect Core §11.
    """
    if client.scope:
        return client.scope
    wanted = demand.scope.split() if demand is not None else []
    if not wanted and resource is not None:
        wanted = list(resource.scopes_supported or ())
    wanted = [scope for scope in wanted if scope != OFFLINE]
    listed = strings_member(server.document, "scopes_supported") or ()
    return " ".join([*wanted, OFFLINE] if wanted and OFFLINE in listed else wanted)
