"""The authorization response: what may be believed of an answer, however it reached us.

How it reached us is `protocol.redirect`'s and `protocol.paste`'s question; this file judges what it says.

Source: RFC 6749 §4.1.2, §4.1.2.1, §4.2.2; RFC 9207 §2.4; OAuth 2.0 Multiple Response Types §3, §5.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import unquote

from loopback_auth.errors import AuthorizationError, IssuerMismatch, MalformedResponse, StateMismatch
from loopback_auth.model import AuthorizationRequest, AuthorizationResponse, Callback
from loopback_auth.protocol.asking import default_mode
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
"""Response parameters with a meaning here; a repeated one has two (RFC 6749 §3.1)."""

FREE_TEXT = frozenset({"error_description", "error_uri"})
"""Those that a server may leave out and that decide nothing: RFC 6749 §4.1.2.1."""

ARTEFACT_OF = {"code": "code", "token": "access_token", "id_token": "id_token"}
"""What each word of a response type brings (OAuth 2.0 Multiple Response Types §3)."""

ARTEFACTS = frozenset(ARTEFACT_OF.values())
FRONT_CHANNEL = ("access_token", "token_type", "expires_in", "scope", "id_token")
ESCAPED_TWICE = "The server escapes its name twice in the answer; it is the right one."
MODE_CLAUSES = {
    "query": "RFC 6749 §4.1.2",
    "fragment": "OpenID Connect Core 1.0 §3.3.2.5",
    "form_post": "OAuth 2.0 Form Post Response Mode §2",
}
DROPPED = "The server sent a refresh token through the browser, which it must not; it was dropped unread."


def authorization_response(request: AuthorizationRequest, callback: Callback) -> AuthorizationResponse:
    """Check an answer against the request that it claims to answer.

    The order matters: first that it is an answer to us (state), then that it has one meaning, then that it
    comes from the right server (iss), and only then what it says; an error is believed no sooner than a code.

    Raises:
        StateMismatch: it answers another request.
        MalformedResponse: a repeated parameter, another response type or mode, no code and no error.
        IssuerMismatch: it comes from another server, or does not say from which although it should.
        AuthorizationError: the server refused.

    Source: RFC 6749 §4.1.2, §4.1.2.1, §10.12; RFC 9207 §2.4; OAuth 2.0 Multiple Response Types §5.
    """
    parameters = {name: value for name, value in callback.parameters if value}
    if not same_secret(parameters.get("state", ""), request.state):
        raise StateMismatch(
            "The answer belongs to another sign-in: its state is not ours",
            source="RFC 6749 §10.12",
            hint="Run the command again and finish in the tab that it opens.",
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
            "The code has characters outside printable ASCII", source="RFC 6749 appendix A.11"
        )
    return AuthorizationResponse(
        code=code,
        request=request,
        parameters={name: parameters[name] for name in FRONT_CHANNEL if name in parameters},
        received_at=callback.received_at,
        warnings=warnings,
    )


def same_secret(one: str, other: str) -> bool:
    """Compare two secrets in a time that does not tell where they differ; any text may come in.

    Source: RFC 6749 §10.12 (the state must not be guessable piece by piece).
    """
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _check_single(callback: Callback) -> None:
    # Two descriptions of one refusal are no two meanings of it.
    decisive = KNOWN_PARAMETERS - FREE_TEXT
    names = [name for name, value in callback.parameters if value and name in decisive]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise MalformedResponse(
            f"The answer repeats {', '.join(repeated)}",
            source="RFC 6749 §3.1",
            hint="Run the command again; if it stays so, the server or something in between is broken.",
        )


def _check_issuer(request: AuthorizationRequest, parameters: Mapping[str, str]) -> tuple[str, ...]:
    metadata, iss = request.metadata, parameters.get("iss")
    if iss is None:
        # An ID token names the issuer too, and signed: servers then leave the parameter out. It is checked
        # with the token (OpenID Connect Core 1.0 §3.2.2.11), which is never believed without its signature.
        told = "id_token" in request.response_type.split() and "id_token" in parameters
        if metadata.authorization_response_iss_parameter_supported and not told:
            raise _from_elsewhere(
                "The answer does not say which server it comes from, although this server always does",
                metadata.issuer or "",
                parameters,
            )
        return ()
    if metadata.issuer is None or iss == metadata.issuer:
        return ()
    # An issuer is an https URL (RFC 8414 §2), which this is not: it can be no other server's name.
    if "://" not in iss and unquote(iss) == metadata.issuer:
        return (ESCAPED_TWICE,)
    what = f"The answer comes from another server: expected {metadata.issuer}, found {server_text(iss)!a}"
    raise _from_elsewhere(what, metadata.issuer, parameters)


def _from_elsewhere(what: str, expected: str, parameters: Mapping[str, str]) -> IssuerMismatch:
    """Reject an answer for its issuer; what it refuses with is told, for a person who has just refused."""
    hint = "Do not approve again before you know why: this is what a mix-up attack looks like."
    if error := parameters.get("error"):
        described = server_text(parameters.get("error_description", ""))
        what += f"; it also said {error_code(error)}" + (f" ({described})" if described else "")
        hint = f"If you have just refused, that is why. {hint}"
    received = server_text(parameters.get("iss", ""))
    return IssuerMismatch(what, source="RFC 9207 §2.4", expected=expected, received=received, hint=hint)


def _check_mode(request: AuthorizationRequest, callback: Callback) -> tuple[str, ...]:
    arrived = {"relay": "fragment", "paste": request.response_mode}.get(callback.via, callback.via)
    # RFC 6749 §4.2.2.1 wants the errors of an implicit grant in the fragment; some servers use the query, and
    # others the fragment for all they say. A refusal is one, whichever way it came.
    if arrived == request.response_mode or _is_error(callback):
        return ()
    # Nobody but the program has asked for the other way, and what protects the answer holds in this one too.
    if not request.mode_demanded and arrived == default_mode(request.response_type):
        return (f"The server answered by {arrived} although {request.response_mode} was asked for.",)
    raise MalformedResponse(
        f"The server answered by {arrived}, but {request.response_mode} was asked for",
        source=MODE_CLAUSES[request.response_mode],
        # Tokens in a query are never asked for (RFC 9700 §4.3.2): there the other hint would be a trap.
        hint="Choose --flow code."
        if arrived == "query" and request.response_type != "code"
        else f"Say --response-mode {arrived}.",
    )


def _is_error(callback: Callback) -> bool:
    names = {name for name, value in callback.parameters if value}
    return "error" in names and not names.intersection(ARTEFACTS)


def _check_kind(response_type: str, parameters: dict[str, str]) -> tuple[str, ...]:
    def refuse(detail: str, source: str) -> MalformedResponse:
        return MalformedResponse(
            f"The answer is malformed: {detail}", source=source, hint="Check --flow and --response-mode."
        )

    wanted = {ARTEFACT_OF[word] for word in response_type.split()}
    if "error" in parameters:
        raise refuse("both an error and what was asked for", "RFC 6749 §4.1.2")
    # A refresh token must not come this way (RFC 6749 §4.2.2); tokens that do are only worth dropping.
    dropped = "refresh_token" in parameters and "access_token" in wanted
    for name in sorted({*ARTEFACTS, "refresh_token", "response"} - wanted):
        if name in parameters and not (dropped and name == "refresh_token"):
            raise refuse(f"{name} was not asked for", "OAuth 2.0 Multiple Response Types §3")
    missing = sorted(wanted - parameters.keys())
    if missing:
        clause = "RFC 6749 §4.1.2" if "code" in wanted else "RFC 6749 §4.2.2"
        raise refuse(f"neither {' nor '.join(missing)} nor an error", clause)
    return (DROPPED,) if dropped else ()
