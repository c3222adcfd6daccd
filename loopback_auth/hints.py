"""What a person can do about an error code from a server, by the step in which it came.

The table is apart from `errors`, which is loaded before the browser is started: it is needed only after a
refusal. It refuses to know more than step and code. The sentences are neutral; beside each stand the
arguments that it is about, as in `LoopbackAuthError.parameter`.
"""

from __future__ import annotations

SIGN_IN_AGAIN = "Sign in again: the code or refresh token was used, expired or revoked.", ""
CHECK_CLIENT = (
    "Check the client ID, secret or key, and how the client authenticates, against the registration there.",
    "client_id client_secret private_key client_auth",
)
CHECK_KEY = (
    "Compare the private key with the public key that the server has, and check the clock of this machine.",
    "private_key",
)
UNSIGNED = "Send the request without a signature: the server does not take signed ones.", "signed_request"
REPORT_BUG = "Report this to the author of this program: the server did not understand the request.", ""
TRY_LATER = "Try again in a few minutes: the server has a problem.", ""
NO_PROMPT_NONE = "Let the server ask you: leave the prompt none out.", "prompt"
OTHER_SCOPES = "Request other scopes; the server's documentation lists them.", "scope"
OTHER_RESOURCE = "Check the resource: the server does not know it.", "resource"
REGISTER_REDIRECT = "Register this redirect URI at the server, or use the registered one.", "redirect"
REGISTER_BY_HAND = (
    "Register a client at the server by hand, and give its client ID: the server does not register this one.",
    "client_id",
)
APPROVE = "Sign in again and approve.", ""

SET_CLOCK = (
    "Set the clock of this machine. If the server requires DPoP, switch it on for this client.",
    "dpop",
)
NONCE_IN_VAIN = (
    "Try again; if it happens again, report it to the provider: the server did not accept its own nonce.",
    "dpop",
)

