"""Attacks on an access token that the user's login has brought, wherever it was read afterwards."""

from __future__ import annotations

from loopback_auth.compare.attacks.attack_actions import Ask, End, Outcome, Story
from loopback_auth.compare.attacks.attack_steps import answer_text, login_text
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.tokens import SignIn


def used_elsewhere(context: AttackContext) -> Story:
    """Another machine uses an access token that was read in a file, a log or memory."""
    result = yield from End()
    if not isinstance(result.end, SignIn):
        return Outcome(None, f"There is no token to steal. {login_text(result)}")
    answer = yield from Ask(context.resource_request(result.end.tokens.access_token))
    accepted = answer.status == 200
    how = "worked" if accepted else f"was refused ({answer_text(answer)})"
    return Outcome(accepted, f"The access token {how} when another machine sent it.")
