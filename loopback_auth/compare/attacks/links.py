"""Attacks on what can be had second-hand: links, tickets, device codes, user codes, recorded requests."""

from __future__ import annotations

from functools import partial

from loopback_auth.compare.attacks.acts import Acts, Ask, End, Outcome, Story, Until, in_link
from loopback_auth.compare.attacks.deeds import (
    as_theirs,
    ours,
    redeemed,
    refused,
    token_in,
    told,
    visited,
    works,
)
from loopback_auth.compare.attacks.scene import THEIR_ACCOUNT, THEIR_VERIFIER, Scene, from_page
from loopback_auth.model import HttpRequest, SignIn
from loopback_auth.protocol.device import device_authorization_request, device_authorization_response
from loopback_auth.protocol.ticket import call_request, ticket_response

GUESSES = ("BBBB", "CCCC", "DDDD", "FFFF", "GGGG", "HHHH", "JJJJ", "KKKK", "LLLL", "MMMM", "NNNN", "PPPP")
"""Twice each, a user code that almost surely is nobody's: there are 20 to the power of 8."""


def stolen_ticket(scene: Scene) -> Story:
    """Somebody has read the ticket's id, in the process list or the history, and redeems it before we do."""
    sight = yield from Until("approved")
    request = partial(scene.exchange_request, in_link(sight.link, "ticket"))
    if scene.ticket.binding:
        accepted, said = yield from redeemed(scene, request)
    else:
        answer = yield from Ask(request(""))
        token = token_in(answer)
        accepted, said = bool(token) and (yield from works(scene, token)), told(answer)
    ending = yield from End()
    return Outcome(accepted, f"Exchanged before us, the id in the link got: {said}. {ours(ending)}")


def stolen_user_code(scene: Scene) -> Story:
    """The same with a user code, which is all that a device's link has in it."""
    sight = yield from Until("approved")
    answer = yield from Ask(scene.device_request(in_link(sight.link, "user_code")))
    token = token_in(answer)
    accepted = bool(token) and (yield from works(scene, token))
    ending = yield from End()
    because = (
        f"The user code in the link redeems nothing ({told(answer)}), and the device code is in no link."
    )
    return Outcome(accepted, f"{because} {ours(ending)}")


def lured_to_link(scene: Scene) -> Story:
    """The attacker begins, sends the person the link, and asks until they have approved (phishing)."""
    link, redeeming = yield from _begun(scene)
    page = yield from visited(link)
    answer = yield from Ask(redeeming)
    token = token_in(answer)
    accepted = bool(token) and (yield from works(scene, token))
    end = f"The person opened the attacker's link and decided ({page.status}); the attacker then got"
    return Outcome(accepted, f"{end}: {told(answer)}.")


def _begun(scene: Scene) -> Acts[tuple[str, HttpRequest]]:
    """Begin as our client would; return the link to approve, and the request that redeems."""
    if scene.flow == "ticket":
        contract, values = scene.ticket, scene.ticket_values
        ticket = ticket_response(contract, values, (yield from Ask(call_request(contract.create, values))))
        return ticket.browser_url, scene.exchange_request(ticket.values["id"], THEIR_VERIFIER)
    answer = yield from Ask(device_authorization_request(scene.client, scene.metadata))
    grant = device_authorization_response(answer, by=scene.metadata.token_endpoint or "")
    return grant.verification_uri_complete, scene.device_request(grant.device_code)


def approved_by_stranger(scene: Scene) -> Story:
    """Somebody has seen our link, and approves it with an account of their own before the person does."""
    sight = yield from Until("link")
    page = yield from visited(sight.link, account=THEIR_ACCOUNT)
    ending = yield from End()
    because = f"The attacker approved our link with their own account ({page.status})."
    return Outcome(as_theirs(ending), f"{because} {ours(ending)}")


def denied_by_stranger(scene: Scene) -> Story:
    """Somebody has seen our link, and refuses in the person's place."""
    sight = yield from Until("link")
    page = yield from visited(sight.link, decision="deny")
    ending = yield from End()
    because = f"The attacker opened our link and denied ({page.status})."
    return Outcome(refused(ending), f"{because} {ours(ending)}")


def guessed_user_code(scene: Scene) -> Story:
    """Somebody tries one user code after the other."""
    statuses = []
    for guess in GUESSES:
        answer = yield from visited(f"{scene.issuer}/device", user_code=f"{guess}-{guess}")
        statuses.append(answer.status)
    allowed = next((number for number, status in enumerate(statuses) if status == 429), None)
    if allowed is None:
        return Outcome(True, f"{len(GUESSES)} wrong codes in a row, and the server would take more.")
    return Outcome(False, f"After {allowed} wrong codes in a row the server took no more (429).")


def opened_again(scene: Scene) -> Story:
    """Another process has read our start link in the process list, and opens it after the person did."""
    sight = yield from Until("link" if scene.flow in ("ticket", "device") else "answer")
    answer = yield from Ask(from_page(sight.start_url))
    ending = yield from End()
    shown = " The terminal showed a new one." if ending.renewed else ""
    because = f"The second opening of the link got {told(answer)}.{shown}"
    succeeded = answer.status < 400 if answer.status else None
    return Outcome(succeeded, f"{because} {ours(ending)}")


def replay(scene: Scene) -> Story:
    """Somebody has recorded our request, proof and all, and sends it again, word for word."""
    ending = yield from End()
    if ending.redeeming is None or not isinstance(ending.end, SignIn):
        return Outcome(None, f"There was nothing to be sent again. {ours(ending)}")
    answer = yield from Ask(ending.redeeming)
    token = token_in(answer)
    accepted = bool(token) and (yield from works(scene, token))
    kept = yield from works(scene, ending.end.tokens.access_token)
    rest = "still works" if kept else "was revoked by that"
    return Outcome(accepted, f"The same request again got {told(answer)}. Our own access token {rest}.")
