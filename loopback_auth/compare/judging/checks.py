"""The table of checks, and the findings of one run: what its trace shows, and how attacks on it ended."""

from __future__ import annotations

from loopback_auth.compare.judging import authorization_checks, exposure_checks, token_checks
from loopback_auth.compare.judging.verdicts import Check, Judgement, found, idle
from loopback_auth.compare.model import Attack, Finding, Run
from loopback_auth.records import replace

CHECKS: tuple[Check, ...] = (*authorization_checks.CHECKS, *exposure_checks.CHECKS, *token_checks.CHECKS)


def findings(run: Run) -> tuple[Finding, ...]:
    """Apply every check to one run, in the order of the table."""
    return tuple(_finding(check, run) for check in CHECKS)


def with_attacks(run: Run, attacks: tuple[Attack, ...]) -> Run:
    """Return a run with the attacks on it, each of which is a finding too."""
    checks = tuple(one for one in run.findings if one.kind == "check")
    return replace(run, attacks=attacks, findings=(*checks, *map(_of_attack, attacks)))


def _of_attack(attack: Attack) -> Finding:
    judgement = Judgement(attack.verdict, attack.because)
    return found(attack, judgement, title=attack.statement, kind="attack")


def _finding(check: Check, run: Run) -> Finding:
    excuse = check.excuse(run)
    return found(check, idle(excuse) if excuse else check.judge(run))
