"""What the findings of a program add up to: use it, use it when the faults do not matter, or avoid it."""

from __future__ import annotations

from collections.abc import Sequence

from loopback_auth.audit.programs.assembling import questions
from loopback_auth.compare.judging.conclusions import MOST, failed
from loopback_auth.compare.model import Advice, Conclusion, Reason, Run

UNSEEN_AT_MOST = 1 / 3
"""Share of the grave questions without an answer with which something can still be concluded."""
NAMED = 3
"""Attacks that succeeded and are named; the others are counted."""


def conclusions(runs: Sequence[Run]) -> tuple[Conclusion, ...]:
    """Draw the conclusion for each program."""
    return tuple(map(_conclusion, runs))


def _conclusion(run: Run) -> Conclusion:
    if run.outcome != "signed in":
        return _of(run, "not judged", "Not judged: it did not sign in.", (Reason(run.reason),))
    wrong = failed(run)
    severities = {one.severity for one in wrong}
    told = {one.id: one.fault for one in questions()}
    faults = tuple(Reason(told[one.id], one.source, one.id) for one in wrong)
    if "high" in severities:
        avoid = "Avoid it until its authors have corrected what is wrong."
        return _of(run, "avoid", f"{avoid} {_fallen(run)}".strip(), faults)
    grave = [one for one in run.findings if one.severity == "high"]
    unseen = [one for one in grave if one.verdict == "not observed"]
    if len(unseen) > len(grave) * UNSEEN_AT_MOST:
        because = Reason(f"{len(unseen)} of {len(grave)} grave questions have no answer.")
        return _of(run, "not judged", "Not judged: too little of it was seen.", (because, *faults))
    if "medium" in severities:
        use_when = "Use it when these faults do not matter to you."
        return _of(run, "use when", f"{use_when} {_fallen(run)}".strip(), faults)
    small = (Reason(f"Faults of low severity: {len(wrong)}."),) if wrong else ()
    return _of(run, "use", "Use it: nothing worse than a small fault was found.", (_held(run), *small))


def _of(run: Run, advice: Advice, sentence: str, reasons: tuple[Reason, ...]) -> Conclusion:
    return Conclusion(run.title, advice, sentence, reasons[:MOST])


def _fallen(run: Run) -> str:
    """Say how many attacks succeeded, and name the gravest; empty where none did."""
    succeeded = [one.id for one in failed(run) if one.kind == "attack"]
    if not succeeded:
        return ""
    tried = sum(one.kind == "attack" and one.verdict in ("pass", "fail") for one in run.findings)
    introduced = ", among them " if len(succeeded) > NAMED else ": "
    counted = f"{len(succeeded)} of {tried} attack{'s' * (tried != 1)} succeeded"
    return f"{counted}{introduced}{', '.join(succeeded[:NAMED])}."


def _held(run: Run) -> Reason:
    """Say how much was tried, and how much was not seen."""
    answered = [one for one in run.findings if one.verdict in ("pass", "fail")]
    attacks = sum(one.kind == "attack" for one in answered)
    unseen = sum(one.verdict == "not observed" for one in run.findings)
    counted = f"{len(answered) - attacks} checks and {attacks} attacks found no grave fault"
    return Reason(f"{counted}; {unseen} could not be decided." if unseen else f"{counted}.")
