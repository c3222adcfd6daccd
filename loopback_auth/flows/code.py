"""Sign in with a code that the browser brings to a loopback redirect URI: the recommended flow.

With `response_type=code id_token` an ID token comes with the code, and identifies the user before the code is
exchanged.

Source: RFC 8252 §7.3; RFC 6749 §4.1; RFC 7636 §4; RFC 9700 §2.1.1.
"""

from __future__ import annotations

from loopback_auth.authorization_messages import Attempt, AuthorizationRequest
from loopback_auth.effects import Bind, Browse, Flow, Warn
from loopback_auth.flows.discovery import discover, keys_if_possible
from loopback_auth.flows.sending import authenticated, proving, send, signed_request
from loopback_auth.flows.tokens import (
    check_response_verifiable,
    check_verifiable,
    checked_tokens,
    front_channel_identity,
    received_response,
    signed_in,
)
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.authorization import authorization_request, pkce_doubt
from loopback_auth.protocol.client_auth import check_client_authentication, client_authentication
from loopback_auth.protocol.jwt import check_refreshed
from loopback_auth.protocol.pushed import (
    pushed_authorization_request,
    pushed_authorization_response,
    pushes,
)
from loopback_auth.protocol.request_checks import is_signed
from loopback_auth.protocol.token import code_token_request
from loopback_auth.tokens import SignIn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.protocol.dpop_answers import Prover


def authorization_code(
    client: ClientConfig, attempt: Attempt, *, verify_signature: bool = False
) -> Flow[SignIn]:
    """Sign in with a code delivered to a loopback redirect URI.

    Args:
        client: what to request, and where.
        attempt: random values that are used only here.
        verify_signature: check the signature of the ID token too (needs joserfc); its claims are always
            checked.

    Source: RFC 8252 §7.3; RFC 6749 §4.1; RFC 7636 §4.
    """
    check_verifiable(client, verify_signature=verify_signature)
    redirect_uri = yield from Bind(client.provider.redirect)
    also = ("pushed_authorization_request_endpoint",) if client.push else ()
    metadata = yield from discover(client.provider, also=also)
    check_client_authentication(client, metadata)  # A missing secret is an error before the person is asked.
    prover = yield from proving(client, metadata, attempt.dpop_key)
    check_response_verifiable(client, metadata)
    if doubt := pkce_doubt(client, metadata):
        yield from Warn(doubt)
    request = authorization_request(client, metadata, attempt, redirect_uri=redirect_uri)
    request = yield from signed_request(client, metadata, request)
    request = yield from _pushed(client, metadata, request, prover)
    yield from Browse(request.url, request)

    # While the person is in the browser, what the response will need is fetched.
    needed = (verify_signature and request.nonce) or is_signed(request.response_mode)
    keys = (yield from keys_if_possible(metadata)) if needed else None

    response = yield from received_response(client, request, keys=keys)
    identity = yield from front_channel_identity(client, response, keys=keys)
    token_request = authenticated(client, metadata, code_token_request(client, response))
    answer = yield from send(token_request, "token request", prover)
    tokens = yield from checked_tokens(
        client,
        metadata,
        answer,
        nonce=request.nonce,
        keys=keys,
        verify_signature=verify_signature,
        prover=prover,
    )
    if tokens.id_token is not None:
        check_refreshed(tokens.id_token, identity)
    return signed_in(
        client,
        metadata,
        tokens,
        client_auth=client_authentication(client, metadata),
        dpop_key=attempt.dpop_key,
    )


def _pushed(
    client: ClientConfig, metadata: ServerMetadata, request: AuthorizationRequest, prover: Prover | None
) -> Flow[AuthorizationRequest]:
    if not pushes(client, metadata):
        return request
    pushed = pushed_authorization_request(client, request)
    # RFC 9449 §10.1: a proof there is a stronger binding than dpop_jkt alone.
    sent = authenticated(client, metadata, pushed)
    answer = yield from send(sent, "pushed authorization request", prover)
    return pushed_authorization_response(client, request, answer)
