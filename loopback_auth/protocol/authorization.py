"""Build the authorization request, for every response type.

The request carries all that later steps compare with, so that they look up nothing anywhere else (RFC 9700
§4.4.2). Also decided here: the response mode, and what to say about PKCE. This module refuses to know how the
browser is started.

Source: RFC 6749 §4.1.1, §4.2.1; RFC 7636 §4.3; OAuth 2.0 Multiple Response Types; OpenID Connect Core 1.0 §3.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from loopback_auth.authorization_messages import Attempt, AuthorizationRequest
from loopback_auth.errors import ConfigError, EndpointMissing
from loopback_auth.model import ClientConfig, ResponseMode, ServerMetadata
from loopback_auth.protocol.pkce import code_challenge
from loopback_auth.protocol.request_checks import check_extra, check_response_mode, default_mode, is_signed
from loopback_auth.protocol.urls import check_resource


def authorization_request(
    client: ClientConfig, metadata: ServerMetadata, attempt: Attempt, *, redirect_uri: str
) -> AuthorizationRequest:
    """Build the request that the browser carries to the authorization server.

    State is sent even with PKCE: it shows that an error response is not forged, and it protects against
    an attacker who removes the challenge on the way (RFC 9700 §4.8.2).

    Raises:
        EndpointMissing: the server has no authorization endpoint, or no token endpoint for what follows.
        ConfigError: an extra parameter would replace one of ours, or a resource is not an absolute URI.

    Source: RFC 6749 §4.1.1; RFC 7636 §4.3; RFC 8707 §2; RFC 9449 §10; RFC 9470 §4.
    """
    types = tuple(client.response_type.split())
    endpoint = _authorization_endpoint(metadata, types)
    mode = response_mode(client, metadata)
    verifier = attempt.code_verifier if client.provider.pkce and "code" in types else None
    nonce = attempt.nonce if _sends_nonce(client, types, pkce=verifier is not None) else None
    parameters = [
        ("response_type", client.response_type),
        ("client_id", client.client_id),
        ("redirect_uri", redirect_uri),
        ("state", attempt.state),
    ]
    if verifier is not None:
        parameters += [("code_challenge", code_challenge(verifier)), ("code_challenge_method", "S256")]
    scope = client.provider.scope_separator.join(_scopes(client))
    optional = {
        client.provider.quirks.scope_parameter: scope,
        "nonce": nonce,
        "response_mode": None if _goes_without_saying(mode, client) else mode,
        "audience": client.audience,
        "prompt": client.prompt,
        "login_hint": client.login_hint,
        "acr_values": client.acr_values,
        "max_age": None if client.max_age is None else str(client.max_age),
        "dpop_jkt": _thumbprint(attempt, client) if "code" in types else None,
    }
    parameters += [(name, value) for name, value in optional.items() if value]
    parameters += [("resource", check_resource(resource)) for resource in client.resource]
    parameters = _with_extra(parameters, client)
    return AuthorizationRequest(
        url=with_parameters(endpoint, parameters),
        parameters=tuple(parameters),
        redirect_uri=redirect_uri,
        response_type=client.response_type,
        response_mode=mode,
        state=attempt.state,
        code_verifier=verifier,
        nonce=nonce,
        metadata=metadata,
        mode_demanded=client.response_mode is not None,
    )


def _authorization_endpoint(metadata: ServerMetadata, types: tuple[str, ...]) -> str:
    """Return the endpoint, if the server has all those that the flow needs.

    This is checked before the person is asked, not afterwards.
    """
    if metadata.authorization_endpoint is None:
        raise EndpointMissing(
            "The server has no authorization endpoint.",
            hint="Choose another flow, or give its URL.",
            parameter="flow authorization_endpoint",
        )
    if "code" in types and metadata.token_endpoint is None:
        raise EndpointMissing(
            "The server has no token endpoint.", hint="Give its URL.", parameter="token_endpoint"
        )
    return metadata.authorization_endpoint


def _sends_nonce(client: ClientConfig, types: tuple[str, ...], *, pkce: bool) -> bool:
    """Return whether a nonce is sent: without one, an ID token from the browser could be replayed.

    If a server is known to omit the nonce in its ID token, PKCE protects a code against the same attack; an
    ID token from the browser has no other protection.

    Source: OpenID Connect Core 1.0 §3.2.2.1; RFC 9700 §4.5.3.
    """
    wants_id_token = "id_token" in types or ("code" in types and "openid" in client.scope.split())
    needless = not client.provider.quirks.nonce and types == ("code",) and pkce
    return wants_id_token and not needless


def _thumbprint(attempt: Attempt, client: ClientConfig) -> str | None:
    """Return what binds the code to the key of the tokens (RFC 9449 §10)."""
    if not attempt.dpop_key or client.dpop is False:
        return None
    from loopback_auth.protocol.dpop import thumbprint  # Start-up.

    return thumbprint(attempt.dpop_key)


def _scopes(client: ClientConfig) -> list[str]:
    """Return the scopes to request; `openid` where an ID token is requested without any scope.

    Source: OpenID Connect Core 1.0 §3.2.2.1, §3.1.2.1.
    """
    given = client.scope.split()
    return given or ["openid"] * ("id_token" in client.response_type.split())


def response_mode(client: ClientConfig, metadata: ServerMetadata) -> ResponseMode:
    """Choose the response mode: `form_post` when the server lists it, else the default of the response type.

    The body of a form leaves nothing in the browser's history, in the address bar or in a Referer header.

    Raises:
        ConfigError: the user demanded a mode that the server does not list, or tokens in the query.

    Source: OAuth 2.0 Form Post Response Mode §2; OAuth 2.0 Multiple Response Types §3; RFC 9700 §4.3.1.
    """
    supported = metadata.response_modes_supported
    usual = default_mode(client.response_type)
    if client.response_mode is None:
        return "form_post" if supported is not None and "form_post" in supported else usual
    # The server has `query` and `fragment` without listing them (RFC 8414 §2).
    optional = client.response_mode == "form_post" or is_signed(client.response_mode)
    if optional and metadata.discovered and client.response_mode not in (supported or ()):
        raise ConfigError(
            f"The server does not list {client.response_mode} among its response modes.",
            hint=f"Leave the response mode out, or use {usual}.",
            parameter="response_mode",
        )
    check_response_mode(client.response_type, client.response_mode)
    return client.response_mode


def _goes_without_saying(mode: ResponseMode, client: ClientConfig) -> bool:
    # Some servers answer in the query where a fragment is the default, so a mode that the user demands is
    # sent. With `token` there is no choice (RFC 6749 §4.2.2).
    demanded = mode == client.response_mode == "fragment" and client.response_type != "token"
    return mode == default_mode(client.response_type) and not demanded


def pkce_doubt(client: ClientConfig, metadata: ServerMetadata) -> str:
    """Return a sentence about what weakens PKCE with this server; empty when nothing does.

    The challenge is sent anyway, because servers ignore what they do not know (RFC 7636 §5).

    Source: RFC 9700 §2.1.1; RFC 8414 §2 (`code_challenge_methods_supported`).
    """
    if not client.provider.pkce:
        return f"PKCE is switched off for {client.provider.name}: anyone who steals the code can exchange it."
    methods = metadata.code_challenge_methods_supported
    if metadata.discovered and "S256" not in (methods or ()):
        return "The server does not announce PKCE with S256; it is used anyway and may be ignored."
    return ""


def with_parameters(endpoint: str, parameters: list[tuple[str, str]]) -> str:
    """Add parameters to the URL of an endpoint, which may have a query already.

    Raises:
        ConfigError: the query has one of the parameters already.

    Source: RFC 6749 §3.1.
    """
    # RFC 6749 §3.1: the query component of the endpoint MUST be retained, and no parameter may be repeated.
    query = urlsplit(endpoint).query
    present = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    clash = sorted(present.intersection(name for name, _ in parameters))
    if clash:
        raise ConfigError(
            f"The authorization endpoint already carries {', '.join(clash)}.",
            hint="Remove that parameter from the endpoint's address.",
            parameter="authorization_endpoint",
        )
    joint = "" if endpoint.endswith(("?", "&")) else "&" if query else "?"
    return endpoint + joint + urlencode(parameters, quote_via=quote)


def _with_extra(parameters: list[tuple[str, str]], client: ClientConfig) -> list[tuple[str, str]]:
    check_extra(client.extra, (name for name, _ in parameters))
    return [*parameters, *client.extra.items()]
