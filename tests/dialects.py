"""The dialects of real providers, as data: what a `DialectServer` of the tests is told to speak.

A row says how one provider's requests and answers differ from the RFCs, as its own public pages or reports of
those who met it show; the sources stand beside the same facts in `settings.providers`. Providers that are not
here keep to the RFCs as far as a sign-in notices. The rows are written apart from the client's settings, so
that a slip in one does not hide in the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one provider speaks; the default is as the RFCs say.

    Args:
        scope_parameter: in authorization requests.
        scope_separator: there too.
        device_scope: the parameter's name in device authorization requests.
        granted: names of scopes as they are granted, by the names that are asked for; empty: not told.
        scope_as: the form of the scope in a token response.
        scope_member: its name there.
        token_member: the object in a token response that has the tokens in it; empty: the response itself.
        token_type: empty: not told.
        left_out: members that a token response lacks.
        added: members that it has besides.
        token_body: the only body that the token endpoint reads.
        pkce: False: the challenge is passed over, and a verifier is refused.
        nonce: False: the ID token has none.
        form_answers: answers are forms for whoever does not ask for JSON.
        errors: the form of errors of the token endpoint.
        dead_refresh: status and code for a refresh token that is no longer good.
        revocation: by RFC 7009, or by a request with the token in its header.
        userinfo: the only method of the UserInfo endpoint.
        account: the member that names the account there; empty: the usual ones.
        token_issuer: what ID tokens call the server; empty: its issuer.
    """

    scope_parameter: str = "scope"
    scope_separator: str = " "
    device_scope: str = "scope"
    granted: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    scope_as: Literal["text", "list", "commas"] = "text"
    scope_member: str = "scope"
    token_member: str = ""
    token_type: str = "Bearer"
    left_out: tuple[str, ...] = ()
    added: Mapping[str, object] = field(default_factory=lambda: NOTHING)
    token_body: Literal["form", "json"] = "form"
    pkce: bool = True
    nonce: bool = True
    form_answers: bool = False
    errors: Literal["rfc", "id and message", "status and message", "ok", "message", "200"] = "rfc"
    dead_refresh: tuple[int, str] = (400, "invalid_grant")
    revocation: Literal["rfc", "bearer"] = "rfc"
    userinfo: Literal["GET", "POST"] = "GET"
    account: str = ""
    token_issuer: str = ""


ENTRA = Dialect(
    account="mail",
    granted={"User.Read": "https://graph.microsoft.com/User.Read", "offline_access": ""},
    dead_refresh=(400, "interaction_required"),
)
GOOGLE = {
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}

DIALECTS: Mapping[str, Dialect] = {
    "atlassian": Dialect(dead_refresh=(403, "unauthorized_client"), account="account_id"),
    "bitbucket": Dialect(
        scope_member="scopes", token_type="bearer", dead_refresh=(400, "invalid_request"), account="username"
    ),
    "digitalocean": Dialect(token_type="bearer", added={"info": {"name": "Demo Account"}}),
    "discord": Dialect(account="username"),
    "doppler": Dialect(errors="message"),
    "dropbox": Dialect(token_type="bearer", revocation="bearer", userinfo="POST", account="email"),
    "entra": replace(ENTRA, account=""),
    "github": Dialect(
        scope_as="commas",
        token_type="bearer",
        form_answers=True,
        errors="200",
        dead_refresh=(200, "bad_refresh_token"),
        account="login",
    ),
    "google": Dialect(granted=GOOGLE, token_issuer="accounts.google.com"),
    "heroku": Dialect(errors="id and message", dead_refresh=(401, "unauthorized")),
    "linear": Dialect(scope_separator=",", scope_as="list", revocation="bearer"),
    "linkedin": Dialect(token_type="", nonce=False, scope_as="commas"),
    "microsoft": ENTRA,
    "netlify": Dialect(pkce=False, account="email"),
    "notion": Dialect(
        token_type="bearer",
        token_body="json",
        pkce=False,
        left_out=("scope", "expires_in"),
        added={"bot_id": "b", "workspace_id": "w", "owner": {"type": "user"}},
        errors="message",
    ),
    "salesforce": Dialect(
        left_out=("expires_in",),
        added={"instance_url": "https://example.my.salesforce.com", "issued_at": "1"},
    ),
    "slack": Dialect(
        scope_parameter="user_scope",
        scope_separator=",",
        scope_as="commas",
        token_member="authed_user",
        token_type="user",
        added={"ok": True, "app_id": "A0", "team": {"id": "T0"}},
        errors="ok",
        dead_refresh=(200, "invalid_refresh_token"),
        revocation="bearer",
    ),
    "spotify": Dialect(account="display_name"),
    "twitch": Dialect(
        device_scope="scopes", scope_as="list", token_type="bearer", errors="status and message"
    ),
}
