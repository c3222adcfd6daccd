"""Which parameters, members and headers are secret, by their names."""

from __future__ import annotations

SECRET_PARAMETERS = frozenset(
    {
        "access_token",
        "assertion",
        "client_assertion",
        "client_secret",
        "code",
        "code_verifier",
        "device_code",
        "id_token",
        "id_token_hint",
        "logout_token",
        "nonce",
        "password",
        "refresh_token",
        "registration_access_token",
        "request",
        "request_uri",
        "response",
        "state",
        "ticket",
        "token",
        "user_code",
    }
)
"""Parameter and member names whose values never show: RFC 6749, 7009, 7523, 7636, 8628, 9126, OpenID."""

_BARE = frozenset("".join(filter(str.isalnum, name)) for name in SECRET_PARAMETERS) | {
    "authcode",
    "authorization",
    "authorizationcode",
    "bearer",
    "cookie",
    "credential",
    "credentials",
    "creds",
    "csrf",
    "otp",
    "passcode",
    "passwd",
    "pin",
    "pwd",
    "samlresponse",
    "sessionid",
    "signature",
    "totp",
    "xsrf",
}
"""Without case and separators, as vendors spell them in many ways, and with names that vendors have."""
_SECRET_ENDS = (
    "accesskey",
    "apikey",
    "authkey",
    "encryptionkey",
    "jwt",
    "licensekey",
    "masterkey",
    "passphrase",
    "password",
    "privatekey",
    "secret",
    "secretkey",
    "sharedkey",
    "signingkey",
    "subscriptionkey",
    "token",
)

PUBLIC = frozenset(
    {
        *("audience", "client_id", "code_challenge", "iss", "login_hint", "prompt", "resource", "scope"),
        *("aud", "azp", "jti", "sub"),  # RFC 7519 §4.1, OpenID Connect Core §2
        *("e", "kid", "n", "x", "x5c", "x5t", "x5t#S256", "y"),  # RFC 7517 §4, RFC 7518 §6: public keys
    }
)
"""Parameters and members that look like secrets and are none."""


def is_secret(name: str) -> bool:
    """Return whether the value of a parameter or member with this name is secret, however it is spelt."""
    bare = "".join(filter(str.isalnum, name)).lower().rstrip("0123456789")  # Some come numbered.
    return any(one in _BARE or one.endswith(_SECRET_ENDS) for one in (bare, bare.removesuffix("s")))
