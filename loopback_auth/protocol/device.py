"""The device authorization grant: the person approves on any device, we ask until they have.

Source: RFC 8628.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.approval import DeviceGrant, Pending
from loopback_auth.errors import (
    ConfigError,
    DeviceError,
    EndpointMissing,
    MalformedResponse,
    TokenError,
    TransportError,
)
from loopback_auth.model import ClientConfig, HttpRequest, HttpResponse, ServerMetadata
from loopback_auth.protocol.client_auth import authenticated_request
from loopback_auth.protocol.json import is_json, parse_object, text_member
from loopback_auth.protocol.polling import DEFAULT_INTERVAL, unanswered, wait_wanted
from loopback_auth.protocol.token import token_document
from loopback_auth.protocol.urls import check_browser_url
from loopback_auth.redact import error_code, server_text

SOURCE = "RFC 8628 §3.2"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
SHORTEST_INTERVAL, LONGEST_INTERVAL = 1.0, 60.0
LONGEST_LIFETIME = 3600.0
CODE_LIMIT = 64
FINAL = frozenset({"access_denied", "expired_token", "invalid_grant"})
"""Codes that are believed whatever the status says."""


def device_authorization_request(client: ClientConfig, metadata: ServerMetadata) -> HttpRequest:
    """Build the request for a device code and a user code.

    Raises:
        EndpointMissing: the server has no device authorization endpoint.

    Source: RFC 8628 §3.1.
    """
    if metadata.device_authorization_endpoint is None:
        raise EndpointMissing(
            "The server has no device authorization endpoint.",
            hint="Use another flow, or give --device-authorization-endpoint.",
        )
    scope = client.provider.scope_separator.join(client.scope.split())
    parameters = [("scope", scope)] if scope else []
    parameters += [("resource", resource) for resource in client.resource]
    if client.audience:
        parameters.append(("audience", client.audience))
    return authenticated_request(metadata.device_authorization_endpoint, parameters, client, metadata)


def device_authorization_response(answer: HttpResponse) -> DeviceGrant:
    """Check what the server gave us to show and to ask with.

    An interval that is missing is 5 s, an absurd one is bent into 1 to 60 s; Google's `verification_url`
    is read as what it means.

    Raises:
        DeviceError: the server refused.
        TransportError: no answer but a failure of the server or of something before it.
        MalformedResponse: something required is missing, or the address cannot be shown to a person.

    Source: RFC 8628 §3.2, §5.2.
    """
    if not is_json(answer):
        if answer.status >= 500 or answer.status == 429:
            raise TransportError(
                f"The device authorization endpoint is not well: HTTP status {answer.status}",
                hint="Try again in a few minutes.",
            )
        raise _malformed(f"HTTP status {answer.status} without JSON")
    document = parse_object(answer.body, what="device authorization response", source=SOURCE)
    if error := text_member(document, "error"):
        raise DeviceError(
            error_code(error),
            server_text(text_member(document, "error_description")),
            server_text(text_member(document, "error_uri")),
        )
    device_code = text_member(document, "device_code")
    user_code = server_text(text_member(document, "user_code"), CODE_LIMIT)
    uri = text_member(document, "verification_uri") or text_member(document, "verification_url")
    complete = text_member(document, "verification_uri_complete")
    if answer.status != 200 or not device_code.isprintable() or not (device_code and user_code and uri):
        raise _malformed(
            f"HTTP status {answer.status}, or device_code, user_code or verification_uri missing"
        )
    try:
        check_browser_url(uri)
        complete = check_browser_url(complete) if complete else ""
    except ConfigError as exc:
        raise _malformed(exc.message) from exc
    lifetime = _seconds(document, "expires_in")
    if lifetime is None or lifetime <= 0:
        raise _malformed("expires_in is missing")
    interval = _seconds(document, "interval")
    return DeviceGrant(
        device_code=device_code,
        user_code=user_code,
        verification_uri=uri,
        verification_uri_complete=complete,
        interval=DEFAULT_INTERVAL
        if interval is None
        else min(max(interval, SHORTEST_INTERVAL), LONGEST_INTERVAL),
        lifetime=min(lifetime, LONGEST_LIFETIME),
        obtained_at=answer.received_at,
    )


def device_token_request(client: ClientConfig, metadata: ServerMetadata, grant: DeviceGrant) -> HttpRequest:
    """Build one poll.

    Raises:
        EndpointMissing: the server has no token endpoint.

    Source: RFC 8628 §3.4.
    """
    if metadata.token_endpoint is None:
        raise EndpointMissing("The server has no token endpoint.", hint="Give it with --token-endpoint.")
    parameters = [("grant_type", GRANT_TYPE), ("device_code", grant.device_code)]
    return authenticated_request(metadata.token_endpoint, parameters, client, metadata)


def device_token_response(answer: HttpResponse) -> Pending | HttpResponse:
    """Judge one poll: not yet, or the very answer, as a token response still to be checked.

    Raises:
        DeviceError: denied, expired, or any other refusal; all of them end the polling.
        MalformedResponse: something that is no answer, and not one of the troubles that pass.

    Source: RFC 8628 §3.5.
    """
    # What is said comes before the status: Auth0 says `slow_down` with 429, and pending with 403.
    try:
        token_document(answer)
    except TokenError as exc:
        if exc.error == "authorization_pending":
            return Pending(retry_after=wait_wanted(answer))
        if exc.error == "slow_down":
            return Pending(slow_down=True, retry_after=wait_wanted(answer))
        trouble = None if exc.error in FINAL else unanswered(answer)
        if trouble is None:
            raise DeviceError(exc.error, exc.error_description, exc.error_uri) from exc
        return trouble
    except (MalformedResponse, TransportError):
        trouble = unanswered(answer)
        if trouble is None:
            raise
        return trouble
    return answer


def _seconds(document: Mapping[str, object], name: str) -> float | None:
    value = document.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(max(min(value, 10**9), -1))


def _malformed(detail: str) -> MalformedResponse:
    return MalformedResponse(f"The device authorization response is malformed: {detail}", source=SOURCE)
