"""What each error code of the standards means: at which requests it comes, its usual causes, what to do.

Only a table. What to do is in `hints`, by request and code; a code or a request that is not there has its
advice here. The codes of single providers are in `vendor_errors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AUTHORIZATION = "authorization request"
PUSHED = "pushed authorization request"
TOKEN = "token request"
DEVICE = "device authorization"
REGISTRATION = "registration request"
REVOCATION = "revocation request"
TICKET = "ticket"
RESOURCE = "request to an API"

REQUESTS: Mapping[str, str] = {
    AUTHORIZATION: "the browser brings the error in place of a code, or the page of the server shows it",
    PUSHED: "before the browser is opened, when the program sends the parameters to the server",
    TOKEN: "when the program exchanges a code or a refresh token for tokens",
    DEVICE: "when the program polls, until the user has approved",
    REGISTRATION: "when the program registers itself at the server",
    REVOCATION: "when the program revokes a token",
    TICKET: "when the program asks for a ticket, polls, or exchanges the ticket",
    RESOURCE: "when the program uses the access token, in the header WWW-Authenticate",
}
"""The requests whose responses have error codes, and when they are sent."""


@dataclass(frozen=True, slots=True)
class KnownError:
    """An error code, and what is known about it.

    Args:
        code: as it is on the wire.
        requests: whose responses have it; names of `REQUESTS`.
        happened: what it says, in a sentence.
        causes: usual ones, a sentence each.
        source: clause or page that says so.
        advice: what to do where the hints say nothing.
        provider: name of the preset of the provider that answers it; empty: a standard has the code.
    """

    code: str
    requests: tuple[str, ...]
    happened: str
    causes: tuple[str, ...]
    source: str
    advice: str = ""
    provider: str = ""


STANDARD: tuple[KnownError, ...] = (
    KnownError(
        "invalid_request",
        (AUTHORIZATION, PUSHED, TOKEN, RESOURCE),
        "The server could not read the request: a parameter is missing, is repeated, or has a value that the "
        "server does not accept.",
        (
            "A parameter is misspelled, or was encoded twice.",
            "The redirect URI is missing, or differs from the registered ones; many servers say so with this "
            "code.",
            "The server demands PKCE (code_challenge), a state or a nonce, and there was none.",
            "A token request had the client's credentials in the header and in the body.",
        ),
        "RFC 6749 §4.1.2.1, §5.2; RFC 7636 §4.4.1; RFC 6750 §3.1",
        "Send the access token in one place only: the header Authorization.",
    ),
    KnownError(
        "unauthorized_client",
        (AUTHORIZATION, TOKEN, DEVICE),
        "The server knows the client, but does not allow it this grant.",
        (
            "The registration does not list the grant type or the response type.",
            "The device grant or the implicit grant has to be switched on for the client.",
            "The client is registered as another kind of application, such as a web application.",
        ),
        "RFC 6749 §4.1.2.1, §5.2",
    ),
    KnownError(
        "access_denied",
        (AUTHORIZATION, DEVICE, REGISTRATION),
        "The user or the server refused. No access was granted.",
        (
            "The user pressed Deny or Cancel.",
            "An administrator allows the client to some users only, or to none.",
            "A policy of the server, such as a second factor or a known device, was not met.",
        ),
        "RFC 6749 §4.1.2.1; RFC 8628 §3.5",
    ),
    KnownError(
        "unsupported_response_type",
        (AUTHORIZATION,),
        "The server does not answer this response_type, at least not to this client.",
        (
            "The implicit grant (response_type=token) is switched off, as it should be.",
            "The value is misspelled, or its words are separated by something else than a blank.",
        ),
        "RFC 6749 §4.1.2.1",
    ),
    KnownError(
        "invalid_scope",
        (AUTHORIZATION, TOKEN, DEVICE),
        "A scope is unknown, is malformed, or is more than this client or this user may have.",
        (
            "A scope is misspelled; scopes are case-sensitive.",
            "Scopes were separated by commas where the server expects blanks, or the other way round.",
            "The client is not registered for the scope, or a refresh asked for more than was granted.",
        ),
        "RFC 6749 §3.3, §4.1.2.1, §5.2, §6",
    ),
    KnownError(
        "server_error",
        (AUTHORIZATION,),
        "Something went wrong inside the server. It says so with a redirect, which cannot carry HTTP status "
        "500.",
        ("The server has a fault, or fails over a request that it should have refused.",),
        "RFC 6749 §4.1.2.1",
    ),
    KnownError(
        "temporarily_unavailable",
        (AUTHORIZATION,),
        "The server is overloaded or under maintenance. It says so with a redirect, which cannot carry HTTP "
        "status 503.",
        ("The server is overloaded or under maintenance.",),
        "RFC 6749 §4.1.2.1",
    ),
    KnownError(
        "invalid_client",
        (TOKEN, PUSHED, DEVICE, REVOCATION),
        "The server does not know the client, or the client authentication is wrong.",
        (
            "The client ID belongs to another environment or tenant, or the client was deleted.",
            "The client secret is wrong, has expired, or was sent although the client is public.",
            "The secret was sent in the header where the server reads the body, or the other way round.",
            "A signed client assertion has the wrong audience, an expired time, or an unknown key.",
        ),
        "RFC 6749 §5.2, §2.3",
    ),
    KnownError(
        "invalid_grant",
        (TOKEN, DEVICE),
        "The code or the refresh token is wrong, was used, has expired or was revoked, belongs to another "
        "client, or does not fit the authorization request.",
        (
            "The code was exchanged twice: by a reload of the page, by a retry, or by another program.",
            "The code was older than the server allows; ten minutes is the most that RFC 6749 recommends.",
            "The redirect_uri of the token request is not exactly that of the authorization request.",
            "The code_verifier does not fit the code_challenge, or one of the two was not sent.",
            "The refresh token was rotated and its predecessor was used, or the user changed the password or "
            "withdrew the access.",
        ),
        "RFC 6749 §5.2, §4.1.2, §4.1.3; RFC 7636 §4.6; RFC 9700 §4.14.2",
    ),
    KnownError(
        "unsupported_grant_type",
        (TOKEN, DEVICE),
        "The token endpoint does not know this grant_type, or does not allow it.",
        (
            "The value is misspelled; that of the device grant is a long URN.",
            "The request was JSON, and the server reads forms only, so that it saw no grant_type.",
        ),
        "RFC 6749 §5.2; RFC 8628 §3.4",
    ),
    KnownError(
        "authorization_pending",
        (DEVICE,),
        "This is not a failure: the user has not approved yet.",
        ("The user is still at the page.",),
        "RFC 8628 §3.5",
        "Poll again, not earlier than the interval allows.",
    ),
    KnownError(
        "slow_down",
        (DEVICE,),
        "This is not a failure: the user has not approved yet, and the program polls too often.",
        ("The program polls more often than the interval allows, or two programs poll with one code.",),
        "RFC 8628 §3.5",
        "Add 5 seconds to the interval, for all further polls.",
    ),
    KnownError(
        "expired_token",
        (DEVICE,),
        "The device code has expired: the user did not approve in time.",
        ("The user took longer than expires_in allows.", "The clock of a suspended computer went on."),
        "RFC 8628 §3.5",
    ),
    KnownError(
        "invalid_token",
        (RESOURCE, REGISTRATION),
        "The API refuses the access token: it has expired, was revoked, is malformed, or is for another API.",
        (
            "The access token has expired; its lifetime is in expires_in.",
            "The token was issued for another resource (audience), or by another server.",
            "The API demands a token that is bound to a key, and got it as a Bearer token.",
        ),
        "RFC 6750 §3.1; RFC 9449 §7.1",
        "Get a new access token with the refresh token, or sign in again, and repeat the request once.",
    ),
    KnownError(
        "insufficient_scope",
        (RESOURCE,),
        "The access token is valid, but does not have the scope that this request needs.",
        ("The scope was not requested at the login, or the user or the server granted less.",),
        "RFC 6750 §3.1",
        "Sign in again with the scope that the header WWW-Authenticate names.",
    ),
    KnownError(
        "insufficient_user_authentication",
        (RESOURCE,),
        "The access token is valid, but the API wants the user to be authenticated better, or again.",
        (
            "The API names acr_values: a second factor, for example.",
            "The API names max_age, and the login was longer ago.",
        ),
        "RFC 9470 §3",
        "Sign in again with the acr_values or the max_age that the header WWW-Authenticate names.",
    ),
    KnownError(
        "interaction_required",
        (AUTHORIZATION,),
        "The request said prompt=none, and the server cannot answer it without asking the user something.",
        ("A second factor, a consent, or a choice of the account is due.",),
        "OpenID Connect Core 1.0 §3.1.2.6",
    ),
    KnownError(
        "login_required",
        (AUTHORIZATION,),
        "The request said prompt=none, and no user is signed in at the server in this browser.",
        ("The session has ended.", "The browser sends no cookies of the server from inside a frame."),
        "OpenID Connect Core 1.0 §3.1.2.6",
    ),
    KnownError(
        "account_selection_required",
        (AUTHORIZATION,),
        "The request said prompt=none, and several accounts are signed in at the server in this browser.",
        ("The request has no login_hint or id_token_hint that names one of them.",),
        "OpenID Connect Core 1.0 §3.1.2.6",
    ),
    KnownError(
        "consent_required",
        (AUTHORIZATION,),
        "The request said prompt=none, and the user has not consented to this client and these scopes.",
        ("A scope is new.", "The server does not remember consents of this kind of client."),
        "OpenID Connect Core 1.0 §3.1.2.6",
    ),
    KnownError(
        "unmet_authentication_requirements",
        (AUTHORIZATION,),
        "The server cannot authenticate the user in the way that the request demands.",
        ("The acr_values or the essential acr claim name a level that this user or server does not have.",),
        "OpenID Connect Core Error Code unmet_authentication_requirements 1.0 §2",
        "Leave acr_values out, or ask for a level that the server supports.",
    ),
    KnownError(
        "invalid_request_uri",
        (AUTHORIZATION,),
        "The server cannot use the request_uri.",
        (
            "A pushed request has expired, was used before, or was pushed by another client.",
            "The server could not fetch the request object from that address, or it is not registered.",
        ),
        "RFC 9101 §7; RFC 9126 §4",
        "Push the request again, and open the new link at once.",
    ),
    KnownError(
        "invalid_request_object",
        (AUTHORIZATION, PUSHED),
        "The signed request (the parameter request) is not valid.",
        (
            "The server does not have the key, or the algorithm is not the registered one.",
            "The request object has expired, or its aud is not the issuer of the server.",
        ),
        "RFC 9101 §7",
    ),
    KnownError(
        "request_not_supported",
        (AUTHORIZATION, PUSHED),
        "The server does not take signed requests (the parameter request).",
        ("The server does not support JWT-secured authorization requests.",),
        "RFC 9101 §7",
    ),
    KnownError(
        "request_uri_not_supported",
        (AUTHORIZATION,),
        "The server does not take references to requests (the parameter request_uri).",
        ("The server supports neither pushed requests nor request objects by reference.",),
        "RFC 9101 §7",
        "Send the parameters in the URL.",
    ),
    KnownError(
        "registration_not_supported",
        (AUTHORIZATION,),
        "The server does not read client metadata from the parameter registration.",
        ("The parameter is for self-issued OpenID providers.",),
        "OpenID Connect Core 1.0 §3.1.2.6, §7.2.1",
        "Leave the parameter registration out, and register the client.",
    ),
    KnownError(
        "invalid_target",
        (AUTHORIZATION, TOKEN),
        "The server does not know the resource, or does not issue tokens for it to this client.",
        (
            "The resource is not written exactly as the server has it: compare the path and the final slash.",
            "The token request names a resource that the authorization request did not.",
        ),
        "RFC 8707 §2; RFC 8693 §2.2.2",
    ),
    KnownError(
        "invalid_authorization_details",
        (AUTHORIZATION, TOKEN, PUSHED),
        "The server does not accept the authorization_details.",
        ("A type is unknown, or an object lacks a field or has one that its type does not have.",),
        "RFC 9396 §5",
        "Compare the authorization_details with the documentation of the server.",
    ),
    KnownError(
        "invalid_dpop_proof",
        (TOKEN, PUSHED, DEVICE, RESOURCE),
        "The server does not accept the DPoP proof.",
        (
            "The clock of this machine is wrong, so that iat is too old or in the future.",
            "The proof names another method or address (htm, htu), as behind a proxy that changes them.",
            "The proof was sent twice.",
        ),
        "RFC 9449 §4.3, §5",
        "Set the clock of this machine, and make a new proof for each request.",
    ),
    KnownError(
        "use_dpop_nonce",
        (TOKEN, PUSHED, DEVICE, RESOURCE),
        "The server wants its nonce in the DPoP proof. It is in the header DPoP-Nonce of the same response.",
        ("The first request to a server never has its nonce, so this is usual once.",),
        "RFC 9449 §8, §9",
        "Repeat the request once, with a new proof that has the nonce.",
    ),
    KnownError(
        "invalid_redirect_uri",
        (REGISTRATION, PUSHED),
        "The server does not accept the redirect URI.",
        (
            "The server wants https, or does not allow this kind of loopback address.",
            "A pushed request has another redirect URI than the registered ones.",
        ),
        "RFC 7591 §3.2.2",
    ),
    KnownError(
        "invalid_client_metadata",
        (REGISTRATION,),
        "The server does not accept a member of the client metadata.",
        ("A grant type, an authentication method or a combination of them is not supported.",),
        "RFC 7591 §3.2.2",
    ),
    KnownError(
        "invalid_software_statement",
        (REGISTRATION,),
        "The software statement is not valid.",
        ("Its signature is wrong, or it has expired.",),
        "RFC 7591 §3.2.2",
    ),
    KnownError(
        "unapproved_software_statement",
        (REGISTRATION,),
        "The server does not accept software statements of this publisher.",
        ("The server does not know who signed the software statement.",),
        "RFC 7591 §3.2.2",
    ),
    KnownError(
        "unsupported_token_type",
        (REVOCATION,),
        "The server cannot revoke this kind of token.",
        ("Many servers revoke refresh tokens only; access tokens end by themselves.",),
        "RFC 7009 §2.2.1",
    ),
)
"""The codes that a standard defines."""
