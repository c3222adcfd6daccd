"""Attacks on an access token that the user's login has brought, wherever it was read afterwards."""

from __future__ import annotations

from loopback_auth.compare.attacks.attack_actions import Actions, Ask, End, Outcome, Scenario
from loopback_auth.compare.attacks.attack_steps import answer_text, login_text
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.http_messages import HttpRequest, Stamp
from loopback_auth.records import replace
from loopback_auth.tokens import SignIn

ELSEWHERE = "/resource"
"""Path of a resource of the same server for which no program here signs in."""
ATTACKER_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
}
"""The published example of RFC 7517 appendix A.2."""


def used_elsewhere(context: AttackContext) -> Scenario:
    """Another machine uses an access token that was read in a file, a log or memory."""
    result = yield from End()
    if not isinstance(result.end, SignIn):
        return Outcome(None, f"There is no token to steal. {login_text(result)}")
    request = context.resource_request(result.end.tokens.access_token)
    accepted, said = yield from _used(request, result.end)
    return Outcome(accepted, f"Another machine sent the access token: {said}.")


def passed_on(context: AttackContext) -> Scenario:
    """The resource that was sent the token uses it at another resource of the same server."""
    result = yield from End()
    if not isinstance(result.end, SignIn):
        return Outcome(None, f"There is no token to pass on. {login_text(result)}")
    bearer = ("Authorization", f"Bearer {result.end.tokens.access_token}")
    request = HttpRequest("GET", context.issuer + ELSEWHERE, (bearer,))
    accepted, said = yield from _used(request, result.end)
    return Outcome(accepted, f"Another resource was sent the access token: {said}.")


def _used(request: HttpRequest, sign_in: SignIn) -> Actions[tuple[bool, str]]:
    """Use a token as a bearer token, and if it is bound to a key, with a key of the attacker's.

    Args:
        request: with the token as a bearer token.
        sign_in: that the token is from.

    Returns:
        Whether the server accepted it, and how it responded.
    """
    answer = yield from Ask(request)
    said = [f"as a bearer token {_told(answer.status)} ({answer_text(answer)})"]
    if answer.status != 200 and sign_in.dpop_key:
        answer = yield from Ask(_with_other_key(request, sign_in))
        said.append(f"with a proof by another key {_told(answer.status)} ({answer_text(answer)})")
    return answer.status == 200, ", ".join(said)


def _told(status: int) -> str:
    return "accepted" if status == 200 else "refused"


def _with_other_key(request: HttpRequest, sign_in: SignIn) -> HttpRequest:
    from loopback_auth.protocol.dpop import DpopKey, proof  # Needs the extra `oidc`, as such a login does.

    token = sign_in.tokens.access_token
    stamp = Stamp(sign_in.tokens.obtained_at, "an-identifier-of-the-attacker")
    signed = proof(DpopKey(ATTACKER_KEY), request.method, request.url, stamp, access_token=token)
    others = tuple(pair for pair in request.headers if pair[0] != "Authorization")
    return replace(request, headers=(*others, ("Authorization", f"DPoP {token}"), ("DPoP", signed)))
