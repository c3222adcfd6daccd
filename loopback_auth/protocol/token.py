"""The token endpoint: a code or a refresh token goes in, tokens or a refusal come out.

A code is sent once and to the endpoint that belongs to its issuer; whether to send it again after trouble is
no question here, because the answer is always no (RFC 6749 §4.1.2: single use).

Source: RFC 6749 §4.1.3, §5.1, §5.2, §6; RFC 7636 §4.5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from loopback_auth.errors import MalformedResponse, TokenError
from loopback_auth.model import (
    AuthorizationResponse,
    ClientConfig,
    HttpRequest,
    HttpResponse,
    ServerMetadata,
    TokenSet,
)
from loopback_auth.protocol.answer import check_well, members_of, refused
from loopback_auth.protocol.client_auth import token_endpoint_request
from loopback_auth.protocol.json import member, number
from loopback_auth.protocol.scope import scope_words
from loopback_auth.quirks import NO_QUIRKS, Quirks
from loopback_auth.redact import server_text

SOURCE = "RFC 6749 §5.1"
LONGEST_LIFETIME = 10 * 365 * 86400
"""Seconds; a longer `expires_in` is a mistake."""

UNTOLD = "none"
"""Among the token types of a provider: it does not tell any."""
HINT = "Check --token-endpoint: is this the token endpoint of an OAuth server?"
CODE_SPENT = "Sign in again {when}; the code of this try is spent."
STILL_KEPT = "Nothing is lost: the sign-in is kept."


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What a token response gave.

    Args:
        tokens: without ID token and account.
        members: of the object that the access token is in, for further checks.
        warnings: what differs from the standard and was understood all the same.
    """

    tokens: TokenSet
    members: Mapping[str, object] = field(repr=False)
    warnings: tuple[str, ...] = ()


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
    return token_endpoint_request(parameters, client, request.metadata)


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
    return token_endpoint_request(parameters, client, metadata)


def token_response(
    answer: HttpResponse, *, requested_scope: str, quirks: Quirks = NO_QUIRKS, renewal: bool = False
) -> TokenAnswer:
    """Check a token response.

    Args:
        answer: untrusted; its `received_at` is when the lifetime begins.
        requested_scope: what was asked for, space separated.
        quirks: where the provider differs.
        renewal: it answers a refresh request, for the words of a hint.

    Raises:
        TokenError: the server refused, whatever the status (some answer 200).
        TransportError: no OAuth answer but a failure of the server or of something before it.
        MalformedResponse: the answer cannot be a token response.

    Source: RFC 6749 §5.1, §5.2, §7.1, appendix A.12-A.17.
    """
    document = token_document(answer, renewal=renewal)
    return token_set(document, obtained_at=answer.received_at, requested_scope=requested_scope, quirks=quirks)


def token_set(
    document: Mapping[str, object], *, obtained_at: float, requested_scope: str, quirks: Quirks = NO_QUIRKS
) -> TokenAnswer:
    """Check the members of a token response, whether they came as JSON or as parameters of a fragment.

    A lifetime or a scope that cannot be read counts as not told, a refresh token that cannot be used as
    missing, and a token type that is missing as Bearer: to refuse would cost a sign-in that a person has
    approved, and protects nobody.

    Args:
        document: untrusted.
        obtained_at: Unix seconds, when the lifetime begins.
        requested_scope: what was asked for, space separated.
        quirks: where the provider differs.

    Raises:
        MalformedResponse: they cannot be a token response.

    Source: RFC 6749 §4.2.2, §5.1, §7.1, appendix A.12-A.17.
    """
    members = _holder(document, quirks)
    access_token = members.get(quirks.access_token_path.rpartition(".")[2])
    if access_token is None or access_token == "":
        raise _malformed(f"it has no {quirks.access_token_path}")
    if not _is_token(access_token):
        raise _malformed(f"{quirks.access_token_path} is not a string of printable ASCII")
    warnings = list(_check_type(members, quirks))
    lifetime = _lifetime(members.get("expires_in"))
    if lifetime is None and members.get("expires_in") not in (None, "", 0, "0"):
        warnings.append("The server tells the lifetime of the token in a way that cannot be read.")
    # Bitbucket calls it `scopes`.
    told = members.get("scope", members.get("scopes"))
    scope = scope_words(told, asked=requested_scope)
    if scope is None and told is not None:
        warnings.append("The server tells the granted scope in a way that cannot be read.")
    refresh_token = members.get("refresh_token") or None
    if refresh_token is not None and not _is_token(refresh_token):
        refresh_token = None
        warnings.append("The server sent a refresh token that cannot be used.")
    tokens = TokenSet(
        access_token=access_token,
        token_type="Bearer",
        obtained_at=obtained_at,
        expires_at=None if lifetime is None else obtained_at + lifetime,
        refresh_token=refresh_token,
        scope=" ".join(requested_scope.split() if scope is None else scope),
    )
    return TokenAnswer(tokens, members, tuple(warnings))


