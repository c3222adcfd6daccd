"""Pushed authorization requests: the parameters go to the server directly, the browser carries a reference.

Source: RFC 9126.
"""

from __future__ import annotations

from dataclasses import replace

from loopback_auth.errors import ConfigError, EndpointMissing, MalformedResponse, PushedAuthorizationError
from loopback_auth.model import AuthorizationRequest, ClientConfig, HttpRequest, HttpResponse, ServerMetadata
from loopback_auth.protocol.authorization import with_parameters
from loopback_auth.protocol.client_auth import authenticated_request, client_authentication
from loopback_auth.protocol.json import is_json, parse_object, text_member
from loopback_auth.redact import error_code, server_text


def pushes(client: ClientConfig, metadata: ServerMetadata) -> bool:
    """Decide whether the request is pushed to the server before the browser leaves.

    Raises:
        EndpointMissing: a push was demanded of a server without that endpoint.
        ConfigError: the server requires a push and it was forbidden.

    Source: RFC 9126 §4, §5.
    """
    required = metadata.require_pushed_authorization_requests
    if required and client.push is False:
        raise ConfigError(
            "The server requires pushed authorization requests, but they were switched off.",
            hint="Leave --no-push out.",
        )
    if not (required or client.push):
        return False
    if metadata.pushed_authorization_request_endpoint is None:
        raise EndpointMissing(
            "The server has no pushed authorization request endpoint.",
            hint="Leave --push out, or give --pushed-authorization-request-endpoint.",
        )
    return True


def pushed_authorization_request(client: ClientConfig, request: AuthorizationRequest) -> HttpRequest:
    """Build the request that hands the parameters over directly.

    Source: RFC 9126 §2.1.
    """
    metadata = request.metadata
    endpoint = metadata.pushed_authorization_request_endpoint or ""
    parameters = list(request.parameters)
    # RFC 9126 §2.1: the body has a client_id with Basic too; the other methods add it themselves.
    if client_authentication(client, metadata) != "client_secret_basic":
        parameters = [(name, value) for name, value in parameters if name != "client_id"]
    return authenticated_request(endpoint, parameters, client, metadata)


def pushed_authorization_response(
    client: ClientConfig, request: AuthorizationRequest, answer: HttpResponse
) -> AuthorizationRequest:
    """Return the request with a URL that holds a reference only.

    Raises:
        PushedAuthorizationError: the server refused the parameters.
        MalformedResponse: the answer is not 201 with a `request_uri`.

    Source: RFC 9126 §2.2, §2.3, §4.
    """
    what, source = "pushed authorization response", "RFC 9126 §2.2"
    hint = "Check --pushed-authorization-request-endpoint, or leave --push out."
    if not is_json(answer):
        raise MalformedResponse(
            f"The {what} is no JSON: HTTP status {answer.status}", source=source, hint=hint
        )
    document = parse_object(answer.body, what=what, source=source)
    if error := text_member(document, "error"):
        raise PushedAuthorizationError(
            error_code(error),
            server_text(text_member(document, "error_description")),
            server_text(text_member(document, "error_uri")),
        )
    request_uri = text_member(document, "request_uri")
    if answer.status != 201 or not request_uri:
        raise MalformedResponse(
            f"The {what} has no request_uri: HTTP status {answer.status}", source=source, hint=hint
        )
    parameters = [("client_id", client.client_id), ("request_uri", request_uri)]
    return replace(request, url=with_parameters(request.metadata.authorization_endpoint or "", parameters))
