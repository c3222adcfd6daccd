"""Run flows beside their twins, which go without a defence, in memory: what each defence is good for.

Decided here: which twins are run for the names of `--without`, and what the rows and conclusions say about
them. Twins run nowhere else, because the shipped client and receiver cannot leave a defence out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loopback_auth.compare.judging.conclusions import conclusions
from loopback_auth.compare.judging.place_conclusions import place_conclusions
from loopback_auth.compare.model import Cell, Comparison, Row
from loopback_auth.compare.running.choices import demo_client
from loopback_auth.compare.running.run import Judged, assembled, comparison
from loopback_auth.compare.running.simulate import ISSUER, STARTED_AT, simulate
from loopback_auth.compare.twins.defences import (
    BY_DEFENCE,
    LESSON,
    Names,
    defences_of,
    flows_with,
    in_order,
    stops_on,
)
from loopback_auth.compare.twins.results import twin_conclusion, twin_results, twin_rows
from loopback_auth.compare.twins.twin import Twin
from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import COMPARED
from loopback_auth.settings.reading import suggestion

ALL = "all"
ONLY_COMPARED = Cell("not to be used", "known")


def twins(text: str, flows: Sequence[str] = ()) -> tuple[Twin, ...]:
    """Return the columns for a value of `--without`: each flow, then its twins.

    Defences that overlap are also left out together where each of them was named: alone it would change
    nothing.

    Args:
        text: names with commas or blanks between them, with a plus where they are left out together; `all`;
            or empty for those with which a lesson begins.
        flows: names of runs; none: for each defence the flow that shows it best.

    Raises:
        ConfigError: there is no such defence, or none of the flows has it.
    """
    words = text.replace(",", " ").split()
    explicit = bool(words) and ALL not in words
    names = [one for word in words or LESSON for one in (BY_DEFENCE if word == ALL else (word,))]
    named = tuple(dict.fromkeys(map(_read, names)))
    columns: list[Twin] = []
    for flow in flows or COMPARED:
        sets = _left_out(flow, named, chosen=flow in flows)
        if sets or flow in flows:
            columns += [Twin(flow), *(Twin(flow, tuple(BY_DEFENCE[name] for name in one)) for one in sets)]
    shown = {tuple(one.name for one in twin.left_out) for twin in columns} - {()}
    for one in named:
        if not shown or (explicit and one not in shown):
            raise _not_had(one, flows)
    return tuple(columns)


def _read(word: str) -> Names:
    """Read the names of one twin, into the order of the table."""
    names = word.split("+")
    for name in names:
        if name not in BY_DEFENCE:
            known = (*BY_DEFENCE, ALL) if len(names) == 1 else BY_DEFENCE
            raise ConfigError(f"There is no defence called {ascii(name)[:80]}.", hint=suggestion(name, known))
    return in_order(names)


def _left_out(flow: str, named: Sequence[Names], *, chosen: bool) -> list[Names]:
    """Return what is left out of a flow, one after the other.

    Args:
        flow: name of the run.
        named: what the user has named.
        chosen: the user has named the flow; otherwise it shows only the defences that it shows best.
    """
    had = {one.name for one in defences_of(flow)}
    alone = {one[0] for one in named if len(one) == 1}
    overlapping = [in_order(one.defences) for one in stops_on(flow) if one.defences <= alone]
    return [
        one
        for one in dict.fromkeys((*named, *overlapping))
        if had.issuperset(one) and (chosen or any(BY_DEFENCE[name].shown_on == flow for name in one))
    ]


def _not_had(names: Names, flows: Sequence[str]) -> ConfigError:
    what = "+".join(names)
    having = set(COMPARED).intersection(*map(flows_with, names))
    if not having:
        return ConfigError(f"No flow has all of {what}.", hint="Name the defences apart, with commas.")
    known = ", ".join(flow for flow in COMPARED if flow in having)
    return ConfigError(f"{', '.join(flows)}: there is no {what} to leave out.", hint=f"Choose from {known}.")


def compare_without(columns: Sequence[Twin], *, secrets: bool = False) -> Comparison:
    """Compare flows with their twins, in memory: the same result each time.

    Args:
        columns: from `twins`.
        secrets: leave them as they are in the traces.
    """
    judged = [_ran(twin) for twin in columns]
    whole = comparison("simulate", judged, made_at=STARTED_AT, secrets=secrets)
    results = twin_results(columns, whole.runs)
    own = [run for run, twin in zip(whole.runs, columns, strict=True) if not twin.left_out]
    return replace(
        whole,
        rows=(*twin_rows(results), *(_without_praise(row, columns) for row in whole.rows)),
        conclusions=tuple(
            one if not result.twin.left_out else twin_conclusion(result)
            for one, result in zip(whole.conclusions, results, strict=True)
        ),
        places=place_conclusions(own, conclusions(own)),
    )


def _without_praise(row: Row, columns: Sequence[Twin]) -> Row:
    """Say nothing good of a twin in the row that recommends flows, by their names."""
    if row.id != "status":
        return row
    cells = (ONLY_COMPARED if one.left_out else cell for one, cell in zip(columns, row.cells, strict=True))
    return replace(row, cells=tuple(cells))


def _ran(twin: Twin) -> Judged:
    one = twin.choice(twin.flow, demo_client(ISSUER, openid=True))
    recorder, end = simulate(one, twin.world(twin.flow, twin.server(ISSUER)))
    run = assembled(twin.flow, recorder, end, attacks=lambda _run: twin.attacks())
    return replace(run, name=twin.title if twin.left_out else ""), recorder
