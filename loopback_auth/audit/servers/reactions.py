"""What the authorization endpoint does with a request, in a word.

`taken`    the server answers at the redirect URI as it does before a log-in, or has taken the pushed request
`goes on`  the server shows a page of its own, and has refused nothing so far
`refused`  the server says no: at the redirect URI, on a page of its own, or to the push
`unknown`  something else: a failure, or an answer of what stands before the server

A page with a status of success decides nothing by itself: the same page may come for every request. So it is
compared with the page for a request that must be refused.

Source: RFC 6749 §4.1.2.1; OpenID Connect Core 1.0 §3.1.2.6; RFC 9126 §2.2, §2.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.doctor.destination import Destination, destination, leads_to
from loopback_auth.doctor.redirect_probe import (
    PROMPT_REQUIRED,
    REDIRECT_URI,
    authorization_probe_response,
)
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.json import object_or_none, text_member
from loopback_auth.redact import server_text

FAILURES = frozenset({"server_error", "temporarily_unavailable"})
"""Codes of a server that has not decided (RFC 6749 §4.1.2.1)."""

Kind = Literal["taken", "goes on", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What the server did with an authorization request.

    Args:
        kind: in a word.
        told: the same as the end of a sentence.
        destination: where the browser is sent, and with what.
        returned: the browser is sent to the redirect URI of the request.
    """

    kind: Kind
    told: str
    destination: Destination = field(default=Destination(""), repr=False)
    returned: bool = False

    @property
    def error(self) -> str:
        """The error code at the redirect URI; empty without one."""
        return dict(self.destination.parameters).get("error", "") if self.returned else ""


def sentence(told: str) -> str:
    """Return what was told as a sentence."""
    return f"{told[:1].upper()}{told[1:].removesuffix('.')}."


def reaction(observed: Observed, question: str) -> Reaction:
    """Read the answer to an authorization request, or to a pushed one."""
    answer = observed.answers.get(question)
    if answer is None or answer.response is None or answer.authorization is None:
        return Reaction("unknown", observed.silence(question))
    if answer.request.method == "POST":
        return _of_push(answer.response)
    return _of_visit(answer.authorization, answer.response)


def _of_push(response: HttpResponse) -> Reaction:
    document = object_or_none(response.body) or {}
    error = server_text(text_member(document, "error"), 80)
    status = f"HTTP status {response.status}"
    if 200 <= response.status < 300 and text_member(document, "request_uri"):
        return Reaction("taken", "the server takes the pushed request")
    if 400 <= response.status < 500 and response.status not in (404, 405, 408, 429):
        return Reaction("refused", f"the server refuses the pushed request: {error or status}")
    return Reaction("unknown", f"the answer to the pushed request says nothing: {status}")


def _of_visit(request: AuthorizationRequest, response: HttpResponse) -> Reaction:
    found = destination(request.url, response)
    uri = request.redirect_uri.partition("#")[0].partition("?")[0]
    if leads_to(uri, found.address):
        error = server_text(dict(found.parameters).get("error", ""), 80)
        kind: Kind = "taken" if not error or error in PROMPT_REQUIRED else "refused"
        if error in FAILURES:
            kind = "unknown"
        told = f"the server answers at {request.redirect_uri}" + (f": {error}" if error else "")
        return Reaction(kind, told, found, returned=True)
    verdicts = {one.what: one for one in authorization_probe_response(request, "request", response)}
    of_uri, of_request = verdicts[REDIRECT_URI].verdict, verdicts["request"].verdict
    status = f"HTTP status {response.status}"
    if "no" in (of_uri, of_request):
        return Reaction("refused", f"the server refuses it on a page of its own: {status}", found)
    if of_uri == "likely":
        return Reaction("goes on", f"the server goes on to a page of its own: {status}", found)
    return Reaction("unknown", f"the answer says nothing either way: {status}", found)
