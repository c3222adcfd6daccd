"""The token endpoint: requests with a code or a refresh token, answers with tokens or a refusal.

A code is sent once, to the token endpoint of its issuer, and never again after a failure, because it can be
used only once (RFC 6749 §4.1.2). This module refuses to know how an ID token is checked (`protocol.jwt`).

Source: RFC 6749 §4.1.3, §5.1, §5.2, §6; RFC 7636 §4.5.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from loopback_auth.authorization_messages import AuthorizationResponse
from loopback_auth.errors import MalformedResponse, TokenError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.narrow import is_object
from loopback_auth.protocol.answer import check_well, members_of, refused
from loopback_auth.protocol.client_auth import token_endpoint_request
from loopback_auth.protocol.json import member, number
from loopback_auth.protocol.scope import scope_words
from loopback_auth.quirks import NO_QUIRKS, Quirks
from loopback_auth.redact import server_text
from loopback_auth.tokens import DPOP, TokenSet

SOURCE = "RFC 6749 §5.1"
LONGEST_LIFETIME = 10 * 365 * 86400
"""Seconds; a longer `expires_in` is a mistake."""

EXTRA_LIMIT = 16 * 1024
"""Characters of JSON; further members that are longer together are not kept."""
NOT_EXTRA = frozenset(
    {
        *("access_token", "token_type", "expires_in", "refresh_token", "scope", "scopes", "id_token"),
        *("code", "error", "iss", "state"),  # of an authorization response with tokens
    }
)
"""Members beside an access token that have a field of their own, or a meaning for the protocol."""

UNTOLD = "none"
"""The value in `Quirks.token_types` that means: the response has no token type."""
HINT = "Check the URL of the token endpoint: something other than an OAuth server may have answered."
CODE_SPENT = "Sign in again {when}; the code of this attempt cannot be used again."
STILL_KEPT = "The sign-in is kept."


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """A checked token response.

    Args:
        tokens: without ID token and account.
        members: of the object that contains the access token, for further checks.
        warnings: what differs from the standard and was accepted.
    """

    tokens: TokenSet
    members: Mapping[str, object] = field(repr=False)
    warnings: tuple[str, ...] = ()


def code_token_request(client: ClientConfig, response: AuthorizationResponse) -> HttpRequest:
    """Build the token request with a code.

    Args:
        client: that requested the code.
        response: a checked response, with the redirect URI and the verifier that belong to its code.

    Raises:
        EndpointMissing: the server has no token endpoint.
        ConfigError: see `client_authentication`.

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
    """Build the refresh request; it names no scope, which means the same scope as before.

    Raises:
        EndpointMissing: the server has no token endpoint.
        ConfigError: see `client_authentication`.

    Source: RFC 6749 §6; RFC 8707 §2.2.
    """
    parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)]
    parameters += [("resource", resource) for resource in client.resource]
    if client.audience:
        parameters.append(("audience", client.audience))
    return token_endpoint_request(parameters, client, metadata)


def token_response(
    answer: HttpResponse,
    *,
    requested_scope: str,
    quirks: Quirks = NO_QUIRKS,
    renewal: bool = False,
    dpop: bool | None = False,
) -> TokenAnswer:
    """Check a token response.

    Args:
        answer: untrusted; the lifetime begins at its `received_at`.
        requested_scope: separated by spaces.
        quirks: where the provider differs from the RFCs.
        renewal: the request was a refresh request, so that a hint says that the sign-in is kept.
        dpop: the request had a proof, and the token must be bound to its key; None: it need not be; False:
            the request had no proof.

    Raises:
        TokenError: the server refused, with any status (some answer 200).
        TransportError: the server, or a proxy in front of it, failed.
        MalformedResponse: the answer is not a token response.

    Source: RFC 6749 §5.1, §5.2, §7.1, appendix A.12-A.17.
    """
    document = token_document(answer, renewal=renewal)
    return token_set(
        document,
        obtained_at=answer.received_at,
        requested_scope=requested_scope,
        quirks=quirks,
        dpop=dpop,
    )