def token_document(answer: HttpResponse, *, renewal: bool = False) -> Mapping[str, object]:
    """Return the members of a token endpoint's answer, or raise what it says.

    Raises:
        TokenError: an error response.
        TransportError: the server, or something before it, could not answer.
        MalformedResponse: a redirect, something that cannot be read, or a failure that says nothing.

    Source: RFC 6749 §5.1, §5.2.
    """
    if 300 <= answer.status < 400:
        raise MalformedResponse(
            "The token endpoint answered with a redirect, which is not followed: what was sent is secret",
            source="RFC 6749 §3.2",
            hint="Check --token-endpoint; it may have moved.",
        )
    check_well(answer, "token endpoint", hint=f"{STILL_KEPT} Try again {{when}}." if renewal else CODE_SPENT)
    document = members_of(answer, what="token response", source=SOURCE, hint=HINT)
    if (said_no := refused(document, answer)) is not None:
        raise TokenError(said_no.error, said_no.description, said_no.uri)
    if not 200 <= answer.status < 300 or document.get("error"):
        raise _malformed(f"HTTP status {answer.status} without a readable error code")
    return document


def _holder(document: Mapping[str, object], quirks: Quirks) -> Mapping[str, object]:
    """Return the object that the access token is in; where it is not, the whole, as in renewals at Slack."""
    path, _, name = quirks.access_token_path.rpartition(".")
    holder = member(document, path) if path else document
    return holder if isinstance(holder, Mapping) and name in holder else document


def _check_type(members: Mapping[str, object], quirks: Quirks) -> tuple[str, ...]:
    token_type = members.get("token_type")
    if token_type is None or token_type == "":
        # Said once, by the provider's row, and not at every sign-in.
        return (
            ()
            if UNTOLD in quirks.token_types
            else ("The server does not say of which type the token is; it is taken for Bearer.",)
        )
    # RFC 6749 §7.1: a client MUST NOT use a token whose type it does not understand.
    word = token_type.strip().lower() if isinstance(token_type, str) else ""
    if word != "bearer" and word not in map(str.lower, quirks.token_types):
        raise MalformedResponse(
            f"The token type is not one that can be used here: {server_text(str(token_type), 40)!a}",
            source="RFC 6749 §7.1",
            hint="Name it in token_types of the provider's table, if such tokens are used like Bearer ones.",
        )
    return ()


def _is_token(value: object) -> TypeGuard[str]:
    # A line break in a token becomes a second header line wherever the token is used (CVE-2024-50338).
    return isinstance(value, str) and value.isascii() and value.isprintable() and not value.isspace()


def _lifetime(value: object) -> float | None:
    seconds = number(value)
    # A token that is good for no time would be of no use: servers mean "for ever", or do not know.
    return float(math.floor(min(seconds, LONGEST_LIFETIME))) or None if seconds is not None else None


def _malformed(detail: str) -> MalformedResponse:
    return MalformedResponse(f"The token response is malformed: {detail}", source=SOURCE, hint=HINT)
