"""What the members of a token mean, and what each kind of token is for. Only tables."""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.explain.story_words import Sentence
from loopback_auth.explain.tokens.token import TokenKind

CORE = "OpenID Connect Core 1.0"
LOGOUT = "OpenID Connect Back-Channel Logout 1.0"

KINDS: Mapping[TokenKind, Sentence] = {
    "ID token": (
        "It says who signed in, to the client in aud alone. It gives no access: an API must not accept it.",
        f"{CORE} §2",
    ),
    "access token": (
        "It gives access to the API in aud. A client should not read it: its format is between the "
        "server and the API, and may change.",
        "RFC 9068 §2, §6; RFC 6749 §1.4",
    ),
    "DPoP proof": (
        "It proves that the program has the key of its tokens, for the one request that it names.",
        "RFC 9449 §4",
    ),
    "client assertion": (
        "It proves to the server who the client is, in place of a client secret.",
        "RFC 7523 §2.2, §3",
    ),
    "request object": ("It is a signed authorization request.", "RFC 9101 §2.1, §4"),
    "authorization response": (
        "It is a signed authorization response, which the browser brings.",
        "OAuth 2.0 JARM §2.1",
    ),
    "logout token": (
        "It tells a client, from server to server, that a user or a session has been signed out.",
        f"{LOGOUT} §2.4",
    ),
    "token": ("Neither its header nor its claims say what the token is for.", "RFC 7519 §3"),
}
"""What a kind of token is for."""

HEADER: Mapping[str, Sentence] = {
    "alg": ("algorithm of the signature, or of the encryption of the key", "RFC 7515 §4.1.1"),
    "enc": ("algorithm of the encryption of the content", "RFC 7516 §4.1.2"),
    "zip": ("the content is compressed before it is encrypted", "RFC 7516 §4.1.3"),
    "typ": ("what kind of token it is", "RFC 7515 §4.1.9; RFC 8725 §3.11"),
    "cty": ("what is inside; JWT means another token", "RFC 7519 §5.2"),
    "kid": ("which of the issuer's keys it is", "RFC 7515 §4.1.4"),
    "jku": ("where the keys are; a program must not trust this", "RFC 7515 §4.1.2; RFC 8725 §3.10"),
    "jwk": ("the public key itself", "RFC 7515 §4.1.3"),
    "x5u": ("where the certificate is; a program must not trust this", "RFC 7515 §4.1.5"),
    "x5c": ("the certificates of the key", "RFC 7515 §4.1.6"),
    "x5t": ("hash of the certificate", "RFC 7515 §4.1.7"),
    "x5t#S256": ("hash of the certificate", "RFC 7515 §4.1.8"),
    "crit": ("extensions that a program has to know, or refuse the token", "RFC 7515 §4.1.11"),
    "b64": ("whether the content is encoded", "RFC 7797 §3"),
    "nonce": ("the server's nonce, or at Microsoft a sign that only its own APIs can check the token", ""),
    "epk": ("a public key that was made for this token", "RFC 7518 §4.6.1.1"),
}
"""Members of the header."""

