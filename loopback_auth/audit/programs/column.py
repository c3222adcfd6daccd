"""Everything that is found out about one program: a sign-in that nothing disturbs, and then each trial.

The first sign-in shows how the program behaves: whether it wants a terminal, stays, or always has the same
port. Each trial is a sign-in of its own, with a server of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from loopback_auth.audit.programs.links import port_of
from loopback_auth.audit.programs.observed import ProgramResult, TrialResult
from loopback_auth.audit.programs.ports import wait_for_port
from loopback_auth.audit.programs.program_setup import ProgramSetup
from loopback_auth.audit.programs.program_sign_in import Behaviour, ProgramSignIn
from loopback_auth.audit.programs.setting_up import ready_sign_in
from loopback_auth.audit.programs.sign_in_words import ending, flow_of, notes
from loopback_auth.audit.programs.trial import Trial, again, not_applicable
from loopback_auth.audit.programs.trial_runner import play
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.compare.judging.verdicts import unseen
from loopback_auth.compare.running.choices import demo_client
from loopback_auth.errors import ConfigError
from loopback_auth.trace.records import Trace

OUT_OF_TIME = unseen("The time of the whole audit was up before that.")

Tell = Callable[[str, int, int], None]
"""Called with what is tried, its number, and how many there are: fewer once it is known which apply."""


@dataclass(frozen=True, slots=True)
class Column:
    """What was found out about one program: its trials, its first sign-in, and how it was run.

    Args:
        trials: that apply, each with how it went; parts follow their trial.
        end: how the first sign-in ended, in a sentence.
        trace: of the first sign-in.
        notes: how it was run, in sentences.
    """

    trials: tuple[tuple[Trial, TrialResult], ...]
    end: str
    trace: Trace
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _First:
    """The first sign-in: how it went, what was seen, and how the program behaves."""

    opened: bool

    played: TrialResult
    result: ProgramResult
    end: str
    trace: Trace
    notes: tuple[str, ...]
    behaviour: Behaviour


class Examination:
    """Finds everything out about one program.

    Args:
        setup: of the program.
        trials: to be played; the first is the one that nothing disturbs.
        until: when the whole audit has to end, in monotonic seconds.
        at_once: how many sign-ins may run at the same time.
        tell: told of the progress.
    """

    def __init__(
        self, setup: ProgramSetup, trials: Sequence[Trial], *, until: float, at_once: int, tell: Tell
    ) -> None:
        self._setup = setup
        self._plain, self._others = trials[0], tuple(trials[1:])
        self._until = until
        self._at_once = at_once
        self._tell = tell
        self._count, self._total = 0, len(trials)
        self._port = setup.recipe.port

    async def column(self) -> Column:
        """Play every trial that applies.

        Raises:
            ConfigError: the program cannot be started.
        """
        recipe = self._setup.recipe
        behaviour = Behaviour(terminal=recipe.tty, stays=recipe.again)
        first = await self._first(behaviour)
        found: list[tuple[Trial, TrialResult]] = [(self._plain, first.played)]
        if first.result.succeeded:
            found += await self._all(
                replace(first, behaviour=replace(first.behaviour, seconds=behaviour.seconds))
            )
        return Column(tuple(found), first.end, first.trace, first.notes)

    async def _first(self, behaviour: Behaviour) -> _First:
        """Have it sign in without a disturbance; in a terminal, if it opens no link without one."""
        self._progress(self._plain)
        seconds = min(behaviour.seconds, (self._until - time.monotonic()) / 2)
        first = await self._undisturbed(replace(behaviour, seconds=seconds))
        if first.opened or behaviour.terminal:
            return first
        second = await self._undisturbed(replace(behaviour, terminal=True, seconds=seconds))
        return second if second.opened else first

    async def _undisturbed(self, behaviour: Behaviour) -> _First:
        recipe, begun = self._setup.recipe, time.monotonic()
        async with ready_sign_in(self._setup, behaviour) as sign_in:
            played = await self._played(self._plain, sign_in)
            result = played.result or ProgramResult()
            stayed = bool(result.tokens) and result.status is None and not behaviour.stays
            if stayed:
                result = replace(result, succeeded=True)
                played = replace(played, result=result)
            end = ending(result, sign_in, self._setup)
            trace = sign_in.recording.trace(
                sign_in.served,
                sign_in.requested,
                flow=flow_of(result),
                begun=begun,
                end=end,
                succeeded=result.succeeded,
            )
            said = notes(result, sign_in, terminal_tried=behaviour.terminal and not recipe.tty, stayed=stayed)
            opened = bool(sign_in.opened)
        return _First(
            opened, played, result, end, trace, said, replace(behaviour, stays=behaviour.stays or stayed)
        )

    async def _all(self, first: _First) -> list[tuple[Trial, TrialResult]]:
        """Play the others: the first alone, to see whether the port is always the same."""
        port = port_of(first.result.request.get("redirect_uri", ""))
        due = [trial for trial in self._others if not not_applicable(trial, first.result)]
        self._total = len(due) + 1
        done: dict[str, list[tuple[Trial, TrialResult]]] = {}
        if due:
            done[due[0].id] = await self._with_parts(due[0], first.behaviour)
            ports = {_port(played) for _, played in done[due[0].id]}
            if port and ports == {port}:
                self._port = port
        limit = asyncio.Semaphore(1 if self._port else self._at_once)

        async def one(trial: Trial) -> None:
            async with limit:
                done[trial.id] = await self._with_parts(trial, first.behaviour)

        async with asyncio.TaskGroup() as group:
            for trial in due[1:]:
                group.create_task(one(trial))
        return [pair for trial in due for pair in done[trial.id]]

    async def _with_parts(self, trial: Trial, behaviour: Behaviour) -> list[tuple[Trial, TrialResult]]:
        """Play a trial, and the smaller ones that it leaves to be played."""
        self._progress(trial)
        found: list[tuple[Trial, TrialResult]] = []
        waiting = [trial]
        while waiting:
            now = waiting.pop(0)
            played = await self._one(now, behaviour)
            found.append((now, played))
            waiting = [*again(now, played), *waiting]
        return found

    async def _one(self, trial: Trial, behaviour: Behaviour) -> TrialResult:
        if time.monotonic() >= self._until:
            return TrialResult({one.id: OUT_OF_TIME for one in trial.questions}, None, finished=False)
        if self._port:
            await wait_for_port(self._port)
        try:
            async with ready_sign_in(self._setup, behaviour, faults=trial.faults, hang=trial.hang) as sign_in:
                return await self._played(trial, sign_in)
        except ConfigError as exc:
            # The program could be started before: it has changed itself, or what it needs.
            gone = unseen(exc.message)
            return TrialResult({one.id: gone for one in trial.questions}, None, finished=False)

    async def _played(self, trial: Trial, sign_in: ProgramSignIn) -> TrialResult:
        """Play a trial for as long as there is time."""
        recipe = self._setup.recipe
        client = replace(demo_client(sign_in.issuer), client_id=recipe.client_id)
        try:
            async with asyncio.timeout(max(self._until - time.monotonic(), 0.0)):
                return await play(trial, AttackContext("code", client, sign_in.issuer), sign_in)
        except TimeoutError:
            return TrialResult({one.id: OUT_OF_TIME for one in trial.questions}, None, finished=False)

    def _progress(self, trial: Trial) -> None:
        self._count += 1
        self._tell(trial.id, self._count, self._total)


def _port(played: TrialResult) -> int:
    return port_of(played.result.request.get("redirect_uri", "")) if played.result is not None else 0
