"""Checks of the token endpoint, asked with a made-up code.

Source: RFC 6749 §2.3.1, §3.2, §5.1, §5.2; RFC 9700 §2.6; Fetch §3.3 (CORS).
"""

from __future__ import annotations

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.endpoint_questions import (
    TOKEN,
    TOKEN_GET,
    TOKEN_PREFLIGHT,
    TOKEN_QUERY,
    TOKEN_REPEATED,
)
from loopback_auth.audit.servers.redirect_uri_variants import ELSEWHERE
from loopback_auth.audit.servers.server_check import ServerCheck
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed, unseen
from loopback_auth.doctor.direct_probe import GRANT_KNOWN
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.json import is_json, object_or_none, text_member
from loopback_auth.redact import server_text


def _error(response: HttpResponse) -> str:
    return server_text(text_member(object_or_none(response.body) or {}, "error"), 80)


def _status(response: HttpResponse) -> str:
    error = _error(response)
    return f"HTTP status {response.status}" + (f", {error}" if error else "")


def _undecided(response: HttpResponse) -> bool:
    return response.status >= 500 or response.status in (403, 404, 408, 429)


def _refuses(observed: Observed) -> Judgement:
    response = observed.answered(TOKEN)
    document = object_or_none(response.body) or {}
    if 200 <= response.status < 300 and document.get("access_token"):
        return failed("It gives an access token for a made-up code.")
    if _undecided(response):
        return unseen(f"The answer says nothing either way: {_status(response)}.")
    return passed(f"A made-up code gets no tokens: {_status(response)}.")


def _in_form(observed: Observed) -> Judgement:
    response = observed.answered(TOKEN)
    if _undecided(response):
        return unseen(f"The answer says nothing either way: {_status(response)}.")
    if response.status not in (400, 401):
        return failed(f"A refusal has {_status(response)}, and should have 400 or 401.")
    if not is_json(response) or not _error(response):
        return failed(f"A refusal is not JSON with an error code: {_status(response)}.")
    return passed(f"A refusal is JSON with an error code: {_status(response)}.")


def _cached(observed: Observed) -> Judgement:
    response = observed.answered(TOKEN)
    control = response.header("cache-control").lower()
    if "no-store" in control:
        return passed(f"Cache-Control: {server_text(control, 80)}.")
    if _undecided(response):
        return unseen(f"The answer says nothing either way: {_status(response)}.")
    return failed(f"Cache-Control: {server_text(control, 80)}." if control else "There is no Cache-Control.")


def _by_get(observed: Observed) -> Judgement:
    return _not_read(observed, TOKEN_GET)


def _in_query(observed: Observed) -> Judgement:
    return _not_read(observed, TOKEN_QUERY)


def _not_read(observed: Observed, question: str) -> Judgement:
    """Judge whether the parameters were read although they are in the URL."""
    right, wrong = observed.response(TOKEN), observed.response(question)
    if wrong is None or right is None:
        return unseen(observed.silence(question))
    if 200 <= wrong.status < 300 and (object_or_none(wrong.body) or {}).get("access_token"):
        return failed("It gives an access token for a made-up code in the URL.")
    if _error(wrong) in GRANT_KNOWN:
        return failed(f"The code in the URL was looked for: {_status(wrong)}.")
    if wrong.status in (405, 501) or 300 <= wrong.status < 400:
        return passed(f"It is refused: {_status(wrong)}.")
    if _error(right) in GRANT_KNOWN and wrong.status < 500:
        return passed(f"It is refused, and not for the code: {_status(wrong)}.")
    return unseen(
        f"The answer is that to the right request too: {_status(wrong)}. The ID of a known client would "
        "tell: give --client-id."
    )


def _repeated(observed: Observed) -> Judgement:
    right, wrong = observed.response(TOKEN), observed.response(TOKEN_REPEATED)
    if wrong is None or right is None:
        return unseen(observed.silence(TOKEN_REPEATED))
    if _error(right) not in GRANT_KNOWN:
        return unseen(f"The right request is refused for another reason: {_status(right)}.")
    if _error(wrong) in GRANT_KNOWN:
        return failed(f"One of the two codes was looked for: {_status(wrong)}.")
    if _undecided(wrong):
        return unseen(f"The answer says nothing either way: {_status(wrong)}.")
    return passed(f"It is refused: {_status(wrong)}.")


def _cors(observed: Observed) -> Judgement:
    response = observed.answered(TOKEN_PREFLIGHT)
    origin = response.header("access-control-allow-origin")
    with_cookies = response.header("access-control-allow-credentials").lower() == "true"
    if origin == ELSEWHERE and with_cookies:
        return failed("Any origin may send requests with cookies, and read the answers.")
    if origin in ("*", ELSEWHERE):
        return passed(f"Pages of other origins can request it, without cookies: {origin}.")
    return idle("Pages of other origins cannot request it.")


CHECKS = (
    ServerCheck(
        "token-refuses",
        "high",
        "A made-up code gets no tokens",
        "It gives tokens for a made-up code.",
        "RFC 6749 §4.1.3, §5.2",
        "Give tokens only for codes that were issued to the client that sends them.",
        (TOKEN,),
        _refuses,
    ),
    ServerCheck(
        "token-errors",
        "low",
        "The token endpoint refuses in the form that clients can read",
        "Its token endpoint refuses in a form that clients cannot read.",
        "RFC 6749 §5.2",
        "Answer a refused token request with 400 or 401, and JSON with the member error.",
        (TOKEN,),
        _in_form,
    ),
    ServerCheck(
        "token-stored",
        "low",
        "Answers of the token endpoint are not kept in caches",
        "Answers of its token endpoint may be kept in caches.",
        "RFC 6749 §5.1",
        "Send Cache-Control: no-store with every answer of the token endpoint.",
        (TOKEN,),
        _cached,
    ),
    ServerCheck(
        "token-get",
        "medium",
        "The token endpoint refuses GET",
        "Its token endpoint accepts GET.",
        "RFC 6749 §3.2",
        "Accept token requests only by POST: URLs are written to logs.",
        (TOKEN_GET, TOKEN),
        _by_get,
    ),
    ServerCheck(
        "token-query",
        "medium",
        "The token endpoint does not read its URL for parameters",
        "Its token endpoint reads its URL for parameters.",
        "RFC 6749 §2.3.1, §3.2; RFC 9700 §4.3",
        "Read the parameters of a token request only from its body.",
        (TOKEN_QUERY, TOKEN),
        _in_query,
    ),
    ServerCheck(
        "token-repeated",
        "low",
        "A token request in which a parameter comes twice is refused",
        "Its token endpoint accepts a parameter that comes twice.",
        "RFC 6749 §3.2",
        "Refuse token requests in which a parameter comes more than once, with invalid_request.",
        (TOKEN_REPEATED, TOKEN),
        _repeated,
    ),
    ServerCheck(
        "token-cors",
        "medium",
        "Other origins cannot request tokens with the cookies of the user",
        "Other origins can request tokens with the cookies of the user.",
        "RFC 9700 §2.6; Fetch §3.3.5",
        "Do not send Access-Control-Allow-Credentials from the token endpoint.",
        (TOKEN_PREFLIGHT,),
        _cors,
    ),
)
