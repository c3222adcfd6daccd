"""Codes that are not the program's own, and a code of the program that another process has read."""

from __future__ import annotations

from functools import partial

from loopback_auth.audit.programs.actions import End, Pass, ProgramActions, ProgramScenario
from loopback_auth.audit.programs.scenarios.series import SETTLED
from loopback_auth.audit.programs.scenarios.steps import attackers_request, end_text, status_text, waiting
from loopback_auth.audit.programs.trial import Question, Trial
from loopback_auth.compare.attacks.attack_actions import Ask
from loopback_auth.compare.attacks.attack_steps import approve, redeem
from loopback_auth.compare.attacks.context import ATTACKER_ACCOUNT, ATTACKER_STATE, AttackContext
from loopback_auth.compare.judging.verdicts import Judgement, failed, passed, unseen

LOGIN_CSRF = Question(
    "login-csrf",
    "high",
    "A web page delivers the attacker's own code, with the attacker's state (login CSRF).",
    "The attacker's own response does not sign the user in to the attacker's account",
    "A web page can sign the user in to the attacker's account (login CSRF).",
    "RFC 6749 §10.12; RFC 9700 §4.7; RFC 8252 §8.9",
    "Send a state of at least 128 random bits, and refuse every response without it.",
    "attack",
)
INJECTED = Question(
    "injected-code",
    "high",
    "The attacker's own code is delivered with the right state, which was read in the link.",
    "The attacker's own code is not accepted even with the right state",
    "An attacker who knows the state can sign the user in to the attacker's account.",
    "RFC 9700 §4.5; RFC 7636 §1",
    "Use PKCE with S256, or check a nonce in the ID token.",
    "attack",
)
STOLEN = Question(
    "stolen-code",
    "high",
    "Another process reads the code in the redirect and exchanges it first.",
    "A code that was read on the way is useless without the program's verifier",
    "A code that was read on the way gives tokens.",
    "RFC 7636 §1; RFC 8252 §8.1",
    "Use PKCE with S256.",
    "attack",
)


def login_csrf(context: AttackContext) -> ProgramScenario:
    """A page delivers the attacker's own approval."""
    answer = yield from _delivered(context, right_state=False)
    return {LOGIN_CSRF.id: answer}


def injected(context: AttackContext) -> ProgramScenario:
    """The same by an attacker who has learned the state."""
    answer = yield from _delivered(context, right_state=True)
    return {INJECTED.id: answer}


def _delivered(context: AttackContext, *, right_state: bool) -> ProgramActions[Judgement]:
    exposed = yield from waiting()
    state = exposed.state if right_state else ATTACKER_STATE
    request = attackers_request(context, exposed, state=state)
    step, refusal = yield from approve(request, account=ATTACKER_ACCOUNT)
    if step is None:
        yield from End()
        return unseen(f"The attacker got no response of their own ({status_text(refusal)}).")
    received = yield from Ask(step.request())
    yield from Pass(SETTLED)
    result = yield from End()
    which = "the right" if right_state else "their own"
    what = f"The attacker's own code with {which} state got {status_text(received)}."
    if result.account == ATTACKER_ACCOUNT:
        return failed(f"{what} The program got the tokens of the attacker's account.")
    return passed(f"{what} {end_text(result)}")


def stolen(context: AttackContext) -> ProgramScenario:
    """Another process uses the code before the program does."""
    exposed = yield from waiting()
    code = exposed.brought("code")
    if not code:
        yield from End()
        return {STOLEN.id: unseen("The response brought no code that could be read.")}
    accepted, said = yield from redeem(context, partial(context.code_request, code, exposed.redirect_uri))
    result = yield from End()
    because = f"A process that reads the code exchanged it: {said}. {end_text(result)}"
    return {STOLEN.id: failed(because) if accepted else passed(because)}


FOREIGN = (
    Trial(
        "login-csrf",
        "The attacker approves with their own account, and a web page delivers that response.",
        login_csrf,
        (LOGIN_CSRF,),
        needs=("port", "code"),
    ),
    Trial(
        "injected-code",
        "The attacker does the same, and has read the state in the user's link.",
        injected,
        (INJECTED,),
        needs=("port", "code"),
    ),
    Trial(
        "stolen-code",
        "Another process reads the code in the browser, and exchanges it before the program can.",
        stolen,
        (STOLEN,),
        needs=("port", "code"),
    ),
)
