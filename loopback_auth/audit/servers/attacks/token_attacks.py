"""Attacks with the tokens of a real user.

Source: RFC 6749 §5.1, §6, §10.4; RFC 7009 §2.1; RFC 6750 §2.3, §5.3; RFC 9700 §2.2.2, §4.3.2, §4.14.2; OpenID
Connect Core 1.0 §5.3.2.
"""

from __future__ import annotations

from typing import Literal

from loopback_auth.audit.servers.attacks.attack_session import (
    AttackSession,
    applies,
    members,
    need,
    token_of,
    told,
    undecided,
)
from loopback_auth.audit.servers.attacks.code_attacks import NO_MORE, NO_OTHER, approved, exchanged
from loopback_auth.compare.attacks.attack_actions import Outcome
from loopback_auth.doctor.server_offers import listed
from loopback_auth.effects import Flow
from loopback_auth.flows.sending import authenticated, send
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.json import text_member
from loopback_auth.protocol.revocation import revocation_request
from loopback_auth.redact import server_text

NO_REFRESH = (
    "The server gives this client no refresh token: add the scope that brings one, such as offline_access."
)


def refresh_twice(session: AttackSession) -> Flow[Outcome]:
    """Use a refresh token again after it was used.

    Source: RFC 9700 §2.2.2, §4.14.2.
    """
    applies(session.public, "The client is confidential, so that its refresh tokens are bound to it.")
    used, _ = yield from _rotated(session)
    return exchanged((yield from session.refresh(used)), "The refresh token that was used before")


def family_survives(session: AttackSession) -> Flow[Outcome]:
    """Use the newest refresh token after an old one has come again: one of the two has a thief.

    Source: RFC 9700 §4.14.2.
    """
    applies(session.public, "The client is confidential, so that its refresh tokens are bound to it.")
    used, newest = yield from _rotated(session)
    need(newest != used, "The refresh token is not rotated.")
    again = yield from session.refresh(used)
    need(not token_of(again), "The old refresh token still works.")
    response = yield from session.refresh(newest)
    return exchanged(response, "The newest refresh token, after an old one came again,")


def refresh_of_other_client(session: AttackSession) -> Flow[Outcome]:
    """Use a refresh token as another client.

    Source: RFC 6749 §6, §10.4.
    """
    need(session.other, NO_OTHER)
    refresh_token = yield from _refresh_token(session)
    response = yield from session.refresh(refresh_token, client=session.other)
    return exchanged(response, "The refresh token of one client, sent by another,")


def refresh_for_more(session: AttackSession) -> Flow[Outcome]:
    """Ask for more when renewing than the user has approved.

    Source: RFC 6749 §6 (MUST NOT include any scope not originally granted).
    """
    more = session.more_scope()
    applies(more, NO_MORE)
    refresh_token = yield from _refresh_token(session)
    response = yield from session.refresh(refresh_token, scope=" ".join([*session.approved_scope, more]))
    granted = text_member(members(response), "scope").split()
    if token_of(response) and more not in granted:
        return Outcome(False, "The tokens are renewed without what was not approved.")
    return exchanged(response, "A renewal with more than was approved")


def token_in_url(session: AttackSession) -> Flow[Outcome]:
    """Use an access token in a URL, where it is written to logs.

    Source: RFC 9700 §4.3.2; RFC 6750 §2.3, §5.3.
    """
    applies(session.metadata.userinfo_endpoint, "The server has no UserInfo endpoint.")
    access_token = token_of((yield from _answer(session)))
    control = yield from session.userinfo(access_token)
    need(control is not None and control.status == 200, "The token does not work in the header either.")
    response = yield from session.userinfo(access_token, in_url=True)
    if response is not None and response.status == 200:
        return Outcome(True, "UserInfo accepts an access token in its URL.")
    return Outcome(
        False, f"UserInfo accepts no access token in its URL: {told(response or HttpResponse(0))}."
    )


def other_subject(session: AttackSession) -> Flow[Outcome]:
    """Compare whom UserInfo and ID token are about.

    Source: OpenID Connect Core 1.0 §5.3.2.
    """
    sign_in = session.sign_in
    applies(sign_in is not None and sign_in.tokens.id_token is not None, "There is no ID token.")
    tokens = sign_in.tokens if sign_in is not None else None
    if tokens is None or tokens.id_token is None:
        return Outcome(None, "There is no ID token.")
    response = yield from session.userinfo(tokens.access_token)
    need(response is not None and response.status == 200, "UserInfo does not answer to the token.")
    named = members(response)["sub"] if response is not None and "sub" in members(response) else None
    if named == tokens.id_token.claims.get("sub"):
        return Outcome(False, "Both are about the same user.")
    return Outcome(True, "UserInfo is about another user than the ID token, or names none.")


