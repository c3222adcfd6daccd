"""Revoke the tokens of a kept sign-in at the server.

Decides in which order, and which failures count; the requests are built in `protocol.revocation`.

Source: RFC 7009 §2.
"""

from __future__ import annotations

from dataclasses import replace

from loopback_auth.effects import Flow, Warn
from loopback_auth.errors import LoopbackAuthError, RevocationError, SignInRequired
from loopback_auth.flows.discovery import discover
from loopback_auth.flows.refresh import refresh
from loopback_auth.flows.sending import authenticated, prover_of, send
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.protocol.revocation import (
    is_of_a_dead_token,
    revocation_request,
    revocation_response,
    vendor_revocation_request,
    vendor_revocation_response,
)
from loopback_auth.tokens import DPOP, SignIn


def revoke(client: ClientConfig, sign_in: SignIn) -> Flow[bool]:
    """Revoke the tokens of a sign-in at the server, the refresh token first.

    Once the refresh token is revoked, an access token that the server does not revoke is not an error: it is
    revoked with it, or expires soon. The key of bound tokens is needed for a vendor's own request alone, and
    that is left out without it.

    Returns:
        True when the tokens are revoked, or will expire soon; False when the server has no endpoint for it,
        so that nothing was sent.

    Raises:
        RevocationError, TransportError: the first failure, after both tokens were tried.

    Source: RFC 7009 §2.1 (revoking the refresh token should end its access tokens, but need not; the token
    is a parameter, so that RFC 9449 §7 wants no proof), §2.2.1.
    """
    tokens = sign_in.tokens
    if sign_in.revoke_url and tokens.access_token and (sign_in.dpop_key or tokens.token_type != DPOP):
        yield from _at_the_vendor(client, sign_in)
        return True
    if not tokens.access_token and tokens.refresh_token is None:
        return True
    sign_in = yield from _with_revocation(sign_in)
    if sign_in.metadata.revocation_endpoint is None:
        return False
    first: LoopbackAuthError | None = None
    if tokens.refresh_token is not None:
        first = yield from _revoke_one(client, sign_in, token=tokens.refresh_token, refresh=True)
    second: LoopbackAuthError | None = None
    if tokens.access_token:
        second = yield from _revoke_one(client, sign_in, token=tokens.access_token, refresh=False)
    unsupported = isinstance(second, RevocationError) and second.error == "unsupported_token_type"
    if unsupported and first is None and tokens.refresh_token is not None:
        yield from Warn(
            "The refresh token is revoked. The server does not revoke access tokens: the last one expires by "
            "itself, unless it was revoked with the refresh token."
        )
        return True
    if trouble := first or second:
        raise trouble
    return True


def _at_the_vendor(client: ClientConfig, sign_in: SignIn) -> Flow[None]:
    """Revoke a token with the vendor's own request, which the token itself authorizes.

    An expired token does not authorize the request, and the refresh token may still work: the token is
    renewed first.
    """
    answer = yield from _sent_to_the_vendor(sign_in)
    if is_of_a_dead_token(answer) and sign_in.tokens.refresh_token is not None:
        try:
            renewal = yield from refresh(client, sign_in)
        except SignInRequired:
            return  # The refresh token does not work any more either.
        answer = yield from _sent_to_the_vendor(renewal.sign_in)
    vendor_revocation_response(answer)


def _sent_to_the_vendor(sign_in: SignIn) -> Flow[HttpResponse]:
    request, prover = vendor_revocation_request(sign_in), prover_of(sign_in.dpop_key)
    token = sign_in.tokens.access_token
    return (yield from send(request, "revocation request", prover, access_token=token))


def _with_revocation(sign_in: SignIn) -> Flow[SignIn]:
    """Look for a revocation endpoint in the document of RFC 8414; OpenID Connect does not define one."""
    known = sign_in.metadata
    if known.revocation_endpoint is not None or known.issuer is None or not known.discovered:
        return sign_in
    try:
        there = Provider(sign_in.name, ServerMetadata(issuer=known.issuer))
        found = yield from discover(there, "revocation_endpoint")
    except LoopbackAuthError:
        return sign_in
    return replace(sign_in, metadata=replace(known, revocation_endpoint=found.revocation_endpoint))


def _revoke_one(
    client: ClientConfig, sign_in: SignIn, *, token: str, refresh: bool
) -> Flow[LoopbackAuthError | None]:
    request = revocation_request(
        client,
        sign_in.metadata,
        token=token,
        token_type_hint="refresh_token" if refresh else "access_token",
    )
    if request is None:
        return None
    try:
        answer = yield from send(authenticated(client, sign_in.metadata, request), "revocation request")
        revocation_response(answer)
    except LoopbackAuthError as exc:
        return exc
    return None
