"""The same scenarios on a real process: what memory cannot show is shown here."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from loopback_auth.audit.programs.assembling import Audited, assemble
from loopback_auth.audit.programs.observed import TrialResult
from loopback_auth.audit.programs.program_setup import ProgramSetup
from loopback_auth.audit.programs.program_sign_in import Behaviour
from loopback_auth.audit.programs.recipe import Recipe
from loopback_auth.audit.programs.scenarios.ordinary import PLAIN
from loopback_auth.audit.programs.setting_up import ready_sign_in
from loopback_auth.audit.programs.trial import Trial
from loopback_auth.audit.programs.trial_runner import play
from loopback_auth.audit.programs.trials import TRIALS
from loopback_auth.compare.attacks.context import new_context
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.trace.recorder import Recorder

SCRIPT = Path(__file__).with_name("sample_script.py")
BY_ID = {trial.id: trial for trial in TRIALS}
AT_ONCE = 3
UNGUARDED = ("ignored-issuer", "ignored-state", "no-id-token-check", "no-pkce")


@pytest.fixture(scope="module")
def signer() -> Signer:
    """Return a signer of ID tokens."""
    made = rsa_signer()
    assert made is not None
    return made


async def on_port(trial: Trial, weak: Iterable[str], signer: Signer) -> TrialResult:
    """Play one trial on the sample program."""
    recipe = Recipe("sample", (sys.executable, str(SCRIPT), "{issuer}", "{client_id}", *weak))
    setup = ProgramSetup(recipe, dict(os.environ), signer=signer)
    async with ready_sign_in(setup, Behaviour(seconds=60.0), faults=trial.faults, hang=trial.hang) as sign_in:
        _, context = new_context("code", sign_in.issuer)
        return await play(trial, context, sign_in)


def column(*played: tuple[Trial, TrialResult]) -> Audited:
    """Judge what was played."""
    trace = Recorder("code", ground="demo", provider="demo", clock=lambda: 0.0).trace()
    return assemble("sample", "code", played, trace=trace)


@pytest.mark.parametrize(
    ("weak", "falls"),
    [
        ("", set()),
        ("all-interfaces", {"binds-loopback"}),
        ("shared-port", {"port-sharing"}),
        ("localhost", {"other-family", "redirect-host"}),
        ("late-port", {"listens-first"}),
        ("leaves-child", {"processes-left"}),
        ("open-file", {"file-modes"}),
        ("secrets-in-argv", {"secrets-in-argv"}),
        ("token-on-stderr", {"tokens-in-stderr"}),
        ("no-page", {"page-shown"}),
    ],
)
async def test_what_one_sign_in_shows(weak: str, falls: set[str], signer: Signer) -> None:
    """Addresses, files, command lines and processes are those of the operating system."""
    plain = await on_port(PLAIN, [weak] if weak else [], signer)
    run = column((PLAIN, plain)).run

    assert run.outcome == "signed in"
    assert {one.id for one in run.findings if one.verdict == "fail"} == falls


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trial", "weak", "falls"),
    [
        ("copies", ("any-method",), {"head-of-callback"}),
        ("reload", ("small-headers",), {"large-cookies"}),
        ("silence", ("one-at-a-time",), {"silent-connections"}),
        ("rebinding", ("other-hosts",), {"other-host"}),
        ("cors", ("cors",), {"cors"}),
        ("login-csrf", UNGUARDED, {"login-csrf"}),
        ("injected-code", ("no-pkce",), {"injected-code"}),
        ("stolen-code", ("no-pkce",), {"stolen-code"}),
        ("token-redirect", ("follows-redirects",), {"token-redirect"}),
        ("metadata-issuer", ("ignored-metadata",), {"metadata-issuer"}),
        ("id-token-nonce", ("no-id-token-check",), {"id-token-nonce"}),
        ("denied", ("welcome-when-denied",), {"denied-page"}),
        ("refused-code", ("early-success",), {"failed-page"}),
        ("hostile-error", ("markup",), {"markup"}),
        ("hostile-error", ("raw-terminal",), {"terminal-escapes"}),
        ("closed-tab", ("deaf",), {"ctrl-c"}),
        ("strange-scheme", ("any-scheme",), {"strange-scheme"}),
        ("shell-command", ("shell",), {"shell-command"}),
    ],
)
async def test_a_weak_process_falls(
    trial: str, weak: tuple[str, ...], falls: set[str], signer: Signer
) -> None:
    """What a scenario shows in memory it shows on a port."""
    played = await on_port(BY_ID[trial], weak, signer)

    assert {name for name, answer in played.answers.items() if answer.verdict == "fail"} == falls


@pytest.mark.slow
async def test_a_careful_process_passes(signer: Signer) -> None:
    """Nothing of what is tried harms a program that keeps the rules."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(trial: Trial) -> tuple[Trial, TrialResult]:
        async with slots:
            return trial, await on_port(trial, (), signer)

    audited = column(*await asyncio.gather(*map(one, TRIALS)))

    assert {one.id: one.verdict for one in audited.run.findings if one.verdict != "pass"} == {
        "other-family": "not applicable",
        "gives-up": "not observed",
    }