CLAIMS: Mapping[str, Sentence] = {
    "iss": ("who issued it", "RFC 7519 §4.1.1"),
    "sub": ("whom it is about: an identifier at this issuer", "RFC 7519 §4.1.2"),
    "aud": ("who should accept it", "RFC 7519 §4.1.3"),
    "exp": ("until when it is valid", "RFC 7519 §4.1.4"),
    "nbf": ("from when on it is valid", "RFC 7519 §4.1.5"),
    "iat": ("when it was issued", "RFC 7519 §4.1.6"),
    "jti": ("its identifier, by which a second use can be noticed", "RFC 7519 §4.1.7"),
    "auth_time": ("when the user was authenticated", f"{CORE} §2"),
    "updated_at": ("when the profile was changed", f"{CORE} §5.1"),
    "nonce": ("ties it to the authorization request", f"{CORE} §2"),
    "acr": ("how well the user was authenticated", f"{CORE} §2"),
    "amr": ("by which methods the user was authenticated", f"{CORE} §2; RFC 8176 §2"),
    "azp": ("the client that it was issued to", f"{CORE} §2"),
    "at_hash": ("hash of the access token that came with it", f"{CORE} §3.1.3.6"),
    "c_hash": ("hash of the code that came with it", f"{CORE} §3.3.2.11"),
    "s_hash": ("hash of the state", "FAPI 1.0 Advanced §5.1"),
    "sid": ("the session at the issuer", f"{LOGOUT} §2.1"),
    "events": ("what has happened", f"{LOGOUT} §2.4"),
    "scope": ("what it may be used for", "RFC 9068 §2.2.3"),
    "scp": ("what it may be used for, as Microsoft and Okta call it", "RFC 9068 §2.2.3"),
    "client_id": ("the client that it was issued to", "RFC 9068 §2.2"),
    "roles": ("roles of the user or the client", "RFC 9068 §2.2.3.1"),
    "groups": ("groups of the user", "RFC 9068 §2.2.3.1"),
    "entitlements": ("rights of the user", "RFC 9068 §2.2.3.1"),
    "authorization_details": ("what it may be used for, as objects", "RFC 9396 §9"),
    "cnf": ("the key that it is bound to", "RFC 7800 §3; RFC 9449 §6"),
    "act": ("who acts for the subject", "RFC 8693 §4.1"),
    "may_act": ("who may act for the subject", "RFC 8693 §4.4"),
    "htm": ("HTTP method of the request that it is for", "RFC 9449 §4.2"),
    "htu": ("address of the request that it is for", "RFC 9449 §4.2"),
    "ath": ("hash of the access token that it goes with", "RFC 9449 §4.2"),
    "name": ("name of the user", f"{CORE} §5.1"),
    "given_name": ("name of the user", f"{CORE} §5.1"),
    "family_name": ("name of the user", f"{CORE} §5.1"),
    "preferred_username": (
        "name that the user chose; it may belong to another user later",
        f"{CORE} §5.1",
    ),
    "email": ("email address; not an identifier, since it may change", f"{CORE} §5.1, §5.7"),
    "email_verified": ("whether the issuer has checked the email address", f"{CORE} §5.1"),
    "picture": ("address of a picture", f"{CORE} §5.1"),
    "locale": ("language of the user", f"{CORE} §5.1"),
    "zoneinfo": ("time zone of the user", f"{CORE} §5.1"),
    "phone_number": ("telephone number", f"{CORE} §5.1"),
    "address": ("postal address", f"{CORE} §5.1.1"),
    "birthdate": ("date of birth", f"{CORE} §5.1"),
    "tid": (
        "tenant at Microsoft",
        "https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference",
    ),
    "oid": (
        "the user at Microsoft, the same for every client",
        "https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference",
    ),
    "appid": (
        "the client, at Microsoft",
        "https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference",
    ),
    "hd": (
        "domain of the Google Workspace",
        "https://developers.google.com/identity/openid-connect/openid-connect",
    ),
    "code": ("can be exchanged for the tokens, once", "RFC 6749 §4.1.2"),
    "state": ("ties the response to the request", "RFC 6749 §10.12"),
    "access_token": ("gives access to the account", "RFC 6750 §1.2"),
    "response_type": ("what the browser should bring back", "RFC 6749 §3.1.1"),
    "redirect_uri": ("the only address that the response may go to", "RFC 6749 §3.1.2"),
    "code_challenge": ("hash of a secret that only the program knows", "RFC 7636 §4.2"),
}
"""Claims."""

TIMES = frozenset({"exp", "nbf", "iat", "auth_time", "updated_at"})
"""Claims that are a time, in Unix seconds."""
PERSONAL = frozenset(
    {
        *("name", "given_name", "family_name", "email", "phone_number", "address", "birthdate", "picture"),
        *("preferred_username", "nickname", "gender"),
    }
)
"""Claims about a person."""

REQUIRED: Mapping[TokenKind, tuple[tuple[str, ...], str]] = {
    "ID token": (("iss", "sub", "aud", "exp", "iat"), f"{CORE} §2"),
    "access token": (("iss", "exp", "aud", "sub", "client_id", "iat", "jti"), "RFC 9068 §2.2"),
    "DPoP proof": (("jti", "htm", "htu", "iat"), "RFC 9449 §4.2"),
    "client assertion": (("iss", "sub", "aud", "exp"), "RFC 7523 §3"),
    "authorization response": (("iss", "aud", "exp"), "OAuth 2.0 JARM §2.1"),
    "logout token": (("iss", "aud", "iat", "exp", "jti", "events"), f"{LOGOUT} §2.4"),
}
"""The claims that a kind of token must have, and the clause; an access token only if its type says at+jwt."""
TYPES: Mapping[TokenKind, str] = {
    "access token": "at+jwt",
    "DPoP proof": "dpop+jwt",
    "request object": "oauth-authz-req+jwt",
    "logout token": "logout+jwt",
}
"""The type that a kind of token should have in its header."""
