"""Turn the answer with the tokens into a sign-in; shared by every flow.

It checks the tokens and the ID token and asks for the name of the account. No token is handed out before
every check has passed (RFC 9700 §4.5.3.2). What each check demands is decided in `protocol`.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.authorization_messages import AuthorizationRequest, AuthorizationResponse
from loopback_auth.effects import Flow, Receive, Warn
from loopback_auth.errors import ConfigError, MalformedResponse, ProtocolError, TransportError
from loopback_auth.flows.discovery import UNVERIFIED, signing_keys
from loopback_auth.flows.sending import send
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientAuth, ClientConfig, ServerMetadata
from loopback_auth.protocol.client_auth import token_quirks
from loopback_auth.protocol.jws import names_key
from loopback_auth.protocol.jwt import front_channel_id_token, id_token
from loopback_auth.protocol.request_checks import is_signed
from loopback_auth.protocol.response import authorization_response
from loopback_auth.protocol.scope import scope_difference
from loopback_auth.protocol.token import token_response, token_set
from loopback_auth.protocol.userinfo import account_name, userinfo_request, userinfo_response
from loopback_auth.records import EMPTY, replace
from loopback_auth.tokens import DPOP, IdToken, SignIn, TokenSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.protocol.dpop_answers import Prover


def checked_tokens(
    client: ClientConfig,
    metadata: ServerMetadata,
    answer: HttpResponse,
    *,
    nonce: str | None,
    keys: Mapping[str, object] | None,
    verify_signature: bool,
    prover: Prover | None = None,
) -> Flow[TokenSet]:
    """Check a token response with its ID token, and find out who signed in.

    Args:
        client: that sent the request.
        metadata: of the server that answered.
        answer: untrusted.
        nonce: the ID token must have the same; None when no ID token was requested.
        keys: the server's keys, if they are known already.
        verify_signature: check the signature of the ID token too.
        prover: has made the proofs of the token request; None: it had none.

    Source: RFC 6749 §5.1; OpenID Connect Core 1.0 §3.1.3.3-3.1.3.8, §5.3; RFC 9449 §5.
    """
    response = token_response(
        answer,
        requested_scope=client.scope,
        quirks=client.provider.quirks,
        dpop=False if prover is None else client.dpop,
    )
    for warning in response.warnings:
        yield from Warn(warning)
    tokens, raw = response.tokens, response.members.get("id_token")
    # A resource may name openid among its scopes although its server issues no ID tokens.
    if nonce is not None and not isinstance(raw, str) and not client.resource_server:
        raise MalformedResponse(
            "The token response has no ID token, although openid was requested",
            source="OpenID Connect Core 1.0 §3.1.3.3",
            hint="Leave openid out of the scope if this is not an OpenID provider.",
            parameter="scope",
        )
    if isinstance(raw, str) and "openid" in client.scope.split():
        if verify_signature:
            keys = yield from _keys_or_warning(raw, metadata, keys)
        checked = id_token(
            raw,
            client=client,
            metadata=metadata,
            nonce=nonce,
            access_token=tokens.access_token,
            now=answer.received_at,
            keys=keys if verify_signature else None,
        )
        tokens = replace(tokens, id_token=checked)
    elif raw:
        tokens = replace(tokens, extra={**tokens.extra, "id_token": raw})
    return (yield from _completed(client, metadata, tokens, prover))


def signed_in(
    client: ClientConfig,
    metadata: ServerMetadata,
    tokens: TokenSet,
    *,
    client_auth: ClientAuth,
    dpop_key: Mapping[str, str] = EMPTY,
) -> SignIn:
    """Return the result of a flow: the tokens, and all that is needed to renew, revoke and use them."""
    revoke_method, revoke_url = _vendor_revocation(client, metadata)
    return SignIn(
        name=client.provider.name,
        client_id=client.client_id,
        client_auth=client_auth,
        metadata=metadata,
        requested_scope=client.scope,
        tokens=tokens,
        temporary=client.provider.temporary,
        revoke_method=revoke_method,
        revoke_url=revoke_url,
        simulated_person=client.provider.simulated_person,
        quirks=token_quirks(client),
        network=client.provider.network,
        resource=client.resource,
        audience=client.audience,
        resource_server=client.resource_server,
        dpop_key=dpop_key if tokens.token_type == DPOP else EMPTY,
        registered=client.client_metadata is not None and client.client_id != client.client_metadata.url,
        configured_as=client.provider.configured_as,
    )


def _vendor_revocation(client: ClientConfig, metadata: ServerMetadata) -> tuple[str, str]:
    """Return method and URL of the vendor's own revocation request, which revokes tokens of every flow."""
    quirks, contract = client.provider.quirks, client.provider.ticket
    if contract is None or contract.revoke is None or quirks.revoke_url or metadata.revocation_endpoint:
        return quirks.revoke_method, quirks.revoke_url
    from loopback_auth.protocol.ticket import call_request  # Start-up.

    values = {"base": contract.base, "ui": contract.ui, "client_id": client.client_id}
    try:
        request = call_request(contract.revoke, values)
    except ConfigError:
        return "", ""  # It needs a value that only a ticket has.
    return request.method, request.url


