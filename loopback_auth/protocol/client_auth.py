"""How the client says who it is at the token, revocation and pushed authorization request endpoints.

Source: RFC 6749 §2.3; RFC 8414 §2 (`token_endpoint_auth_methods_supported`).
"""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote_plus

from loopback_auth.errors import ConfigError
from loopback_auth.model import ClientAuth, ClientConfig, HttpRequest, ServerMetadata, form_request


def client_authentication(client: ClientConfig, metadata: ServerMetadata) -> ClientAuth:
    """Choose the method: the one declared for the provider, else what secret and metadata allow.

    Raises:
        ConfigError: the declared method needs a client secret and there is none.

    Source: RFC 6749 §2.3.1 (servers must support Basic); RFC 8414 §2.
    """
    declared = client.provider.client_auth
    if declared is None:
        if client.client_secret is None:
            return "none"
        supported = metadata.token_endpoint_auth_methods_supported
        if supported is None or "client_secret_basic" in supported or "client_secret_post" not in supported:
            return "client_secret_basic"
        return "client_secret_post"
    if declared != "none" and client.client_secret is None:
        raise ConfigError(
            f"{client.provider.name} wants {declared}, but there is no client secret.",
            hint="Set LOOPBACK_AUTH_CLIENT_SECRET, or client_secret in the configuration file.",
        )
    return declared


def authenticated_request(
    url: str, parameters: list[tuple[str, str]], client: ClientConfig, metadata: ServerMetadata
) -> HttpRequest:
    """Build a form POST that carries the client's authentication by exactly one method.

    Source: RFC 6749 §2.3.1 (form-encode both halves before Basic), §3.2.1 (`client_id` of public clients).
    """
    method = client_authentication(client, metadata)
    secret = client.client_secret or ""
    if method == "client_secret_basic":
        pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}"
        credentials = b64encode(pair.encode("ascii")).decode("ascii")
        return form_request(url, parameters, (("Authorization", f"Basic {credentials}"),))
    identity = [("client_id", client.client_id)]
    if method == "client_secret_post":
        identity.append(("client_secret", secret))
    return form_request(url, parameters + identity)