def tokens_stored(session: AttackSession) -> Flow[Outcome]:
    """Look whether the response with the tokens may be kept in a cache.

    Source: RFC 6749 §5.1.
    """
    response = yield from _answer(session)
    control = response.header("cache-control").lower()
    if "no-store" in control:
        return Outcome(False, "The response has Cache-Control: no-store.")
    return Outcome(
        True, f"The response has no Cache-Control: no-store ({server_text(control, 60) or 'none'})."
    )


def odd_members(session: AttackSession) -> Flow[Outcome]:
    """Look at the members of the response with the tokens, which some clients read more strictly than others.

    Source: RFC 6749 §5.1, appendix A.12-A.17.
    """
    document = members((yield from _answer(session)))
    lifetime = document.get("expires_in")
    flaws = [
        f"{name} is not a text"
        for name in ("access_token", "refresh_token", "scope", "id_token")
        if name in document and not isinstance(document[name], str)
    ]
    if not isinstance(document.get("token_type"), str):
        flaws.append("token_type is missing, or not a text")
    if lifetime is not None and (isinstance(lifetime, bool) or not isinstance(lifetime, int) or lifetime < 0):
        flaws.append("expires_in is not a number of seconds")
    if flaws:
        return Outcome(True, f"These members are not as in the RFC: {', '.join(flaws)}.")
    return Outcome(False, "Each member is as in the RFC.")


def refresh_token_in_browser(session: AttackSession) -> Flow[Outcome]:
    """Have a token sent through the browser, and look whether a refresh token comes along.

    Source: RFC 6749 §4.2.2 (MUST NOT).
    """
    types = listed(session.metadata.document, "response_types_supported")
    applies("token" in types, "The metadata list no response_type=token.")
    request = session.request({"response_type": "token", "response_mode": None})
    granted = yield from session.authorize(request)
    need(granted.visit.value("access_token"), f"No access token came through the browser: {granted.told}.")
    if granted.visit.value("refresh_token"):
        return Outcome(True, "A refresh token came through the browser.")
    return Outcome(False, "No refresh token came through the browser.")


def revoked_refresh_token(session: AttackSession) -> Flow[Outcome]:
    """Use a token after it was revoked.

    Source: RFC 7009 §2, §2.1.
    """
    applies(session.metadata.revocation_endpoint, "The server has no revocation endpoint.")
    answer = yield from _answer(session)
    refresh_token, access_token = token_of(answer, "refresh_token"), token_of(answer)
    hint: Literal["access_token", "refresh_token"] = "refresh_token" if refresh_token else "access_token"
    request = revocation_request(
        session.client, session.metadata, token=refresh_token or access_token, token_type_hint=hint
    )
    need(request, "The server has no revocation endpoint.")
    if request is not None:
        revoked = yield from send(
            authenticated(session.client, session.metadata, request), "revocation request"
        )
        need(revoked.status == 200, f"The revocation is refused: {told(revoked)}.")
    if refresh_token:
        return exchanged((yield from session.refresh(refresh_token)), "The refresh token that was revoked")
    response = yield from session.userinfo(access_token)
    if response is None or undecided(response):
        return Outcome(None, "There is no UserInfo endpoint to try the token at.")
    if response.status == 200:
        return Outcome(True, "The access token that was revoked still works.")
    return Outcome(False, f"The access token that was revoked is refused: {told(response)}.")


def _answer(session: AttackSession) -> Flow[HttpResponse]:
    """Return a token response."""
    granted = yield from approved(session)
    response = yield from session.exchange(granted)
    need(token_of(response), f"The code could not be exchanged: {told(response)}.")
    return response


def _refresh_token(session: AttackSession) -> Flow[str]:
    refresh_token = token_of((yield from _answer(session)), "refresh_token")
    need(refresh_token, NO_REFRESH)
    return refresh_token


def _rotated(session: AttackSession) -> Flow[tuple[str, str]]:
    """Renew once; return the refresh token that was used, and the newest."""
    used = yield from _refresh_token(session)
    response = yield from session.refresh(used)
    need(token_of(response), f"The tokens could not be renewed: {told(response)}.")
    return used, token_of(response, "refresh_token") or used
