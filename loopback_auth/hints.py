"""What a person can do about an error code from a server, by the step in which it came.

The table is apart from `errors`, which is loaded before the browser is started: it is needed only after a
refusal. It refuses to know more than step and code.
"""

from __future__ import annotations

SIGN_IN_AGAIN = "Sign in again: the code or refresh token was used, expired or revoked."
CHECK_CLIENT = (
    "Check --client-id, --client-auth and the client secret against the registration at the server."
)
REPORT_BUG = "Report this with the output of --verbose: the server did not understand the request."
TRY_LATER = "Try again in a few minutes: the server has a problem."
NO_PROMPT_NONE = "Leave --prompt none out, so that the server may ask you."
OTHER_SCOPES = "Request other scopes with --scope; the server's documentation lists them."

HINTS = {
    # RFC 6749 §4.1.2.1, authorization error response
    ("authorization request", "invalid_request"): (
        "Check --redirect-uri, --response-mode and --extra against the server's documentation, or try --push."
    ),
    ("authorization request", "unauthorized_client"): (
        "Allow this client the authorization code grant in its registration, or use another --client-id."
    ),
    ("authorization request", "access_denied"): (
        "Run the command again and approve, or ask an administrator whether this client is allowed."
    ),
    ("authorization request", "unsupported_response_type"): (
        "Enable the authorization code grant for this client at the server, or choose another --flow."
    ),
    ("authorization request", "invalid_scope"): OTHER_SCOPES,
    ("authorization request", "server_error"): TRY_LATER,
    ("authorization request", "temporarily_unavailable"): TRY_LATER,
    # OpenID Connect Core §3.1.2.6
    ("authorization request", "login_required"): NO_PROMPT_NONE,
    ("authorization request", "consent_required"): NO_PROMPT_NONE,
    ("authorization request", "interaction_required"): NO_PROMPT_NONE,
    ("authorization request", "account_selection_required"): (
        "Leave --prompt none out, or name the account with --login-hint."
    ),
    # RFC 8707 §2
    ("authorization request", "invalid_target"): "Check --resource: the server does not know it.",
    ("token request", "invalid_target"): "Check --resource: the server does not know it.",
    # RFC 6749 §5.2, token error response
    ("token request", "invalid_request"): REPORT_BUG,
    ("token request", "invalid_client"): CHECK_CLIENT,
    ("token request", "invalid_grant"): SIGN_IN_AGAIN,
    ("token request", "unauthorized_client"): (
        "Allow this client the grant in its registration at the server, or use another --client-id."
    ),
    ("token request", "unsupported_grant_type"): (
        "Enable the authorization code and refresh token grants for this client at the server."
    ),
    ("token request", "invalid_scope"): OTHER_SCOPES,
    # GitHub's own codes, answered with status 200
    ("token request", "bad_verification_code"): SIGN_IN_AGAIN,
    ("token request", "incorrect_client_credentials"): CHECK_CLIENT,
    ("token request", "redirect_uri_mismatch"): (
        "Register this redirect URI at the server, or give the registered one with --redirect-uri."
    ),
    # RFC 9126 §2.3
    ("pushed authorization request", "invalid_client"): CHECK_CLIENT,
    ("pushed authorization request", "invalid_request"): (
        "Check --redirect-uri and --scope against the registration at the server."
    ),
    ("pushed authorization request", "invalid_redirect_uri"): (
        "Register this redirect URI at the server, or give the registered one with --redirect-uri."
    ),
    # RFC 8628 §3.5
    ("device authorization", "access_denied"): "Run the command again and approve.",
    # Microsoft's code for it
    ("device authorization", "authorization_declined"): "Run the command again and approve.",
    ("device authorization", "expired_token"): "Run the command again and enter the code in time.",
    ("device authorization", "invalid_client"): CHECK_CLIENT,
    ("device authorization", "invalid_grant"): "Run the command again: the code was used or has expired.",
    ("device authorization", "unauthorized_client"): (
        "Allow this client the device grant in its registration at the server, or choose another --flow."
    ),
    ("device authorization", "unsupported_grant_type"): (
        "Choose another --flow: this server does not support the device grant."
    ),
    ("device authorization", "invalid_scope"): OTHER_SCOPES,
    # Tickets have no error codes of their own: these are ours.
    ("ticket", "denied_or_expired"): "Run the command again and approve within a few minutes.",
    ("ticket", "not_created"): "Check --client-id: the server did not create a ticket for it.",
    ("ticket", "creation_refused"): "Try again in a few minutes, or choose another --flow.",
    ("ticket", "exchange_refused"): "Run the command again: a ticket can be exchanged only once.",
    # RFC 7009 §2.2.1
    ("revocation request", "unsupported_token_type"): (
        "Remove the authorization on the server's own web page; it does not revoke this kind of token."
    ),
    ("revocation request", "invalid_client"): CHECK_CLIENT,
}


def hint_for(step: str, error: str) -> str:
    """Return what a person can do about an error code in a step; a general sentence for unknown codes."""
    return HINTS.get((step, error), "Look the error up in the server's documentation, then try again.")
