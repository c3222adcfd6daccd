"""What attackers do in more than one story, and how answers and endings are told: never with a secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from loopback_auth.compare.attacks.attack_actions import Actions, Ask, LoginResult, Paste
from loopback_auth.compare.attacks.context import THEIR_ACCOUNT, THEIR_VERIFIER, AttackContext
from loopback_auth.demo.agent import Decision, Navigation, follow
from loopback_auth.errors import MalformedResponse, OAuthError
from loopback_auth.model import AuthorizationRequest, HttpRequest, HttpResponse, SignIn
from loopback_auth.protocol.json import parse_object
from loopback_auth.redact import error_code, server_text


def visit(
    url: str, *, decision: Decision = "approve", account: str = "", user_code: str = ""
) -> Actions[HttpResponse]:
    """Let somebody's browser open a page and go on from there; return the answer where it ends."""
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
) -> Actions[tuple[Navigation | None, HttpResponse]]:
    """Let somebody approve a request of the attacker's; return what their browser is about to bring.

    Args:
        request: whose redirect URI ends the way.
        account: of the one who approves; empty: our person's own.

    Returns:
        The step of the browser, None if it never comes to that; and the last answer of the server.
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
    """Have an answer of the attacker's brought to us the way that answers come; say how it was received."""
    if context.flow == "paste":
        refusal = yield from Paste(step.url)
        return f"not accepted: {refusal!a}" if refusal else "taken"
    # A page of the attacker's sends a form by itself; to any other address it is a link.
    answer = (yield from Ask(step.request())) if step.body else (yield from visit(step.url))
    return f"turned away ({answer.status})" if 400 <= answer.status < 500 else "taken"


def redeem(context: AttackContext, asked: Callable[[str], HttpRequest]) -> Actions[tuple[bool, str]]:
    """Redeem what is bound to a verifier, without one and with an invented one.

    Args:
        context: of the attack.
        asked: makes the request with a verifier, or with none where that is empty.

    Returns:
        Whether a token came that works, and what was answered.
    """
    said = []
    for verifier, how in (("", "without a verifier"), (THEIR_VERIFIER, "with an invented one")):
        answer = yield from Ask(asked(verifier))
        said.append(f"{how} {answer_text(answer)}")
        if token := token_in(answer):
            return (yield from token_works(context, token)), ", ".join(said)
    return False, ", ".join(said)


def token_works(context: AttackContext, token: str) -> Actions[bool]:
    """Use an access token; return whether it was accepted."""
    answer = yield from Ask(context.resource_request(token))
    return answer.status == 200


def token_in(answer: HttpResponse) -> str:
    """Return the access token in an answer; empty when there is none."""
    token = _members(answer).get("access_token") if answer.status < 300 else None
    return token if isinstance(token, str) else ""


def answer_text(answer: HttpResponse) -> str:
    """Say what an endpoint answered: the status, and the error or that there was a token."""
    members = _members(answer)
    if "access_token" in members:
        return f"{answer.status} with a token"
    error, message = members.get("error"), members.get("message")
    if isinstance(error, str):
        return f"{answer.status} {error_code(error)}"
    if isinstance(message, str):
        return f"{answer.status} ({server_text(message, 80).rstrip('.')})"
    return str(answer.status) if answer.status else "no answer"


def login_text(result: LoginResult) -> str:
    """Say how our own sign-in ended."""
    match result.end:
        case SignIn():
            how = "ended in the attacker's account" if as_theirs(result) else "succeeded"
            return f"Our own sign-in {how}."
        case OAuthError(error=error):
            return f"Our own sign-in was refused: {error}."
        case failure:
            return f"Our own sign-in failed: {failure.message.rstrip('.')}."


def as_theirs(result: LoginResult) -> bool:
    """Return whether we are signed in to the attacker's account."""
    return isinstance(result.end, SignIn) and result.end.tokens.account == THEIR_ACCOUNT


def signed_in(result: LoginResult) -> bool:
    """Return whether our sign-in succeeded."""
    return isinstance(result.end, SignIn)


def refused(result: LoginResult) -> bool:
    """Return whether the server refused it."""
    return isinstance(result.end, OAuthError)


def _members(answer: HttpResponse) -> Mapping[str, object]:
    try:
        return parse_object(answer.body, what="answer", source="")
    except MalformedResponse:
        return {}
