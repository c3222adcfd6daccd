"""A client as the foreign authorization servers know it."""

from __future__ import annotations

from loopback_auth.model import ClientAuth, ClientConfig, Provider, Redirect, ResponseMode, ServerMetadata


def client(
    issuer: str,
    client_id: str = "native",
    *,
    path: str = "/callback",
    secret: str | None = None,
    client_auth: ClientAuth | None = None,
    scope: str = "openid email",
    response_mode: ResponseMode | None = None,
) -> ClientConfig:
    """Describe a client, by default one that `provider.mjs` knows.

    Args:
        issuer: of the server.
        client_id: that the server knows.
        path: of the redirect URI.
        secret: of a confidential client.
        client_auth: how the secret is sent; None: as the metadata of the server says.
        scope: that is asked for.
        response_mode: how the response comes back; None: as the flow does by default.
    """
    metadata = ServerMetadata(issuer=issuer)
    provider = Provider("foreign", metadata, Redirect(path=path), client_auth=client_auth)
    return ClientConfig(provider, client_id, secret, scope=scope, response_mode=response_mode)
