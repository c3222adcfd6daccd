"""Steps that several scenarios have in common, and the words for what came back."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from loopback_auth.audit.programs.actions import Look, Pass, ProgramActions
from loopback_auth.audit.programs.observed import ProgramResult, Seen
from loopback_auth.audit.programs.reading import claim, page_text, quoted
from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.compare.attacks.attack_actions import Exposed, Until
from loopback_auth.compare.attacks.context import ATTACKER_STATE, ATTACKER_VERIFIER, AttackContext
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.pkce import code_challenge
from loopback_auth.records import replace

OPENING, MOMENT = 50, 0.1
"""How often, and after how many seconds each time, it is looked whether the port is open."""
GRACE = 0.3
"""Seconds after which a program that has taken something for the response has closed its port."""


def authority(uri: str) -> str:
    """Return host and port of a redirect URI."""
    parts = urlsplit(uri)
    return parts.netloc.rpartition("@")[2] if parts.port else f"{parts.netloc}:80"


def origin(uri: str) -> str:
    """Return the origin of a redirect URI."""
    return uri[: uri.index("/", uri.index("://") + 3)] if "/" in uri.partition("://")[2] else uri


def path(uri: str) -> str:
    """Return the path of a redirect URI."""
    return urlsplit(uri).path or "/"


def status_text(answer: HttpResponse) -> str:
    """Say what a request got."""
    return str(answer.status) if answer.status else "no answer"


def listening(seen: Seen, exposed: Exposed) -> bool:
    """Return whether the program still waits at its redirect URI."""
    port = urlsplit(exposed.redirect_uri).port or 80
    return seen.running and any(one.port == port for one in seen.listeners)


def waiting() -> ProgramActions[Exposed]:
    """Let the sign-in go on until the response is about to come, and the program listens for it.

    Some programs start the browser before they listen: a request that came so early would show nothing.
    """
    exposed = yield from Until("answer")
    for _ in range(OPENING):
        seen = yield from Look()
        if listening(seen, exposed) or not seen.running:
            break
        yield from Pass(MOMENT)
    return exposed


def still_waits(exposed: Exposed) -> ProgramActions[bool]:
    """Wait a moment, and see whether the program still waits for its response."""
    yield from Pass(GRACE)
    seen = yield from Look()
    return listening(seen, exposed)


def end_text(result: ProgramResult) -> str:
    """Say how the sign-in ended."""
    if result.succeeded:
        return "The sign-in succeeded."
    if result.status is None:
        return f"The program still ran after {result.seconds:.0f} s."
    return f"The program ended without a sign-in (exit status {result.status})."


def page_said(result: ProgramResult) -> str:
    """Say what the last page said."""
    if result.page is None:
        return "There was no page."
    text = page_text(result.page)
    return f"The page said {quoted(text)}." if text else f"The page was empty ({result.page.status})."


def claims_success(result: ProgramResult) -> bool:
    """Return whether the last page said that the sign-in has succeeded."""
    return result.page is not None and result.page.status < 400 and claim(page_text(result.page)) == "success"


def attackers_request(
    context: AttackContext, exposed: Exposed, *, state: str = ATTACKER_STATE
) -> AuthorizationRequest:
    """Make the attacker's authorization request out of the program's, with all that it asks for.

    Args:
        context: of the attack.
        exposed: the link of the program; a pushed request cannot be copied from it.
        state: that the attacker knows, or their own.
    """
    own = context.request(exposed.redirect_uri, state=state)
    link, _, query = exposed.link.partition("?")
    asked = dict(parse_qsl(query))
    if not asked.get("redirect_uri"):
        return own
    asked["state"] = state
    if "nonce" in asked:
        asked["nonce"] = own.nonce or "a-nonce-that-the-attacker-chose"
    if "code_challenge" in asked:
        plain = asked.get("code_challenge_method") != "S256"
        asked["code_challenge"] = ATTACKER_VERIFIER if plain else code_challenge(ATTACKER_VERIFIER)
    return replace(own, url=f"{link}?{urlencode(asked)}")
