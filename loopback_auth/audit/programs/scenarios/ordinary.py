"""A sign-in that nothing disturbs; meanwhile another program tries to listen where the program does."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from loopback_auth.audit.programs.actions import Bind, End, Look, ProgramActions, ProgramScenario
from loopback_auth.audit.programs.observed import Listener
from loopback_auth.audit.programs.scenarios.steps import waiting
from loopback_auth.audit.programs.trial import Question, Trial
from loopback_auth.compare.attacks.attack_actions import Exposed
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed, unseen

BINDS = Question(
    "binds-loopback",
    "high",
    "The addresses on which the program listens for the response are checked.",
    "Only this machine can reach the port",
    "Other machines can reach its port.",
    "RFC 8252 §7.3, §8.3",
    "Bind 127.0.0.1 (or ::1), never 0.0.0.0, :: or an empty address.",
)
SHARED = Question(
    "port-sharing",
    "medium",
    "Another program tries to listen at the same address and port.",
    "No other program can listen at the same address",
    "Another program can listen at its address, too.",
    "RFC 8252 §8.1; https://man7.org/linux/man-pages/man7/socket.7.html",
    "Do not set SO_REUSEPORT; set SO_EXCLUSIVEADDRUSE on Windows.",
    "attack",
)
FAMILIES = Question(
    "other-family",
    "low",
    "The redirect URI says localhost: another program tries to listen at its other address (IPv4 or IPv6).",
    "No other program can listen at the other address of localhost",
    "Another program can listen at the other address of localhost.",
    "RFC 8252 §8.3; googleapis/google-cloud-python#18296",
    "Use the literal 127.0.0.1 in the redirect URI, or listen at both addresses of localhost.",
    "attack",
)
OTHERS = {"127.0.0.1": "::1", "0.0.0.0": "::1", "::1": "127.0.0.1"}  # noqa: S104 - an address to look at
"""The other address of localhost, by the one that a program listens at; `::` takes both."""


def undisturbed(_: AttackContext) -> ProgramScenario:
    """Let the program sign in, and look at its port while it waits."""
    exposed = yield from waiting()
    seen = yield from Look()
    port = urlsplit(exposed.redirect_uri).port or 80
    own = tuple(one for one in seen.listeners if one.port == port)
    answers: dict[str, Judgement] = {BINDS.id: _reach(own)}
    if own:
        answers |= yield from _shares(own[0], exposed, {one.address for one in own})
    yield from End()
    return answers


def _reach(own: tuple[Listener, ...]) -> Judgement:
    if not own:
        return unseen("The program was not seen to listen at the port of its redirect URI.")
    said = ", ".join(sorted({one.address for one in own}))
    if all(ip_address(one.address).is_loopback for one in own):
        return passed(f"It listens at {said}.")
    return failed(f"Here it listens at {said}: other machines can reach it.")


def _shares(one: Listener, exposed: Exposed, taken: set[str]) -> ProgramActions[Mapping[str, Judgement]]:
    """Try to listen where the program does, and at the other address of localhost."""
    refusal = yield from Bind(_at(one.address, one.port))
    here = passed(f"It was refused ({refusal}).") if refusal else failed("Another program could listen.")
    if urlsplit(exposed.redirect_uri).hostname != "localhost":
        return {SHARED.id: here, FAMILIES.id: idle("The redirect URI does not say localhost.")}
    other = OTHERS.get(one.address, "")
    if not other or other in taken or "::" in taken:
        return {SHARED.id: here, FAMILIES.id: passed("The program listens at both addresses of localhost.")}
    refusal = yield from Bind(_at(other, one.port))
    if refusal:
        return {SHARED.id: here, FAMILIES.id: passed(f"Listening at {other} was refused ({refusal}).")}
    there = failed(f"Another program could listen at {other}, where browsers look too.")
    return {SHARED.id: here, FAMILIES.id: there}


def _at(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


PLAIN = Trial(
    "plain",
    "The user approves, and nothing disturbs the sign-in.",
    undisturbed,
    (BINDS, SHARED, FAMILIES),
)
