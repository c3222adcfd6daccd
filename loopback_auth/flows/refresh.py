"""Renew the tokens of a kept sign-in by a refresh request.

When a server rotates refresh tokens, the old one is invalid as soon as its answer arrives. Therefore a
renewal has two parts: `refresh` takes the new tokens from the answer, and the caller keeps them; then
`identified` checks everything else, and a failed check cannot lose the tokens.

Source: RFC 6749 §6; RFC 9700 §4.14.2; OpenID Connect Core 1.0 §12.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from urllib.parse import unquote_plus

from loopback_auth.effects import Flow, Warn
from loopback_auth.errors import (
    ConfigError,
    LoopbackAuthError,
    NotKept,
    SignInRequired,
    TokenError,
    TransportError,
)
from loopback_auth.flows.discovery import UNVERIFIED, discover, keys_if_possible
from loopback_auth.flows.sending import authenticated, prover_of, send
from loopback_auth.flows.tokens import signed_in
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, Provider
from loopback_auth.narrow import is_object
from loopback_auth.protocol.answer import refusal_in
from loopback_auth.protocol.json import is_wall, member
from loopback_auth.protocol.jws import decode
from loopback_auth.protocol.jwt import check_refreshed, id_token
from loopback_auth.protocol.scope import scope_difference
from loopback_auth.protocol.token import STILL_KEPT, refresh_request, token_response
from loopback_auth.protocol.userinfo import account_name
from loopback_auth.tokens import IdToken, SignIn, TokenSet

CLIENT_ERRORS = frozenset(
    {"invalid_client", "incorrect_client_credentials", "invalid_dpop_proof", "use_dpop_nonce"}
)
"""The client or its proof was refused, not the refresh token.

