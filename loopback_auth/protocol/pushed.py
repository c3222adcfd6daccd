"""Pushed authorization requests: the program sends the parameters, and the browser carries only a reference.

Source: RFC 9126.
"""

from __future__ import annotations

from dataclasses import replace

from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.errors import ConfigError, EndpointMissing, MalformedResponse, PushedAuthorizationError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.answer import check_well, members_of, refused
from loopback_auth.protocol.authorization import with_parameters
from loopback_auth.protocol.client_auth import authenticated_request, client_authentication, endpoint_url
from loopback_auth.protocol.json import text_member


def pushes(client: ClientConfig, metadata: ServerMetadata) -> bool:
    """Return whether the authorization request is pushed before the browser goes to the server.

    Raises:
        EndpointMissing: the settings demand a push, and the server has no endpoint for it.
        ConfigError: the server requires a push, and the settings forbid it.

    Source: RFC 9126 §4, §5.
    """
    required = metadata.require_pushed_authorization_requests
    if required and client.push is False:
        raise ConfigError(
            "The server requires pushed authorization requests, but they were switched off.",
            hint="Allow them.",
            parameter="push",
        )
    if not (required or client.push):
        return False
    if endpoint_url(client, metadata, "pushed_authorization_request_endpoint") is None:
        raise EndpointMissing(
            "The server has no pushed authorization request endpoint.",
            hint="Send the request without pushing it, or give the URL of that endpoint.",
            parameter="push pushed_authorization_request_endpoint",
        )
    return True


def pushed_authorization_request(client: ClientConfig, request: AuthorizationRequest) -> HttpRequest:
    """Build the request that sends the parameters of the authorization request to the server.

    Source: RFC 9126 §2.1.
    """
    metadata = request.metadata
    endpoint = endpoint_url(client, metadata, "pushed_authorization_request_endpoint") or ""
    parameters = list(request.parameters)
    # RFC 9126 §2.1: the body has client_id with Basic as well; the other methods add it anyway.
    if client_authentication(client, metadata) != "client_secret_basic":
        parameters = [(name, value) for name, value in parameters if name != "client_id"]
    return authenticated_request(endpoint, parameters, client, metadata)


def pushed_authorization_response(
    client: ClientConfig, request: AuthorizationRequest, answer: HttpResponse
) -> AuthorizationRequest:
    """Return the authorization request with a URL that contains only the reference.

    Raises:
        PushedAuthorizationError: the server refused the parameters.
        TransportError: the server failed.
        MalformedResponse: the answer has no usable `request_uri`.

    Source: RFC 9126 §2.2, §2.3, §4.
    """
    what, source = "pushed authorization response", "RFC 9126 §2.2"
    hint = "Check the URL of that endpoint, or send the request without pushing it."
    parameter = "pushed_authorization_request_endpoint push"
    check_well(answer, "pushed authorization request endpoint")
    document = members_of(answer, what=what, source=source, hint=hint, parameter=parameter)
    if (said_no := refused(document, answer)) is not None:
        raise PushedAuthorizationError(said_no.error, said_no.description, said_no.uri)
    request_uri = text_member(document, "request_uri")
    # RFC 9126 §2.2 requires 201; a reference with 200 is accepted as well.
    if not 200 <= answer.status < 300 or not request_uri:
        raise MalformedResponse(
            f"The {what} has no request_uri: HTTP status {answer.status}",
            source=source,
            hint=hint,
            parameter=parameter,
        )
    if not all("\x20" < character < "\x7f" for character in request_uri):
        raise MalformedResponse(
            f"The request_uri of the {what} is not printable ASCII",
            source="RFC 3986 §2",
            hint=hint,
            parameter=parameter,
        )
    parameters = [("client_id", client.client_id), ("request_uri", request_uri)]
    return replace(request, url=with_parameters(request.metadata.authorization_endpoint or "", parameters))
