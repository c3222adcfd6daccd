"""Examine programs one after the other, and put them side by side, without any secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Literal, TypeVar

from loopback_auth import __version__
from loopback_auth.audit.programs.assembling import Audited, assemble
from loopback_auth.audit.programs.column import Examination, Tell
from loopback_auth.audit.programs.conclusions import conclusions
from loopback_auth.audit.programs.orphans import adopted
from loopback_auth.audit.programs.program_setup import ProgramSetup
from loopback_auth.audit.programs.rows import rows
from loopback_auth.audit.programs.trial import Trial
from loopback_auth.audit.programs.watchdog import guarded_folder
from loopback_auth.compare.model import Cell, Comparison, Conclusion, Row
from loopback_auth.narrow import is_tuple
from loopback_auth.trace.records import Trace

T = TypeVar("T")

Network = Literal["none", "kept", "open"]
"""What keeps programs on this machine: a namespace without another network, variables that name a proxy which
is not there, or nothing."""
NETWORK: Mapping[Network, str] = {
    "none": "no way to other machines",
    "kept": "a way out was not prevented: only proxy variables stood in it",
    "open": "open, as was asked for",
}
ALONE = "Only this sign-in was tried: there is no other program that signed in, with which to compare."
NOT_COMPARED = "Not judged: it is here for comparison, and no other program signed in."
SPOKEN = frozenset({"account", "because", "reason", "sentence", "text"})
"""Fields with texts that are made of what a program did; all others are of tables."""


async def examine_programs(
    setups: Sequence[tuple[str, ProgramSetup]],
    trials: Sequence[Trial],
    *,
    network: Network,
    seconds: float,
    at_once: int,
    ours: bool = False,
    tell: Callable[[str], Tell],
) -> Comparison:
    """Examine programs, and put them side by side.

    Args:
        setups: title and setup of each program, in the order of the columns.
        trials: that are played; the first is the one that nothing disturbs.
        network: what keeps the programs on this machine.
        seconds: that each of them may take.
        at_once: how many sign-ins may run at the same time.
        ours: the last of several programs is this package's own login, which is there for comparison.
        tell: returns what is told of the progress of a program, by its title.

    Raises:
        ConfigError: a program cannot be started.
    """
    made_at = time.time()
    found: list[Audited] = []
    notes: list[str] = []
    alone = False
    with guarded_folder() as folder, adopted() as orphans:
        placed = [(title, replace(setup, folder=folder)) for title, setup in setups]
        for _, setup in placed:
            setup.check()  # Before the first takes minutes, which would be lost.
        for number, (title, setup) in enumerate(placed, start=1):
            alone = ours and number == len(placed) > 1 and not any(_signed_in(one) for one in found)
            until = time.monotonic() + seconds
            played = trials[:1] if alone else trials
            column = await Examination(setup, played, until=until, at_once=at_once, tell=tell(title)).column()
            found.append(
                assemble(title, column.trace.flow, column.trials, trace=column.trace, reason=column.end)
            )
            hidden = orphans.end()
            hid = f"Processes that it had hidden were found, and ended: {hidden}." if hidden else ""
            why = ALONE if alone else ""
            notes.append(" ".join(filter(None, (*column.notes, why, hid, *setup.recipe.notes))))
    runs = tuple(one.run for one in found)
    judged = conclusions(runs)
    if alone and _signed_in(found[-1]):
        judged = (*judged[:-1], Conclusion(runs[-1].title, "not judged", NOT_COMPARED, ()))
    comparison = Comparison(
        ground="demo",
        provider="demo",
        made_at=made_at,
        version=__version__,
        runs=runs,
        rows=(*rows(found), *_how_it_was_run(notes, network)),
        kind="programs",
        conclusions=judged,
    )
    for _, setup in setups:
        comparison = _clean(comparison, setup.redactor.text)
    return comparison


def _signed_in(one: Audited) -> bool:
    return one.run.outcome == "signed in"


def _how_it_was_run(notes: Sequence[str], network: Network) -> tuple[Row, ...]:
    group = "How it was run"
    said = tuple(Cell(text or "nothing particular", "observed") for text in notes)
    reach = tuple(Cell(NETWORK[network], "observed") for _ in notes)
    return (Row("network", "Network", group, reach), Row("notes", "Notes", group, said))


def _clean(value: T, text: Callable[[str], str]) -> T:
    """Return a part of a comparison without secrets; a trace has none already."""
    cleaned: object = value
    if is_tuple(value):
        cleaned = tuple(_clean(one, text) for one in value)
    elif is_dataclass(value) and not isinstance(value, type | Trace):
        given = {one.name: getattr(value, one.name) for one in fields(value)}
        cleaned = replace(
            value,
            **{
                name: text(one) if name in SPOKEN and isinstance(one, str) else _clean(one, text)
                for name, one in given.items()
            },
        )
    return cleaned  # type: ignore[return-value]
