"""What the findings of a server add up to: a grade, in a sentence, and the reasons for it."""

from __future__ import annotations

from collections.abc import Sequence

from loopback_auth.audit.servers.catalog import FAULTS
from loopback_auth.audit.servers.grades import Grade, by_failures, grade
from loopback_auth.compare.judging.conclusions import MOST, failed, fault
from loopback_auth.compare.model import Advice, Conclusion, Finding, Reason, Run

ADVICE: dict[Grade, Advice] = {
    "A": "use",
    "B": "use",
    "C": "use when",
    "D": "avoid",
    "F": "avoid",
    "-": "not judged",
}
SENTENCES: dict[Grade, str] = {
    "A": "Grade A: it keeps the rules that could be checked.",
    "B": "Grade B: it keeps nearly all rules that could be checked.",
    "C": "Grade C: use it with a client that checks what the server does not.",
    "D": "Grade D: it breaks rules that protect its users.",
    "F": "Grade F: it breaks several rules that protect its users.",
    "-": "No grade: too little could be seen.",
}
HALF_SEEN = "Grade B: it keeps the rules that could be checked; an A needs half of the checks to be decided."
"""The sentence for a B that could be an A if half of the checks had been decided."""


def conclusions(runs: Sequence[Run]) -> tuple[Conclusion, ...]:
    """Draw the conclusion for each server that was examined."""
    return tuple(map(_conclusion, runs))


def _conclusion(run: Run) -> Conclusion:
    given = grade(run.findings)
    reasons = [_reason(run, one) for one in failed(run)]
    if run.reason:
        reasons.insert(0, Reason(run.reason))
    half_seen = given == "B" and by_failures(run.findings) == "A"
    sentence = f"{HALF_SEEN if half_seen else SENTENCES[given]} {counted(run)}".strip()
    return Conclusion(run.title, ADVICE[given], sentence, tuple(reasons[:MOST]))


def _reason(run: Run, finding: Finding) -> Reason:
    said = FAULTS.get(finding.id, "") if finding.kind == "check" else ""
    return Reason(said, finding.source, finding.id) if said else fault(run, finding)


def counted(run: Run) -> str:
    """Say how many checks could be decided; empty where none was made."""
    verdicts = [one.verdict for one in run.findings]
    decided, unseen = verdicts.count("pass") + verdicts.count("fail"), verdicts.count("not observed")
    return f"{decided} of {decided + unseen} checks could be decided." if verdicts else ""
