"""Where a provider differs from the RFCs, as values that the protocol is given.

Which provider differs in what, is data of `settings`; what is done about it is said where the rule itself
stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TokenBody = Literal["form", "json"]
UserinfoMethod = Literal["GET", "POST"]


@dataclass(frozen=True, slots=True)
class Quirks:
    """Where one provider differs from the RFCs, as data: by default nowhere.

    Args:
        access_token_path: where the access token is in a token response; dots lead into objects. What
            belongs to it (`refresh_token`, `expires_in`, `scope`, `token_type`) is read from the same object.
            Where it is not there, it is looked for at the top, as in renewals at Slack.
        token_body: how the body of token and refresh requests is written.
        token_parameters: further parameters of those requests.
        token_headers: further headers of those requests.
        token_types: further token types whose tokens are used as Bearer, compared without case; `none` stands
            for a type that is not told.
        nonce: False: this server is known not to return the nonce. Only for a code with PKCE, which defends
            against the same attack (RFC 9700 §4.5.3).
        dead_refresh_errors: further error codes with which a refresh token is refused for good.
        scope_parameter: the name of the scope parameter in requests for authorization.
        device_scope_parameter: its name in device authorization requests; empty: the same.
        scope_aliases: pairs of a scope as asked for, and as it is granted too.
        scope_prefixes: beginnings that are left out when scopes are compared.
        approval_hosts: hosts other than the issuer's where a device code or a ticket is approved.
        revoke_method: of the vendor's own request that gives up a token; empty: RFC 7009.
        revoke_url: its address; the token goes into the Authorization header.
        userinfo_method: of the request that says whose account it is.
    """

    access_token_path: str = "access_token"
    token_body: TokenBody = "form"
    token_parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    token_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    token_types: tuple[str, ...] = ()
    nonce: bool = True
    dead_refresh_errors: tuple[str, ...] = ()
    scope_parameter: str = "scope"
    device_scope_parameter: str = ""
    scope_aliases: tuple[tuple[str, str], ...] = ()
    scope_prefixes: tuple[str, ...] = ()
    approval_hosts: tuple[str, ...] = ()
    revoke_method: str = ""
    revoke_url: str = ""
    userinfo_method: UserinfoMethod = "GET"


NO_QUIRKS = Quirks()
