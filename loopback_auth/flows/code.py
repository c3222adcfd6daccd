"""Sign in with a code that the browser brings to a loopback redirect URI: the recommended flow.

Source: RFC 8252 §7.3; RFC 6749 §4.1; RFC 7636 §4; RFC 9700 §2.1.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.effects import Bind, Browse, Flow, Receive, Send, Warn
from loopback_auth.errors import ProtocolError, TransportError
from loopback_auth.flows.discovery import discover, signing_keys
from loopback_auth.flows.tokens import checked_tokens
from loopback_auth.model import Attempt, AuthorizationRequest, ClientConfig, ServerMetadata, SignIn
from loopback_auth.protocol.authorization import (
    authorization_request,
    authorization_response,
    pkce_doubt,
    pushed_authorization_request,
    pushed_authorization_response,
    pushes,
)
from loopback_auth.protocol.client_auth import client_authentication
from loopback_auth.protocol.token import code_token_request


def authorization_code(
    client: ClientConfig, attempt: Attempt, *, verify_signature: bool = False
) -> Flow[SignIn]:
    """Sign in with a code delivered to a loopback redirect URI.

    Args:
        client: who asks, and for what.
        attempt: fresh randomness, used for nothing else.
        verify_signature: check the ID token's signature too (needs joserfc); its claims always are.

    Source: RFC 8252 §7.3; RFC 6749 §4.1; RFC 7636 §4.
    """
    redirect_uri = yield from Bind(client.provider.redirect)
    metadata = yield from discover(client.provider)
    client_authentication(client, metadata)  # A missing secret is better known before a person is asked.
    if doubt := pkce_doubt(client, metadata):
        yield from Warn(doubt)
    request = authorization_request(client, metadata, attempt, redirect_uri=redirect_uri)
    request = yield from _pushed(client, metadata, request)
    yield from Browse(request.url, request)

    # The person is away now: what the answer will need is fetched meanwhile.
    keys = (yield from _keys_if_possible(metadata)) if verify_signature and request.nonce else None

    callback = yield from Receive(request)
    response = authorization_response(request, callback)
    answer = yield from Send(code_token_request(client, response), step="token request")
    tokens = yield from checked_tokens(
        client, metadata, answer, nonce=request.nonce, keys=keys, verify_signature=verify_signature
    )
    return SignIn(
        name=client.provider.name,
        client_id=client.client_id,
        client_auth=client_authentication(client, metadata),
        metadata=metadata,
        requested_scope=client.scope,
        tokens=tokens,
        temporary=client.provider.temporary,
    )


def _pushed(
    client: ClientConfig, metadata: ServerMetadata, request: AuthorizationRequest
) -> Flow[AuthorizationRequest]:
    if not pushes(client, metadata):
        return request
    pushed = pushed_authorization_request(client, request)
    answer = yield from Send(pushed, step="pushed authorization request")
    return pushed_authorization_response(client, request, answer)


def _keys_if_possible(metadata: ServerMetadata) -> Flow[Mapping[str, object] | None]:
    # Too early to fail for want of keys: they are asked for again when there is a token to check.
    try:
        return (yield from signing_keys(metadata))
    except (ProtocolError, TransportError):
        return None
