"""Steps that several scenarios have in common, and the words for responses and results, without secrets."""

from __future__ import annotations

from collections.abc import Callable

from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.compare.attacks.attack_actions import Actions, Ask, LoginResult, Paste, Requests
from loopback_auth.compare.attacks.context import ATTACKER_NAMES, ATTACKER_VERIFIER, AttackContext
from loopback_auth.demo.agent import Decision, Navigation, follow
from loopback_auth.errors import OAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.protocol.json import object_or_none
from loopback_auth.redact import error_code, server_text
from loopback_auth.tokens import SignIn


def visit(
    url: str, *, decision: Decision = "approve", account: str = "", user_code: str = ""
) -> Requests[HttpResponse]:
    """Let a browser open a page and follow it to the end; return the last response."""
    way = follow(url, decision=decision, account=account, user_code=user_code)
    step = next(way)
    while True:
        answer = yield from Ask(step.request())
        if not answer.status:
            return answer
        try:
            step = way.send(answer)
        except StopIteration:
            return answer


def approve(
    request: AuthorizationRequest, *, account: str = ""
) -> Requests[tuple[Navigation | None, HttpResponse]]:
    """Let the attacker's authorization request be approved, and stop before the redirect is followed.

    Args:
        request: of the attacker.
        account: that approves; empty for the user's own.

    Returns:
        The browser's request to the redirect URI, None if the server never redirects there; and the last
        response of the server.
    """
    way = follow(request.url, account=account)
    step = next(way)
    while True:
        answer = yield from Ask(step.request())
        try:
            step = way.send(answer)
        except StopIteration:
            return None, answer
        if step.url.startswith(request.redirect_uri):
            return step, answer


def deliver(context: AttackContext, step: Navigation) -> Actions[str]:
    """Deliver the attacker's authorization response to the program, and say how that ended."""
    if context.flow == "paste":
        refusal = yield from Paste(step.url)
        return f"refused: {refusal!a}" if refusal else "accepted"
    # The attacker's page submits a form by itself; any other URL is a link on it.
    answer = (yield from Ask(step.request())) if step.body else (yield from visit(step.url))
    return f"refused ({answer.status})" if 400 <= answer.status < 500 else "accepted"


def redeem(context: AttackContext, asked: Callable[[str], HttpRequest]) -> Requests[tuple[bool, str]]:
    """Try to exchange a code or ticket that is bound to a verifier: without a verifier, and with a wrong one.

    Args:
        context: of the attack.
        asked: makes the request with a verifier, or without one where it is empty.

    Returns:
        Whether the attacker got a token that works, and how the server responded.
    """
    said: list[str] = []
    for verifier, how in (("", "without a verifier"), (ATTACKER_VERIFIER, "with a wrong one")):
        answer = yield from Ask(asked(verifier))
        said.append(f"{how} {answer_text(answer)}")
        if token := token_in(answer):
            return (yield from token_works(context, token)), ", ".join(said)
    return False, ", ".join(said)


def token_works(context: AttackContext, token: str) -> Requests[bool]:
    """Use an access token; return whether the server accepted it."""
    answer = yield from Ask(context.resource_request(token))
    return answer.status == 200


def token_in(answer: HttpResponse) -> str:
    """Return the access token in a response; empty when there is none."""
    token = (object_or_none(answer.body) or {}).get("access_token") if answer.status < 300 else None
    return token if isinstance(token, str) else ""


def answer_text(answer: HttpResponse) -> str:
    """Describe a response: the status, and the error or that there was a token."""
    members = object_or_none(answer.body) or {}
    if "access_token" in members:
        return f"{answer.status} with a token"
    error, message = members.get("error"), members.get("message")
    if isinstance(error, str):
        return f"{answer.status} {error_code(error)}"
    if isinstance(message, str):
        return f"{answer.status} ({server_text(message, 80).rstrip('.')})"
    return str(answer.status) if answer.status else "no answer"


def login_text(result: LoginResult) -> str:
    """Say how the user's login ended."""
    match result.end:
        case SignIn():
            how = "ended in the attacker's account" if in_attacker_account(result) else "succeeded"
            return f"The user's login {how}."
        case OAuthError(error=error):
            return f"The user's login was refused: {error}."
        case failure:
            return f"The user's login failed: {failure.message.rstrip('.')}."


def in_attacker_account(result: LoginResult) -> bool:
    """Return whether the program is signed in to the attacker's account."""
    return isinstance(result.end, SignIn) and result.end.tokens.account in ATTACKER_NAMES


def login_succeeded(result: LoginResult) -> bool:
    """Return whether the user's login succeeded."""
    return isinstance(result.end, SignIn)


def login_refused(result: LoginResult) -> bool:
    """Return whether the server refused the user's login."""
    return isinstance(result.end, OAuthError)