def token_set(
    document: Mapping[str, object],
    *,
    obtained_at: float,
    requested_scope: str,
    quirks: Quirks = NO_QUIRKS,
    dpop: bool | None = False,
) -> TokenAnswer:
    """Check the members of a token response, from JSON or from the parameters of a fragment.

    An unreadable lifetime or scope counts as not stated, an unusable refresh token as missing, and a missing
    token type as Bearer. Refusing would protect nothing, and the person has already approved.

    Args:
        document: untrusted.
        obtained_at: Unix seconds; the lifetime begins then.
        requested_scope: separated by spaces.
        quirks: where the provider differs from the RFCs.
        dpop: as in `token_response`.

    Raises:
        MalformedResponse: the members are not those of a token response.

    Source: RFC 6749 §4.2.2, §5.1, §7.1, appendix A.12-A.17.
    """
    members = _holder(document, quirks)
    token_name = quirks.access_token_path.rpartition(".")[2]
    access_token = members.get(token_name)
    if access_token is None or access_token == "":
        raise _malformed(f"it has no {quirks.access_token_path}")
    if not _is_token(access_token):
        raise _malformed(f"{quirks.access_token_path} is not a string of printable ASCII")
    bound = dpop is not False and _word(members.get("token_type")) == DPOP.lower()
    if dpop and not bound:
        raise MalformedResponse(
            "The access token is not bound to the key: the server has ignored the proof",
            source="RFC 9449 §5",
            hint="Ask the provider whether it supports DPoP for this client, or switch DPoP off.",
            parameter="dpop",
        )
    warnings = [] if bound else list(_check_type(members, quirks))
    lifetime = _lifetime(members.get("expires_in"))
    if lifetime is None and members.get("expires_in") not in (None, "", 0, "0"):
        warnings.append("The lifetime of the token (expires_in) could not be read.")
    # Bitbucket calls it `scopes`.
    told = members.get("scope", members.get("scopes"))
    scope = scope_words(told, asked=requested_scope)
    if scope is None and told is not None:
        warnings.append("The granted scope could not be read.")
    extra: dict[str, object] = _further(document, members, token_name)
    if len(json.dumps(extra)) > EXTRA_LIMIT:
        extra = {}
        warnings.append("The token response has too many further members; they are not kept.")
    refresh_token = members.get("refresh_token") or None
    if refresh_token is not None and not _is_token(refresh_token):
        refresh_token = None
        warnings.append("The refresh token from the server cannot be used.")
    tokens = TokenSet(
        access_token=access_token,
        token_type=DPOP if bound else "Bearer",
        obtained_at=obtained_at,
        expires_at=None if lifetime is None else obtained_at + lifetime,
        refresh_token=refresh_token,
        scope=" ".join(requested_scope.split() if scope is None else scope),
        extra=extra,
    )
    return TokenAnswer(tokens, members, tuple(warnings))


def token_document(answer: HttpResponse, *, renewal: bool = False) -> Mapping[str, object]:
    """Return the members of the token endpoint's answer, or raise its refusal.

    Raises:
        TokenError: an error response.
        TransportError: the server, or a proxy in front of it, failed.
        MalformedResponse: a redirect, something unreadable, or a failure without an error code.

    Source: RFC 6749 §5.1, §5.2.
    """
    if 300 <= answer.status < 400:
        raise MalformedResponse(
            "The token endpoint answered with a redirect, which is not followed: the request has secrets",
            source="RFC 6749 §3.2",
            hint="Check the URL of the token endpoint, which may have moved.",
            parameter="token_endpoint",
        )
    check_well(answer, "token endpoint", hint=f"{STILL_KEPT} Try again {{when}}." if renewal else CODE_SPENT)
    document = members_of(answer, what="token response", source=SOURCE, hint=HINT, parameter="token_endpoint")
    if (said_no := refused(document, answer)) is not None:
        raise TokenError(said_no.error, said_no.description, said_no.uri)
    if not 200 <= answer.status < 300 or document.get("error"):
        raise _malformed(f"HTTP status {answer.status} without a readable error code")
    return document


def _holder(document: Mapping[str, object], quirks: Quirks) -> Mapping[str, object]:
    """Return the object that should contain the access token, else the whole document (renewals at Slack)."""
    path, _, name = quirks.access_token_path.rpartition(".")
    holder = member(document, path) if path else document
    return holder if is_object(holder) and name in holder else document


def _further(value: object, holder: Mapping[str, object], token: str) -> Any:
    """Return a response without the members that are read from its `holder`, the access token among them."""
    if value is holder:
        return {name: one for name, one in holder.items() if name not in NOT_EXTRA and name != token}
    return {name: _further(one, holder, token) for name, one in value.items()} if is_object(value) else value


def _check_type(members: Mapping[str, object], quirks: Quirks) -> tuple[str, ...]:
    token_type = members.get("token_type")
    if token_type is None or token_type == "":
        # The provider's row says so; a warning at every sign-in would not help.
        return (
            ()
            if UNTOLD in quirks.token_types
            else ("The server does not state the token type; Bearer is assumed.",)
        )
    # RFC 6749 §7.1: a client MUST NOT use a token whose type it does not understand.
    word = _word(token_type)
    if word != "bearer" and word not in map(str.lower, quirks.token_types):
        raise MalformedResponse(
            f"The token type is not supported: {server_text(str(token_type), 40)!a}",
            source="RFC 6749 §7.1",
            hint="If such tokens are used like Bearer tokens, allow this token type for the provider.",
            parameter="token_types",
        )
    return ()


def _word(token_type: object) -> str:
    return token_type.strip().lower() if isinstance(token_type, str) else ""


def _is_token(value: object) -> TypeGuard[str]:
    # A line break in a token would become a second header line where the token is used (CVE-2024-50338).
    return isinstance(value, str) and value.isascii() and value.isprintable() and not value.isspace()


def _lifetime(value: object) -> float | None:
    seconds = number(value)
    # Servers that send 0 mean that the token does not expire, or that they do not know.
    return float(math.floor(min(seconds, LONGEST_LIFETIME))) or None if seconds is not None else None


def _malformed(detail: str) -> MalformedResponse:
    return MalformedResponse(
        f"The token response is malformed: {detail}", source=SOURCE, hint=HINT, parameter="token_endpoint"
    )
