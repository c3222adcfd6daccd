"""What each parameter and secret of a sign-in is for: a few words each, with their source.

Only tables, as in `story_words`. Where the words are true only for one value, its key names the value.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.explain.story_words import VENDOR, Sentence

PARAMETERS: Mapping[str, Sentence] = {
    "response_type": ("what the browser should bring back", "RFC 6749 §3.1.1"),
    "response_type ticket": ("a ticket should be approved; the browser brings nothing back", VENDOR),
    "response_mode": (
        "how the browser should bring the response back",
        "OAuth 2.0 Multiple Response Types §2.1",
    ),
    "client_id": ("which client asks; not a secret", "RFC 6749 §2.2"),
    "client_secret": (
        "proves that the request comes from that client, as long as it stays secret",
        "RFC 6749 §2.3.1",
    ),
    "redirect_uri": ("the only address that the response may go to", "RFC 6749 §3.1.2"),
    "state": ("comes back unchanged; a response without it is not for this request", "RFC 6749 §10.12"),
    "nonce": (
        "comes back in the ID token, and so ties the ID token to this request",
        "OpenID Connect Core 1.0 §3.1.2.1",
    ),
    "scope": ("what the token may do", "RFC 6749 §3.3"),
    "code_challenge": ("hash of a secret that only the program knows", "RFC 7636 §4.2"),
    "code_verifier": (
        "the secret behind the code_challenge; it proves that the program that exchanges the code is the one "
        "that started",
        "RFC 7636 §4.5",
    ),
    "code": ("can be exchanged for the tokens, once", "RFC 6749 §4.1.2"),
    "iss": ("which server sent the response", "RFC 9207 §2"),
    "grant_type": ("what is exchanged for tokens", "RFC 6749 §4.1.3"),
    "device_code": ("what the program polls with", "RFC 8628 §3.2"),
    "user_code": ("what the user compares or types", "RFC 8628 §3.2"),
    "verification_uri": ("the page that the user opens", "RFC 8628 §3.2"),
    "verification_uri_complete": ("the same page, with the code in the address", "RFC 8628 §3.3.1"),
    "interval": ("least number of seconds between two polls", "RFC 8628 §3.2"),
    "expires_in": ("lifetime in seconds", "RFC 6749 §5.1"),
    "resource": ("what the tokens are for; they are of no use at another resource", "RFC 8707 §2"),
    "resource_metadata": ("where the resource describes itself", "RFC 9728 §5.1"),
    "authorization_servers": ("the issuers of tokens for this resource", "RFC 9728 §2"),
    "scopes_supported": ("the scopes that tokens for this resource can have", "RFC 9728 §2"),
    "redirect_uris": ("the only addresses that responses may go to", "RFC 7591 §2"),
    "application_type native": (
        "its redirect URI is on the user's machine",
        "OpenID Connect Dynamic Client Registration 1.0 §2",
    ),
    "token_endpoint_auth_method": ("how the client proves who it is", "RFC 7591 §2"),
    "token_endpoint_auth_method none": ("the client has no secret", "RFC 7591 §2"),
    "client_name": ("what the user is shown; the server cannot check it", "RFC 7591 §2, §5"),
    "registration_access_token": ("reads, changes and deletes the registration", "RFC 7592 §3"),
    "registration_client_uri": ("where that is done", "RFC 7592 §3"),
    "dpop_jkt": ("hash of the key that the tokens are to be bound to", "RFC 9449 §10"),
    "DPoP": (
        "proves that the program has the key of the tokens; good for this request alone",
        "RFC 9449 §4.2",
    ),
    "request_uri": ("reference to the parameters that were pushed", "RFC 9126 §2.2"),
    "access_token": ("gives access to the account, to anyone who has it", "RFC 6750 §1.2"),
    "access_token with key": (
        "gives access to the account, to a program that also has the key",
        "RFC 9449 §2",
    ),
    "refresh_token": ("gets new access tokens without the user", "RFC 6749 §1.5"),
    "id_token": ("says who signed in", "OpenID Connect Core 1.0 §2"),
    "ticket": ("the ticket that should be approved", VENDOR),
    "authorized": ("whether the user has approved", VENDOR),
    "error": ("why the request was refused", "RFC 6749 §4.1.2.1, §5.2"),
    "error access_denied": ("the user or the server refused", "RFC 6749 §4.1.2.1"),
    "error authorization_pending": ("not approved yet; ask again", "RFC 8628 §3.5"),
    "error expired_token": ("not approved in time; start again", "RFC 8628 §3.5"),
    "error invalid_client": (
        "the server does not know the client, or the client authentication is wrong",
        "RFC 6749 §5.2",
    ),
    "error invalid_grant": (
        "the code or token is used, expired, revoked or belongs to another client, or the redirect URI or "
        "the code verifier does not fit the authorization request",
        "RFC 6749 §5.2; RFC 7636 §4.6",
    ),
    "error invalid_request": (
        "a parameter is missing, malformed or repeated",
        "RFC 6749 §4.1.2.1, §5.2",
    ),
    "error invalid_scope": (
        "the scope is unknown, or more than this client may ask for",
        "RFC 6749 §4.1.2.1, §5.2",
    ),
    "error slow_down": ("not approved yet; ask less often", "RFC 8628 §3.5"),
    "error unauthorized_client": (
        "this client may not use this flow",
        "RFC 6749 §4.1.2.1, §5.2",
    ),
}
"""What each parameter is for, by its name on the wire; a value may follow the name."""

SECRETS: Mapping[str, Sentence] = {
    "access_token": (
        "Gives access to the account to anyone who has it, until it expires or is revoked.",
        "RFC 6750 §1.2",
    ),
    "access_token with key": (
        "Gives access to the account to a program that also has the key.",
        "RFC 9449 §2",
    ),
    "refresh_token with key": (
        "Gets new access tokens for a program that also has the key.",
        "RFC 9449 §5",
    ),
    "refresh_token": ("Gets new access tokens, often for a long time.", "RFC 6749 §6"),
    "id_token": (
        "Says who signed in. It gives no access, but it is personal data.",
        "OpenID Connect Core 1.0 §2, §17.1",
    ),
    "client_secret": (
        "Lets anyone act as this client. A secret that is shipped with a program is not secret.",
        "RFC 8252 §8.5",
    ),
    "code": ("The first program that exchanges it gets the tokens.", "RFC 6749 §10.5"),
    "code bound": (
        "Can be exchanged for the tokens, but only together with the code verifier.",
        "RFC 7636 §1",
    ),
    "code_verifier": (
        "Must be sent with the code. The program sends it once, to the server.",
        "RFC 7636 §4.5",
    ),
    "device_code": (
        "After the user has approved, the first program that polls with it gets the tokens.",
        "RFC 8628 §5.2",
    ),
    "user_code": (
        "A user who types it approves with their own account. If the code comes from an attacker, the "
        "attacker's program gets the tokens.",
        "RFC 8628 §5.4",
    ),
    "ticket": ("After the user has approved, the first program that asks with it gets the token.", VENDOR),
    "ticket bound": ("Can be exchanged for the token, but only together with the code verifier.", VENDOR),
    "state": (
        "Shows which response belongs to this request. It is useless after the response has come.",
        "RFC 6749 §10.12",
    ),
    "nonce": ("Ties the ID token to this request. It gives no access.", "OpenID Connect Core 1.0 §3.1.2.1"),
    "request_uri": ("Refers to the pushed request. It can be used once.", "RFC 9126 §2.2"),
    "start_key": (
        "Opens the start page of the program once. That page redirects to the provider.",
        "jupyter/notebook#4260",
    ),
}
"""What each secret is for, by its kind; `bound`: the code verifier is needed too."""
