"""What follows from each place of the truth table."""

from __future__ import annotations

import pytest
from plan_samples import DEVICE, EVERYTHING, story
from truth_table import TABLE, Row

from loopback_auth.plan.model import NO
from loopback_auth.plan.routes import plan


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_place_and_facts(row: Row) -> None:
    """What a person is told about this machine, and what everything else follows from."""
    chosen = plan(row.seen, EVERYTHING, overrides={})
    facts = chosen.facts

    assert chosen.place.name == row.place
    assert (facts.opens.level, facts.reaches.level) == (row.opens, row.reaches), facts.reaches
    assert (facts.person.level, facts.waits.level) == row.somebody
    assert all(fact.because for fact in (facts.opens, facts.reaches, facts.person, facts.waits))


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_ways_to_sign_in(row: Row) -> None:
    """In which order the flows begin, with tickets and without."""
    chosen = plan(row.seen, EVERYTHING, overrides={}), plan(row.seen, DEVICE, overrides={})

    assert (story(chosen[0]), story(chosen[1])) == row.routes


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_whether_a_browser_is_started(row: Row) -> None:
    """None that takes over the terminal, none on a screen that nobody sees, and always a reason."""
    chosen = plan(row.seen, EVERYTHING, overrides={})

    assert chosen.opens == (row.why_not == "")
    assert chosen.why_not == row.why_not
    assert chosen.opens or chosen.facts.opens.because[0] == row.why_not
    assert chosen.start_page == (row.reaches != NO)


REASONS = {
    "13 Codespaces": "Codespaces forwards ports only to the desktop VS Code",
    "20 pod": "ports of a pod have to be forwarded",
    "25b SSH inside tmux": "this is an SSH session",
}
"""Places that are as far away as others, for reasons of their own."""


@pytest.mark.parametrize(("row", "reason"), REASONS.items(), ids=REASONS)
def test_why_a_browser_may_not_reach_us(row: str, reason: str) -> None:
    """The reason tells a person what to change."""
    assert plan(TABLE[row].seen, EVERYTHING, overrides={}).facts.reaches.because[0] == reason
