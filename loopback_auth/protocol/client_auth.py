"""Client authentication at the token, revocation and pushed authorization request endpoints.

Decides which method is used, and puts the secret into the request. Refuses to know where the secret is from.

Source: RFC 6749 §2.3; RFC 8414 §2 (`token_endpoint_auth_methods_supported`).
"""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import quote_plus

from loopback_auth.errors import ConfigError, EndpointMissing
from loopback_auth.http_messages import HttpRequest, form_request
from loopback_auth.model import ClientAuth, ClientConfig, ServerMetadata
from loopback_auth.quirks import Quirks
from loopback_auth.records import replace


def client_authentication(client: ClientConfig, metadata: ServerMetadata) -> ClientAuth:
    """Choose the method: the one that the provider declares, else one that the secret and the metadata allow.

    Raises:
        ConfigError: the declared method needs a client secret, and none was given.

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
            f"{client.provider.name} requires {declared}, but no client secret was given.",
            hint="Give the client secret.",
            parameter="client_secret",
        )
    return declared


def authenticated_request(
    url: str, parameters: list[tuple[str, str]], client: ClientConfig, metadata: ServerMetadata
) -> HttpRequest:
    """Build a form POST that authenticates the client by exactly one method.

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
        ConfigError: the client's authentication needs a secret, and none was given.

    Source: RFC 6749 §3.2; differences are the provider's `Quirks`.
    """
    if metadata.token_endpoint is None:
        raise EndpointMissing(
            "The server has no token endpoint.", hint="Give its URL.", parameter="token_endpoint"
        )
    quirks = token_quirks(client)
    identity, headers = _identified(client, metadata)
    members = [*parameters, *quirks.token_parameters, *identity]
    if quirks.token_body == "form":
        return form_request(metadata.token_endpoint, members, (*headers, *quirks.token_headers))
    fixed = (("Content-Type", "application/json"), ("Accept", "application/json"))
    # A repeated parameter, such as `resource`, becomes a list.
    values = {name: [value for one, value in members if one == name] for name, _ in members}
    body = json.dumps({name: found if len(found) > 1 else found[0] for name, found in values.items()})
    return HttpRequest(
        "POST", metadata.token_endpoint, (*fixed, *headers, *quirks.token_headers), body.encode("ascii")
    )


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
        return [], (("Authorization", f"Basic {credentials}"),)
    identity = [("client_id", client.client_id)]
    return (identity if method == "none" else [*identity, ("client_secret", secret)]), ()
