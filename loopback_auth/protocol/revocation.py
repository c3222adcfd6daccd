"""Giving up tokens at the server.

Source: RFC 7009.
"""

from __future__ import annotations

from typing import Literal

from loopback_auth.errors import RevocationError, TransportError
from loopback_auth.model import ClientConfig, HttpRequest, HttpResponse, ServerMetadata, SignIn
from loopback_auth.protocol.answer import said
from loopback_auth.protocol.client_auth import authenticated_request

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
        ConfigError: the client's authentication needs a secret that is not there.

    Source: RFC 7009 §2.1.
    """
    if metadata.revocation_endpoint is None:
        return None
    parameters = [("token", token), ("token_type_hint", token_type_hint)]
    return authenticated_request(metadata.revocation_endpoint, parameters, client, metadata)


def vendor_revocation_request(sign_in: SignIn) -> HttpRequest:
    """Build the request by which a vendor without RFC 7009 lets the holder of a token give it up.

    Source: RFC 6750 §2.1 (the token goes into the header); the address is the ticket contract's.
    """
    headers = (("Accept", "application/json"), ("Authorization", f"Bearer {sign_in.tokens.access_token}"))
    return HttpRequest(sign_in.revoke_method, sign_in.revoke_url, headers)


def vendor_revocation_response(answer: HttpResponse) -> None:
    """Return when the token that authorized the vendor's own request is dead.

    Raises:
        RevocationError: the server refused.
        TransportError: it failed, or answered something else.

    Source: RFC 6750 §3.1 (401: the token is not, or no longer, one).
    """
    if is_of_a_dead_token(answer):
        return
    if not 200 <= answer.status < 300:
        revocation_response(answer)
    elif words := said(answer).error:
        raise RevocationError(words, said(answer).description)


def is_of_a_dead_token(answer: HttpResponse) -> bool:
    """Return whether a vendor's answer says that the token which authorized the request is none any more.

    Slack says everything with 200.

    Source: RFC 6750 §3.1; https://docs.slack.dev/reference/methods/auth.revoke (its errors).
    """
    return answer.status == 401 or (answer.status == 200 and said(answer).error in DEAD_TOKENS)


def revocation_response(answer: HttpResponse) -> None:
    """Return when the token is dead; 200 also answers for tokens that were unknown.

    Raises:
        RevocationError: the server refused.
        TransportError: it failed, or answered something else.

    Source: RFC 7009 §2.2 (an invalid token is no error: it is as dead as it shall be), §2.2.1.
    """
    # RFC 7009 asks for 200; Okta and others answer 204.
    if answer.status in (200, 204):
        return
    if 400 <= answer.status < 500 and answer.status not in (408, 429):
        words = said(answer)
        if words.error == "invalid_token":
            return
        raise RevocationError(words.error or f"HTTP status {answer.status}", words.description)
    raise TransportError(
        f"The token was not revoked: HTTP status {answer.status}",
        hint="Remove the authorization on the server's own web page.",
    )
