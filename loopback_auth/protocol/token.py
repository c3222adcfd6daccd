"""The token endpoint: a code or a refresh token goes in, tokens or a refusal come out.

A code is sent once and to the endpoint that belongs to its issuer; whether to send it again after trouble is
no question here, because the answer is always no (RFC 6749 §4.1.2: single use).

Source: RFC 6749 §4.1.3, §5.1, §5.2, §6; RFC 7636 §4.5.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.errors import EndpointMissing, MalformedResponse, TokenError, TransportError
from loopback_auth.model import (
    AuthorizationResponse,
    ClientConfig,
    HttpRequest,
    HttpResponse,
    ServerMetadata,
    TokenSet,
)
from loopback_auth.protocol.client_auth import authenticated_request
from loopback_auth.protocol.json import is_json, parse_object, text_member
from loopback_auth.redact import error_code, server_text

SOURCE = "RFC 6749 §5.1"
LONGEST_LIFETIME = 10 * 365 * 86400
"""Seconds; a longer `expires_in` is a mistake, and a very long one is no float any more."""


def code_token_request(client: ClientConfig, response: AuthorizationResponse) -> HttpRequest:
    """Build the request that redeems a code.

    Args:
        client: who asks.
        response: a checked answer; it carries the redirect URI and the verifier that belong to its code.

    Raises:
        EndpointMissing: the server has no token endpoint.
        ConfigError: the client's authentication needs a secret that is not there.

    Source: RFC 6749 §4.1.3; RFC 7636 §4.5; OAuth 2.1 §10.2 (`redirect_uri` is still expected).
    """
    request = response.request
    parameters = [
        ("grant_type", "authorization_code"),
        ("code", response.code),
        ("redirect_uri", request.redirect_uri),
    ]
    if request.code_verifier is not None:
        parameters.append(("code_verifier", request.code_verifier))
    parameters += [("resource", resource) for resource in client.resource]
    return authenticated_request(_endpoint(request.metadata), parameters, client, request.metadata)


def refresh_request(client: ClientConfig, metadata: ServerMetadata, refresh_token: str) -> HttpRequest:
    """Build the request that renews tokens; the scope is left out, which means "as before".

    Raises:
        EndpointMissing: the server has no token endpoint.
        ConfigError: the client's authentication needs a secret that is not there.

    Source: RFC 6749 §6; RFC 8707 §2.2.
    """
    parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)]
    parameters += [("resource", resource) for resource in client.resource]
    if client.audience:
        parameters.append(("audience", client.audience))
    return authenticated_request(_endpoint(metadata), parameters, client, metadata)


def token_response(answer: HttpResponse, *, requested_scope: str) -> tuple[TokenSet, Mapping[str, object]]:
    """Check a token response.

    Args:
        answer: untrusted; its `received_at` is when the lifetime begins.
        requested_scope: what was asked for, space separated.

    Returns:
        The tokens, without ID token and account, and the whole document for further checks.

    Raises:
        TokenError: the server refused, whatever the status (some answer 200).
        TransportError: no OAuth answer but a failure of the server or of something before it.
        MalformedResponse: the answer cannot be a token response.

    Source: RFC 6749 §5.1, §5.2, §7.1, appendix A.12-A.17.
    """
    document = token_document(answer)
    return token_set(document, obtained_at=answer.received_at, requested_scope=requested_scope), document


def token_set(document: Mapping[str, object], *, obtained_at: float, requested_scope: str) -> TokenSet:
    """Check the members of a token response, whether they came as JSON or as parameters of a fragment.

    Args:
        document: untrusted.
        obtained_at: Unix seconds, when the lifetime begins.
        requested_scope: what was asked for, space separated.

    Raises:
        MalformedResponse: they cannot be a token response.

    Source: RFC 6749 §4.2.2, §5.1, §7.1, appendix A.12-A.17.
    """
    access_token = _token_string(document, "access_token")
    if not access_token:
        raise _malformed("it has no access_token")
    token_type = text_member(document, "token_type")
    if token_type.lower() != "bearer":
        raise MalformedResponse(
            f"The token type is not one that can be used here: {server_text(token_type, 40)!a}",
            source="RFC 6749 §7.1",
            hint="Ask the provider for a client whose tokens are of the type Bearer.",
        )
    scope = document.get("scope")
    if scope is not None and not isinstance(scope, str):
        raise _malformed("scope is not a string")
    lifetime = _lifetime(document.get("expires_in"))
    return TokenSet(
        access_token=access_token,
        token_type="Bearer",
        obtained_at=obtained_at,
        expires_at=None if lifetime is None else obtained_at + lifetime,
        refresh_token=_token_string(document, "refresh_token") or None,
        # An empty scope says as little as none; GitHub sends it for tokens without scopes.
        # Never cut: what was granted is compared with what was asked for, and kept.
        scope=_words(scope.replace(",", " ") if scope else requested_scope),
    )


def token_document(answer: HttpResponse) -> Mapping[str, object]:
    """Return the members of a token endpoint's answer, or raise what it says.

    Raises:
        TokenError: an error response.
        TransportError: status 5xx or 429 without a JSON object.
        MalformedResponse: a redirect, another content type, a malformed object, or a success without 200.

    Source: RFC 6749 §5.1, §5.2.
    """
    if 300 <= answer.status < 400:
        raise MalformedResponse(
            "The token endpoint answered with a redirect, which is not followed: the code stays here",
            source="RFC 6749 §3.2",
            hint="Check --token-endpoint; it may have moved.",
        )
    if not is_json(answer):
        if answer.status >= 500 or answer.status == 429:
            raise TransportError(
                f"The token endpoint is not well: HTTP status {answer.status}",
                hint="Sign in again in a few minutes; the code of this try is spent.",
            )
        kind = server_text(answer.header("content-type"), 60) or "none"
        raise _malformed(f"HTTP status {answer.status} with content type {kind}")
    document = parse_object(answer.body, what="token response", source=SOURCE)
    error = document.get("error")
    if isinstance(error, str) and error:
        raise TokenError(
            error_code(error),
            server_text(text_member(document, "error_description")),
            server_text(text_member(document, "error_uri")),
        )
    if error is not None or answer.status != 200:
        raise _malformed(f"HTTP status {answer.status} without a readable error code")
    return document


def scope_difference(*, requested: str, granted: str) -> str:
    """Say in one sentence how the granted scope differs from the requested one; empty when it does not.

    Source: RFC 6749 §3.3.
    """
    asked, given = set(requested.split()), set(granted.split())
    missing, added = sorted(asked - given), sorted(given - asked)
    parts = []
    if asked and missing:
        parts.append(f"not granted: {' '.join(missing)}")
    if asked and added:
        parts.append(f"granted beyond what was asked: {' '.join(added)}")
    return f"The scope differs: {'; '.join(parts)}." if parts else ""


def _endpoint(metadata: ServerMetadata) -> str:
    if metadata.token_endpoint is None:
        raise EndpointMissing("The server has no token endpoint.", hint="Give it with --token-endpoint.")
    return metadata.token_endpoint


def _token_string(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    if value is None:
        return ""
    # A line break in a token becomes a second header line wherever the token is used (CVE-2024-50338).
    if not isinstance(value, str) or not all("\x20" <= character <= "\x7e" for character in value):
        raise _malformed(f"{name} is not a string of printable ASCII")
    return value


def _words(scope: str) -> str:
    return server_text(scope, max(1, len(scope)))


def _lifetime(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _malformed("expires_in is not a number of seconds")
    return float(min(value, LONGEST_LIFETIME))


def _malformed(detail: str) -> MalformedResponse:
    return MalformedResponse(
        f"The token response is malformed: {detail}",
        source=SOURCE,
        hint="Check --token-endpoint: is this the token endpoint of an OAuth server?",
    )
