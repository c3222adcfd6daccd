"""Checks of the authorization endpoint: PKCE, state, iss, response types and modes, pushed requests.

Source: RFC 6749 §4.1.2, §4.1.2.1; RFC 7636 §4.4.1; RFC 9207 §2; RFC 9126 §2, §5; RFC 9700 §2.1; OpenID
Connect Core 1.0 §3.1.2.1; OAuth 2.0 Form Post Response Mode §2.
"""

from __future__ import annotations

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.authorization_questions import (
    DIRECT,
    ECHO,
    FORM_POST,
    GOOD,
    IMPLICIT,
    MARK,
    NO_CHALLENGE,
    PLAIN,
    PREFLIGHT,
    PUSHED,
    WRONG_TYPE,
)
from loopback_auth.audit.servers.examination import DOCUMENTS
from loopback_auth.audit.servers.reactions import Reaction, reaction, sentence
from loopback_auth.audit.servers.redirect_uri_variants import ELSEWHERE
from loopback_auth.audit.servers.server_check import ServerCheck
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed, unseen
from loopback_auth.doctor.destination import page_text
from loopback_auth.doctor.server_offers import listed
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.json import object_or_none, text_member
from loopback_auth.redact import server_text

BROUGHT_BACK = (GOOD, WRONG_TYPE, FORM_POST, NO_CHALLENGE, PLAIN)
"""Questions whose answers may come at the redirect URI, with state and iss in them."""


def _no_challenge(observed: Observed) -> Judgement:
    client = observed.client
    if client.client_secret is not None or client.provider.client_auth not in (None, "none"):
        return idle("The client is confidential, and need not use PKCE.")
    return _refused(observed, NO_CHALLENGE)


def _plain(observed: Observed) -> Judgement:
    methods = listed(observed.document, "code_challenge_methods_supported")
    return _tried(observed, PLAIN) or _listed(methods, [one for one in methods if one == "plain"])


def _implicit(observed: Observed) -> Judgement:
    types = listed(observed.document, "response_types_supported")
    return _tried(observed, IMPLICIT) or _listed(types, [one for one in types if "token" in one.split()])


def _tried(observed: Observed, question: str) -> Judgement | None:
    """Return what a request shows; None where it was not made, or shows nothing."""
    if observed.response(question) is None:
        return None
    judgement = _refused(observed, question)
    return judgement if judgement.verdict in ("pass", "fail") else None


def _listed(words: list[str], wrong: list[str]) -> Judgement:
    """Judge by the metadata alone."""
    if wrong:
        return failed(f"The metadata list {server_text(', '.join(wrong), 200)}.")
    if words:
        return passed(f"The metadata list only {server_text(', '.join(words), 200)}.")
    return unseen("The metadata do not say. A request of a known client would: give --client-id.")


def _refused(observed: Observed, question: str) -> Judgement:
    """Judge whether a request is refused that differs from the good one."""
    good, found = reaction(observed, GOOD), reaction(observed, question)
    if found.kind == "refused" and good.kind in ("taken", "goes on"):
        return passed(sentence(found.told))
    if found.kind == "taken" or (found.kind == "goes on" and good.kind == "taken"):
        return failed(sentence(found.told))
    if good.kind not in ("taken", "goes on"):
        return unseen(f"Nothing can be compared with the good request: {good.told}.")
    return unseen(f"It may be checked later: {found.told}.")


def _state(observed: Observed) -> Judgement:
    answers = _brought_back(observed)
    if not answers:
        return unseen("No answer came at the redirect URI; one after a sign-in would show it.")
    for question, found in answers:
        request = observed.answers[question].authorization
        states = [value for name, value in found.destination.parameters if name == "state"]
        if request is not None and states != [request.state]:
            shown = f"{len(states)} of them, another value" if states else "missing"
            return failed(f"The state is not what was sent: {shown} ({found.told}).")
    return passed(f"It came back unchanged in {len(answers)} answers.")


