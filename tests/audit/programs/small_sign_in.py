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
from loopback_auth.audit.programs.program_sign_in import Manner, Stage
from loopback_auth.audit.programs.recipe import Recipe
from loopback_auth.audit.programs.setting_up import staged
from loopback_auth.demo.faults import Faults

PROGRAM = Path(__file__).with_name("small_program.py")
AT_SERVER = ("{authorization_endpoint}", "{token_endpoint}", "{client_id}")


def recipe(*switches: str) -> Recipe:
    """Make the recipe of the program, with switches."""
    return Recipe("small", (sys.executable, str(PROGRAM), *AT_SERVER, *switches))


@asynccontextmanager
async def small_sign_in(
    *switches: str,
    manner: Manner | None = None,
    faults: Faults | None = None,
    hang: tuple[str, ...] = (),
    changed: Recipe | None = None,
    setup: ProgramSetup | None = None,
) -> AsyncGenerator[Stage]:
    """Set up a sign-in of the program."""
    made = setup or ProgramSetup(changed or recipe(*switches), dict(os.environ))
    async with staged(
        made, manner or Manner(seconds=30.0), faults=lambda _: faults or Faults(), hang=hang
    ) as stage:
        yield stage


async def signed_in(*switches: str, manner: Manner | None = None, input_text: str = "") -> ProgramResult:
    """Let the program sign in without a disturbance."""
    one = replace(recipe(*switches), input=input_text)
    async with small_sign_in(changed=one, manner=manner) as stage:
        return await stage.end()
