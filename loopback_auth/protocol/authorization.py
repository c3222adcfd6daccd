"""The authorization request, for every response type.

It carries all that later steps compare with; nothing is looked up anywhere else (RFC 9700 §4.4.2).

Source: RFC 6749 §4.1.1, §4.2.1; RFC 7636 §4.3; OAuth 2.0 Multiple Response Types; OpenID Connect Core 1.0 §3.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from loopback_auth.errors import ConfigError, EndpointMissing
from loopback_auth.model import (
    Attempt,
    AuthorizationRequest,
    ClientConfig,
    ResponseMode,
    ServerMetadata,
)
from loopback_auth.protocol.asking import check_extra, check_response_mode, default_mode
from loopback_auth.protocol.pkce import code_challenge
from loopback_auth.protocol.urls import check_resource


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
    types = client.response_type.split()
    # Better known before a person is asked than after.
    if "code" in types and metadata.token_endpoint is None:
        raise EndpointMissing("The server has no token endpoint.", hint="Give it with --token-endpoint.")
    mode = response_mode(client, metadata)
    # OpenID Connect Core 1.0 §3.2.2.1: without a nonce an ID token from the browser could be anybody's.
    wants_id_token = "id_token" in types or ("code" in types and "openid" in client.scope.split())
    verifier = attempt.code_verifier if client.provider.pkce and "code" in types else None
    # Where a server is known to leave it out of its ID token, PKCE defends a code against the same attack
    # (RFC 9700 §4.5.3); an ID token from the browser has no other defence.
    without = not client.provider.quirks.nonce and types == ["code"] and verifier is not None
    nonce = attempt.nonce if wants_id_token and not without else None
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
    }
    parameters += [(name, value) for name, value in optional.items() if value]
    parameters += [("resource", check_resource(resource)) for resource in client.resource]
    parameters = _with_extra(parameters, client)
    return AuthorizationRequest(
        url=with_parameters(metadata.authorization_endpoint, parameters),
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


def _scopes(client: ClientConfig) -> list[str]:
    """Return the scopes to ask for; an ID token is asked for with `openid`, where nothing else is said.

    Source: OpenID Connect Core 1.0 §3.2.2.1, §3.1.2.1.
    """
    given = client.scope.split()
    return given or ["openid"] * ("id_token" in client.response_type.split())


def response_mode(client: ClientConfig, metadata: ServerMetadata) -> ResponseMode:
    """Choose how the answer travels: by form POST when the server lists it, else as is usual for its type.

    A form body leaves nothing in the browser's history, in the address bar or in a Referer header.

    Raises:
        ConfigError: a mode was demanded that the server says it does not know, or tokens in the query.

    Source: OAuth 2.0 Form Post Response Mode §2; OAuth 2.0 Multiple Response Types §3; RFC 9700 §4.3.1.
    """
    supported = metadata.response_modes_supported
    usual = default_mode(client.response_type)
    if client.response_mode is None:
        return "form_post" if supported is not None and "form_post" in supported else usual
    if client.response_mode == "form_post" and metadata.discovered and "form_post" not in (supported or ()):
        raise ConfigError(
            "The server does not list form_post among its response modes.",
            hint=f"Leave --response-mode out, or say --response-mode {usual}.",
        )
    check_response_mode(client.response_type, client.response_mode)
    return client.response_mode


def _goes_without_saying(mode: ResponseMode, client: ClientConfig) -> bool:
    # Some servers answer in the query where a fragment is the default: whoever asks for it, gets it said.
    # With `token` there is nothing to choose (RFC 6749 §4.2.2).
    demanded = mode == client.response_mode == "fragment" and client.response_type != "token"
    return mode == default_mode(client.response_type) and not demanded


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


def with_parameters(endpoint: str, parameters: list[tuple[str, str]]) -> str:
    """Put parameters into the query of an endpoint that may have one already.

    Raises:
        ConfigError: it carries one of them already.

    Source: RFC 6749 §3.1.
    """
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


def _with_extra(parameters: list[tuple[str, str]], client: ClientConfig) -> list[tuple[str, str]]:
    check_extra(client.extra, (name for name, _ in parameters))
    return [*parameters, *client.extra.items()]
