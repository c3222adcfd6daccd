"""Token revocation: the requests and answers of RFC 7009, and of vendors with a request of their own.

Which tokens are revoked, and in which order, is decided in `flows.revocation`.

Source: RFC 7009.
"""

from __future__ import annotations

from typing import Literal

from loopback_auth.errors import RevocationError, TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.answer import refusal_in
from loopback_auth.protocol.client_auth import authenticated_request, endpoint_url
from loopback_auth.tokens import SignIn

DEAD_TOKENS = frozenset({"invalid_auth", "invalid_token", "token_expired", "token_revoked"})


def revocation_request(
    client: ClientConfig,
    metadata: ServerMetadata,
    *,
    token: str,
    token_type_hint: Literal["access_token", "refresh_token"],
) -> HttpRequest | None:
    """Build the request that revokes one token; None when the server has no such endpoint.

    Raises:
        ConfigError: see `client_authentication`.

    Source: RFC 7009 §2.1.
    """
    url = endpoint_url(client, metadata, "revocation_endpoint")
    if url is None:
        return None
    parameters = [("token", token), ("token_type_hint", token_type_hint)]
    return authenticated_request(url, parameters, client, metadata)


def vendor_revocation_request(sign_in: SignIn) -> HttpRequest:
    """Build the revocation request of a vendor that does not support RFC 7009.

    Source: RFC 6750 §2.1, RFC 9449 §7.1 (the token goes into the header); the address is from the sign-in.
    """
    tokens = sign_in.tokens
    headers = (
        ("Accept", "application/json"),
        ("Authorization", f"{tokens.token_type} {tokens.access_token}"),
    )
    return HttpRequest(sign_in.revoke_method, sign_in.revoke_url, headers)


def vendor_revocation_response(answer: HttpResponse) -> None:
    """Check that the vendor has revoked the token that authorized the request.

    Raises:
        RevocationError: the server refused.
        TransportError: the server failed, or answered something else.

    Source: RFC 6750 §3.1 (401: the token is not valid, or no longer).
    """
    if is_of_a_dead_token(answer):
        return
    if not 200 <= answer.status < 300:
        revocation_response(answer)
    elif words := refusal_in(answer).error:
        raise RevocationError(words, refusal_in(answer).description)


def is_of_a_dead_token(answer: HttpResponse) -> bool:
    """Return whether a vendor's answer says that the token in the request is not valid any more.

    Slack uses status 200 for everything.

    Source: RFC 6750 §3.1; https://docs.slack.dev/reference/methods/auth.revoke (its errors).
    """
    return answer.status == 401 or (answer.status == 200 and refusal_in(answer).error in DEAD_TOKENS)


def revocation_response(answer: HttpResponse) -> None:
    """Check that the token is not valid any more; a server also answers 200 for unknown tokens.

    Raises:
        RevocationError: the server refused.
        TransportError: the server failed, or answered something else.

    Source: RFC 7009 §2.2 (an invalid token is not an error), §2.2.1.
    """
    # RFC 7009 requires 200; Okta and others answer 204.
    if answer.status in (200, 204):
        return
    if 400 <= answer.status < 500 and answer.status not in (408, 429):
        words = refusal_in(answer)
        if words.error == "invalid_token":
            return
        raise RevocationError(words.error or f"HTTP status {answer.status}", words.description)
    raise TransportError(
        f"The token was not revoked: HTTP status {answer.status}",
        hint="Remove the authorization on the server's own web page.",
    )
