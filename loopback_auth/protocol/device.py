"""The device authorization grant: the person approves on any device, and the program polls until then.

Each function builds one request or checks one answer; when to poll is decided in `protocol.polling`.

Source: RFC 8628.
"""

from __future__ import annotations

from loopback_auth.device_and_ticket import DeviceGrant, Pending
from loopback_auth.errors import (
    ConfigError,
    DeviceError,
    EndpointMissing,
    MalformedResponse,
    TokenError,
    TransportError,
)
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.answer import check_well, members_of, refusal_in, refused
from loopback_auth.protocol.client_auth import authenticated_request, endpoint_url, token_endpoint_request
from loopback_auth.protocol.json import number, text_member, text_or_digits
from loopback_auth.protocol.polling import DEFAULT_INTERVAL, unanswered, wait_wanted
from loopback_auth.protocol.token import token_document
from loopback_auth.protocol.urls import check_approval_url
from loopback_auth.redact import server_text

SOURCE = "RFC 8628 §3.2"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
SHORTEST_INTERVAL, LONGEST_INTERVAL = 1.0, 60.0
DEFAULT_LIFETIME, LONGEST_LIFETIME = 600.0, 3600.0
CODE_LIMIT = 64
FINAL = frozenset({"access_denied", "authorization_declined", "expired_token", "invalid_grant"})
"""Error codes that count whatever the status is."""


def device_authorization_request(client: ClientConfig, metadata: ServerMetadata) -> HttpRequest:
    """Build the request for a device code and a user code.

    Raises:
        EndpointMissing: the server has no device authorization endpoint.

    Source: RFC 8628 §3.1.
    """
    url = endpoint_url(client, metadata, "device_authorization_endpoint")
    if url is None:
        raise EndpointMissing(
            "The server has no device authorization endpoint.",
            hint="Choose another flow, or give the URL of that endpoint.",
            parameter="flow device_authorization_endpoint",
        )
    scope = client.provider.scope_separator.join(client.scope.split())
    quirks = client.provider.quirks
    parameters = [(quirks.device_scope_parameter or quirks.scope_parameter, scope)] if scope else []
    parameters += [("resource", resource) for resource in client.resource]
    if client.audience:
        parameters.append(("audience", client.audience))
    return authenticated_request(url, parameters, client, metadata)


def device_authorization_response(
    answer: HttpResponse, *, by: str, allowed: tuple[str, ...] = ()
) -> DeviceGrant:
    """Check a device authorization response.

    A missing interval is 5 s, others are limited to 1 to 60 s; a missing lifetime is 10 minutes. Google's
    `verification_url` is read as `verification_uri`. `verification_uri_complete` is optional and is left out
    when it cannot be shown.

    Args:
        answer: untrusted.
        by: the endpoint that answered; a public one must not send the person into their own network.
        allowed: hosts in that network to which it may.

    Raises:
        DeviceError: the server refused.
        TransportError: the server, or a proxy in front of it, failed.
        MalformedResponse: a required member is missing, or the address must not be shown to the person.

    Source: RFC 8628 §3.2, §5.2; RFC 9728 §7.7.
    """
    check_well(answer, "device authorization endpoint")
    document = members_of(answer, what="device authorization response", source=SOURCE)
    if (said_no := refused(document, answer)) is not None:
        raise DeviceError(said_no.error, said_no.description, said_no.uri)
    device_code = text_or_digits(document.get("device_code"))
    # Some servers send a code of digits as a JSON number.
    user_code = server_text(text_or_digits(document.get("user_code")), CODE_LIMIT)
    uri = text_member(document, "verification_uri") or text_member(document, "verification_url")
    if not 200 <= answer.status < 300 or not (device_code and user_code and uri):
        raise _malformed(
            f"HTTP status {answer.status}, or device_code, user_code or verification_uri missing"
        )
    if not device_code.isprintable():
        raise _malformed("its device_code is not printable")
    try:
        check_approval_url(uri, by=by, allowed=allowed)
    except ConfigError as exc:
        raise _malformed(exc.message) from exc
    interval = number(document.get("interval"))
    return DeviceGrant(
        device_code=device_code,
        user_code=user_code,
        verification_uri=uri,
        verification_uri_complete=_complete(text_member(document, "verification_uri_complete"), by, allowed),
        interval=DEFAULT_INTERVAL
        if interval is None
        else min(max(interval, SHORTEST_INTERVAL), LONGEST_INTERVAL),
        lifetime=min(number(document.get("expires_in")) or DEFAULT_LIFETIME, LONGEST_LIFETIME),
        obtained_at=answer.received_at,
    )


def device_token_request(client: ClientConfig, metadata: ServerMetadata, grant: DeviceGrant) -> HttpRequest:
    """Build the token request that polls once.

    Raises:
        EndpointMissing: the server has no token endpoint.

    Source: RFC 8628 §3.4.
    """
    parameters = [("grant_type", GRANT_TYPE), ("device_code", grant.device_code)]
    return token_endpoint_request(parameters, client, metadata)


def device_token_response(answer: HttpResponse) -> Pending | HttpResponse:
    """Check the answer to one poll: `Pending`, or the answer itself, which `token_response` must check.

    Raises:
        DeviceError: denied, expired, or refused for another reason; the polling ends.
        MalformedResponse: the answer is neither a token response nor a failure that may pass.

    Source: RFC 8628 §3.5.
    """
    # The error code counts before the status: Auth0 sends `slow_down` with 429, and pending with 403.
    words = refusal_in(answer)
    if "authorization_pending" in words.codes or words.error.lower() == "pending" or _says_nothing(answer):
        return Pending(retry_after=wait_wanted(answer))
    if "slow_down" in words.codes:
        return Pending(slow_down=True, retry_after=wait_wanted(answer))
    if words.error in FINAL:
        raise DeviceError(words.error, words.description, words.uri)
    if (trouble := unanswered(answer)) is not None:
        return trouble
    try:
        token_document(answer)
    except TokenError as exc:
        raise DeviceError(exc.error, exc.error_description, exc.error_uri) from exc
    except TransportError as exc:
        return Pending(retry_after=exc.retry_after, trouble=exc.message)
    return answer


def _says_nothing(answer: HttpResponse) -> bool:
    """Return whether an answer is a success without content: not done yet (RFC 9110 §15.3.3, §15.3.5)."""
    if not 200 <= answer.status < 300:
        return False
    return answer.body.strip() in (b"", b"{}", b"null") or (
        answer.status == 202 and b"token" not in answer.body
    )


def _complete(url: str, by: str, allowed: tuple[str, ...]) -> str:
    try:
        return check_approval_url(url, by=by, allowed=allowed) if url else ""
    except ConfigError:
        return ""  # RFC 8628 §3.2: it is optional, and verification_uri is there too.


def _malformed(detail: str) -> MalformedResponse:
    return MalformedResponse(
        f"The device authorization response is malformed: {detail}",
        source=SOURCE,
        hint="Choose another flow, or check the URL of the device authorization endpoint.",
        parameter="flow device_authorization_endpoint",
    )
