"""Check the authorization response, however it arrived.

Which request is the callback is decided in `protocol.redirect`, and what was pasted in `protocol.paste`; this
module checks the parameters: state, issuer, response mode, and whether they fit the response type.

Source: RFC 6749 §4.1.2, §4.1.2.1, §4.2.2; RFC 9207 §2.4; OAuth 2.0 Multiple Response Types §3, §5.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import unquote

from loopback_auth.authorization_messages import AuthorizationRequest, AuthorizationResponse, Callback
from loopback_auth.errors import AuthorizationError, IssuerMismatch, MalformedResponse, StateMismatch
from loopback_auth.protocol.request_checks import carrier, default_mode, is_signed
from loopback_auth.redact import error_code, server_text

KNOWN_PARAMETERS = frozenset(
    {
        "access_token",
        "code",
        "error",
        "error_description",
        "error_uri",
        "expires_in",
        "id_token",
        "iss",
        "refresh_token",
        "response",
        "scope",
        "state",
        "token_type",
    }
)
"""Response parameters that are used here; they must not be repeated (RFC 6749 §3.1)."""

FREE_TEXT = frozenset({"error_description", "error_uri"})
"""Optional parameters that decide nothing: RFC 6749 §4.1.2.1."""

DECISIVE = KNOWN_PARAMETERS - FREE_TEXT
"""Parameters that must be UTF-8 without control characters; otherwise nothing is read."""

ARTEFACT_OF = {"code": "code", "token": "access_token", "id_token": "id_token"}
"""The parameters for each word of a response type (OAuth 2.0 Multiple Response Types §3)."""

ARTEFACTS = frozenset(ARTEFACT_OF.values())
FRONT_CHANNEL = ("access_token", "token_type", "expires_in", "scope", "id_token")
ESCAPED_TWICE = "The server escaped its issuer twice in the response; it is the right one."
MODE_CLAUSES = {
    "query": "RFC 6749 §4.1.2",
    "fragment": "OpenID Connect Core 1.0 §3.3.2.5",
    "form_post": "OAuth 2.0 Form Post Response Mode §2",
}
DROPPED = "The server sent a refresh token through the browser, which it must not; the token was ignored."


def authorization_response(request: AuthorizationRequest, callback: Callback) -> AuthorizationResponse:
    """Check a response against the authorization request.

    The order matters: first the state, then that no parameter is repeated, then the issuer, and only then
    what the response says. An error is not believed earlier than a code.

    Raises:
        StateMismatch: it is the response to another request.
        MalformedResponse: a repeated parameter, another response type or mode, or neither a code nor an
            error.
        IssuerMismatch: the issuer is another one, or is missing although the server always sends it.
        AuthorizationError: the server refused.

    Source: RFC 6749 §4.1.2, §4.1.2.1, §10.12; RFC 9207 §2.4; OAuth 2.0 Multiple Response Types §5.
    """
    parameters = {name: value for name, value in callback.parameters if value}
    if not same_secret(parameters.get("state", ""), request.state):
        raise StateMismatch(
            "The response belongs to another sign-in: its state is wrong",
            source="RFC 6749 §10.12",
            hint="Sign in again, and finish in the tab that is opened then.",
        )
    _check_single(callback)
    warnings = (*_check_mode(request, callback), *_check_issuer(request, parameters))
    if "error" in parameters and ARTEFACTS.isdisjoint(parameters):
        raise AuthorizationError(
            error_code(parameters["error"]),
            server_text(parameters.get("error_description", "")),
            server_text(parameters.get("error_uri", "")),
        )
    warnings += _check_kind(request.response_type, parameters)
    code = parameters.get("code", "")
    if not all("\x20" <= character <= "\x7e" for character in code):
        raise MalformedResponse(
            "The code contains characters that are not printable ASCII", source="RFC 6749 appendix A.11"
        )
    return AuthorizationResponse(
        code=code,
        request=request,
        parameters={name: parameters[name] for name in FRONT_CHANNEL if name in parameters},
        received_at=callback.received_at,
        warnings=warnings,
    )


def states_in(parameters: tuple[tuple[str, str], ...], response_mode: str) -> list[str]:
    """Return each state in a response, unchecked: of a signed response the one that is inside.

    It only tells to which request the response belongs; nothing else in the JWT is read here.

    Args:
        parameters: as they arrived; untrusted.
        response_mode: that was requested.

    Source: RFC 6749 §10.12; JARM §2.4 (the state comes first).
    """
    states = [value for name, value in parameters if name == "state" and value]
    signed = [value for name, value in parameters if name == "response" and value]
    if states or len(signed) != 1 or not is_signed(response_mode):
        return states
    from loopback_auth.protocol.jarm import unverified_state  # Few responses are signed.

    state = unverified_state(signed[0])
    return [state] if state else []


def same_secret(one: str, other: str) -> bool:
    """Compare two secrets in a time that does not reveal where they differ; any string is accepted.

    Source: RFC 6749 §10.12 (otherwise the state could be guessed character by character).
    """
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _check_single(callback: Callback) -> None:
    # A repeated description decides nothing.
    names = [name for name, value in callback.parameters if value and name in DECISIVE]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise MalformedResponse(
            f"The response repeats {', '.join(repeated)}",
            source="RFC 6749 §3.1",
            hint="Sign in again. If that does not help, the server or a proxy has a fault.",
        )


def _check_issuer(request: AuthorizationRequest, parameters: Mapping[str, str]) -> tuple[str, ...]:
    metadata, iss = request.metadata, parameters.get("iss")
    if iss is None:
        # A signed ID token names the issuer too, so servers leave the parameter out then. The issuer is
        # checked with the token (OpenID Connect Core 1.0 §3.2.2.11), and so is its signature.
        told = "id_token" in request.response_type.split() and "id_token" in parameters
        if metadata.authorization_response_iss_parameter_supported and not told:
            raise _from_elsewhere(
                "The response has no iss parameter, although this server always sends one",
                metadata.issuer or "",
                parameters,
            )
        return ()
    if metadata.issuer is None or iss == metadata.issuer:
        return ()
    # An issuer is an https URL (RFC 8414 §2); this is not one, so it cannot be another server's issuer.
    if "://" not in iss and unquote(iss) == metadata.issuer:
        return (ESCAPED_TWICE,)
    what = f"The response comes from another server: expected {metadata.issuer}, found {server_text(iss)!a}"
    raise _from_elsewhere(what, metadata.issuer, parameters)


def _from_elsewhere(what: str, expected: str, parameters: Mapping[str, str]) -> IssuerMismatch:
    """Refuse a response for its issuer, quoting its error: the person may just have refused."""
    hint = "Do not approve again before you know the reason: a mix-up attack looks like this."
    if error := parameters.get("error"):
        described = server_text(parameters.get("error_description", ""))
        what += f"; it also said {error_code(error)}" + (f" ({described})" if described else "")
        hint = f"If you have just refused, that is the reason. {hint}"
    received = server_text(parameters.get("iss", ""))
    return IssuerMismatch(what, source="RFC 9207 §2.4", expected=expected, received=received, hint=hint)


def _check_mode(request: AuthorizationRequest, callback: Callback) -> tuple[str, ...]:
    wanted = carrier(request.response_mode, request.response_type)
    arrived = {"relay": "fragment", "paste": wanted}.get(callback.via, callback.via)
    # RFC 6749 §4.2.2.1 puts the errors of an implicit grant into the fragment; some servers use the query for
    # them, and others the fragment for everything. A refusal counts in either.
    if arrived == wanted or _is_error(callback):
        return ()
    # Only the program chose the other mode, and the response is protected in this one as well.
    if not request.mode_demanded and arrived == default_mode(request.response_type):
        return (f"The server answered by {arrived}, although {request.response_mode} was requested.",)
    # Tokens in a query are never requested (RFC 9700 §4.3.2), so the other hint would be wrong.
    exposed = arrived == "query" and request.response_type != "code"
    raise MalformedResponse(
        f"The server answered by {arrived}, but {request.response_mode} was requested",
        source=MODE_CLAUSES[wanted],
        hint="Choose the flow code." if exposed else f"Use the response mode {arrived}.",
        parameter="flow" if exposed else "response_mode",
    )


def _is_error(callback: Callback) -> bool:
    names = {name for name, value in callback.parameters if value}
    return "error" in names and not names.intersection(ARTEFACTS)


def _check_kind(response_type: str, parameters: dict[str, str]) -> tuple[str, ...]:
    def refuse(detail: str, source: str) -> MalformedResponse:
        return MalformedResponse(
            f"The response is malformed: {detail}",
            source=source,
            hint="Check the flow and the response mode.",
            parameter="flow response_mode",
        )

    wanted = {ARTEFACT_OF[word] for word in response_type.split()}
    if "error" in parameters:
        raise refuse("it has both an error and a result", "RFC 6749 §4.1.2")
    # A refresh token must not come through the browser (RFC 6749 §4.2.2); one that does is ignored.
    dropped = "refresh_token" in parameters and "access_token" in wanted
    for name in sorted({*ARTEFACTS, "refresh_token", "response"} - wanted):
        if name in parameters and not (dropped and name == "refresh_token"):
            raise refuse(f"{name} was not requested", "OAuth 2.0 Multiple Response Types §3")
    missing = sorted(wanted - parameters.keys())
    if missing:
        clause = "RFC 6749 §4.1.2" if "code" in wanted else "RFC 6749 §4.2.2"
        raise refuse(f"it has neither {' nor '.join(missing)} nor an error", clause)
    return (DROPPED,) if dropped else ()
