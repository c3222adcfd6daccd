"""The type that says where a provider differs from the RFCs.

The values are data of `settings.providers`; the functions of `protocol` obey them, each next to the rule of
the RFC that it changes. This module refuses to know any provider.
"""

from __future__ import annotations

from loopback_auth.field_checks import check_types
from loopback_auth.records import Literal, dataclass, field

TokenBody = Literal["form", "json"]
UserinfoMethod = Literal["GET", "POST"]


@dataclass(frozen=True, slots=True)
class Quirks:
    """Where one provider differs from the RFCs; by default nowhere.

    Args:
        access_token_path: where the access token is in a token response, with dots between the names of
            nested objects. `refresh_token`, `expires_in`, `scope` and `token_type` are read from the same
            object. Where that is missing, they are read at the top, as in renewals at Slack.
        token_body: how the body of token and refresh requests is encoded.
        token_parameters: further parameters of token and refresh requests.
        token_headers: further headers of token and refresh requests.
        token_types: further token types whose tokens are used as Bearer, compared without case; `none` means
            a response without `token_type`.
        nonce: False: this server does not return the nonce. Only for a code with PKCE, which defends against
            the same attack (RFC 9700 §4.5.3).
        dead_refresh_errors: further error codes that mean that a refresh token will never work again.
        scope_parameter: the name of the scope parameter in authorization requests.
        device_scope_parameter: its name in device authorization requests; empty: the same.
        scope_aliases: pairs of a requested scope and another name under which it is granted.
        scope_prefixes: prefixes that are ignored when scopes are compared.
        approval_hosts: hosts other than the issuer's where a device code or a ticket is approved.
        revoke_method: HTTP method of the vendor's own revocation request; empty: as in RFC 7009.
        revoke_url: address of that request; the token goes into the Authorization header.
        userinfo_method: HTTP method of the UserInfo request.
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

    def __post_init__(self) -> None:
        check_types(self)


NO_QUIRKS = Quirks()
