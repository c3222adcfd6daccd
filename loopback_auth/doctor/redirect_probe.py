"""Asks an authorization server, before a person is sent there, what it answers to an authorization request.

The request is that of a sign-in, with `prompt=none` where the server knows it; the redirect in the answer is
read and not followed. *yes* and *no* are answers of the protocol, *likely* is a page of the server that has
refused nothing so far, and what a proxy or a firewall may have answered is *unknown*. The functions that
judge an answer raise no error. Requests that need no browser are in `doctor.direct_probe`.

Source: RFC 6749 §4.1.2.1; OpenID Connect Core 1.0 §3.1.2.1, §3.1.2.6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qsl

from loopback_auth.authorization_messages import Attempt, AuthorizationRequest, Callback
from loopback_auth.doctor.destination import destination, leads_to, page_text, redirect_target
from loopback_auth.errors import AuthorizationError, OAuthError, ProtocolError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Redirect, ResponseMode, ResponseType, ServerMetadata
from loopback_auth.protocol.authorization import authorization_request
from loopback_auth.protocol.json import is_json
from loopback_auth.protocol.response import authorization_response
from loopback_auth.trace.redactor import Redactor

Verdict = Literal["yes", "likely", "no", "unknown"]

ANY_PORT = 49152
"""The first of the dynamic ports (RFC 6335 §6), which is named where any port will do."""

REDIRECT_URI = "redirect_uri"
SOURCE = "RFC 6749 §4.1.2.1"
PROMPT_REQUIRED = frozenset(
    {"account_selection_required", "consent_required", "interaction_required", "login_required"}
)
# oidc-provider says invalid_request where RFC 6749 has unauthorized_client.
REFUSED = frozenset(
    {"invalid_request", "unauthorized_client", "unsupported_response_mode", "unsupported_response_type"}
)
OF_CLIENT = frozenset({"incorrect_client_credentials", "invalid_client"})
OF_REDIRECT_URI = frozenset({"invalid_redirect_uri", "redirect_uri_mismatch"})
OF_REQUEST = frozenset({"invalid_scope", "unsupported_response_mode", "unsupported_response_type"})
_CODE_IN_PAGE = re.compile(rf"\b({'|'.join(sorted(REFUSED | OF_CLIENT | OF_REDIRECT_URI | OF_REQUEST))})\b")
_ERROR_PAGE = re.compile(r"(^|/)errors?(/|$)", re.IGNORECASE)
_NOTHING_THERE = (404, 405, 410)
_IN_BETWEEN = ("cf-mitigated", "www-authenticate", "x-amzn-waf-action", "x-vercel-mitigated")
"""Headers of what stands before the server, and wants a real browser or another log-in first."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """One thing that a server was asked about, and its answer.

    Args:
        what: a name on the wire, such as `redirect_uri`, or with its value `response_type=code`.
        verdict: whether the server takes it.
        because: one sentence for people.
        source: the clause that gives the answer its meaning; `declared` for what the settings say; empty
            where no server was asked.
        of_client: the server objects to the client ID itself.
    """

    what: str
    verdict: Verdict
    because: str
    source: str
    of_client: bool = False


def probe_redirect_uri(redirect: Redirect) -> str:
    """Return the redirect URI to ask about: with the first port, or with one for all where any will do.

    Source: RFC 8252 §7.3.
    """
    return f"http://{redirect.host}:{redirect.ports[0] or ANY_PORT}{redirect.path}"


def authorization_probe(
    client: ClientConfig,
    metadata: ServerMetadata,
    attempt: Attempt,
    *,
    response_type: ResponseType,
    response_mode: ResponseMode,
) -> AuthorizationRequest:
    """Build the authorization request of a sign-in, but without a login hint and with `prompt=none`.

    Raises:
        EndpointMissing: the server has no authorization endpoint, or no token endpoint for what follows.
        ConfigError: the request cannot be made, see `authorization_request`.

    Source: RFC 6749 §4.1.1, §4.2.1; OpenID Connect Core 1.0 §3.1.2.1 (`prompt`).
    """
    scopes = client.scope.split()
    if "id_token" in response_type.split() and "openid" not in scopes:
        scopes.insert(0, "openid")
    openid = "openid" in scopes or bool(metadata.id_token_signing_alg_values_supported)
    asked = replace(
        client,
        response_type=response_type,
        response_mode=response_mode,
        scope=" ".join(scopes),
        prompt="none" if openid else None,
        login_hint=None,
        extra={name: value for name, value in client.extra.items() if name not in ("login_hint", "prompt")},
    )
    redirect_uri = probe_redirect_uri(client.provider.redirect)
    return authorization_request(asked, metadata, attempt, redirect_uri=redirect_uri)


def authorization_probe_visit(request: AuthorizationRequest) -> HttpRequest:
    """Build the request that a browser would make; some servers decide by its header `Accept`.

    Source: RFC 6749 §3.1; RFC 9110 §12.5.1.
    """
    return HttpRequest("GET", request.url, (("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),))


def authorization_probe_response(
    request: AuthorizationRequest, what: str, answer: HttpResponse
) -> tuple[ProbeAnswer, ...]:
    """Judge the answer to a visit: what it says about the redirect URI, and about `what`.

    A server may not redirect to an address that is not registered, so one that answers there knows it.

    Source: RFC 6749 §3.1.2.4, §4.1.2.1; OpenID Connect Core 1.0 §3.1.2.6; Form Post Response Mode §2.
    """
    callback = _callback(request, answer)
    if callback is None:
        return _own_page(request, what, answer)
    back = f"The server answers at {request.redirect_uri}."
    return (ProbeAnswer(REDIRECT_URI, "yes", back, SOURCE), _brought_back(request, what, callback))


def of_another_type(
    answers: tuple[ProbeAnswer, ...], what: str, redirect_uri: ProbeAnswer | None
) -> tuple[ProbeAnswer, ...]:
    """Judge again a page of the server, by its answer to `response_type=code` with the same redirect URI.

    A server must show a page for a redirect URI or a client that it does not know, and may show one for any
    other refusal. So when it did not for `code`, the page refuses what is different in this request.

    Args:
        answers: to this request, see `authorization_probe_response`.
        what: is different in this request.
        redirect_uri: what the answer to `code` said about the redirect URI; None when it was not asked.

    Source: RFC 6749 §4.1.2.1.
    """
    objection = next((one for one in answers if one.what == REDIRECT_URI and one.verdict == "no"), None)
    if objection is None or redirect_uri is None or redirect_uri.verdict not in ("yes", "likely"):
        return answers
    because = "The server shows a page of its own that refuses something, and did not for response_type=code."
    return (ProbeAnswer(what, "no", because, SOURCE),)


def quoted(error: OAuthError) -> str:
    """Return the server's error code and description, as the end of a sentence without its full stop.

    Source: RFC 6749 §4.1.2.1, §5.2.
    """
    description = error.error_description.rstrip(".")
    return f"{error.error} ({description})" if description else error.error


def decisive(answers: tuple[ProbeAnswer, ...]) -> tuple[ProbeAnswer, ...]:
    """Return one answer about each thing, in the order asked: the most decisive, the first of equal ones.

    Source: RFC 9126 §2.3 (what is checked directly need not be guessed from a page).
    """
    rank = {"unknown": 0, "likely": 1, "no": 2, "yes": 2}
    best: dict[str, ProbeAnswer] = {}
    for one in answers:
        known = best.setdefault(one.what, one)
        if rank[one.verdict] > rank[known.verdict]:
            best[one.what] = one
    return tuple(best.values())


def _brought_back(request: AuthorizationRequest, what: str, callback: Callback) -> ProbeAnswer:
    try:
        authorization_response(request, callback)
    except AuthorizationError as exc:
        if exc.error in PROMPT_REQUIRED:
            because = f"The server would ask the user now: {quoted(exc)}."
            return ProbeAnswer(what, "yes", because, "OpenID Connect Core 1.0 §3.1.2.6")
        if exc.error in REFUSED:
            return ProbeAnswer(what, "no", f"The server refuses it: {quoted(exc)}.", SOURCE)
        because = f"The server first objects to something else: {quoted(exc)}."
        return ProbeAnswer(what, "unknown", because, SOURCE)
    except ProtocolError as exc:
        return ProbeAnswer(what, "unknown", f"Its answer would be refused here: {exc.message}.", exc.source)
    return ProbeAnswer(what, "yes", "The server answers at once, without asking the user.", "RFC 6749 §4.1.2")


def _callback(request: AuthorizationRequest, answer: HttpResponse) -> Callback | None:
    """Return the callback that the browser would bring to the redirect URI, if this answer sends it there."""
    found = destination(request.url, answer)
    if not leads_to(request.redirect_uri, found.address):
        return None
    redactor = Redactor()
    redactor.learn_parameters(request.parameters)
    # A server may quote what it was sent.
    return redactor.clean_callback(Callback(found.parameters, found.via))


def _own_page(request: AuthorizationRequest, what: str, answer: HttpResponse) -> tuple[ProbeAnswer, ...]:
    status, found = answer.status, _CODE_IN_PAGE.search(page_text(answer))
    code = found[1] if found else ""
    if status in _NOTHING_THERE:
        return _both(what, "unknown", f"Nothing is at the authorization endpoint: HTTP status {status}.")
    if any(map(answer.header, _IN_BETWEEN)) or status in (408, 429) or status >= 500:
        return _both(what, "unknown", f"What answered says nothing either way: HTTP status {status}.")
    if status < 400 and not (code and is_json(answer)):
        return _goes_on(request, what, answer)
    told = f"HTTP status {status}, {code}" if code else f"HTTP status {status}"
    if code in OF_REQUEST:
        refusal = ProbeAnswer(what, "no", f"The server refuses it on a page of its own: {told}.", SOURCE)
        return (refusal, ProbeAnswer(REDIRECT_URI, "unknown", refusal.because, SOURCE))
    culprit, of_client = f"this client ID, or {request.redirect_uri}", code in OF_CLIENT
    if of_client:
        culprit = "this client ID"
    elif code in OF_REDIRECT_URI:
        culprit = f"{request.redirect_uri} for this client"
    return (
        ProbeAnswer(REDIRECT_URI, "no", f"The server does not know {culprit}: {told}.", SOURCE, of_client),
        ProbeAnswer(what, "unknown", "The server first refuses the client or the redirect URI.", SOURCE),
    )


def _goes_on(request: AuthorizationRequest, what: str, answer: HttpResponse) -> tuple[ProbeAnswer, ...]:
    address, _, query = redirect_target(request.url, answer).partition("#")[0].partition("?")
    if _ERROR_PAGE.search(address) or "error" in dict(parse_qsl(query)):
        return _both(what, "no", "The server redirects to its own page, which shows an error.")
    because = "The server goes on to a page of its own, and has refused nothing so far"
    return _both(what, "likely", f"{because}: HTTP status {answer.status}.")


def _both(what: str, verdict: Verdict, because: str) -> tuple[ProbeAnswer, ...]:
    return tuple(ProbeAnswer(one, verdict, because, SOURCE) for one in (REDIRECT_URI, what))
