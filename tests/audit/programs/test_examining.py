"""Programs are examined as a whole; no secret of theirs is in the report, which says how it was made."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from small_sign_in import AT_SERVER, PROGRAM, recipe

from loopback_auth.audit.programs.examining import Network, examine_programs
from loopback_auth.audit.programs.program_setup import ProgramSetup
from loopback_auth.audit.programs.recipe import Recipe
from loopback_auth.audit.programs.trials import TRIALS
from loopback_auth.compare.drawing.document import json_text
from loopback_auth.compare.drawing.har import har
from loopback_auth.compare.model import Comparison
from loopback_auth.trace.redactor import Redactor

pytestmark = pytest.mark.slow  # Each starts a program several times.

SEEN = "a-variable-of-the-user"


class Remembering(Redactor):
    """A redactor that knows what it has learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: set[str] = set()

    def _learn(self, secrets: Iterable[tuple[str, str]]) -> None:
        found = list(secrets)
        self.secrets |= {secret for _, secret in found if len(secret) >= 16}
        super()._learn(iter(found))


async def examined(
    one: Recipe, *ids: str, setup: ProgramSetup | None = None, seconds: float = 120.0
) -> Comparison:
    """Examine one program."""
    return await examine_programs(
        [("small", setup or ProgramSetup(one, dict(os.environ)))],
        [TRIALS[0], *(trial for trial in TRIALS if trial.id in ids)],
        network="open",
        seconds=seconds,
        at_once=2,
        tell=lambda _: lambda _trial, _number, _count: None,
    )


async def test_no_secret_is_in_the_report() -> None:
    """Codes, states, verifiers, tokens and the user's variables: none of it, in any run."""
    redactor = Remembering()
    environment = {**os.environ, "MINE": SEEN}
    setup = ProgramSetup(recipe("--environment"), environment, kept=("MINE",), redactor=redactor)
    comparison = await examined(setup.recipe, "login-csrf", "stolen-code", "forgeries", setup=setup)
    text = json_text(comparison)
    archive = har(comparison)

    assert len(redactor.secrets) > 20
    assert [one for one in redactor.secrets if one in text or one in archive] == []
    assert SEEN in redactor.secrets


@pytest.mark.parametrize("network", ["none", "kept", "open"])
async def test_what_kept_it_here_is_said(network: Network) -> None:
    """A reader has to know what the program could reach."""
    comparison = await examine_programs(
        [("small", ProgramSetup(recipe("--opener", "print"), dict(os.environ)))],
        TRIALS[:1],
        network=network,
        seconds=60.0,
        at_once=1,
        tell=lambda _: lambda _trial, _number, _count: None,
    )
    rows = {one.id: one.cells[0].text for one in comparison.rows}

    assert rows["network"]
    assert "printed" in rows["notes"]


async def test_time_is_up() -> None:
    """What there was no time for is not observed; what was seen stays."""
    begun = time.monotonic()
    comparison = await examined(recipe(), "denied", "token-hang", "forgeries", seconds=6.0)
    verdicts = {one.id: one.verdict for one in comparison.runs[0].findings}

    assert time.monotonic() - begun < 30
    assert comparison.runs[0].outcome == "signed in"
    assert verdicts["token-hang"] == "not observed"
    assert verdicts["binds-loopback"] == "pass"


async def test_progress_counts_what_is_played() -> None:
    """A count that stops before its end looks like an audit that hangs."""
    told: list[tuple[str, int, int]] = []
    await examine_programs(
        [("small", ProgramSetup(recipe(), dict(os.environ)))],
        [TRIALS[0], *(one for one in TRIALS if one.id in ("metadata-issuer", "stolen-code"))],
        network="open",
        seconds=120.0,
        at_once=2,
        tell=lambda _: lambda *said: told.append(said),
    )

    assert told == [("plain", 1, 3), ("stolen-code", 2, 2)]


async def test_fixed_port() -> None:
    """A program that always has the same port is run by itself each time, and fares no worse for it."""
    one = recipe("--port", "48761")
    comparison = await examined(one, "login-csrf", "stolen-code")
    verdicts = {one.id: one.verdict for one in comparison.runs[0].findings}

    assert comparison.runs[0].outcome == "signed in"
    assert (verdicts["login-csrf"], verdicts["stolen-code"]) == ("pass", "pass")


async def test_stays_as_a_server_does() -> None:
    """A program that does not end by itself is one that signs in all the same."""
    comparison = await examined(recipe("--stay"), "stolen-code")
    verdicts = {one.id: one.verdict for one in comparison.runs[0].findings}

    assert comparison.runs[0].outcome == "signed in"
    assert verdicts["stolen-code"] == "pass"


async def test_notes_of_a_recipe() -> None:
    """What its author has to say stands beside what was seen."""
    comparison = await examined(replace(recipe(), notes=("It is small.",)))
    rows = {one.id: one.cells[0].text for one in comparison.rows}

    assert "It is small." in rows["notes"]


async def test_program_that_is_gone(tmp_path: Path) -> None:
    """One that cannot be started again ends no audit: what was seen before stays."""
    copy = tmp_path / "tool"
    copy.write_text(f'#!/bin/sh\nrm {copy}\nexec {sys.executable} {PROGRAM} "$@"\n')
    copy.chmod(0o700)
    comparison = await examined(replace(recipe(), command=(str(copy), *AT_SERVER)), "stolen-code")
    verdicts = {one.id: one.verdict for one in comparison.runs[0].findings}

    assert comparison.runs[0].outcome == "signed in"
    assert verdicts["stolen-code"] == "not observed"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans over")
async def test_hidden_process() -> None:
    """A process that has left its parent, its session and its environment is ended."""
    await examined(recipe("--hidden"))

    assert not [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "61.61"]]
