"""The name of the account, to show to the person: from the ID token, else from the UserInfo endpoint.

The name decides nothing: an access token says what is allowed, not who the user is (RFC 6749 §10.16).

Source: OpenID Connect Core 1.0 §5.3; RFC 6750 §2.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.client_auth import endpoint_url
from loopback_auth.protocol.json import is_json, parse_object
from loopback_auth.redact import server_text
from loopback_auth.tokens import IdToken, TokenSet


def userinfo_request(client: ClientConfig, metadata: ServerMetadata, tokens: TokenSet) -> HttpRequest | None:
    """Build the request for the person's claims; None when the server has no such endpoint.

    Source: OpenID Connect Core 1.0 §5.3.1; RFC 6750 §2.1 (the token goes into the header, nowhere else);
        RFC 9449 §7.1.
    """
    url = endpoint_url(client, metadata, "userinfo_endpoint")
    if url is None:
        return None
    headers = (
        ("Accept", "application/json"),
        ("Authorization", f"{tokens.token_type} {tokens.access_token}"),
    )
    return HttpRequest(client.provider.quirks.userinfo_method, url, headers)


def userinfo_response(answer: HttpResponse, id_token: IdToken | None, *, fields: Sequence[str]) -> str:
    """Return the name of the account; empty when the answer has none.

    An answer about another subject than that of the ID token is ignored.

    Raises:
        MalformedResponse: JSON that is not an object.

    Source: OpenID Connect Core 1.0 §5.3.2.
    """
    if not 200 <= answer.status < 300 or not is_json(answer):
        return ""
    claims = parse_object(answer.body, what="UserInfo response", source="OpenID Connect Core 1.0 §5.3.2")
    if id_token is not None and claims.get("sub") != id_token.claims.get("sub"):
        return ""
    return account_name(claims, fields)


def account_name(claims: Mapping[str, object], fields: Sequence[str]) -> str:
    """Return the first of the named members that has a readable value, cleaned.

    Source: OpenID Connect Core 1.0 §5.1 (names of claims).
    """
    for name in fields:
        value = claims.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and (shown := server_text(value, 120)):
            return for_people(shown)
    return ""


def for_people(account: str) -> str:
    """Return the name of an account in a form that people recognize: a number alone becomes "account 7".

    Source: OpenID Connect Core 1.0 §5.1 (`sub` need not be readable).
    """
    return f"account {account}" if account.isdecimal() else account
