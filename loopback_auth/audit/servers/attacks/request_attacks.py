"""Attacks with authorization requests: what a real user approves, or is not asked about, and where it leads.

Source: RFC 6749 §3.1.2, §10.2, §10.6; RFC 8252 §8.6; RFC 9126 §2.2; RFC 9207 §2; RFC 9700 §2.1, §4.1, §4.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopback_auth.audit.servers.attacks.attack_session import AttackSession, applies, members, need, token_of
from loopback_auth.audit.servers.attacks.code_attacks import NO_MORE, NO_OTHER, approved
from loopback_auth.audit.servers.redirect_uri_variants import (
    CASE,
    ESCAPE,
    FRAGMENT,
    OTHER_HOST,
    QUERY,
    SUFFIX,
    TRAVERSAL,
    USER_INFO,
    VARIANTS,
)
from loopback_auth.compare.attacks.attack_actions import Outcome
from loopback_auth.effects import Flow
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.protocol.authorization import with_parameters
from loopback_auth.protocol.json import text_member
from loopback_auth.redact import server_text

LEADING_AWAY = (OTHER_HOST, USER_INFO, SUFFIX, TRAVERSAL)
SIMILAR = (QUERY, FRAGMENT, ESCAPE, CASE)


def other_redirect_uris(session: AttackSession) -> Flow[Outcome]:
    """Have the user approve requests with redirect URIs that lead elsewhere than the registered one.

    Source: RFC 9700 §2.1, §4.1.3; RFC 6749 §10.6.
    """
    return (yield from _redirected(session, LEADING_AWAY))


def similar_redirect_uris(session: AttackSession) -> Flow[Outcome]:
    """Have the user approve requests with redirect URIs that are spelled in another way.

    Source: RFC 9700 §2.1, §4.1.3; RFC 6749 §3.1.2.
    """
    return (yield from _redirected(session, SIMILAR))


def _redirected(session: AttackSession, questions: Sequence[str]) -> Flow[Outcome]:
    taken: list[str] = []
    for variant in VARIANTS:
        uri = variant.change(session.redirect_uri)
        if variant.question not in questions or not uri:
            continue
        try:
            granted = yield from session.authorize(session.request({"redirect_uri": uri}))
        except LoopbackAuthError:
            continue  # The server fails at this one, so no code comes there.
        base = uri.partition("#")[0].partition("?")[0]
        if granted.code and granted.visit.address == base:
            taken.append(variant.question.partition(": ")[2])
    if taken:
        return Outcome(True, f"A code came at these redirect URIs, which differ: {', '.join(taken)}.")
    return Outcome(False, "No code came at any of them.")


def altered_state(session: AttackSession) -> Flow[Outcome]:
    """Look at the state in the response after a real approval, with characters that must be kept.

    Source: RFC 6749 §4.1.2, appendix A.5.
    """
    state = f"{next(session.attempts).state} +%2B&=~"
    granted = yield from approved(session, {"state": state})
    back = [value for name, value in granted.visit.parameters if name == "state"]
    if back == [state]:
        return Outcome(False, "The state came back exactly as it was sent.")
    return Outcome(True, f"The state came back {'changed' if back else 'not at all'}.")


def unnamed_server(session: AttackSession) -> Flow[Outcome]:
    """Look for what tells a client with several servers which of them has answered (mix-up).

    Source: RFC 9207 §2; RFC 9700 §4.4.
    """
    granted = yield from approved(session)
    named = [value for name, value in granted.visit.parameters if name == "iss"]
    if named == [session.metadata.issuer]:
        return Outcome(False, "The response names the issuer.")
    shown = server_text(", ".join(named), 100) or "no server"
    return Outcome(True, f"The response names {shown} as its issuer, so a client cannot notice a mix-up.")


def silent_consent(session: AttackSession) -> Flow[Outcome]:
    """Ask a second time: any program of this machine can pretend to be a public client.

    Source: RFC 8252 §8.6; RFC 6749 §10.2.
    """
    applies(session.public, "The client is confidential, so no other program can pretend to be it.")
    granted = yield from approved(session)
    if granted.visit.forms:
        return Outcome(False, "The user is asked again.")
    return Outcome(True, "A code came without the user being asked again.")


def silent_scope(session: AttackSession) -> Flow[Outcome]:
    """Ask for more than the user has approved.

    Source: RFC 6749 §3.3, §10.2; RFC 8252 §8.6.
    """
    more = session.more_scope()
    applies(more, NO_MORE)
    extra = server_text(more, 60)
    request = session.request({"scope": " ".join([*session.approved_scope, more])})
    granted = yield from session.authorize(request)
    if granted.visit.forms:
        return Outcome(False, f"The user is asked before {extra} is granted.")
    if not granted.code:
        return Outcome(False, f"It is refused: {granted.told}.")
    response = yield from session.exchange(granted)
    scope = text_member(members(response), "scope").split()
    if token_of(response) and more in scope:
        return Outcome(True, f"The scope {extra} was granted without the user being asked.")
    return Outcome(False, f"The scope {extra} is not granted without the user being asked.")


def request_uri_twice(session: AttackSession) -> Flow[Outcome]:
    """Visit a pushed request a second time.

    Source: RFC 9126 §2.2, §7.3.
    """
    _need_push(session)
    pushed = yield from session.push(session.request())
    first = yield from session.browser.visit(pushed.url, session.stops)
    need(first.value("code"), f"No code came the first time: {first.told}")
    second = yield from session.browser.visit(pushed.url, session.stops)
    if second.value("code"):
        return Outcome(True, "The same request_uri brought a second code.")
    return Outcome(False, f"The request_uri brought no second code: {second.told}")


def request_uri_of_other_client(session: AttackSession) -> Flow[Outcome]:
    """Visit a pushed request in the name of another client.

    Source: RFC 9126 §2.2, §4.
    """
    _need_push(session)
    need(session.other, NO_OTHER)
    pushed = yield from session.push(session.request())
    reference = dict(pair.split("=", 1) for pair in pushed.url.partition("?")[2].split("&"))["request_uri"]
    endpoint = session.metadata.authorization_endpoint or ""
    named = session.other.client_id if session.other is not None else ""
    url = f"{with_parameters(endpoint, [('client_id', named)])}&request_uri={reference}"
    visit = yield from session.browser.visit(url, session.stops)
    if visit.value("code"):
        return Outcome(True, "A pushed request of one client brought another client a code.")
    return Outcome(False, f"Another client got no code: {visit.told}")


def _need_push(session: AttackSession) -> None:
    applies(
        session.metadata.pushed_authorization_request_endpoint,
        "The server has no endpoint for pushed requests.",
    )
