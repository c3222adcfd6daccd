"""Play the story of a trial on a stage: each of its actions is done, and it is resumed with the result."""

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
    Talk,
)
from loopback_auth.audit.programs.observed import Answer, Played, ProgramResult, Seen
from loopback_auth.audit.programs.program_sign_in import Stage
from loopback_auth.audit.programs.raw_connections import talked
from loopback_auth.audit.programs.trial import Trial
from loopback_auth.compare.attacks.attack_actions import Ask, Exposed, Until
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.compare.attacks.sockets import refusal_to_share
from loopback_auth.http_messages import HttpResponse


async def play(trial: Trial, context: AttackContext, stage: Stage) -> Played:
    """Play a trial to its end.

    Args:
        trial: whose story is told.
        context: what the attacker has from the start.
        stage: of a sign-in that has not begun.
    """
    story = trial.tell(context)
    came: object = None
    result: ProgramResult | None = None
    try:
        while True:
            action = story.send(came)
            came = await _performed(action, stage)
            if isinstance(came, ProgramResult):
                result = came
            if isinstance(action, Until) and came is None:
                return Played({}, result or await stage.end(), finished=False)
    except StopIteration as stop:
        answers: Mapping[str, Answer] = stop.value
        return Played(answers, result)
    finally:
        story.close()


async def _performed(
    action: ProgramAction, stage: Stage
) -> HttpResponse | Exposed | ProgramResult | Seen | bytes | str | None:
    match action:
        case Ask(request):
            return await stage.ask(request)
        case Until(point):
            return await stage.until(point)
        case End(within):
            return await stage.end(within)
        case Abandon(interrupt_after, within):
            return await stage.abandon(interrupt_after, within)
        case Talk():
            return await talked(action, stage.keep)
        case Bind(authority):
            return refusal_to_share(authority)
        case Pass(seconds):
            await stage.pass_time(seconds)
            return None
        case Look():
            return stage.look()
        case _:
            assert_never(action)
