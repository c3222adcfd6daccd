"""Attacks with authorization codes of a real user.

Source: RFC 6749 §4.1.2, §4.1.3, §10.5; RFC 7636 §4.6; RFC 9700 §2.1.1, §4.5, §4.8, §4.12.
"""

from __future__ import annotations

from loopback_auth.audit.servers.attacks.attack_session import (
    UNCHANGED,
    AttackSession,
    Changes,
    Granted,
    applies,
    need,
    token_of,
    told,
    undecided,
)
from loopback_auth.compare.attacks.attack_actions import Outcome
from loopback_auth.effects import Flow
from loopback_auth.http_messages import HttpResponse
from loopback_auth.records import replace

NO_OTHER = "There is no second client: register one, and give its ID with --other-client-id."
NO_MORE = "The metadata list no scope that the user has not approved already."
SHORTEST = 22
"""Characters of 128 random bits in base64url (RFC 6749 §10.10)."""


def approved(session: AttackSession, changes: Changes = UNCHANGED) -> Flow[Granted]:
    """Have the user approve a request, and return its code.

    Raises:
        LoopbackAuthError: no code came.

    Source: RFC 6749 §4.1.2.
    """
    granted = yield from session.authorize(session.request(changes))
    need(granted.code, f"No code came: {granted.told}.")
    return granted


def exchanged(response: HttpResponse, what: str) -> Outcome:
    """Judge the answer to a token request that must be refused.

    Args:
        response: to the request.
        what: was sent, as the beginning of a sentence.

    Source: RFC 6749 §5.2.
    """
    if token_of(response):
        return Outcome(True, f"{what} brought tokens.")
    if undecided(response):
        return Outcome(None, f"{what} brought an answer that says nothing either way: {told(response)}.")
    return Outcome(False, f"{what} was refused: {told(response)}.")


def without_verifier(session: AttackSession) -> Flow[Outcome]:
    """Exchange a code as one does who has read it in the redirect.

    Source: RFC 7636 §4.6.
    """
    granted = yield from _with_challenge(session)
    return exchanged((yield from session.exchange(granted, verifier=None)), "The code without its verifier")


def wrong_verifier(session: AttackSession) -> Flow[Outcome]:
    """Exchange a code with a verifier that was made up.

    Source: RFC 7636 §4.6.
    """
    granted = yield from _with_challenge(session)
    other = next(session.attempts).code_verifier
    other = other[::-1] if other == granted.request.code_verifier else other
    return exchanged((yield from session.exchange(granted, verifier=other)), "The code with another verifier")


def challenge_dropped(session: AttackSession) -> Flow[Outcome]:
    """Take the challenge out of the request on its way, as an attacker in the browser would (PKCE downgrade).

    Source: RFC 9700 §2.1.1, §4.8.2.
    """
    granted = yield from _without_challenge(session)
    if not granted.code:
        return Outcome(False, f"The request without its challenge brought no code: {granted.told}.")
    response = yield from session.exchange(granted)
    return exchanged(response, "A verifier for a request that had no challenge")


def without_pkce(session: AttackSession) -> Flow[Outcome]:
    """Sign in without PKCE at all.

    Source: RFC 9700 §2.1.1; draft-ietf-oauth-v2-1 §4.1.1, §4.1.2.1.
    """
    applies(session.public, "The client is confidential, and need not use PKCE.")
    granted = yield from _without_challenge(session)
    if not granted.code:
        return Outcome(False, f"A request without PKCE brought no code: {granted.told}.")
    return exchanged((yield from session.exchange(granted, verifier=None)), "A sign-in without PKCE")


def code_twice(session: AttackSession) -> Flow[Outcome]:
    """Exchange a code a second time.

    Source: RFC 6749 §4.1.2, §10.5.
    """
    granted, _ = yield from _exchanged_once(session)
    return exchanged((yield from session.exchange(granted)), "The code that was used before")


