"""Answers to what people ask about a sign-in of which only the URL of a resource was known."""

from __future__ import annotations

from loopback_auth.explain.answers import Answer, request_text
from loopback_auth.explain.story_templates import ANSWERS, QUESTIONS
from loopback_auth.explain.wording import Wording
from loopback_auth.trace.evidence import authorization_request, entry_numbers, exchanges_named, first_exchange
from loopback_auth.trace.reading import response_members
from loopback_auth.trace.records import Trace


def server(trace: Trace, wording: Wording) -> Answer | None:
    """Say how the program found the authorization server."""
    asked = tuple(exchanges_named(trace, "request without a token"))
    described = [one for one in exchanges_named(trace, "resource metadata request") if one.status == 200]
    if not asked or not described:
        return None
    issuers = dict(response_members(described[-1])).get("authorization_servers", "")
    words = ANSWERS["server"].format(
        request=request_text(asked[-1], wording),
        metadata=request_text(described[-1], wording),
        issuers=wording.translated(", ".join(issuers.split())),
    )
    return Answer(QUESTIONS["server"], words, "RFC 9728 §5", entry_numbers(*asked, *described))


def client_id(trace: Trace, wording: Wording) -> Answer | None:
    """Say where the client ID came from, if the program registered itself."""
    registered = first_exchange(trace, "registration request")
    if registered is None:
        return None
    words = ANSWERS["client_id"].format(request=request_text(registered, wording))
    return Answer(QUESTIONS["client_id"], words, "RFC 7591 §3, §5", entry_numbers(registered))


def resource(trace: Trace, wording: Wording) -> Answer | None:
    """Say what the token is good for, if the program named a resource."""
    message = authorization_request(trace)
    if message is None or "resource" not in message.parameters:
        return None
    words = ANSWERS["resource"].format(resource=wording.translated(message.parameters["resource"]))
    return Answer(QUESTIONS["resource"], words, "RFC 8707 §2, §3", message.steps)
