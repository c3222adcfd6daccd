"""What twins show: rows with what each defence stops, and a conclusion for each twin.

An attack that succeeds on the twin and not on the whole flow was stopped by what the twin goes without. One
that still does not succeed is stopped by other defences, which the table of defences names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loopback_auth.compare.model import Attack, Cell, Conclusion, Reason, Row, Run
from loopback_auth.compare.twins.defences import BY_DEFENCE, Names, in_order, stops_on
from loopback_auth.compare.twins.twin import Twin

GROUP = "What each defence stops"
TITLES = {
    "left-out": "Left out",
    "lets-through": "Attacks that succeed without it",
    "still-stopped": "Attacks that another defence still stops",
}
"""Rows, by their ids."""
NONE = "none"


@dataclass(frozen=True, slots=True)
class TwinResult:
    """Which attacks succeed on a twin, and which are still stopped.

    Args:
        twin: that was run.
        lets_through: the attacks that succeed on it and not on the whole flow.
        still_stopped: by their ids, those that would succeed without other defences, too, and the names of
            these.
    """

    twin: Twin
    lets_through: tuple[Attack, ...]
    still_stopped: Mapping[str, Names]


def twin_results(columns: Sequence[Twin], runs: Sequence[Run]) -> list[TwinResult]:
    """Hold each twin against its flow.

    Args:
        columns: each flow, then its twins.
        runs: one for each, in their order, with its attacks.
    """
    whole = {twin.flow: _succeeded(run) for twin, run in zip(columns, runs, strict=True) if not twin.left_out}
    return [
        TwinResult(
            twin,
            tuple(one for one in run.attacks if one.id in _succeeded(run) - whole[twin.flow]),
            _still_stopped(twin, run),
        )
        for twin, run in zip(columns, runs, strict=True)
    ]


def twin_rows(results: Sequence[TwinResult]) -> tuple[Row, ...]:
    """Return what the results are in the table of all properties."""
    cells = {"left-out": _left_out, "lets-through": _let_through, "still-stopped": _stopped}
    return tuple(
        Row(name, title, GROUP, tuple(cells[name](one) for one in results)) for name, title in TITLES.items()
    )


def twin_conclusion(result: TwinResult) -> Conclusion:
    """Say what a twin teaches; it is never one to use."""
    left_out, let_through = result.twin.left_out, [one.id for one in result.lets_through]
    if len(left_out) == 1:
        what = f"{left_out[0].title} ({left_out[0].source})"
    else:
        # An attack that succeeds without one of them alone is not listed again.
        what = f"{_listed(one.title for one in left_out)} together"
        let_through = [one for one in let_through if one not in _alone(result.twin)] or let_through
    ended = (
        f"these attacks succeed: {', '.join(let_through)}" if let_through else "no further attack succeeds"
    )
    by_defences: dict[Names, list[str]] = {}
    for attack, others in result.still_stopped.items():
        by_defences.setdefault(others, []).append(attack)
    reasons = tuple(
        Reason(f"Still stopped by {_titles(others)}: {', '.join(attacks)}.", finding=attacks[0])
        for others, attacks in by_defences.items()
    )
    return Conclusion(result.twin.title, "avoid", f"Without {what}, {ended}.", reasons[:2])


def _succeeded(run: Run) -> set[str]:
    return {one.id for one in run.attacks if one.verdict == "fail"}


def _alone(twin: Twin) -> set[str]:
    """Return the attacks that one of the missing defences would have stopped by itself."""
    alone = [frozenset([one.name]) for one in twin.left_out]
    return {stop.attack for stop in stops_on(twin.flow) if stop.defences in alone}


def _still_stopped(twin: Twin, run: Run) -> dict[str, Names]:
    missing = {one.name for one in twin.left_out}
    refused = {one.id for one in run.attacks if one.verdict == "pass"}
    held: dict[str, set[str]] = {}
    for stop in stops_on(twin.flow):
        if stop.attack in refused and missing & stop.defences:
            held.setdefault(stop.attack, set()).update(stop.defences - missing)
    return {attack: in_order(names) for attack, names in held.items()}


def _left_out(result: TwinResult) -> Cell:
    left_out = result.twin.left_out
    if not left_out:
        return Cell("nothing", "known")
    text = "; ".join(one.left_out for one in left_out)
    return Cell(text, "known", "; ".join(one.source for one in left_out))


def _let_through(result: TwinResult) -> Cell:
    return Cell(", ".join(one.id for one in result.lets_through) or NONE, "tried")


def _stopped(result: TwinResult) -> Cell:
    held = (f"{attack} ({', '.join(names)})" for attack, names in result.still_stopped.items())
    return Cell(", ".join(held) or NONE, "tried")


def _titles(names: Names) -> str:
    return _listed(BY_DEFENCE[name].title for name in names)


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
