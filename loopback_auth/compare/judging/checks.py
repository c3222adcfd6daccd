"""The table of checks, and their findings for one run."""

from __future__ import annotations

from loopback_auth.compare.judging import authorization_checks, exposure_checks, token_checks
from loopback_auth.compare.judging.verdicts import Check, idle
from loopback_auth.compare.model import Finding, Run

CHECKS: tuple[Check, ...] = (*authorization_checks.CHECKS, *exposure_checks.CHECKS, *token_checks.CHECKS)


def findings(run: Run) -> tuple[Finding, ...]:
    """Apply every check to one run, in the order of the table."""
    return tuple(_finding(check, run) for check in CHECKS)


def _finding(check: Check, run: Run) -> Finding:
    excuse = check.excuse(run)
    judgement = idle(excuse) if excuse else check.judge(run)
    return Finding(
        id=check.id,
        severity=check.severity,
        title=check.title,
        verdict=judgement.verdict,
        because=judgement.because,
        source=check.source,
        steps=judgement.steps,
        advice=check.advice if judgement.verdict == "fail" else "",
    )