def received_response(
    client: ClientConfig, request: AuthorizationRequest, *, keys: Mapping[str, object] | None
) -> Flow[AuthorizationResponse]:
    """Wait for the authorization response, and check it; the signature of a signed one comes first.

    Args:
        client: that sent the request.
        request: that is answered.
        keys: the server's keys, if they are known already.

    Raises:
        LoopbackAuthError: see `authorization_response` and `verified_callback`.

    Source: RFC 6749 §4.1.2; JARM §2.4.
    """
    callback = yield from Receive(request)
    if is_signed(request.response_mode):
        from loopback_auth.protocol.jarm import (  # Few are signed.
            needs_keys,
            signed_response,
            verified_callback,
        )

        raw = signed_response(callback)
        if needs_keys(raw, client, request.metadata):
            keys = yield from _keys_for(raw, request.metadata, keys)
        callback = verified_callback(raw, client=client, request=request, callback=callback, keys=keys or {})
    response = authorization_response(request, callback)
    for warning in response.warnings:
        yield from Warn(warning)
    return response


def check_response_verifiable(client: ClientConfig, metadata: ServerMetadata) -> None:
    """Refuse to request a signed response that could not be checked, before the user is asked.

    Raises:
        ConfigError: see `check_signed_mode`.

    Source: JARM §2.4.
    """
    if is_signed(client.response_mode or ""):
        from loopback_auth.protocol.jarm import check_signed_mode  # Few are signed.

        check_signed_mode(client, metadata)


def check_verifiable(client: ClientConfig, *, verify_signature: bool) -> None:
    """Refuse to request an ID token through the browser when its signature could not be checked.

    Raises:
        ConfigError: joserfc is missing.

    Source: OpenID Connect Core 1.0 §3.2.2.11, §3.3.2.12.
    """
    if "id_token" in client.response_type.split() and not verify_signature:
        raise ConfigError(
            f"response_type={client.response_type} requires that the signature of the ID token is checked.",
            hint="Install the extra: pip install 'loopback-auth[oidc]'.",
        )


def front_channel_tokens(
    client: ClientConfig, response: AuthorizationResponse, *, keys: Mapping[str, object] | None
) -> Flow[TokenSet]:
    """Check the tokens in an authorization response, and find out who signed in.

    Args:
        client: that sent the request.
        response: checked, except for its tokens.
        keys: the server's keys, if they are known already.

    Source: RFC 6749 §4.2.2; OpenID Connect Core 1.0 §3.2.2.8.
    """
    parameters = dict(response.parameters)
    if "access_token" in parameters:
        granted = token_set(
            parameters,
            obtained_at=response.received_at,
            requested_scope=client.scope,
            quirks=client.provider.quirks,
        )
        for warning in granted.warnings:
            yield from Warn(warning)
        tokens = granted.tokens
    else:
        tokens = TokenSet("", "Bearer", response.received_at, scope=client.scope)
    identity = yield from front_channel_identity(client, response, keys=keys)
    return (
        yield from _completed(client, response.request.metadata, replace(tokens, id_token=identity), None)
    )


def front_channel_identity(
    client: ClientConfig, response: AuthorizationResponse, *, keys: Mapping[str, object] | None
) -> Flow[IdToken | None]:
    """Check the ID token in an authorization response, if there is one; its signature is always checked.

    Raises:
        MalformedResponse: the ID token is wrong, or the server publishes no keys.

    Source: OpenID Connect Core 1.0 §3.2.2.11, §3.3.2.12.
    """
    raw = response.parameters.get("id_token")
    if raw is None:
        return None
    keys = yield from _keys_for(raw, response.request.metadata, keys)
    if keys is None:
        raise MalformedResponse(
            "The server publishes no keys with which its ID token can be checked",
            source="OpenID Connect Core 1.0 §3.2.2.11",
            hint="Give the URL of its key set, or choose the flow code.",
            parameter="jwks_uri flow",
        )
    return front_channel_id_token(raw, client=client, response=response, now=response.received_at, keys=keys)


def _keys_or_warning(
    raw: str, metadata: ServerMetadata, keys: Mapping[str, object] | None
) -> Flow[Mapping[str, object] | None]:
    """Return the keys for a token from the token endpoint; without them a warning is given.

    TLS has authenticated the server already, and the person has approved: failing now would protect little.

    Source: OpenID Connect Core 1.0 §3.1.3.7 (6).
    """
    if keys is not None and names_key(raw, keys):
        return keys
    try:
        return (yield from signing_keys(metadata))
    except (ProtocolError, TransportError) as exc:
        yield from Warn(f"{UNVERIFIED} {exc.message}.")
        return None


def _keys_for(
    raw: str, metadata: ServerMetadata, keys: Mapping[str, object] | None
) -> Flow[Mapping[str, object] | None]:
    if keys is not None and names_key(raw, keys):
        return keys
    return (yield from signing_keys(metadata))


def _completed(
    client: ClientConfig, metadata: ServerMetadata, tokens: TokenSet, prover: Prover | None
) -> Flow[TokenSet]:
    if difference := scope_difference(requested=client.scope, tokens=tokens, quirks=client.provider.quirks):
        yield from Warn(difference)
    account = yield from _account(client, metadata, tokens, prover if tokens.token_type == DPOP else None)
    return replace(tokens, account=account)


def _account(
    client: ClientConfig, metadata: ServerMetadata, tokens: TokenSet, prover: Prover | None
) -> Flow[str]:
    fields = client.provider.account_fields
    claims: Mapping[str, object] = tokens.id_token.claims if tokens.id_token is not None else {}
    named_by_token = account_name(claims, [name for name in fields if name != "sub"])
    request = userinfo_request(client, metadata, tokens) if tokens.access_token else None
    if named_by_token or request is None:
        return named_by_token or account_name(claims, fields)
    # The name is optional: the sign-in has succeeded even if this request fails.
    try:
        answer = yield from send(request, "UserInfo request", prover, access_token=tokens.access_token)
        named = userinfo_response(answer, tokens.id_token, fields=fields)
    except (ProtocolError, TransportError):
        named = ""
    return named or account_name(claims, fields)
