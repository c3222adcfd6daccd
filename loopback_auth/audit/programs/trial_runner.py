"""Play the scenario of a trial on a program: do each of its actions, and resume it with the result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from loopback_auth.audit.programs.actions import (
    Abandon,
    Bind,
    End,
    Look,
    Pass,
    ProgramAction,
    SendBytes,
)
from loopback_auth.audit.programs.observed import ProgramResult, Seen, TrialResult
from loopback_auth.audit.programs.program_sign_in import ProgramSignIn
from loopback_auth.audit.programs.raw_connections import send_bytes
from loopback_auth.audit.programs.trial import Trial
from loopback_auth.compare.attacks.attack_actions import Ask, Exposed, Until
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.compare.attacks.sockets import refusal_to_share
from loopback_auth.compare.judging.verdicts import Judgement
from loopback_auth.http_messages import HttpResponse


async def play(trial: Trial, context: AttackContext, sign_in: ProgramSignIn) -> TrialResult:
    """Play a trial to its end.

    Args:
        trial: whose scenario is played.
        context: what the attacker has from the start.
        sign_in: of the program; it has not begun.
    """
    scenario = trial.scenario(context)
    came: object = None
    result: ProgramResult | None = None
    try:
        while True:
            action = scenario.send(came)
            came = await _performed(action, sign_in)
            if isinstance(came, ProgramResult):
                result = came
            if isinstance(action, Until) and came is None:
                return TrialResult({}, result or await sign_in.end(), finished=False)
    except StopIteration as stop:
        answers: Mapping[str, Judgement] = stop.value
        return TrialResult(answers, result)
    finally:
        scenario.close()


async def _performed(
    action: ProgramAction, sign_in: ProgramSignIn
) -> HttpResponse | Exposed | ProgramResult | Seen | bytes | str | None:
    match action:
        case Ask(request):
            return await sign_in.ask(request)
        case Until(point):
            return await sign_in.until(point)
        case End(within):
            return await sign_in.end(within)
        case Abandon(interrupt_after, within):
            return await sign_in.abandon(interrupt_after, within)
        case SendBytes():
            return await send_bytes(action, sign_in.keep)
        case Bind(authority):
            return refusal_to_share(authority)
        case Pass(seconds):
            await sign_in.pass_time(seconds)
            return None
        case Look():
            return sign_in.look()
        case _:
            assert_never(action)
