"""Attacks on the device grant, with a user who types codes.

Source: RFC 8628 §3.4, §3.5, §5.1, §5.2.
"""

from __future__ import annotations

from loopback_auth.audit.servers.attacks.attack_session import (
    AttackSession,
    applies,
    members,
    need,
    token_of,
    told,
    undecided,
)
from loopback_auth.audit.servers.attacks.browser import Visit
from loopback_auth.audit.servers.attacks.code_attacks import NO_OTHER, exchanged
from loopback_auth.compare.attacks.attack_actions import Outcome
from loopback_auth.device_and_ticket import DeviceGrant
from loopback_auth.effects import Flow, Sleep
from loopback_auth.flows.sending import authenticated, send
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.device import (
    GRANT_TYPE,
    device_authorization_request,
    device_authorization_response,
)
from loopback_auth.protocol.json import text_member

NO_DEVICE = "The server has no device authorization endpoint."
LONGER = 5.0
"""Seconds by which the interval grows with each slow_down (RFC 8628 §3.5)."""
GUESSES = 12
"""Wrong codes that are typed; five in the lifetime of a code are what the RFC reckons with."""


def guessed_user_code(session: AttackSession) -> Flow[Outcome]:
    """Type wrong codes, and then the right one.

    Source: RFC 8628 §5.1.
    """
    control = yield from _grant(session)
    shown = yield from _typed(session, control, control.user_code)
    response = yield from _poll(session, control)
    need(token_of(response), f"The simulated user cannot approve by code ({told(response)}). {shown.told}")
    grant = yield from _grant(session)
    for number in range(GUESSES):
        visit = yield from _typed(session, grant, _wrong(grant.user_code, number))
        if visit.last.status in (403, 429):
            return Outcome(False, f"After {number + 1} wrong codes the server takes no more.")
    yield from _typed(session, grant, grant.user_code)
    response = yield from _poll(session, grant)
    if token_of(response):
        return Outcome(True, f"After {GUESSES} wrong codes the right one was still taken.")
    return Outcome(False, f"After {GUESSES} wrong codes the right one was not taken any more.")


def device_code_of_other_client(session: AttackSession) -> Flow[Outcome]:
    """Poll with a device code as another client.

    Source: RFC 8628 §3.4; RFC 6749 §5.2 (invalid_grant: issued to another client).
    """
    applies(session.metadata.device_authorization_endpoint, NO_DEVICE)
    need(session.other, NO_OTHER)
    grant = yield from _grant(session)
    yield from _typed(session, grant, grant.user_code)
    response = yield from _poll(session, grant, session.other)
    return exchanged(response, "The device code of one client, sent by another,")


def device_code_twice(session: AttackSession) -> Flow[Outcome]:
    """Exchange a device code a second time.

    Source: RFC 8628 §3.5, §5.2.
    """
    grant = yield from _grant(session)
    yield from _typed(session, grant, grant.user_code)
    first = yield from _poll(session, grant)
    need(token_of(first), f"The device code brought no tokens even once: {told(first)}.")
    return exchanged((yield from _poll(session, grant)), "The device code that was used before")


def _grant(session: AttackSession) -> Flow[DeviceGrant]:
    endpoint = session.metadata.device_authorization_endpoint
    applies(endpoint, NO_DEVICE)
    request = device_authorization_request(session.client, session.metadata)
    response = yield from send(
        authenticated(session.client, session.metadata, request), "device authorization request"
    )
    need(not undecided(response), f"The server gives no device code: {told(response)}.")
    return device_authorization_response(response, by=endpoint or "")


def _typed(session: AttackSession, grant: DeviceGrant, code: str) -> Flow[Visit]:
    """Have the user type a code, and approve what comes then."""
    browser = session.browser.with_code(code)
    return (yield from browser.visit(grant.verification_uri, session.stops))


def _poll(
    session: AttackSession, grant: DeviceGrant, client: ClientConfig | None = None
) -> Flow[HttpResponse]:
    parameters = [("grant_type", GRANT_TYPE), ("device_code", grant.device_code)]
    response = yield from session.token_request(parameters, client)
    if text_member(members(response), "error") != "slow_down":
        return response
    yield from Sleep(grant.interval + LONGER)
    return (yield from session.token_request(parameters, client))


def _wrong(code: str, number: int) -> str:
    """Return another code of the same form."""
    signs = "BCDFGHJKLMNPQRSTVWXZ" if any(one.isalpha() for one in code) else "0123456789"
    at = next(index for index in reversed(range(len(code))) if code[index].isalnum())
    others = [one for one in signs if one != code[at].upper()]
    return code[:at] + others[number % len(others)] + code[at + 1 :]
