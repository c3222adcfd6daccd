"""From a token endpoint's answer to tokens that may be handed out: shared by every flow that gets one.

Nothing is handed out before every check has passed (RFC 9700 §4.5.3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from loopback_auth.effects import Flow, Send, Warn
from loopback_auth.errors import MalformedResponse, ProtocolError, TransportError
from loopback_auth.flows.discovery import signing_keys
from loopback_auth.model import ClientConfig, HttpResponse, ServerMetadata, TokenSet
from loopback_auth.protocol.jwt import id_token, names_key
from loopback_auth.protocol.token import scope_difference, token_response
from loopback_auth.protocol.userinfo import account_name, userinfo_request, userinfo_response


def checked_tokens(
    client: ClientConfig,
    metadata: ServerMetadata,
    answer: HttpResponse,
    *,
    nonce: str | None,
    keys: Mapping[str, object] | None,
    verify_signature: bool,
) -> Flow[TokenSet]:
    """Check a token response with its ID token, and find out who signed in.

    Args:
        client: who asked.
        metadata: of the server that answered.
        answer: untrusted.
        nonce: what the ID token has to repeat; None when no ID token was asked for.
        keys: the server's keys as far as they are known already.
        verify_signature: check the ID token's signature too.

    Source: RFC 6749 §5.1; OpenID Connect Core 1.0 §3.1.3.3-3.1.3.8, §5.3.
    """
    tokens, document = token_response(answer, requested_scope=client.scope)
    raw = document.get("id_token")
    if nonce is not None:
        if not isinstance(raw, str):
            raise MalformedResponse(
                "The token response has no ID token although openid was asked for",
                source="OpenID Connect Core 1.0 §3.1.3.3",
                hint="Leave openid out of --scope if this is no OpenID provider.",
            )
        if verify_signature and not (keys is not None and names_key(raw, keys)):
            keys = yield from signing_keys(metadata)
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
    if difference := scope_difference(requested=client.scope, granted=tokens.scope):
        yield from Warn(difference)
    account = yield from _account(client, metadata, tokens)
    return replace(tokens, account=account)


def _account(client: ClientConfig, metadata: ServerMetadata, tokens: TokenSet) -> Flow[str]:
    fields = client.provider.account_fields
    claims = tokens.id_token.claims if tokens.id_token is not None else {}
    telling = account_name(claims, [name for name in fields if name != "sub"])
    request = userinfo_request(metadata, tokens)
    if telling or request is None:
        return telling or account_name(claims, fields)
    # The name is a courtesy: the sign-in has succeeded, whatever becomes of this request.
    try:
        answer = yield from Send(request, step="UserInfo request")
        named = userinfo_response(answer, tokens.id_token, fields=fields)
    except (ProtocolError, TransportError):
        named = ""
    return named or account_name(claims, fields)
