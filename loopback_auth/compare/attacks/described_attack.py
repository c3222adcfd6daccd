"""What every attack says of itself, whatever it is tried on."""

from __future__ import annotations

from dataclasses import dataclass

from loopback_auth.compare.attacks.attack_actions import Outcome
from loopback_auth.compare.model import Attack, Severity, Verdict

_VERDICTS: dict[bool | None, Verdict] = {True: "fail", False: "pass", None: "not observed"}


@dataclass(frozen=True, slots=True)
class DescribedAttack:
    """An attack in words.

    Args:
        id: name of the attack, which stays the same.
        severity: how bad it is when it succeeds.
        title: what is tried, in one sentence.
        statement: a short statement that is true when it does not succeed.
        source: clause that describes the attack or the defence.
        advice: what to do when it succeeds, one imperative sentence.
    """

    id: str
    severity: Severity
    title: str
    statement: str
    source: str
    advice: str

    def ended(self, outcome: Outcome) -> Attack:
        """Return the attack as it ended."""
        return self.judged(_VERDICTS[outcome.succeeded], outcome.because)

    def judged(self, verdict: Verdict, because: str) -> Attack:
        """Return the attack with a verdict, and what showed it."""
        return Attack(
            self.id,
            self.title,
            verdict,
            because,
            self.source,
            severity=self.severity,
            statement=self.statement,
            advice=self.advice,
        )
