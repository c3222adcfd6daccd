"""Run the flows side by side, and make a comparison of the runs.

It decides what a run consists of, also where the flow failed, and has it judged. A flow that fails does not
end the others.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from loopback_auth import __version__, words
from loopback_auth.compare.judging.checks import findings, with_attacks
from loopback_auth.compare.judging.conclusions import conclusions
from loopback_auth.compare.judging.place_conclusions import place_conclusions
from loopback_auth.compare.judging.rows import rows
from loopback_auth.compare.model import Attack, Comparison, Outcome, Run, Tokens
from loopback_auth.compare.running.choices import PROVIDER, THINKING, Tell, choice, demo_client, silent
from loopback_auth.compare.running.simulate import ISSUER, STARTED_AT, simulate
from loopback_auth.errors import ConfigError, LoopbackAuthError, OAuthError, Unavailable
from loopback_auth.flow_table import COMPARED
from loopback_auth.tokens import SignIn
from loopback_auth.trace.recorder import Recorder
from loopback_auth.trace.records import Ground

Attacks = Callable[[Run], tuple[Attack, ...]]
DemoAttacks = Callable[[str], Awaitable[tuple[Attack, ...]]]
"""Tries the attacks on the flow of this name: `attacks.demo_attacks`."""


Judged = tuple[Run, Recorder | None]
"""A run and its recorder; None where another process recorded it."""


def compare_simulated(
    flows: Sequence[str] = COMPARED, *, attacks: Attacks | None = None, secrets: bool = False
) -> Comparison:
    """Compare flows in memory: the same result each time, byte for byte.

    Args:
        flows: names of runs.
        attacks: tries the attacks on a run; None: no attack is tried.
        secrets: leave them as they are in the traces.

    Raises:
        ConfigError: there is no such flow.
    """
    judged: list[Judged] = []
    for one in [choice(name, demo_client(ISSUER)) for name in flows]:
        recorder, end = simulate(one)
        judged.append((assembled(one.name, recorder, end, attacks=attacks), recorder))
    return comparison("simulate", judged, made_at=STARTED_AT, secrets=secrets)


async def compare_demo(
    flows: Sequence[str] = COMPARED,
    *,
    tell: Tell = silent,
    attacks: DemoAttacks | None = None,
    thinking: float = THINKING,
    device_interval: int = 5,
    secrets: bool = False,
) -> Comparison:
    """Compare flows on real sockets, all at once, with the demo server and a simulated browser.

    Args:
        flows: names of runs.
        tell: called with the progress of each.
        attacks: tries the attacks on a flow, when all have run; None: no attack is tried.
        thinking: seconds that the simulated user takes to approve.
        device_interval: seconds that the server wants between two polls.
        secrets: leave them as they are in the traces.

    Raises:
        ConfigError: there is no such flow.
    """
    from loopback_auth.compare.running.demo import run_against_demo  # Simulation reaches no network.

    made_at = time.time()
    ended = await run_against_demo(flows, tell=tell, thinking=thinking, device_interval=device_interval)
    runs = await _attacked([assembled(*one) for one in ended], attacks, tell)
    judged = [(run, recorder) for run, (_, recorder, _) in zip(runs, ended, strict=True)]
    return comparison("demo", judged, made_at=made_at, secrets=secrets)


async def _attacked(runs: list[Run], attacks: DemoAttacks | None, tell: Tell) -> list[Run]:
    import asyncio  # Start-up.

    if attacks is None:
        return runs
    for run in runs:
        tell(run.flow, words.RUN_ATTACKED)
    tried = await asyncio.gather(*(attacks(run.flow) for run in runs))
    return [with_attacks(run, one) for run, one in zip(runs, tried, strict=True)]


def assembled(
    name: str, recorder: Recorder, end: SignIn | LoopbackAuthError, *, attacks: Attacks | None = None
) -> Run:
    """Make a run of what was recorded and how it ended, with its findings."""
    if isinstance(end, LoopbackAuthError):
        run = Run(name, _outcome(end), recorder.trace(), reason=recorder.text(end.message))
    else:
        run = Run(name, "signed in", recorder.trace(), tokens=_tokens(name, end))
    run = replace(run, findings=findings(run))
    return run if attacks is None else with_attacks(run, attacks(run))


def comparison(
    ground: Ground,
    judged: Sequence[Judged],
    *,
    made_at: float,
    provider: str = PROVIDER,
    secrets: bool = False,
) -> Comparison:
    """Put runs side by side.

    Args:
        ground: where they ran.
        judged: in the order of the columns.
        made_at: Unix seconds.
        provider: name of the provider.
        secrets: leave them as they are in the traces.
    """
    runs = tuple(run for run, _ in judged)
    concluded = conclusions(runs)
    whole = Comparison(
        ground=ground,
        provider=provider,
        made_at=made_at,
        version=__version__,
        runs=runs,
        rows=rows(runs),
        conclusions=concluded,
        places=place_conclusions(runs, concluded),
    )
    # Only now: the checks need the labels.
    return replace(whole, runs=tuple(map(_with_secrets, judged))) if secrets else whole


def _with_secrets(judged: Judged) -> Run:
    run, recorder = judged
    return run if recorder is None else replace(run, trace=recorder.trace(secrets=True))


def _outcome(error: LoopbackAuthError) -> Outcome:
    match error:
        case OAuthError():
            return "refused"
        case Unavailable() | ConfigError():
            return "not possible"
        case _:
            return "failed"


def _tokens(name: str, sign_in: SignIn) -> Tokens:
    tokens = sign_in.tokens
    lifetime = None if tokens.expires_at is None else tokens.expires_at - tokens.obtained_at
    return Tokens(
        token_type=tokens.token_type,
        lifetime=lifetime,
        refresh_token=tokens.refresh_token is not None,
        id_token="" if tokens.id_token is None else tokens.id_token.signature,
        # A ticket names no scope, whatever the client would have liked.
        scope_asked="" if name == "ticket" else sign_in.requested_scope,
        scope_granted=tokens.scope,
        account=tokens.account,
    )