HINTS: dict[tuple[str, str], tuple[str, str]] = {
    # RFC 6749 §4.1.2.1, authorization error response
    ("authorization request", "invalid_request"): (
        "Compare the redirect URI, response mode and extra parameters with the server's documentation, or "
        "push the request.",
        "redirect response_mode extra push",
    ),
    ("authorization request", "unauthorized_client"): (
        "Allow this client the authorization code grant in its registration, or use another client ID.",
        "client_id",
    ),
    ("authorization request", "access_denied"): (
        "Sign in again and approve, or ask an administrator whether this client is allowed.",
        "",
    ),
    ("authorization request", "unsupported_response_type"): (
        "Enable the authorization code grant for this client at the server, or choose another flow.",
        "flow",
    ),
    ("authorization request", "invalid_scope"): OTHER_SCOPES,
    ("authorization request", "server_error"): TRY_LATER,
    ("authorization request", "temporarily_unavailable"): TRY_LATER,
    # OpenID Connect Core §3.1.2.6
    ("authorization request", "login_required"): NO_PROMPT_NONE,
    ("authorization request", "consent_required"): NO_PROMPT_NONE,
    ("authorization request", "interaction_required"): NO_PROMPT_NONE,
    ("authorization request", "account_selection_required"): (
        "Let the server ask you: leave the prompt none out, or name the account.",
        "prompt login_hint",
    ),
    # RFC 9101 §7
    ("authorization request", "invalid_request_object"): CHECK_KEY,
    ("authorization request", "request_not_supported"): UNSIGNED,
    ("pushed authorization request", "invalid_request_object"): CHECK_KEY,
    ("pushed authorization request", "request_not_supported"): UNSIGNED,
    # RFC 8707 §2
    ("authorization request", "invalid_target"): OTHER_RESOURCE,
    ("token request", "invalid_target"): OTHER_RESOURCE,
    # RFC 6749 §5.2, token error response
    ("token request", "invalid_request"): REPORT_BUG,
    ("token request", "invalid_client"): CHECK_CLIENT,
    ("token request", "invalid_grant"): SIGN_IN_AGAIN,
    ("token request", "unauthorized_client"): (
        "Allow this client the grant in its registration at the server, or use another client ID.",
        "client_id",
    ),
    ("token request", "unsupported_grant_type"): (
        "Enable the authorization code and refresh token grants for this client at the server.",
        "",
    ),
    ("token request", "invalid_scope"): OTHER_SCOPES,
    # RFC 9449 §5, §8
    ("token request", "invalid_dpop_proof"): SET_CLOCK,
    ("token request", "use_dpop_nonce"): NONCE_IN_VAIN,
    # GitHub's own codes, answered with status 200
    ("token request", "bad_verification_code"): SIGN_IN_AGAIN,
    ("token request", "incorrect_client_credentials"): CHECK_CLIENT,
    ("token request", "redirect_uri_mismatch"): REGISTER_REDIRECT,
    # RFC 9126 §2.3
    ("pushed authorization request", "invalid_client"): CHECK_CLIENT,
    ("pushed authorization request", "invalid_request"): (
        "Check the redirect URI and the scope against the registration at the server.",
        "redirect scope",
    ),
    ("pushed authorization request", "invalid_redirect_uri"): REGISTER_REDIRECT,
    # RFC 7591 §3.2.2
    ("registration request", "invalid_redirect_uri"): (
        "Try another redirect URI, such as one with localhost, or give the ID of a registered client.",
        "redirect client_id",
    ),
    ("registration request", "invalid_client_metadata"): REGISTER_BY_HAND,
    ("registration request", "invalid_software_statement"): REGISTER_BY_HAND,
    ("registration request", "unapproved_software_statement"): REGISTER_BY_HAND,
    # RFC 6750 §3.1: registration is open to those alone who have a token for it (RFC 7591 §3.1)
    ("registration request", "invalid_token"): REGISTER_BY_HAND,
    ("registration request", "access_denied"): REGISTER_BY_HAND,
    ("pushed authorization request", "invalid_dpop_proof"): SET_CLOCK,
    ("pushed authorization request", "use_dpop_nonce"): NONCE_IN_VAIN,
    # RFC 8628 §3.5
    ("device authorization", "access_denied"): APPROVE,
    # Microsoft's code for it
    ("device authorization", "authorization_declined"): APPROVE,
    ("device authorization", "expired_token"): ("Sign in again and enter the code in time.", ""),
    ("device authorization", "invalid_client"): CHECK_CLIENT,
    ("device authorization", "invalid_grant"): ("Sign in again: the code was used or has expired.", ""),
    ("device authorization", "unauthorized_client"): (
        "Allow this client the device grant in its registration at the server, or choose another flow.",
        "flow",
    ),
    ("device authorization", "unsupported_grant_type"): (
        "Choose another flow: this server does not support the device grant.",
        "flow",
    ),
    ("device authorization", "invalid_scope"): OTHER_SCOPES,
    ("device authorization", "invalid_dpop_proof"): SET_CLOCK,
    ("device authorization", "use_dpop_nonce"): NONCE_IN_VAIN,
    # Tickets have no error codes of their own: these are ours.
    ("ticket", "denied_or_expired"): ("Sign in again and approve within a few minutes.", ""),
    ("ticket", "not_created"): (
        "Check the client ID: the server did not create a ticket for it.",
        "client_id",
    ),
    ("ticket", "creation_refused"): ("Try again in a few minutes, or choose another flow.", "flow"),
    ("ticket", "exchange_refused"): ("Sign in again: a ticket can be exchanged only once.", ""),
    # RFC 7009 §2.2.1
    ("revocation request", "unsupported_token_type"): (
        "Remove the authorization on the server's own web page; it does not revoke this kind of token.",
        "",
    ),
    ("revocation request", "invalid_client"): CHECK_CLIENT,
}
"""Step and error code to the hint and its parameters."""


def hint_for(step: str, error: str) -> tuple[str, str]:
    """Return what a person can do about an error code in a step, and the parameters that this is about."""
    return HINTS.get((step, error), ("Look the error up in the server's documentation, then try again.", ""))
