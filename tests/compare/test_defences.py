"""Every defence stops what its clause says: without it the attack succeeds, with it the attack does not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import chain, combinations

import pytest
from canaries import Tap, leaks

from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.attacks.flow_attacks import ATTACKS
from loopback_auth.compare.twins.defences import (
    BY_DEFENCE,
    DEFENCES,
    STOPS,
    Defence,
    defences_of,
    flows_with,
    in_order,
    stops_on,
)
from loopback_auth.compare.twins.twin import Twin
from loopback_auth.demo.server import DemoServer
from loopback_auth.flow_table import COMPARED

CITED = r"RFC \d+|OpenID Connect Core 1\.0|jupyter/notebook#4260"
PAIRS = [(flow, one.name) for flow in COMPARED for one in defences_of(flow)]


def twin(flow: str, names: Collection[str] = ()) -> Twin:
    """Return a flow that goes without some defences."""
    return Twin(flow, tuple(BY_DEFENCE[name] for name in in_order(names)))


def falls_to(flow: str, names: Collection[str] = ()) -> set[str]:
    """Return the attacks that succeed on a flow without some defences."""
    return {attack.id for attack in twin(flow, names).attacks() if attack.verdict == "fail"}


def expected(flow: str, names: Collection[str]) -> set[str]:
    """Return the attacks that succeed according to the table, besides those that nothing stops."""
    return {stop.attack for stop in stops_on(flow) if stop.defences <= set(names)}


def subsets(names: Collection[str]) -> Iterator[frozenset[str]]:
    """Return every set of some of these names."""
    sizes = range(1, len(names) + 1)
    return map(frozenset, chain.from_iterable(combinations(sorted(names), size) for size in sizes))


@pytest.mark.parametrize("flow", COMPARED)
def test_attack_succeeds_without_its_defences_and_not_before(flow: str) -> None:
    """Each row of the table, with every smaller set of its defences; no other attack changes."""
    nothing_stops = falls_to(flow)
    sets = {one for stop in stops_on(flow) for one in subsets(stop.defences)}

    assert nothing_stops.isdisjoint({stop.attack for stop in stops_on(flow)})
    assert {names: falls_to(flow, names) for names in sets} == {
        names: nothing_stops | expected(flow, names) for names in sets
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "pair", list(combinations([one.name for one in defences_of("code")], 2)), ids="+".join
)
def test_no_pair_of_defences_is_missing_in_the_table(pair: tuple[str, str]) -> None:
    """Of the flow with the most defences, every two that can be left out together."""
    assert falls_to("code", pair) == falls_to("code") | expected("code", pair)


def test_every_defence_stops_an_attack_where_it_is_shown() -> None:
    """A defence that stops nothing has nothing to do in the table."""
    attacks = {one.id: one for one in ATTACKS}

    assert all(one.shown_on in flows_with(one.name) for one in DEFENCES)
    assert all(stop.defences <= BY_DEFENCE.keys() for stop in STOPS)
    assert all(flow in attacks[stop.attack].scenarios for stop in STOPS for flow in stop.flows)


def test_every_attack_that_can_be_stopped_is_in_the_table() -> None:
    """An attack that no twin falls to could be one that never succeeds anywhere."""
    always = {"stolen-token", "stolen-ticket"}  # Nothing in their flows stops them.
    bound = {"stolen-ticket-bound"}  # Its twin is the ticket as it is published.

    assert {one.id for one in ATTACKS} - {stop.attack for stop in STOPS} == always | bound


@pytest.mark.parametrize("one", DEFENCES, ids=lambda one: one.name)
def test_every_omission_names_its_clause(one: Defence) -> None:
    """The clause in the table is also where the defence is left out."""
    text = " ".join((type(one.omission).__doc__ or "").split())

    assert {part.split(" §")[0] for part in one.source.split("; ")} <= set(re.findall(CITED, text))


@pytest.mark.slow
@pytest.mark.parametrize(("flow", "name"), PAIRS)
def test_no_secret_of_a_twin_is_told(flow: str, name: str) -> None:
    """A twin shows more of them to the attacker, and no more to the reader."""
    one, tap = twin(flow, [name]), Tap(f"{flow} without {name}")

    def serving(issuer: str) -> DemoServer:
        return tap.on(one.server(issuer))

    attacks = simulated_attacks(flow, serving=serving, world=one.world, choose=one.choice, openid=True)

    assert leaks(tap.canaries, repr(attacks)) == []
    assert all(attack.because.endswith(".") for attack in attacks)