def tokens_after_replay(session: AttackSession) -> Flow[Outcome]:
    """Use the tokens of a code that has come a second time: one of the two who had it was a thief.

    Source: RFC 6749 §4.1.2, §10.5 (SHOULD revoke).
    """
    granted, first = yield from _exchanged_once(session)
    yield from session.exchange(granted)
    if refresh_token := token_of(first, "refresh_token"):
        response = yield from session.refresh(refresh_token)
        return exchanged(response, "The refresh token of a code that came twice")
    used = yield from session.userinfo(token_of(first))
    if used is None or undecided(used):
        return Outcome(None, "There is no refresh token and no UserInfo endpoint to try the tokens at.")
    if used.status == 200:
        return Outcome(True, "The access token of a code that came twice still works.")
    return Outcome(False, f"The access token of a code that came twice is refused: {told(used)}.")


def code_of_other_client(session: AttackSession) -> Flow[Outcome]:
    """Exchange a code as another client of the same server.

    Source: RFC 6749 §4.1.3, §10.5.
    """
    need(session.other, NO_OTHER)
    granted = yield from approved(session)
    response = yield from session.exchange(granted, client=session.other)
    return exchanged(response, "The code of one client, sent by another,")


def code_with_other_redirect_uri(session: AttackSession) -> Flow[Outcome]:
    """Exchange a code with another redirect URI than that of its request.

    Source: RFC 6749 §4.1.3.
    """
    granted = yield from approved(session)
    other = granted.request.redirect_uri + "/other"
    return exchanged(
        (yield from session.exchange(granted, redirect_uri=other)), "The code with another redirect URI"
    )


def wrong_secret(session: AttackSession) -> Flow[Outcome]:
    """Exchange a code with a made-up client secret.

    Source: RFC 6749 §3.2.1, §4.1.3.
    """
    applies(session.client.client_secret is not None, "The client has no secret.")
    granted = yield from approved(session)
    impostor = replace(session.client, client_secret="made-up-by-loopback-auth-audit")
    return exchanged(
        (yield from session.exchange(granted, client=impostor)), "The code with a made-up client secret"
    )


def short_secrets(session: AttackSession) -> Flow[Outcome]:
    """Look at how long codes and tokens are.

    Source: RFC 6749 §10.10.
    """
    granted, answer = yield from _exchanged_once(session)
    found = {"code": granted.code}
    found |= {name: token_of(answer, name) for name in ("access_token", "refresh_token")}
    short = [
        f"{name} ({len(value)} characters)" for name, value in found.items() if 0 < len(value) < SHORTEST
    ]
    if short:
        return Outcome(True, f"Too short to be unguessable: {', '.join(short)}.")
    return Outcome(False, f"Each has {SHORTEST} characters or more.")


def forwarded_password(session: AttackSession) -> Flow[Outcome]:
    """Look whether the redirect after the login form would have the browser send the password on.

    Source: RFC 9700 §4.12.
    """
    yield from ()
    applies(session.first is not None and session.person.password, "No password was typed.")
    if session.first is not None and session.first.leaked:
        return Outcome(True, "The password would be sent to the redirect URI, by 307 or 308.")
    return Outcome(False, "The redirect after the form has the browser forget what was in it.")


def _with_challenge(session: AttackSession) -> Flow[Granted]:
    applies(session.client.provider.pkce, "This provider takes no code verifier.")
    return (yield from approved(session))


def _without_challenge(session: AttackSession) -> Flow[Granted]:
    applies(session.client.provider.pkce, "This provider takes no code verifier.")
    return (
        yield from session.authorize(session.request({"code_challenge": None, "code_challenge_method": None}))
    )


def _exchanged_once(session: AttackSession) -> Flow[tuple[Granted, HttpResponse]]:
    granted = yield from approved(session)
    response = yield from session.exchange(granted)
    need(token_of(response), f"The code could not be exchanged even once: {told(response)}.")
    return granted, response