def _iss(observed: Observed) -> Judgement:
    announced = observed.document.get("authorization_response_iss_parameter_supported") is True
    answers = _brought_back(observed)
    if not answers:
        return unseen("No answer came at the redirect URI; one after a sign-in would show it.")
    issuer = observed.metadata.issuer
    for _, found in answers:
        values = [value for name, value in found.destination.parameters if name == "iss"]
        if not values and announced:
            return failed(f"It is announced, and missing where {found.told}.")
        if values and values != [issuer]:
            return failed(f"It is {server_text(', '.join(values), 200)}, and the issuer is {issuer}.")
    if not announced and not any("iss" in dict(found.destination.parameters) for _, found in answers):
        return idle("It is neither announced nor sent.")
    return passed(f"It is the issuer in {len(answers)} answers.")


def _brought_back(observed: Observed) -> list[tuple[str, Reaction]]:
    found = [(question, reaction(observed, question)) for question in BROUGHT_BACK]
    return [(question, one) for question, one in found if one.returned]


def _silent(observed: Observed) -> Judgement:
    answer = observed.answers[GOOD]
    if answer.authorization is None or ("prompt", "none") not in answer.authorization.parameters:
        return idle("The server does not say that it knows OpenID Connect, so it was not sent.")
    found = reaction(observed, GOOD)
    if found.returned:
        return passed(sentence(found.told))
    if found.kind == "goes on":
        return failed(sentence(found.told))
    return unseen(sentence(found.told))


def _form_post(observed: Observed) -> Judgement:
    found = reaction(observed, FORM_POST)
    if found.returned and found.destination.via == "form_post":
        return passed(f"The answer is a form: {found.told}.")
    if found.returned:
        return failed(f"The answer is a redirect with its parameters in the URL: {found.told}.")
    if found.kind == "refused" and reaction(observed, GOOD).kind in ("taken", "goes on"):
        return failed(f"It is listed, and refused: {found.told}.")
    return unseen(f"Only an answer at the redirect URI shows it: {found.told}.")


def _pushed(observed: Observed) -> Judgement:
    response, found = observed.response(PUSHED), reaction(observed, PUSHED)
    if response is None or found.kind != "taken":
        return unseen(sentence(found.told))
    flaws = _flaws(response)
    if flaws:
        return failed(f"The answer differs from what the RFC demands: {flaws}.")
    return passed("The server takes the request, and answers 201 with request_uri and expires_in.")


def _flaws(response: HttpResponse) -> str:
    document = object_or_none(response.body) or {}
    lifetime = document.get("expires_in")
    flaws = [] if response.status == 201 else [f"HTTP status {response.status} in place of 201"]
    if not isinstance(lifetime, int) or isinstance(lifetime, bool) or lifetime <= 0:
        flaws.append("expires_in is not a positive number")
    if len(text_member(document, "request_uri")) < 20:
        flaws.append("the request_uri is too short to be unguessable")
    return ", ".join(flaws)


def _demanded(observed: Observed) -> Judgement:
    found = reaction(observed, DIRECT)
    if found.kind == "refused":
        return passed(sentence(found.told))
    if found.kind in ("taken", "goes on"):
        return failed(sentence(found.told))
    return unseen(sentence(found.told))


def _echo(observed: Observed) -> Judgement:
    response = observed.answered(ECHO)
    if MARK in page_text(response) and "html" in response.header("content-type").lower():
        return failed("A page of the server has the markup of the request in it, as it was sent.")
    return passed(f"It does not come back as it was sent: HTTP status {response.status}.")


def _cors(observed: Observed) -> Judgement:
    response = observed.answered(PREFLIGHT)
    allowed = response.header("access-control-allow-origin")
    if allowed in ("*", ELSEWHERE):
        return failed(f"Access-Control-Allow-Origin is {allowed} for another origin.")
    return passed(f"No other origin is allowed: HTTP status {response.status}.")


