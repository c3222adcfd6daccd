"""A comparison at a real provider as one piece of work that can be left and gone on with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from loopback_auth.compare.nouns import Run
from loopback_auth.compare.running.choices import choice
from loopback_auth.compare.running.live import Conditions, Tell, compare_live
from loopback_auth.compare.running.run import Judged
from loopback_auth.compare.running.unfinished import Unfinished
from loopback_auth.errors import AttemptCancelled, Unavailable
from loopback_auth.model import ClientConfig
from loopback_auth.plan.nouns import NO
from loopback_auth.plan.routes import plan
from loopback_auth.settings import Settings
from loopback_auth.settings.wishes import abilities_of, wishes_of
from loopback_auth.shell.planning import surroundings_of

MESSAGE = "loopback_auth, comparing ways to sign in"
SETTLED = ("signed in", "refused")
"""How a flow ends that need not be run again: whatever failed, or was not possible, may go another way."""


def conditions_of(settings: Settings, client: ClientConfig) -> Conditions:
    """Find out what is the same for every flow.

    Raises:
        Unavailable: there is nobody to wait for.
    """
    chosen = plan(
        surroundings_of(settings), abilities_of(settings), wishes=wishes_of(settings), unconfirmed=True
    )
    if chosen.facts.waits.level == NO and not settings.is_demo:
        raise Unavailable(
            f"Not waiting for a login: {chosen.facts.waits.reason}.",
            hint="Give --wait if somebody is there to approve.",
        )
    default = settings.origin("timeout") == "default"
    return Conditions(
        client=client,
        plan=chosen,
        timeout=None if default else settings.seconds("timeout"),
        start_page=settings.switch("start_page") is not False,
        message=settings.text("message") or MESSAGE,
    )


class Session:
    """Runs flows, and keeps each that has ended until all of them have.

    Args:
        conditions: the same for every flow.
        folder: the data folder.
        tell: told in sentences what comes.
    """

    def __init__(self, conditions: Conditions, folder: str, tell: Tell) -> None:
        self.unfinished = Unfinished(folder, conditions.client)
        self._conditions = conditions
        self._tell = tell
        self._count = 0

    async def run(self, names: Sequence[str], *, resume: bool) -> list[Judged]:
        """Run the flows that are left.

        Args:
            names: of flows, in this order.
            resume: go on with what another process has kept.

        Raises:
            AttemptCancelled: the person gave up; what was finished is kept.
            ConfigError: there is no such flow.
            StoreError: what is kept cannot be read, or nothing can be kept.
        """
        finished = self._finished(names) if resume else {}
        self._count = len(finished)
        chosen = [choice(name, self._conditions.client) for name in names]
        try:
            return await compare_live(
                chosen, self._conditions, finished=finished, tell=self._tell, keep=self._keep
            )
        except (asyncio.CancelledError, AttemptCancelled):
            raise AttemptCancelled(
                f"Given up: {self._count} of {len(names)} flows have ended, and are kept.",
                hint="Run the same command with --resume to go on." if self._count else "",
            ) from None

    def _keep(self, runs: Sequence[Run]) -> None:
        settled = [run for run in runs if run.outcome in SETTLED]
        if settled:
            self.unfinished.save(settled)
        self._count = len(settled)

    def _finished(self, names: Sequence[str]) -> Mapping[str, Run]:
        finished = {run.flow: run for run in self.unfinished.load() if run.flow in names}
        told = f"Finished before: {', '.join(finished)}." if finished else "Nothing was finished before."
        self._tell(told)
        return finished
