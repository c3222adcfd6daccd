"""Examine programs one after the other, and put them side by side, without any secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Literal, TypeVar

from loopback_auth import __version__
from loopback_auth.audit.programs.assembling import Audited, assemble
from loopback_auth.audit.programs.column import Examination, Tell
from loopback_auth.audit.programs.conclusions import conclusions
from loopback_auth.audit.programs.kit import Kit
from loopback_auth.audit.programs.observed import Played
from loopback_auth.audit.programs.rows import rows
from loopback_auth.audit.programs.trial import Trial
from loopback_auth.compare.model import Cell, Comparison, Row
from loopback_auth.trace.records import Trace

T = TypeVar("T")

Network = Literal["none", "kept", "open"]
"""What keeps programs on this machine: there is no other network; variables that name a proxy which is not
there; nothing."""
NETWORK: Mapping[Network, str] = {
    "none": "no way to other machines",
    "kept": "a way out was not prevented: only proxy variables stood in it",
    "open": "open, as was asked for",
}


@dataclass(frozen=True, slots=True)
class Examined:
    """One program with all that was found out about it.

    Args:
        audited: its column.
        notes: how it was run, in sentences.
    """

    audited: Audited
    notes: tuple[str, ...]


async def examine_programs(
    kits: Sequence[tuple[str, Kit]],
    trials: Sequence[Trial],
    *,
    network: Network,
    seconds: float,
    at_once: int,
    tell: Callable[[str], Tell],
) -> Comparison:
    """Examine programs, and put them side by side.

    Args:
        kits: title and kit of each program, in the order of the columns.
        trials: that are played; the first is the one that nothing disturbs.
        network: what keeps the programs on this machine.
        seconds: that each of them may take.
        at_once: how many sign-ins may run at the same time.
        tell: returns what is told of the progress of a program, by its title.

    Raises:
        ConfigError: a program cannot be started.
    """
    made_at = time.time()
    found: list[Examined] = []
    for title, kit in kits:
        until = time.monotonic() + seconds
        column = await Examination(kit, trials, until=until, at_once=at_once, tell=tell(title)).column()
        played = [(trial, one) for trial, one in column.trials if isinstance(one, Played)]
        audited = assemble(title, column.trace.flow, played, trace=column.trace, reason=column.end)
        text = kit.redactor.text
        found.append(Examined(replace(audited, run=_clean(audited.run, text)), column.notes))
    whole = Comparison(
        ground="demo",
        provider="demo",
        made_at=made_at,
        version=__version__,
        runs=tuple(one.audited.run for one in found),
        rows=(*rows([one.audited for one in found]), *_how_it_was_run(found, network)),
        kind="programs",
    )
    whole = replace(whole, conclusions=conclusions(whole.runs))
    for _, kit in kits:
        whole = _clean(whole, kit.redactor.text)
    return whole


def _how_it_was_run(found: Sequence[Examined], network: Network) -> tuple[Row, ...]:
    group = "How it was run"
    said = tuple(Cell(" ".join(one.notes) or "nothing particular", "observed") for one in found)
    reach = tuple(Cell(NETWORK[network], "observed") for _ in found)
    return (Row("network", "Network", group, reach), Row("notes", "Notes", group, said))


def _clean(value: T, text: Callable[[str], str]) -> T:
    """Return a value of the model without secrets; a trace has none already."""
    cleaned: object = value
    if isinstance(value, str):
        cleaned = text(value)
    elif isinstance(value, tuple):
        cleaned = tuple(_clean(one, text) for one in value)
    elif is_dataclass(value) and not isinstance(value, type | Trace):
        cleaned = replace(
            value, **{one.name: _clean(getattr(value, one.name), text) for one in fields(value)}
        )
    return cleaned  # type: ignore[return-value]
