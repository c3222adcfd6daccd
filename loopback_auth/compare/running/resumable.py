"""A comparison at a real provider that can be stopped and resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from loopback_auth.compare.model import Run
from loopback_auth.compare.running.choices import choice
from loopback_auth.compare.running.live import Conditions, Tell, compare_live
from loopback_auth.compare.running.run import Judged
from loopback_auth.compare.running.unfinished import Unfinished
from loopback_auth.errors import AttemptCancelled, Unavailable
from loopback_auth.model import ClientConfig
from loopback_auth.plan.model import NO
from loopback_auth.plan.routes import plan
from loopback_auth.settings import Settings
from loopback_auth.settings.overrides import capabilities_of, overrides_of
from loopback_auth.signin.planning import surroundings_of

MESSAGE = "loopback_auth compares sign-in flows"
SETTLED = ("signed in", "refused")
"""Outcomes of flows that need not be run again; others may end differently the next time."""


def conditions_of(settings: Settings, client: ClientConfig) -> Conditions:
    """Find out what is the same for every flow.

    Raises:
        Unavailable: the program may not wait for a user here.
    """
    chosen = plan(
        surroundings_of(settings),
        capabilities_of(settings),
        overrides=overrides_of(settings),
        unconfirmed=True,
    )
    if chosen.facts.waits.level == NO and not settings.is_demo:
        raise Unavailable(
            f"Not waiting for a login: {chosen.facts.waits.reason}.",
            hint="Add --wait if you can approve the login.",
        )
    default = settings.origin("timeout") == "default"
    return Conditions(
        client=client,
        plan=chosen,
        timeout=None if default else settings.seconds("timeout"),
        start_page=settings.switch("start_page") is not False,
        message=settings.text("message") or MESSAGE,
    )


async def run_flows(
    names: Sequence[str], conditions: Conditions, unfinished: Unfinished, *, resume: bool, tell: Tell
) -> list[Judged]:
    """Run flows, and keep each that has ended until all of them have.

    Args:
        names: of flows, in this order.
        conditions: the same for every flow.
        unfinished: where they are kept.
        resume: go on with what another process has kept.
        tell: called with each sentence about what comes next.

    Raises:
        AttemptCancelled: the user cancelled; finished flows are kept.
        ConfigError: there is no such flow.
        StoreError: what is kept cannot be read, or nothing can be kept.
    """
    finished = {run.flow: run for run in unfinished.load() if run.flow in names} if resume else {}
    if resume:
        tell(f"Finished before: {', '.join(finished) or 'none'}.")
    count = len(finished)

    def keep(runs: Sequence[Run]) -> None:
        nonlocal count
        settled = [run for run in runs if run.outcome in SETTLED]
        if settled:
            unfinished.save(settled)
        count = len(settled)

    chosen = [choice(name, conditions.client) for name in names]
    try:
        return await compare_live(chosen, conditions, finished=finished, tell=tell, keep=keep)
    except (asyncio.CancelledError, AttemptCancelled):
        raise AttemptCancelled(
            f"Cancelled: {count} of {len(names)} flows have ended, and are kept.",
            hint="Run the same command with --resume to go on." if count else "",
        ) from None
