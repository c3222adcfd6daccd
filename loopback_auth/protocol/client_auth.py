"""Client authentication at the token, revocation and pushed authorization request endpoints.

Decides which method is used and to which URL the request goes, and puts the secret into the request; what the
client signs is added when the request is sent (`protocol.client_assertion`). Refuses to know where the secret
is from.

Source: RFC 6749 §2.3; RFC 8414 §2 (`token_endpoint_auth_methods_supported`); RFC 7523 §2.2; RFC 8705 §2, §5.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote_plus

from loopback_auth.errors import ConfigError, EndpointMissing
from loopback_auth.http_messages import HttpRequest, form_request
from loopback_auth.model import ClientAuth, ClientConfig, ServerMetadata
from loopback_auth.quirks import Quirks
from loopback_auth.records import replace

NEEDS: Mapping[ClientAuth, tuple[str, str]] = {
    "client_secret_basic": ("client_secret", "client secret"),
    "client_secret_post": ("client_secret", "client secret"),
    "private_key_jwt": ("private_key", "private key"),
    "tls_client_auth": ("client_cert", "client certificate"),
    "self_signed_tls_client_auth": ("client_cert", "client certificate"),
}
"""What each method needs: its field of `ClientConfig` or `Network`, and its name for people."""


def client_authentication(client: ClientConfig, metadata: ServerMetadata) -> ClientAuth:
    """Choose the method: the one that the provider declares, else one that the secret and the metadata allow.

    Raises:
        ConfigError: the declared method needs a client secret, a private key or a certificate, and none was
            given.

    Source: RFC 6749 §2.3.1 (servers must support Basic); RFC 8414 §2.
    """
    declared = client.provider.client_auth
    if declared is None:
        return _fitting(client, metadata.token_endpoint_auth_methods_supported)
    given = {
        "client_secret": client.client_secret,
        "private_key": client.private_key,
        "client_cert": client.provider.network.client_cert,
    }
    parameter, what = NEEDS.get(declared, ("", ""))
    if parameter and not given[parameter]:
        raise ConfigError(
            f"{client.provider.name} requires {declared}, but no {what} was given.",
            hint=f"Give the {what}.",
            parameter=parameter,
        )
    return declared


def _fitting(client: ClientConfig, supported: tuple[str, ...] | None) -> ClientAuth:
    if client.client_secret is not None:
        if supported is None or "client_secret_basic" in supported or "client_secret_post" not in supported:
            return "client_secret_basic"
        return "client_secret_post"
    # A public client may have a key as well, to sign its requests (RFC 9101).
    if client.private_key is not None and (supported is None or "private_key_jwt" in supported):
        return "private_key_jwt"
    return "none"


def check_client_authentication(client: ClientConfig, metadata: ServerMetadata) -> None:
    """Refuse a client that cannot authenticate, before the user is asked.

    Raises:
        ConfigError: a secret, a key or a certificate is missing, or the key cannot be used at this server.

    Source: RFC 6749 §2.3; RFC 8414 §2 (`token_endpoint_auth_signing_alg_values_supported`).
    """
    if client_authentication(client, metadata) == "private_key_jwt":
        from loopback_auth.protocol.client_assertion import check_assertable  # Few clients have a key.

        check_assertable(client, metadata)


def endpoint_url(client: ClientConfig, metadata: ServerMetadata, name: str) -> str | None:
    """Return the URL of an endpoint for a client: the alias where the client shows a certificate.

    Args:
        client: that requests it.
        metadata: of the server.
        name: of the endpoint in the metadata.

    Source: RFC 8705 §5 (an alias MUST be used by a client that intends to do mutual TLS).
    """
    url: str | None = getattr(metadata, name)
    return metadata.mtls_endpoint_aliases.get(name, url) if client.provider.network.client_cert else url


def authenticated_request(
    url: str, parameters: list[tuple[str, str]], client: ClientConfig, metadata: ServerMetadata
) -> HttpRequest:
    """Build a form POST that authenticates the client by exactly one method.

    With `private_key_jwt` it only names the client: `flows.sending` adds an assertion each time it is sent.

    Source: RFC 6749 §2.3.1 (form-encode both halves before Basic), §3.2.1 (`client_id` of public clients).
    """
    identity, headers = _identified(client, metadata)
    return form_request(url, parameters + identity, headers)


def token_endpoint_request(
    parameters: list[tuple[str, str]], client: ClientConfig, metadata: ServerMetadata
) -> HttpRequest:
    """Build a request to the token endpoint, in the form that the provider requires.

    Raises:
        EndpointMissing: the server has no token endpoint.
        ConfigError: see `client_authentication`.

    Source: RFC 6749 §3.2; differences are the provider's `Quirks`.
    """
    url = endpoint_url(client, metadata, "token_endpoint")
    if url is None:
        raise EndpointMissing(
            "The server has no token endpoint.", hint="Give its URL.", parameter="token_endpoint"
        )
    quirks = token_quirks(client)
    identity, headers = _identified(client, metadata)
    members = [*parameters, *quirks.token_parameters, *identity]
    if quirks.token_body == "form":
        return form_request(url, members, (*headers, *quirks.token_headers))
    fixed = (("Content-Type", "application/json"), ("Accept", "application/json"))
    # A repeated parameter, such as `resource`, becomes a list.
    values = {name: [value for one, value in members if one == name] for name, _ in members}
    body = json.dumps({name: found if len(found) > 1 else found[0] for name, found in values.items()})
    return HttpRequest("POST", url, (*fixed, *headers, *quirks.token_headers), body.encode("ascii"))


def token_quirks(client: ClientConfig) -> Quirks:
    """Return the provider's quirks together with what the client adds to requests for tokens.

    Source: RFC 6749 §3.2 (unrecognized parameters are ignored); RFC 9110 §5.1 (case of header names).
    """
    quirks = client.provider.quirks
    if not client.token_parameters and not client.token_headers:
        return quirks
    headers = {name.lower(): (name, value) for name, value in quirks.token_headers}
    headers |= {name.lower(): (name, value) for name, value in client.token_headers.items()}
    parameters = {**dict(quirks.token_parameters), **client.token_parameters}
    return replace(quirks, token_parameters=tuple(parameters.items()), token_headers=tuple(headers.values()))


def _identified(
    client: ClientConfig, metadata: ServerMetadata
) -> tuple[list[tuple[str, str]], tuple[tuple[str, str], ...]]:
    """Return the parameters and the headers that authenticate the client."""
    method = client_authentication(client, metadata)
    secret = client.client_secret or ""
    if method == "client_secret_basic":
        pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}"
        credentials = b64encode(pair.encode("ascii")).decode("ascii")
        # RFC 6749 §3.2.1 lets it name itself in the body, too. Servers that are made with the MCP Python SDK
        # look for it there, whatever authenticates it (`mcp.server.auth.middleware.client_auth`).
        named = [("client_id", client.client_id)] if client.resource_server else []
        return named, (("Authorization", f"Basic {credentials}"),)
    # RFC 8705 §2 and RFC 6749 §3.2.1 require client_id, and RFC 7521 §4.2 allows it.
    identity = [("client_id", client.client_id)]
    return ([*identity, ("client_secret", secret)] if method == "client_secret_post" else identity), ()
