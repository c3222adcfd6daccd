"""Attacks with what can be read on the way: in the browser's history, in its command line, in the request."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode, urlsplit

from loopback_auth.compare.attacks.attack_actions import (
    Actions,
    Ask,
    End,
    Exposed,
    Outcome,
    Scenario,
    Until,
    in_link,
    in_url,
)
from loopback_auth.compare.attacks.attack_steps import (
    answer_text,
    in_attacker_account,
    login_text,
    redeem,
    token_in,
    token_works,
    visit,
)
from loopback_auth.compare.attacks.context import ATTACKER_ACCOUNT, AttackContext, from_page


def read_in_history(context: AttackContext) -> Scenario:
    """Another process or an extension reads the address of the response, and uses what is in it at once."""
    exposed = yield from Until("answer")
    address = exposed.answer.url if exposed.answer is not None else ""
    accepted, got = yield from _used(context, address, exposed.redirect_uri)
    result = yield from End()
    return Outcome(accepted, f"The browser's history has {got}. {login_text(result)}")


def _used(context: AttackContext, address: str, redirect_uri: str) -> Actions[tuple[bool, str]]:
    if token := in_url(address, "access_token"):
        accepted = yield from token_works(context, token)
        return accepted, f"the access token, which {'works' if accepted else 'does not work'}"
    if code := in_url(address, "code"):
        accepted, said = yield from redeem(context, partial(context.code_request, code, redirect_uri))
        return accepted, f"the code; its exchange got: {said}"
    return False, "neither a code nor a token"


def leaked_request(context: AttackContext) -> Scenario:
    """Another process has read the authorization request as well as the code, and exchanges the code."""
    exposed = yield from Until("answer")
    challenge = in_link(exposed.link, "code_challenge")
    request = context.code_request(exposed.brought("code"), exposed.redirect_uri, challenge)
    answer = yield from Ask(request)
    token = token_in(answer)
    accepted = bool(token) and (yield from token_works(context, token))
    result = yield from End()
    how = "The code with the challenge as its verifier" if challenge else "The code without a verifier"
    return Outcome(accepted, f"{how} got: {answer_text(answer)}. {login_text(result)}")


def read_in_process_list(context: AttackContext) -> Scenario:
    """Another process has read the browser's command line, and uses the link that it finds by it.

    With a ticket it gets the token; with a user code it approves with its own account; with the state of an
    authorization request it ends the login, as if the user had refused.
    """
    uses = {"ticket": _use_ticket, "device": _use_user_code}
    return (yield from uses.get(context.flow, _use_state)(context))


def _use_ticket(context: AttackContext) -> Scenario:
    exposed = yield from Until("approved")
    link, how = yield from _link_in_argv(exposed)
    answer = yield from Ask(context.exchange_request(in_link(link, "ticket") or "unknown", ""))
    token = token_in(answer)
    accepted = bool(token) and (yield from token_works(context, token))
    result = yield from End()
    return Outcome(
        accepted, f"{how} Exchanging what is in it got: {answer_text(answer)}. {login_text(result)}"
    )


def _use_user_code(context: AttackContext) -> Scenario:
    exposed = yield from Until("link")
    link, how = yield from _link_in_argv(exposed)
    said = "There is no user code in it."
    if in_link(link, "user_code"):
        page = yield from visit(link, account=ATTACKER_ACCOUNT)
        said = f"The attacker approved it with their own account ({page.status})."
    result = yield from End()
    return Outcome(in_attacker_account(result), f"{how} {said} {login_text(result)}")


def _use_state(context: AttackContext) -> Scenario:
    exposed = yield from Until("answer")
    link, how = yield from _link_in_argv(exposed)
    redirect_uri, state = in_link(link, "redirect_uri"), in_link(link, "state")
    said = "There is no redirect URI in it."
    if redirect_uri:
        # The issuer is not a secret.
        pairs = {"error": "access_denied", "state": state, "iss": context.issuer}
        answer = yield from Ask(from_page(f"{redirect_uri}?{urlencode(pairs)}"))
        said = f"A refusal with the state in it got {answer_text(answer)}."
    result = yield from End()
    return Outcome(result.taken, f"{how} {said} {login_text(result)}")


def _link_in_argv(exposed: Exposed) -> Actions[tuple[str, str]]:
    """Return the link that the command line leads to, empty if to none; and how that was found."""
    if urlsplit(exposed.start_url).query:
        return exposed.start_url, "The browser's command line has the link itself."
    answer = yield from Ask(from_page(exposed.start_url))
    how = f"The browser's command line has the start page, which got {answer_text(answer)} when it was opened"
    return answer.header("location"), f"{how} again."
