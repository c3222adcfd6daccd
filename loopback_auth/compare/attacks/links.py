"""Attacks with links, tickets, device codes, user codes and recorded requests."""

from __future__ import annotations

from functools import partial

from loopback_auth.compare.attacks.attack_actions import Actions, Ask, End, Outcome, Scenario, Until, in_link
from loopback_auth.compare.attacks.attack_steps import (
    answer_text,
    in_attacker_account,
    login_refused,
    login_text,
    redeem,
    token_in,
    token_works,
    visit,
)
from loopback_auth.compare.attacks.context import (
    ATTACKER_ACCOUNT,
    ATTACKER_VERIFIER,
    AttackContext,
    from_page,
)
from loopback_auth.flow_table import POLLED
from loopback_auth.http_messages import HttpRequest
from loopback_auth.protocol.device import device_authorization_request, device_authorization_response
from loopback_auth.protocol.ticket import call_request, ticket_response
from loopback_auth.tokens import SignIn

GUESSES = ("BBBB", "CCCC", "DDDD", "FFFF", "GGGG", "HHHH", "JJJJ", "KKKK", "LLLL", "MMMM", "NNNN", "PPPP")
"""Written twice, each is a user code that almost certainly was not issued: there are 20 to the power of 8."""


def stolen_ticket(context: AttackContext) -> Scenario:
    """Another process has read the ticket's ID in the link, and exchanges it before the program does."""
    exposed = yield from Until("approved")
    request = partial(context.exchange_request, in_link(exposed.link, "ticket"))
    if context.ticket.binding:
        accepted, said = yield from redeem(context, request)
    else:
        answer = yield from Ask(request(""))
        token = token_in(answer)
        accepted, said = bool(token) and (yield from token_works(context, token)), answer_text(answer)
    result = yield from End()
    return Outcome(accepted, f"Exchanging the ticket in the link first got: {said}. {login_text(result)}")


def stolen_user_code(context: AttackContext) -> Scenario:
    """The same with the user code, which is all that the link of the device flow contains."""
    exposed = yield from Until("approved")
    answer = yield from Ask(context.device_request(in_link(exposed.link, "user_code")))
    token = token_in(answer)
    accepted = bool(token) and (yield from token_works(context, token))
    result = yield from End()
    said = answer_text(answer)
    because = f"The user code in the link does not get tokens ({said}), and the device code is not in it."
    return Outcome(accepted, f"{because} {login_text(result)}")


def phished_by_link(context: AttackContext) -> Scenario:
    """The attacker starts a login, sends the user the link, and polls until they have approved (phishing)."""
    link, redeeming = yield from _begun(context)
    page = yield from visit(link)
    answer = yield from Ask(redeeming)
    token = token_in(answer)
    accepted = bool(token) and (yield from token_works(context, token))
    end = f"The user opened the attacker's link and approved ({page.status}); the attacker then got"
    return Outcome(accepted, f"{end}: {answer_text(answer)}.")


def _begun(context: AttackContext) -> Actions[tuple[str, HttpRequest]]:
    """Start as the program would; return the link to approve, and the request that gets the tokens."""
    if context.flow == "ticket":
        contract, values = context.ticket, context.ticket_values
        ticket = ticket_response(contract, values, (yield from Ask(call_request(contract.create, values))))
        return ticket.browser_url, context.exchange_request(ticket.values["id"], ATTACKER_VERIFIER)
    answer = yield from Ask(device_authorization_request(context.client, context.metadata))
    grant = device_authorization_response(answer, by=context.metadata.token_endpoint or "")
    return grant.verification_uri_complete, context.device_request(grant.device_code)


def approved_by_stranger(context: AttackContext) -> Scenario:
    """The attacker has seen the link, and approves it with their own account before the user does."""
    exposed = yield from Until("link")
    page = yield from visit(exposed.link, account=ATTACKER_ACCOUNT)
    result = yield from End()
    because = f"The attacker approved the link with their own account ({page.status})."
    return Outcome(in_attacker_account(result), f"{because} {login_text(result)}")


def denied_by_stranger(context: AttackContext) -> Scenario:
    """The attacker has seen the link, and denies the request before the user decides."""
    exposed = yield from Until("link")
    page = yield from visit(exposed.link, decision="deny")
    result = yield from End()
    because = f"The attacker opened the link and denied the request ({page.status})."
    return Outcome(login_refused(result), f"{because} {login_text(result)}")


def guessed_user_code(context: AttackContext) -> Scenario:
    """The attacker tries one user code after the other."""
    statuses: list[int] = []
    for guess in GUESSES:
        answer = yield from visit(f"{context.issuer}/device", user_code=f"{guess}-{guess}")
        statuses.append(answer.status)
    allowed = next((number for number, status in enumerate(statuses) if status == 429), None)
    if allowed is None:
        return Outcome(True, f"The server accepted {len(GUESSES)} wrong codes in a row without a limit.")
    return Outcome(False, f"After {allowed} wrong codes in a row the server refused further guesses (429).")


def opened_again(context: AttackContext) -> Scenario:
    """Another process has read the start page's URL in the process list, and opens it after the browser."""
    exposed = yield from Until("link" if context.flow in POLLED else "answer")
    answer = yield from Ask(from_page(exposed.start_url))
    result = yield from End()
    shown = " The terminal showed a new link." if result.renewed else ""
    because = f"Opening the link that the browser was started with again got {answer_text(answer)}.{shown}"
    succeeded = answer.status < 400 if answer.status else None
    return Outcome(succeeded, f"{because} {login_text(result)}")


def replay(context: AttackContext) -> Scenario:
    """The attacker has recorded the program's request, and sends exactly the same again."""
    result = yield from End()
    if result.redeeming is None or not isinstance(result.end, SignIn):
        return Outcome(None, f"There was no such request to send again. {login_text(result)}")
    answer = yield from Ask(result.redeeming)
    token = token_in(answer)
    accepted = bool(token) and (yield from token_works(context, token))
    kept = yield from token_works(context, result.end.tokens.access_token)
    rest = "still works" if kept else "was revoked by the server"
    said = answer_text(answer)
    return Outcome(accepted, f"The same request again got {said}. The user's access token {rest}.")
