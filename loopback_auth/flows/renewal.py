"""What is done with a kept sign-in: renew its tokens, or give them up.

Source: RFC 6749 §6; RFC 9700 §4.14.2; RFC 7009 §2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from loopback_auth.effects import Flow, Send, Warn
from loopback_auth.errors import LoopbackAuthError, SignInRequired
from loopback_auth.flows.discovery import keys_if_possible
from loopback_auth.model import ClientConfig, Provider, ServerMetadata, SignIn
from loopback_auth.protocol.jws import names_key
from loopback_auth.protocol.jwt import check_refreshed, id_token
from loopback_auth.protocol.revocation import (
    revocation_request,
    revocation_response,
    vendor_revocation_request,
)
from loopback_auth.protocol.token import refresh_request, token_response

UNVERIFIED = (
    "The server's keys could not be fetched, so the signature of the renewed ID token was not checked; it "
    "came over TLS from the server itself."
)
"""OpenID Connect Core 1.0 §3.1.3.7 (6) is content with that; to lose the new tokens would be worse."""


def client_of(sign_in: SignIn, client_secret: str | None) -> ClientConfig:
    """Rebuild from a kept sign-in the client that made it; its secret, if any, is kept elsewhere."""
    claims = sign_in.tokens.id_token.claims if sign_in.tokens.id_token is not None else {}
    issuer = claims.get("iss")
    provider = Provider(
        name=sign_in.name,
        metadata=sign_in.metadata,
        client_auth=sign_in.client_auth,
        allowed_issuer=issuer if isinstance(issuer, str) else None,
        quirks=sign_in.quirks,
    )
    return ClientConfig(provider, sign_in.client_id, client_secret, scope=sign_in.requested_scope)


def refresh(client: ClientConfig, sign_in: SignIn, *, verify_signature: bool = False) -> Flow[SignIn]:
    """Renew the tokens of a sign-in.

    A new refresh token replaces the old one; none means that the old one stays good. Only an answer that is
    wrong costs the new tokens: keys that cannot be had cost no more than the check of a signature.

    Raises:
        SignInRequired: there is no refresh token.
        TokenError: `invalid_grant` when the refresh token is used, expired or revoked.

    Source: RFC 6749 §6; RFC 9700 §4.14.2; OpenID Connect Core 1.0 §12.
    """
    old = sign_in.tokens
    if old.refresh_token is None:
        raise SignInRequired(
            f"The access token for {sign_in.name} has expired and there is no refresh token.",
            hint="Sign in again.",
        )
    request = refresh_request(client, sign_in.metadata, old.refresh_token)
    # Before the request: after it the old refresh token may be dead, and trouble would cost the new one.
    wanted = verify_signature and old.id_token is not None
    keys = (yield from keys_if_possible(sign_in.metadata)) if wanted else None
    answer = yield from Send(request, step="refresh request")
    granted = " ".join(old.scope.split())
    tokens, document = token_response(answer, requested_scope=granted)
    tokens = replace(tokens, refresh_token=tokens.refresh_token or old.refresh_token, account=old.account)
    raw = document.get("id_token")
    checked = old.id_token
    if isinstance(raw, str) and old.id_token is not None:
        keys = (yield from _keys_for(raw, sign_in.metadata, keys)) if verify_signature else None
        checked = id_token(
            raw,
            client=client,
            metadata=sign_in.metadata,
            nonce=None,
            access_token=tokens.access_token,
            now=answer.received_at,
            keys=keys,
        )
        check_refreshed(checked, old.id_token)
    return replace(sign_in, tokens=replace(tokens, id_token=checked))


def _keys_for(
    raw: str, metadata: ServerMetadata, keys: Mapping[str, object] | None
) -> Flow[Mapping[str, object] | None]:
    if keys is not None and names_key(raw, keys):
        return keys
    again = yield from keys_if_possible(metadata)
    if again is None and metadata.jwks_uri is not None:
        yield from Warn(UNVERIFIED)
    return again


def revoke(client: ClientConfig, sign_in: SignIn) -> Flow[bool]:
    """Give up the tokens of a sign-in at the server, the refresh token first.

    Returns:
        Whether the server has an endpoint for it; if not, nothing was sent.

    Raises:
        RevocationError, TransportError: the first trouble, after both were tried.

    Source: RFC 7009 §2.1 (revoking the refresh token should end its access tokens, but need not).
    """
    trouble: LoopbackAuthError | None = None
    tokens = sign_in.tokens
    if sign_in.revoke_url:
        answer = yield from Send(vendor_revocation_request(sign_in), step="revocation request")
        revocation_response(answer)
        return True
    if sign_in.metadata.revocation_endpoint is None:
        return False
    if tokens.refresh_token is not None:
        trouble = yield from _revoke_one(client, sign_in, token=tokens.refresh_token, refresh=True)
    trouble = (yield from _revoke_one(client, sign_in, token=tokens.access_token, refresh=False)) or trouble
    if trouble is not None:
        raise trouble
    return True


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
        answer = yield from Send(request, step="revocation request")
        revocation_response(answer)
    except LoopbackAuthError as exc:
        return exc
    return None