RFC 6749 §5.2 (the second one is GitHub's); RFC 9449 §5, §8.
"""

_REFRESH_TOKEN = re.compile(r'"refresh_token"\s*:\s*"([^"\\]+)"|(?:^|&)refresh_token=([^&\s"]+)')
_ERROR = re.compile(r'"error"\s*:(?!\s*(?:null|""|false|\{\s*\}|\[\s*\]))|(?:^|&)error=[^&]')


@dataclass(frozen=True, slots=True)
class Renewal:
    """The result of a refresh request, to be kept before anything else in the answer is checked.

    Args:
        sign_in: with the new tokens; ID token and account are still the old ones.
        id_token: as received, unchecked.
        received_at: Unix seconds.
        scope_before: granted until now, separated by spaces.
        trouble: raised after the sign-in is kept, because the answer had no usable access token.
        warnings: what differs from the standard and was accepted.
    """

    sign_in: SignIn
    id_token: object = field(default=None, repr=False)
    received_at: float = 0.0
    scope_before: str = ""
    trouble: LoopbackAuthError | None = None
    warnings: tuple[str, ...] = ()


def client_of(
    sign_in: SignIn, client_secret: str | None = None, private_key: str | None = None
) -> ClientConfig:
    """Rebuild the client from a kept sign-in; its secret and its private key are not kept there."""
    id_token = sign_in.tokens.id_token
    issuer = id_token.claims.get("iss") if id_token is not None else None
    provider = Provider(
        name=sign_in.name,
        metadata=sign_in.metadata,
        client_auth=sign_in.client_auth,
        allowed_issuer=issuer if isinstance(issuer, str) else None,
        quirks=sign_in.quirks,
        network=sign_in.network,
    )
    return ClientConfig(
        provider,
        sign_in.client_id,
        client_secret,
        scope=sign_in.requested_scope,
        resource=sign_in.resource,
        audience=sign_in.audience,
        resource_server=sign_in.resource_server,
        dpop=True if sign_in.dpop_key else None,
        private_key=private_key,
    )


def refresh(client: ClientConfig, sign_in: SignIn) -> Flow[Renewal]:
    """Request new tokens, and take what must be kept from the answer.

    A new refresh token replaces the old one; without a new one the old one stays valid.

    Raises:
        SignInRequired: there is no refresh token, or the server refuses it with any error code.
        TokenError: the server refuses the client itself.
        TransportError: no answer, or a failure; the old refresh token is still valid.
        MalformedResponse: the answer has nothing to keep.

    Source: RFC 6749 §5.2, §6; RFC 9700 §4.14.2; RFC 8707 §2.2.
    """
    old = sign_in.tokens
    if old.refresh_token is None:
        raise SignInRequired(
            f"The access token for {sign_in.name} cannot be renewed: there is no refresh token.",
            hint="Sign in again.",
        )
    request = refresh_request(client, sign_in.metadata, old.refresh_token)
    try:
        sent = authenticated(client, sign_in.metadata, request)
        answer = yield from send(sent, "refresh request", prover_of(sign_in.dpop_key))
    except TransportError as exc:
        exc.hint = f"{STILL_KEPT} {exc.hint}".rstrip()
        raise
    granted = " ".join(old.scope.split())
    try:
        told = token_response(
            answer, requested_scope=granted, quirks=sign_in.quirks, renewal=True, dpop=bool(sign_in.dpop_key)
        )
    except LoopbackAuthError as exc:
        rescued = _new_refresh_token(answer, sign_in)
        if rescued is None:
            raise _judged(answer, exc, sign_in) from None
        rest = replace(sign_in, tokens=replace(old, refresh_token=rescued))
        return Renewal(rest, trouble=exc)
    tokens = replace(
        told.tokens,
        expires_at=_end(told.tokens, old),
        refresh_token=told.tokens.refresh_token or old.refresh_token,
        id_token=old.id_token,
        account=old.account,
        extra={**old.extra, **told.tokens.extra},
    )
    renewed = replace(sign_in, tokens=tokens)
    return Renewal(renewed, told.members.get("id_token"), answer.received_at, granted, warnings=told.warnings)


def refreshed(client: ClientConfig, refresh_token: str, *, verify_signature: bool = False) -> Flow[TokenSet]:
    """Request new tokens for a refresh token that is kept elsewhere.

    Args:
        client: to which it was issued.
        refresh_token: to send.
        verify_signature: check the signature of an ID token too.

    Raises:
        ConfigError: the refresh token cannot be one, or the tokens have to be bound to a key.
        NotKept: the answer has a new refresh token, and no access token that can be used.
        LoopbackAuthError: as `refresh` and `discover` raise it.

    Source: RFC 6749 §6, appendix A.17; OpenID Connect Core 1.0 §12.
    """
    if not (refresh_token and refresh_token.isascii() and refresh_token.isprintable()):
        raise ConfigError(
            "The refresh token is empty, or has characters that no refresh token has.",
            hint="Look for a line break or a quotation mark around it.",
        )
    if client.dpop:
        raise ConfigError(
            "A refresh token alone cannot be renewed with DPoP: its key is kept with its sign-in.",
            hint="Sign in instead, or switch DPoP off.",
            parameter="dpop",
        )
    provider = client.provider
    metadata = yield from discover(provider, "token_endpoint")
    before = TokenSet("", "Bearer", 0.0, refresh_token=refresh_token, scope=client.scope)
    renewal = yield from refresh(client, signed_in(client, metadata, before, client_auth="none"))
    if renewal.trouble is not None:
        raise NotKept(provider.name, renewal.sign_in, renewal.trouble)
    sign_in = yield from identified(client, renewal)
    raw = renewal.id_token
    if not isinstance(raw, str) or "openid" not in client.scope.split():
        return sign_in.tokens
    try:
        checked = yield from _checked(client, sign_in, raw, renewal.received_at, verify_signature)
    except LoopbackAuthError as exc:
        yield from Warn(f"{exc.message}. The tokens were renewed, and this ID token is left out.")
        return renewal.sign_in.tokens
    account = account_name(checked.claims, provider.account_fields)
    return replace(renewal.sign_in.tokens, id_token=checked, account=account)


def identified(client: ClientConfig, renewal: Renewal, *, verify_signature: bool = False) -> Flow[SignIn]:
    """Check whose tokens a renewal has brought, and warn about what has changed.

    An unusable ID token causes a warning, and the old one stays: a refresh response need not have one, and
    the refresh token binds the new tokens to this person and this client.

    Args:
        client: that sent the refresh request.
        renewal: its tokens have been kept.
        verify_signature: check the signature of the ID token too.

    Raises:
        MalformedResponse: the answer had no usable access token, or its ID token names another issuer or
            another person. Then the tokens must not be handed out.

    Source: OpenID Connect Core 1.0 §12.2; RFC 6749 §5.1 (scope).
    """
    if renewal.trouble is not None:
        raise renewal.trouble
    sign_in = renewal.sign_in
    difference = scope_difference(
        requested=renewal.scope_before, tokens=sign_in.tokens, quirks=sign_in.quirks
    )
    for warning in (*renewal.warnings, difference):
        if warning:
            yield from Warn(warning)
    before, raw = sign_in.tokens.id_token, renewal.id_token
    # An empty one counts as none: some servers send it when openid was not requested again.
    if raw is None or raw == "":
        return sign_in
    if before is None:
        extra = {**sign_in.tokens.extra, "id_token": raw}
        return replace(sign_in, tokens=replace(sign_in.tokens, extra=extra))
    try:
        checked = yield from _checked(client, sign_in, raw, renewal.received_at, verify_signature)
        check_refreshed(checked, before)
    except LoopbackAuthError as exc:
        if _names_another(raw, before):
            raise
        yield from Warn(f"{exc.message}. The tokens were renewed, and the earlier ID token is kept.")
        return sign_in
    return replace(sign_in, tokens=replace(sign_in.tokens, id_token=checked))


def _checked(
    client: ClientConfig, sign_in: SignIn, raw: object, received_at: float, verify_signature: bool
) -> Flow[IdToken]:
    """Check an ID token that came with a refresh response; it need not have a nonce."""
    keys = (yield from keys_if_possible(sign_in.metadata)) if verify_signature else None
    if verify_signature and keys is None and sign_in.metadata.jwks_uri is not None:
        yield from Warn(UNVERIFIED)
    return id_token(
        raw if isinstance(raw, str) else "",
        client=client,
        metadata=sign_in.metadata,
        nonce=None,
        access_token=sign_in.tokens.access_token,
        now=received_at,
        keys=keys,
    )


def withheld(sign_in: SignIn) -> SignIn:
    """Return a sign-in whose access token is never handed out, and whose refresh token is kept."""
    return replace(sign_in, tokens=replace(sign_in.tokens, expires_at=sign_in.tokens.obtained_at))


def _end(new: TokenSet, old: TokenSet) -> float | None:
    """Return when a renewed token expires; if the server does not say, after the lifetime of the last one."""
    if new.expires_at is not None or old.expires_at is None or old.expires_at <= old.obtained_at:
        return new.expires_at
    return new.obtained_at + (old.expires_at - old.obtained_at)


def _judged(answer: HttpResponse, refusal: LoopbackAuthError, sign_in: SignIn) -> LoopbackAuthError:
    """Return the error for a failed renewal: it may pass, the client is refused, or a sign-in is required."""
    error = refusal_in(answer).error if isinstance(refusal, TokenError | TransportError) else ""
    dead = error in sign_in.quirks.dead_refresh_errors
    if isinstance(refusal, TransportError) and not dead:
        return refusal
    if is_wall(answer):
        return TransportError(
            refusal.message, hint=f"{STILL_KEPT} {refusal.hint}", parameter=refusal.parameter
        )
    if error in CLIENT_ERRORS and not dead:
        return refusal
    if error or 400 <= answer.status < 500:
        return SignInRequired(
            f"The sign-in for {sign_in.name} is not valid any more: {refusal.message}", hint="Sign in again."
        )
    refusal.hint = f"{STILL_KEPT} Try again; if it happens again, sign in again."
    return refusal


def _new_refresh_token(answer: HttpResponse, sign_in: SignIn) -> str | None:
    """Find the refresh token in an otherwise unusable answer: the old one may be invalid by now."""
    # Without its zero bytes, UTF-16 is ASCII.
    text = answer.body.replace(b"\0", b"").decode("latin-1")
    if not 200 <= answer.status < 300 or _ERROR.search(text):
        return None
    try:
        document = json.loads(text, object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError):
        document = None
    path = sign_in.quirks.access_token_path.rpartition(".")[0]
    token = member(document, f"{path}.refresh_token".lstrip(".")) if is_object(document) else None
    if token is None:
        # Anywhere in the answer and in any form, as long as there is only one.
        found = {unquote_plus(match[2]) if match[2] else match[1] for match in _REFRESH_TOKEN.finditer(text)}
        token = found.pop() if len(found) == 1 else None
    return token if isinstance(token, str) and token and token.isascii() and token.isprintable() else None


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Of a document that the strict parser refuses: the members with one meaning only.
    names = Counter(name for name, _ in pairs)
    return {name: value for name, value in pairs if names[name] == 1}


def _names_another(raw: object, before: IdToken) -> bool:
    """Return whether a refused ID token names another issuer or another person than the first one."""
    try:
        claims = decode(raw if isinstance(raw, str) else "")[1]
    except LoopbackAuthError:
        return False
    named = ((claims.get(name), before.claims.get(name)) for name in ("iss", "sub"))
    return any(isinstance(new, str) and new and new != old for new, old in named)
