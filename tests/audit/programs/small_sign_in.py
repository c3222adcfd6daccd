"""One sign-in of `small_program.py`, set up as an audit does it."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from loopback_auth.audit.programs.observed import ProgramResult
from loopback_auth.audit.programs.program_setup import ProgramSetup
from loopback_auth.audit.programs.program_sign_in import Behaviour, ProgramSignIn
from loopback_auth.audit.programs.recipe import Recipe
from loopback_auth.audit.programs.setting_up import ready_sign_in
from loopback_auth.demo.faults import Faults

PROGRAM = Path(__file__).with_name("small_program.py")
AT_SERVER = ("{authorization_endpoint}", "{token_endpoint}", "{client_id}")


def recipe(*switches: str) -> Recipe:
    """Make the recipe of the program, with switches."""
    return Recipe("small", (sys.executable, str(PROGRAM), *AT_SERVER, *switches))


@asynccontextmanager
async def small_sign_in(
    *switches: str,
    behaviour: Behaviour | None = None,
    faults: Faults | None = None,
    hang: tuple[str, ...] = (),
    changed: Recipe | None = None,
    setup: ProgramSetup | None = None,
) -> AsyncGenerator[ProgramSignIn]:
    """Set up a sign-in of the program."""
    made = setup or ProgramSetup(changed or recipe(*switches), dict(os.environ))
    async with ready_sign_in(
        made, behaviour or Behaviour(seconds=30.0), faults=lambda _: faults or Faults(), hang=hang
    ) as sign_in:
        yield sign_in


async def signed_in(
    *switches: str, behaviour: Behaviour | None = None, input_text: str = ""
) -> ProgramResult:
    """Let the program sign in without a disturbance."""
    one = replace(recipe(*switches), input=input_text)
    async with small_sign_in(changed=one, behaviour=behaviour) as sign_in:
        return await sign_in.end()
