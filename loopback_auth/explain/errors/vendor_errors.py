"""What single providers answer, from their own documentation: codes of their own, and what common codes mean.

Only a table, as in `error_words`. A code that a standard has is here for a provider whose documentation says
more about it. Sentences are ours, not quoted.
"""

from __future__ import annotations

from loopback_auth.explain.errors.error_words import AUTHORIZATION, DEVICE, TICKET, TOKEN, KnownError

_GITHUB_REQUEST = "https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-authorization-request-errors"
_GITHUB_TOKEN = (
    "https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/"
    "troubleshooting-oauth-app-access-token-request-errors"
)
_GITHUB_DEVICE = "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps"
_GOOGLE = "https://developers.google.com/identity/protocols/oauth2"
_GOOGLE_NATIVE = "https://developers.google.com/identity/protocols/oauth2/native-app"
_GOOGLE_HELP = "https://support.google.com/accounts/answer/16668185"
_MICROSOFT_DEVICE = "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-device-code"
_SLACK = "https://docs.slack.dev/reference/methods/oauth.v2.access"
_NETLIFY = "https://github.com/netlify/open-api"

VENDOR: tuple[KnownError, ...] = (
    KnownError(
        "redirect_uri_mismatch",
        (AUTHORIZATION,),
        "The redirect URI in the request is not registered for this client. Google shows a page and does not "
        "redirect.",
        (
            "The client is of the type Web application, whose redirect URIs have to be registered exactly.",
            "The host is localhost in one place and 127.0.0.1 in the other, or a port or a slash differs.",
        ),
        _GOOGLE_NATIVE,
        "Use a client of the type Desktop app, which accepts loopback addresses with any port, or register "
        "the redirect URI exactly.",
        "google",
    ),
    KnownError(
        "invalid_grant",
        (TOKEN,),
        "Google's answer to a code or refresh token that it does not accept.",
        (
            "The consent screen is in the status Testing: its refresh tokens expire after 7 days, unless "
            "only the name, the email address and the profile were requested.",
            "The refresh token was not used for six months.",
            "The user withdrew the access, or changed the password while the token had Gmail scopes.",
            "The account has more than 100 refresh tokens of this client; the oldest ends without a warning.",
        ),
        f"{_GOOGLE}#expiration",
        "Sign in again. If it happens every week, publish the consent screen.",
        "google",
    ),
    KnownError(
        "admin_policy_enforced",
        (AUTHORIZATION,),
        "The administrator of the user's Google Workspace does not allow this client, or not these scopes.",
        ("The organization restricts which clients may use its data.",),
        _GOOGLE_HELP,
        "Ask the administrator to allow the client ID, or sign in with another account.",
        "google",
    ),
    KnownError(
        "access_not_configured",
        (AUTHORIZATION,),
        "The administrator of a Workspace for Education has not configured this client.",
        ("In such organizations a client has to be allowed first.",),
        _GOOGLE_HELP,
        "Ask the administrator to configure the access for the client.",
        "google",
    ),
    KnownError(
        "invalid_request",
        (AUTHORIZATION,),
        "The request uses a method that Google does not allow (also shown as Access blocked).",
        (
            "The redirect URI is urn:ietf:wg:oauth:2.0:oob, which Google ended in 2022.",
            "The client is of a type that may not use a loopback redirect.",
        ),
        f"{_GOOGLE_HELP}; {_GOOGLE_NATIVE}",
        "Use a client of the type Desktop app and a loopback redirect URI.",
        "google",
    ),
    KnownError(
        "disallowed_useragent",
        (AUTHORIZATION,),
        "The authorization page was opened in an embedded browser, which Google does not allow.",
        ("The link was opened inside another application, in a web view.",),
        _GOOGLE_NATIVE,
        "Open the link in the browser of the system.",
        "google",
    ),
    KnownError(
        "org_internal",
        (AUTHORIZATION,),
        "The client is for accounts of one Google Cloud organization only.",
        ("The user type of the consent screen is Internal.",),
        _GOOGLE_NATIVE,
        "Sign in with an account of that organization, or set the user type to External.",
        "google",
    ),
    KnownError(
        "deleted_client",
        (AUTHORIZATION, TOKEN),
        "The client was deleted at Google.",
        ("It was deleted by hand, or automatically because it was not used.",),
        _GOOGLE_NATIVE,
        "Restore the client in the Google Cloud console, which is possible for 30 days, or use another one.",
        "google",
    ),
    KnownError(
        "redirect_uri_mismatch",
        (AUTHORIZATION, TOKEN),
        "The redirect URI does not fit the callback URL that is registered for this OAuth app.",
        ("The host or the path differs. For a loopback address the port may differ.",),
        f"{_GITHUB_REQUEST}; {_GITHUB_TOKEN}",
        "Register http://127.0.0.1/callback, or leave redirect_uri out of the request.",
        "github",
    ),
    KnownError(
        "application_suspended",
        (AUTHORIZATION,),
        "GitHub has suspended the OAuth app.",
        ("Abuse or spam was reported.",),
        _GITHUB_REQUEST,
        "Write to GitHub's support.",
        "github",
    ),
    KnownError(
        "bad_verification_code",
        (TOKEN,),
        "The code is wrong or has expired. The answer has the HTTP status 200.",
        ("The code was exchanged twice, or belongs to another client.",),
        _GITHUB_TOKEN,
        "",
        "github",
    ),
    KnownError(
        "incorrect_client_credentials",
        (TOKEN, DEVICE),
        "The client ID or the client secret is wrong. The answer has the HTTP status 200.",
        (
            "GitHub wants the client secret for a code, with PKCE too.",
            "For the device grant only the client ID is needed.",
        ),
        f"{_GITHUB_TOKEN}; {_GITHUB_DEVICE}",
        "Compare the client ID and the secret with the settings of the app.",
        "github",
    ),
    KnownError(
        "unverified_user_email",
        (TOKEN,),
        "The user has not verified the primary email address at GitHub.",
        ("The account is new.",),
        _GITHUB_TOKEN,
        "Verify the primary email address in the settings of the account.",
        "github",
    ),
    KnownError(
        "incorrect_device_code",
        (DEVICE,),
        "GitHub does not know the device code.",
        ("The code was cut, or belongs to another client.",),
        _GITHUB_DEVICE,
        "Begin the device login again.",
        "github",
    ),
    KnownError(
        "device_flow_disabled",
        (DEVICE,),
        "The device flow is switched off for this app.",
        ("The device flow has to be enabled in the settings of the app.",),
        _GITHUB_DEVICE,
        "Enable Device Flow in the settings of the app.",
        "github",
    ),
    KnownError(
        "authorization_declined",
        (DEVICE,),
        "The user denied the device login. Microsoft has this code in place of access_denied.",
        ("The user pressed Cancel.",),
        _MICROSOFT_DEVICE,
        "",
        "microsoft",
    ),
    KnownError(
        "bad_verification_code",
        (DEVICE,),
        "Microsoft does not know the device code.",
        ("The code was cut, or belongs to another client or tenant.",),
        _MICROSOFT_DEVICE,
        "Begin the device login again.",
        "microsoft",
    ),
    KnownError(
        "bad_client_secret",
        (TOKEN,),
        "The client secret is wrong. Slack answers with the HTTP status 200 and ok: false.",
        ("The secret was regenerated, or belongs to another app.",),
        _SLACK,
        "Compare the client secret with the page Basic Information of the app.",
        "slack",
    ),
    KnownError(
        "bad_redirect_uri",
        (TOKEN,),
        "The redirect URI of the token request is not that of the authorization request.",
        ("The redirect URI was sent in one of the two requests only, or differs in a character.",),
        _SLACK,
        "Send exactly the same redirect_uri in both requests.",
        "slack",
    ),
    KnownError(
        "invalid_client_id",
        (TOKEN,),
        "Slack does not know the client ID.",
        ("The client ID was cut, or written as a number and rounded.",),
        _SLACK,
        "Compare the client ID with the page Basic Information of the app.",
        "slack",
    ),
    KnownError(
        "invalid_code",
        (TOKEN,),
        "Slack does not accept the code.",
        ("The code was used, has expired, or belongs to another app.",),
        _SLACK,
        "Sign in again.",
        "slack",
    ),
    KnownError(
        "oauth_authorization_url_mismatch",
        (TOKEN,),
        "The login began at another version of the authorization page.",
        ("The browser was sent to /oauth/authorize in place of /oauth/v2/authorize.",),
        _SLACK,
        "Begin at https://slack.com/oauth/v2/authorize.",
        "slack",
    ),
    KnownError(
        "redirect_mismatch",
        (AUTHORIZATION,),
        "The redirect URI is not exactly one of the allowed callback URLs of the app client.",
        ("Amazon Cognito compares the whole URL, with the port and the final slash.",),
        "https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html; "
        "danielgtaylor/restish#249",
        "Add the redirect URI to the allowed callback URLs of the app client.",
        "cognito",
    ),
    KnownError(
        "invalid_redirect_uri",
        (AUTHORIZATION,),
        "The redirect URI is malformed, or is not one of the client's. GitLab's page says so, and does not "
        "redirect.",
        ("GitLab compares exactly; only the port of 127.0.0.1 and [::1] may differ, not that of localhost.",),
        "https://github.com/doorkeeper-gem/doorkeeper/blob/main/config/locales/en.yml",
        "Register http://127.0.0.1/callback for the application.",
        "gitlab",
    ),
    KnownError(
        "denied_or_expired",
        (TICKET,),
        "The ticket was denied, has expired, or is unknown: the server does not say which. The code is ours.",
        ("The user pressed Deny, or took too long.", "Another program has exchanged the ticket."),
        _NETLIFY,
        "",
        "netlify",
    ),
    KnownError(
        "not_created",
        (TICKET,),
        "The server did not create a ticket for this client. This code is ours: Netlify answers with the "
        "HTTP status 401.",
        ("The client ID is unknown.",),
        _NETLIFY,
        "",
        "netlify",
    ),
    KnownError(
        "exchange_refused",
        (TICKET,),
        "The ticket was approved, but the server did not exchange it for a token. This code is ours.",
        ("The ticket was exchanged before: anyone who has its ID can do that.",),
        _NETLIFY,
        "",
        "netlify",
    ),
)
"""The codes of providers, but for those of Microsoft that have a number (`microsoft_errors`)."""