CHECKS = (
    ServerCheck(
        "pkce-enforced",
        "medium",
        "A request of a public client without PKCE is refused",
        "It accepts a request of a public client without PKCE.",
        "RFC 9700 §2.1.1; RFC 7636 §4.4.1; draft-ietf-oauth-v2-1 §4.1.2.1",
        "Refuse authorization requests of public clients that have no code_challenge.",
        (NO_CHALLENGE, GOOD),
        _no_challenge,
    ),
    ServerCheck(
        "plain-challenge",
        "low",
        "A plain code challenge is refused",
        "It accepts a plain code challenge.",
        "RFC 9700 §2.1.1; RFC 7636 §7.2",
        "Accept only S256: with a plain challenge, anyone who reads the request knows the verifier.",
        (PLAIN, GOOD, *DOCUMENTS),
        _plain,
        any_of=True,
    ),
    ServerCheck(
        "implicit",
        "low",
        "No access token comes through the browser",
        "It lets an access token come through the browser.",
        "RFC 9700 §2.1.2",
        "Offer response_type=code alone; clients that run in a browser can use it with PKCE too.",
        (IMPLICIT, GOOD, *DOCUMENTS),
        _implicit,
        any_of=True,
    ),
    ServerCheck(
        "state-returned",
        "high",
        "The state comes back unchanged, also with an error",
        "It changes the state, or leaves it out.",
        "RFC 6749 §4.1.2, §4.1.2.1",
        "Send the state back exactly as it came, once.",
        BROUGHT_BACK,
        _state,
        any_of=True,
    ),
    ServerCheck(
        "iss-sent",
        "high",
        "The iss in responses is the issuer, also with an error",
        "It sends a wrong iss, or leaves it out although it is announced.",
        "RFC 9207 §2",
        "Send the issuer as iss in every authorization response, or stop announcing it.",
        BROUGHT_BACK,
        _iss,
        any_of=True,
    ),
    ServerCheck(
        "prompt-none",
        "low",
        "With prompt=none no page is shown",
        "It shows a page although prompt=none forbids that.",
        "OpenID Connect Core 1.0 §3.1.2.1, §3.1.2.6",
        "Answer prompt=none with login_required or consent_required at the redirect URI.",
        (GOOD,),
        _silent,
    ),
    ServerCheck(
        "form-post",
        "low",
        "The response mode form_post does what the metadata say",
        "It lists form_post, but does not answer with a form.",
        "OAuth 2.0 Form Post Response Mode §2",
        "Answer with a form that posts itself, or remove form_post from response_modes_supported.",
        (FORM_POST,),
        _form_post,
    ),
    ServerCheck(
        "pushed-request",
        "low",
        "A pushed request is answered as the RFC demands",
        "Its answer to a pushed request is not that of the RFC.",
        "RFC 9126 §2.2",
        "Answer a pushed request with 201, a request_uri that cannot be guessed, and expires_in.",
        (PUSHED,),
        _pushed,
    ),
    ServerCheck(
        "push-demanded",
        "medium",
        "A request that was not pushed is refused where the metadata demand it",
        "It accepts a request that was not pushed, although its metadata demand pushed requests.",
        "RFC 9126 §5",
        "Refuse authorization requests without a request_uri, or stop demanding it in the metadata.",
        (DIRECT,),
        _demanded,
    ),
    ServerCheck(
        "markup-echoed",
        "high",
        "Pages of the server do not repeat markup of a request",
        "It writes markup of a request into its page.",
        "RFC 6749 §10.14",
        "Escape everything from a request that is written into a page.",
        (ECHO,),
        _echo,
    ),
    ServerCheck(
        "authorization-cors",
        "low",
        "Scripts of other origins may not read the authorization endpoint",
        "Scripts of other origins may read its authorization endpoint.",
        "RFC 9700 §2.6",
        "Send no Access-Control-Allow-Origin from the authorization endpoint.",
        (PREFLIGHT,),
        _cors,
    ),
)
