"""The authorization request, its pushed form, and what may be believed of the answer.

The request carries all that later steps compare with; nothing is looked up anywhere else (RFC 9700 §4.4.2).
How the answer reached us is `protocol.redirect`'s question; this file judges what it says.

Source: RFC 6749 §4.1.1-4.1.2.1; RFC 7636 §4.3; RFC 9126; RFC 9207; OpenID Connect Core 1.0 §3.1.2.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from loopback_auth.errors import (
    AuthorizationError,
    ConfigError,
    EndpointMissing,
    IssuerMismatch,
    MalformedResponse,
    PushedAuthorizationError,
    StateMismatch,
)
from loopback_auth.model import (
    Attempt,
    AuthorizationRequest,
    AuthorizationResponse,
    Callback,
    ClientConfig,
    HttpRequest,
    HttpResponse,
    ResponseMode,
    ServerMetadata,
)
from loopback_auth.protocol.client_auth import authenticated_request, client_authentication
from loopback_auth.protocol.json import is_json, parse_object, text_member
from loopback_auth.protocol.pkce import code_challenge
from loopback_auth.protocol.urls import check_resource
from loopback_auth.redact import error_code, server_text

KNOWN_PARAMETERS = frozenset(
    {
        "access_token",
        "code",
        "error",
        "error_description",
        "error_uri",
        "expires_in",
        "id_token",
        "iss",
        "refresh_token",
        "response",
        "scope",
        "state",
        "token_type",
    }
)
"""Response parameters with a meaning here; a repeated one has two (RFC 6749 §3.1)."""

RESERVED = frozenset(
    {
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "request",
        "request_uri",
        "response_mode",
        "scope",
    }
)
"""Request parameters that are ours even when we leave them out: later checks rely on what was sent."""


def authorization_request(
    client: ClientConfig, metadata: ServerMetadata, attempt: Attempt, *, redirect_uri: str
) -> AuthorizationRequest:
    """Build the request that the browser carries to the authorization server.

    State is sent even with PKCE: it is what tells a genuine error response from a forged one, and it stops
    the removal of the challenge on the way (RFC 9700 §4.8.2).

    Raises:
        EndpointMissing: the server has no authorization endpoint, or no token endpoint for what follows.
        ConfigError: an extra parameter would replace one of ours, or a resource is no absolute URI.

    Source: RFC 6749 §4.1.1; RFC 7636 §4.3; RFC 8707 §2.
    """
    if metadata.authorization_endpoint is None:
        raise EndpointMissing("The server has no authorization endpoint.", hint="Use another flow.")
    if metadata.token_endpoint is None:  # Better known before a person is asked than after.
        raise EndpointMissing("The server has no token endpoint.", hint="Give it with --token-endpoint.")
    mode = response_mode(client, metadata)
    nonce = attempt.nonce if "openid" in client.scope.split() else None
    verifier = attempt.code_verifier if client.provider.pkce else None
    parameters = [
        ("response_type", "code"),
        ("client_id", client.client_id),
        ("redirect_uri", redirect_uri),
        ("state", attempt.state),
    ]
    if verifier is not None:
        parameters += [("code_challenge", code_challenge(verifier)), ("code_challenge_method", "S256")]
    scope = client.provider.scope_separator.join(client.scope.split())
    optional = {
        "scope": scope,
        "nonce": nonce,
        "response_mode": None if mode == "query" else mode,
        "audience": client.audience,
        "prompt": client.prompt,
        "login_hint": client.login_hint,
    }
    parameters += [(name, value) for name, value in optional.items() if value]
    parameters += [("resource", check_resource(resource)) for resource in client.resource]
    return AuthorizationRequest(
        url=_with_parameters(metadata.authorization_endpoint, _with_extra(parameters, client)),
        parameters=tuple(_with_extra(parameters, client)),
        redirect_uri=redirect_uri,
        response_mode=mode,
        state=attempt.state,
        code_verifier=verifier,
        nonce=nonce,
        metadata=metadata,
    )


def response_mode(client: ClientConfig, metadata: ServerMetadata) -> ResponseMode:
    """Choose how the answer travels: by form POST when the server lists it, else in the query.

    A form body leaves nothing in the browser's history, in the address bar or in a Referer header.

    Raises:
        ConfigError: `form_post` was demanded of a server that says it does not know it.

    Source: OAuth 2.0 Form Post Response Mode §2; RFC 9700 §4.2.4, §4.3.1.
    """
    supported = metadata.response_modes_supported
    if client.response_mode == "form_post" and metadata.discovered and "form_post" not in (supported or ()):
        raise ConfigError(
            "The server does not list form_post among its response modes.",
            hint="Leave --response-mode out, or say --response-mode query.",
        )
    if client.response_mode is not None:
        return client.response_mode
    return "form_post" if supported is not None and "form_post" in supported else "query"


def pkce_doubt(client: ClientConfig, metadata: ServerMetadata) -> str:
    """Say in one sentence what weakens PKCE with this server; empty when nothing does.

    The challenge is sent anyway: a server that ignores it does no harm (RFC 7636 §5).

    Source: RFC 9700 §2.1.1; RFC 8414 §2 (`code_challenge_methods_supported`).
    """
    if not client.provider.pkce:
        return f"PKCE is switched off for {client.provider.name}: a stolen code could be redeemed elsewhere."
    methods = metadata.code_challenge_methods_supported
    if metadata.discovered and "S256" not in (methods or ()):
        return "The server does not announce PKCE with S256; it is used anyway and may be ignored."
    return ""


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
    return replace(request, url=_with_parameters(request.metadata.authorization_endpoint or "", parameters))


def authorization_response(request: AuthorizationRequest, callback: Callback) -> AuthorizationResponse:
    """Check an answer against the request that it claims to answer.

    The order matters: first that it is an answer to us (state), then that it has one meaning, then that it
    comes from the right server (iss), and only then what it says; an error is believed no sooner than a code.

    Raises:
        StateMismatch: it answers another request.
        MalformedResponse: a repeated parameter, another response type or mode, no code and no error.
        IssuerMismatch: it comes from another server, or does not say from which although it should.
        AuthorizationError: the server refused.

    Source: RFC 6749 §4.1.2, §4.1.2.1, §10.12; RFC 9207 §2.4; OAuth 2.0 Multiple Response Types §5.
    """
    parameters = {name: value for name, value in callback.parameters if value}
    if not same_secret(parameters.get("state", ""), request.state):
        raise StateMismatch(
            "The answer belongs to another sign-in: its state is not ours",
            source="RFC 6749 §10.12",
            hint="Run the command again and finish in the tab that it opens.",
        )
    _check_single(callback)
    if callback.via != request.response_mode:
        raise MalformedResponse(
            f"The server answered by {callback.via}, but {request.response_mode} was asked for",
            source="OAuth 2.0 Form Post Response Mode §2",
            hint=f"Say --response-mode {callback.via}.",
        )
    _check_issuer(request.metadata, parameters.get("iss"))
    _check_kind(parameters)
    if "error" in parameters:
        raise AuthorizationError(
            error_code(parameters["error"]),
            server_text(parameters.get("error_description", "")),
            server_text(parameters.get("error_uri", "")),
        )
    code = parameters["code"]
    if not all("\x20" <= character <= "\x7e" for character in code):
        raise MalformedResponse(
            "The code has characters outside printable ASCII", source="RFC 6749 appendix A.11"
        )
    return AuthorizationResponse(code=code, request=request)


def same_secret(one: str, other: str) -> bool:
    """Compare two secrets in a time that does not tell where they differ; any text may come in.

    Source: RFC 6749 §10.12 (the state must not be guessable piece by piece).
    """
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _check_single(callback: Callback) -> None:
    names = [name for name, value in callback.parameters if value and name in KNOWN_PARAMETERS]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise MalformedResponse(
            f"The answer repeats {', '.join(repeated)}",
            source="RFC 6749 §3.1",
            hint="Run the command again; if it stays so, the server or something in between is broken.",
        )


def _check_issuer(metadata: ServerMetadata, iss: str | None) -> None:
    if iss is None:
        if metadata.authorization_response_iss_parameter_supported:
            raise IssuerMismatch(
                "The answer does not say which server it comes from, although this server always does",
                source="RFC 9207 §2.4",
                expected=metadata.issuer or "",
                hint="Do not approve again before you know why: this is what a mix-up attack looks like.",
            )
        return
    if metadata.issuer is not None and iss != metadata.issuer:
        raise IssuerMismatch(
            f"The answer comes from another server: expected {metadata.issuer}, found {server_text(iss)!a}",
            source="RFC 9207 §2.4",
            expected=metadata.issuer,
            received=server_text(iss),
            hint="Do not approve again before you know why: this is what a mix-up attack looks like.",
        )


def _check_kind(parameters: dict[str, str]) -> None:
    def refuse(detail: str, source: str) -> MalformedResponse:
        return MalformedResponse(f"The answer is malformed: {detail}", source=source)

    for name in ("access_token", "id_token", "token_type", "refresh_token", "response"):
        if name in parameters:
            raise refuse(f"{name} was not asked for", "OAuth 2.0 Multiple Response Types §3")
    if "code" in parameters and "error" in parameters:
        raise refuse("both a code and an error", "RFC 6749 §4.1.2")
    if "code" not in parameters and "error" not in parameters:
        raise refuse("neither a code nor an error", "RFC 6749 §4.1.2")


def _with_extra(parameters: list[tuple[str, str]], client: ClientConfig) -> list[tuple[str, str]]:
    clash = sorted(({name for name, _ in parameters} | RESERVED).intersection(client.extra))
    if clash:
        raise ConfigError(
            f"An extra parameter may not replace {', '.join(clash)}.",
            hint="Use the flag of that name, if there is one, instead of --extra.",
        )
    return [*parameters, *client.extra.items()]


def _with_parameters(endpoint: str, parameters: list[tuple[str, str]]) -> str:
    # RFC 6749 §3.1: the query component of the endpoint MUST be retained, and no parameter may be repeated.
    query = urlsplit(endpoint).query
    present = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    clash = sorted(present.intersection(name for name, _ in parameters))
    if clash:
        raise ConfigError(
            f"The authorization endpoint already carries {', '.join(clash)}.",
            hint="Take that parameter out of the endpoint's address.",
        )
    joint = "" if endpoint.endswith(("?", "&")) else "&" if query else "?"
    return endpoint + joint + urlencode(parameters, quote_via=quote)
