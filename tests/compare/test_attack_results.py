"""What an attack has shown stands in place of what was only seen or known, and says no more."""

from __future__ import annotations

import pytest
from trace_samples import CODE, PASTE, TICKET, without

from loopback_auth.compare.judging.attack_results import TRIALS, tried
from loopback_auth.compare.judging.rows import PROPERTIES, rows
from loopback_auth.compare.model import Attack, Cell, Run, Verdict

SEEN = Cell("<code#1>", "observed", "RFC 8252 §8.1", (3, 5))


def attacked(run: Run, name: str, verdict: Verdict) -> Run:
    """Attack a run."""
    attack = Attack(name, "Something is tried.", verdict, "That is how it ended.", "RFC 7636 §1")
    return Run(run.flow, run.outcome, run.trace, tokens=run.tokens, attacks=(attack,))


def cell(name: str, run: Run) -> Cell:
    """Return what one row says of one run."""
    return next(row for row in rows((run,)) if row.id == name).cells[0]


@pytest.mark.parametrize(("verdict", "text"), [("pass", "refused: <code#1>"), ("fail", "accepted: <code#1>")])
def test_verdict_is_told_with_the_evidence(verdict: Verdict, text: str) -> None:
    """Whoever reads it can still look it up in the trace."""
    told = tried(attacked(CODE, "port-squatting", verdict), "port", SEEN)

    assert told == Cell(text, "tried", "RFC 7636 §1", (3, 5))


@pytest.mark.parametrize("verdict", ["not applicable", "not observed"])
def test_attack_that_was_not_tried_changes_nothing(verdict: Verdict) -> None:
    """It has shown nothing."""
    assert tried(attacked(CODE, "port-squatting", verdict), "port", SEEN) is SEEN


def test_other_rows_and_other_attacks_change_nothing() -> None:
    """Each attack is about something."""
    assert tried(attacked(CODE, "port-squatting", "pass"), "history", SEEN) is SEEN
    assert tried(attacked(CODE, "phishing", "pass"), "port", SEEN) is SEEN
    assert tried(CODE, "port", SEEN) is SEEN


def test_evidence_that_nobody_saw_is_not_told() -> None:
    """The ending of the attack is known all the same."""
    unseen = Cell("not observed", "not observed")
    known = Cell("not in the published API", "known", "https://github.com/netlify/open-api")

    assert tried(attacked(CODE, "port-squatting", "pass"), "port", unseen).text == "refused"
    assert tried(attacked(TICKET, "fixation", "pass"), "fixation", known).text == "refused"
    assert tried(attacked(TICKET, "stolen-ticket", "fail"), "proof", unseen).text == "no"


def test_knowledge_gives_way_to_what_was_tried() -> None:
    """And comes back where nothing was."""
    assert cell("replay", attacked(CODE, "replay", "pass")).basis == "tried"
    assert cell("abort", attacked(TICKET, "denial-of-service", "fail")).text == TRIALS["abort"].won
    assert cell("phishing", attacked(PASTE, "phishing", "fail")).basis == "tried"
    assert cell("replay", CODE).basis == "known"


def test_every_trial_is_of_a_row_that_there_is() -> None:
    """A trial of nothing would be told nowhere."""
    assert set(TRIALS) <= {each.id for each in PROPERTIES}


def test_nobody_is_promised_more_than_was_tried() -> None:
    """One phishing attack that failed is one attack; the next may not fail (RFC 8628 §5.4)."""
    assert TRIALS["phishing"].held == "attacker got nothing"
    assert "proof" not in " ".join(trial.held for trial in TRIALS.values())


def test_observed_evidence_keeps_its_entries() -> None:
    """Of a run without its answer there is none."""
    run = attacked(without(CODE, "authorization response", "receive"), "mix-up", "pass")

    assert cell("iss", attacked(CODE, "mix-up", "pass")).steps
    assert cell("iss", run) == Cell("detected", "tried", "RFC 7636 §1")
