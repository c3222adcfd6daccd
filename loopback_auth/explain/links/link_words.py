"""What the parameters of a link are for, who makes them, and which pages are known. Only tables.

The words of `parameter_words` are used first; here is what only a link has, and what single providers have
beyond the standards. A parameter of a provider has its own documentation as source.

Source: RFC 6749 §3.1 (unknown parameters are ignored by the server).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from loopback_auth.explain.story_words import Sentence

OPENID = "OpenID Connect Core 1.0 §3.1.2.1"
TYPES = "OAuth 2.0 Multiple Response Types"

LINK_PARAMETERS: Mapping[str, Sentence] = {
    "response_type code": (
        "the browser should bring a code, which is exchanged for tokens",
        "RFC 6749 §4.1.1",
    ),
    "response_type token": ("the browser should bring the access token itself", "RFC 6749 §4.2.1"),
    "response_type id_token": ("the browser should bring an ID token", f"{TYPES} §3"),
    "response_type none": ("the browser should bring nothing but the state", f"{TYPES} §4"),
    "response_mode query": ("the response comes behind the ? of the address", f"{TYPES} §2.1"),
    "response_mode fragment": (
        "the response comes behind the # of the address, which only a script in the page can read",
        f"{TYPES} §2.1",
    ),
    "response_mode form_post": (
        "the browser posts the response as a form, so that it is in no address",
        "OAuth 2.0 Form Post Response Mode §2",
    ),
    "code_challenge_method": (
        "how the code_challenge was made from the verifier; without it plain",
        "RFC 7636 §4.3",
    ),
    "code_challenge_method plain": (
        "the challenge is the verifier itself, which protects nothing here",
        "RFC 7636 §4.2, §7.2",
    ),
    "code_challenge_method S256": ("the challenge is a SHA-256 hash of the verifier", "RFC 7636 §4.2"),
    "prompt": ("which pages the server shows or must not show", OPENID),
    "prompt none": ("the server shows no page, and answers with an error if it would have to", OPENID),
    "prompt login": ("the user has to sign in again", OPENID),
    "prompt consent": ("the user has to consent again", OPENID),
    "prompt select_account": ("the user has to choose the account", OPENID),
    "prompt create": (
        "the user should create an account",
        "OpenID Connect Prompt Create 1.0 §4",
    ),
    "display": ("how the pages of the server should look", OPENID),
    "max_age": ("how many seconds ago the user may have signed in at most", OPENID),
    "ui_locales": ("languages of the pages, the best first", OPENID),
    "claims_locales": ("languages of the claims", "OpenID Connect Core 1.0 §5.2"),
    "claims": (
        "which claims the ID token or the UserInfo response should have",
        "OpenID Connect Core 1.0 §5.5",
    ),
    "login_hint": ("which account is meant; personal data, which stays in the history", OPENID),
    "id_token_hint": ("an earlier ID token, which says which user is meant", OPENID),
    "acr_values": ("how well the user should be authenticated, the best first", OPENID),
    "registration": ("client metadata of a self-issued provider", "OpenID Connect Core 1.0 §7.2.1"),
    "request": ("the parameters as a signed token", "RFC 9101 §5.1"),
    "request_uri pushed": (
        "reference to the parameters that the program pushed; valid once, and for a short time",
        "RFC 9126 §2.2",
    ),
    "request_uri": ("address of a signed request", "RFC 9101 §5.2"),
    "authorization_details": ("what the token may do, as objects", "RFC 9396 §2"),
    "audience": ("which API the token is for, as some servers call it", "RFC 8693 §2.1"),
    "dpop_jkt": ("hash of the key that the code and the tokens are to be bound to", "RFC 9449 §10"),
    "response": ("the response as a signed token", "OAuth 2.0 JARM §2.3.1"),
    "token_type": ("how the access token has to be used", "RFC 6749 §4.2.2, §7.1"),
    "expires_in": ("lifetime of the access token in seconds", "RFC 6749 §4.2.2"),
    "scope granted": ("what the token may do; it may be less than was requested", "RFC 6749 §3.3"),
    "session_state": (
        "lets a page notice that the user has signed out",
        "OpenID Connect Session Management 1.0 §3",
    ),
    "error_description": ("the server's own words about the error", "RFC 6749 §4.1.2.1"),
    "error_uri": ("a page about the error", "RFC 6749 §4.1.2.1"),
    "error_subtype": (
        "more about the error, at Google",
        "https://developers.google.com/identity/protocols/oauth2",
    ),
    "post_logout_redirect_uri": (
        "where the browser goes after the logout",
        "OpenID Connect RP-Initiated Logout 1.0 §2",
    ),
    "logout_hint": ("who should be signed out", "OpenID Connect RP-Initiated Logout 1.0 §2"),
    "client_assertion": ("proves who the client is, with a signature", "RFC 7521 §4.2"),
    "client_assertion_type": ("what kind of proof that is", "RFC 7521 §4.2"),
    "oauth_token": ("token of OAuth 1.0, another protocol", "RFC 5849 §2.2"),
    "oauth_verifier": ("code of OAuth 1.0, another protocol", "RFC 5849 §2.2"),
    "SAMLRequest": ("request of SAML, another protocol", "SAML 2.0 Bindings §3.4"),
    "SAMLResponse": ("response of SAML, another protocol", "SAML 2.0 Bindings §3.4"),
    "RelayState": ("state of SAML, another protocol", "SAML 2.0 Bindings §3.4"),
}
"""What each parameter is for, by its name on the wire; a value or a variant may follow the name."""

GOOGLE = "https://developers.google.com/identity/protocols/oauth2/web-server"
GITHUB = "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps"
MICROSOFT = "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow"
AUTH0 = "https://auth0.com/docs/api/authentication"
COGNITO = "https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html"
DROPBOX = "https://www.dropbox.com/developers/documentation/http/documentation"
DISCORD = "https://docs.discord.com/developers/topics/oauth2"

VENDOR_PARAMETERS: Mapping[str, Sentence] = {
    "access_type": ("Google: offline asks for a refresh token", GOOGLE),
    "include_granted_scopes": ("Google: the token also gets scopes that were granted before", GOOGLE),
    "enable_granular_consent": ("Google: the user may grant single scopes", GOOGLE),
    "hd": ("Google: the domain that the account should have; check it in the ID token", GOOGLE),
    "domain_hint": ("Microsoft: the domain or tenant of the account", MICROSOFT),
    "allow_signup": ("GitHub: whether the page offers to create an account", GITHUB),
    "login": ("GitHub: which account is suggested", GITHUB),
    "connection": ("Auth0: which identity provider is used", AUTH0),
    "organization": ("Auth0: which organization the user signs in to", AUTH0),
    "invitation": ("Auth0: ticket of an invitation to an organization", AUTH0),
    "screen_hint": ("Auth0: whether the page shows the sign-up first", AUTH0),
    "identity_provider": ("Amazon Cognito: which identity provider is used", COGNITO),
    "idp_identifier": ("Amazon Cognito: which identity provider is used", COGNITO),
    "kc_idp_hint": (
        "Keycloak: which identity provider is used",
        "https://www.keycloak.org/docs/latest/server_admin/",
    ),
    "token_access_type": ("Dropbox: offline asks for a refresh token", DROPBOX),
    "force_reapprove": ("Dropbox: the user has to approve again", DROPBOX),
    "disable_signup": ("Dropbox: the page offers no new account", DROPBOX),
    "user_scope": (
        "Slack: scopes of the user's token",
        "https://docs.slack.dev/authentication/installing-with-oauth",
    ),
    "team": ("Slack: the workspace", "https://docs.slack.dev/authentication/installing-with-oauth"),
    "show_dialog": (
        "Spotify: the user has to approve again",
        "https://developer.spotify.com/documentation/web-api/tutorials/code-flow",
    ),
    "permissions": ("Discord: permissions of a bot", DISCORD),
    "guild_id": ("Discord: the server that is suggested", DISCORD),
    "disable_guild_select": ("Discord: the user cannot choose another server", DISCORD),
    "force_verify": (
        "Twitch: the user has to approve again",
        "https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/",
    ),
    "grant_saml": (
        "Netlify: the token may be used for teams with single sign-on",
        "https://github.com/netlify/open-api",
    ),
    "t": ("Stripe: the login that should be approved", "https://github.com/stripe/stripe-cli"),
    "next": ("npm: the login that should be approved", "https://github.com/npm/npm-profile"),
    "requestor": ("Heroku: the program that asks", "https://github.com/heroku/heroku-cli-command"),
}
"""What single providers have, by name on the wire."""

PROGRAM, FRESH = "the program", "the program, new for each login"
SERVER, REGISTERED = "the server, for this login", "the server, when the client was registered"

MAKERS: Mapping[str, str] = {
    "client_id": REGISTERED,
    "redirect_uri": "the program; it has to be registered",
    "state": FRESH,
    "nonce": FRESH,
    "code_challenge": FRESH,
    "dpop_jkt": "the program, from its key",
    "request": FRESH,
    "client_assertion": FRESH,
    "code_verifier": FRESH,
    "client_secret": REGISTERED,
    **dict.fromkeys(
        (
            *(
                "code",
                "access_token",
                "id_token",
                "refresh_token",
                "response",
                "iss",
                "token_type",
                "expires_in",
            ),
            *("error", "error_description", "error_uri", "user_code", "ticket", "t", "next", "requestor"),
            *("request_uri", "session_state", "id_token_hint", "oauth_token", "oauth_verifier"),
        ),
        SERVER,
    ),
    **dict.fromkeys(
        (
            *(
                "response_type",
                "response_mode",
                "scope",
                "code_challenge_method",
                "prompt",
                "max_age",
                "display",
            ),
            *(
                "resource",
                "audience",
                "acr_values",
                "claims",
                "authorization_details",
                "login_hint",
                "ui_locales",
            ),
        ),
        PROGRAM,
    ),
}
"""Who makes a parameter; for others nothing is said."""

SECRET_HERE = frozenset({"t", "next", "requestor", "sessionToken", "invitation", "session_state"})
"""Parameters of single providers that are secret, besides those that every trace hides."""
SHOWN = frozenset(
    {
        *("access_type", "acr_values", "allow_signup", "audience", "claims", "claims_locales", "client_id"),
        *("code_challenge_method", "client_assertion_type", "connection", "disable_guild_select"),
        *(
            "disable_signup",
            "display",
            "domain_hint",
            "enable_granular_consent",
            "error",
            "error_description",
        ),
        *("error_subtype", "error_uri", "expires_in", "force_reapprove", "force_verify", "grant_saml"),
        *("grant_type", "guild_id", "hd", "identity_provider", "idp_identifier", "include_granted_scopes"),
        *("iss", "kc_idp_hint", "login", "login_hint", "max_age", "organization", "permissions"),
        *("post_logout_redirect_uri", "prompt", "redirect_uri", "resource", "response_mode", "response_type"),
        *("scope", "screen_hint", "show_dialog", "team", "token_access_type", "token_type", "ui_locales"),
        *("user_scope", "authorization_details"),
    }
)
"""Parameters whose values are shown."""
WORDS = frozenset(
    {
        *(
            "access_type",
            "code_challenge_method",
            "display",
            "error",
            "error_subtype",
            "grant_type",
            "prompt",
        ),
        *("response_mode", "response_type", "screen_hint", "token_type"),
    }
)
"""The parameters whose values are words of the specifications; any other value may be a secret."""
MULTIPLE = frozenset({"resource", "audience"})
"""Parameters that may be repeated (RFC 8707 §2; RFC 8693 §2.1)."""

DEVICE_PAGES = tuple(
    map(
        re.compile,
        (
            r"github\.com/login/device",
            r"(?:www\.|login\.)?microsoft\.com/(?:devicelogin|device|link)",
            r"login\.microsoftonline\.com/.*/oauth2/deviceauth",
            r"(?:www\.)?google\.com/device",
            r"gitlab\.com/oauth/device",
            r"(?:www\.)?twitch\.tv/activate",
            r"(?:hf\.co|huggingface\.co)/oauth/device",
        ),
    )
)
"""Host and path of pages where a user code is typed, which have no parameter of their own."""
TICKET_PAGES: tuple[re.Pattern[str], ...] = tuple(
    map(
        re.compile,
        (
            r"(?:www\.)?npmjs\.com/(?:login|auth)/cli/",
            r"cli-auth\.heroku\.com/auth/(?:cli/)?browser/",
            r"dashboard\.stripe\.com/stripecli/confirm_auth",
            r"dashboard\.doppler\.com/workplace/auth/cli",
        ),
    )
)
"""Host and path of pages where a ticket of a vendor is approved; Netlify's has response_type=ticket."""
TICKET_VENDORS: Mapping[str, str] = {
    "netlify.com": "netlify",
    "npmjs.com": "npm",
    "heroku.com": "heroku",
    "stripe.com": "stripe",
    "doppler.com": "doppler",
}
"""The contract of a vendor, by the end of the host."""
