"""What the findings of a flow add up to: use it, use it only where nothing better works, or avoid it.

A flow without a finding of high severity is to be used. A flow with one has its place where no browser can
reach this machine, if it needs no port; otherwise it is to be avoided. Nothing is concluded from its name.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopback_auth.compare.model import Advice, Conclusion, Finding, Reason, Run, Severity
from loopback_auth.flow_table import FlowTraits
from loopback_auth.trace.evidence import traits_of

GRAVE: Severity = "high"
BY_WEIGHT: tuple[Severity, ...] = ("high", "medium", "low", "info")
"""Severities, the worst first."""
MOST = 2
"""Reasons of one conclusion."""

SENTENCES: dict[Advice, str] = {
    "use": "Use it where a browser can reach this machine.",
    "use when": "Use it when no browser can reach this machine.",
    "avoid": "Avoid it: other flows give the same and expose less.",
    "not judged": "Not judged: it did not end with tokens.",
}
UNSEEN = "Not judged: none of the checks could be made."
ANYWHERE = "Use it: it needs no browser that can reach this machine."


def conclusions(runs: Sequence[Run]) -> tuple[Conclusion, ...]:
    """Draw the conclusion for each flow that was run."""
    return tuple(map(_conclusion, runs))


def failed(run: Run) -> list[Finding]:
    """Return what is wrong with a run, the worst first."""
    wrong = (one for one in run.findings if one.verdict == "fail")
    return sorted(wrong, key=lambda one: BY_WEIGHT.index(one.severity))


def weaknesses(run: Run) -> tuple[Reason, ...]:
    """Say what is wrong with a flow, the worst first; of equal weight, attacks that succeeded come first.

    Flows with the same weaknesses so have the same reasons, and none seems to be alone with one.
    """
    wrong = sorted(failed(run), key=lambda one: (BY_WEIGHT.index(one.severity), one.kind != "attack"))
    return tuple(fault(run, one) for one in wrong)


def fault(run: Run, finding: Finding) -> Reason:
    """Say in one sentence what is wrong."""
    attack = next((one for one in run.attacks if one.id == finding.id and finding.kind == "attack"), None)
    if attack is None:
        return Reason(finding.because, finding.source, finding.id)
    tried = attack.title[:1].lower() + attack.title[1:]
    return Reason(f"An attack succeeded: {tried}", finding.source, finding.id)


def _conclusion(run: Run) -> Conclusion:
    traits, wrong = traits_of(run.flow), failed(run)
    if run.outcome != "signed in":
        reasons = (Reason(run.reason),) if run.reason else ()
        return Conclusion(run.title, "not judged", SENTENCES["not judged"], reasons)
    if not any(one.verdict in ("pass", "fail") for one in run.findings):
        return Conclusion(run.title, "not judged", UNSEEN, ())
    faults = weaknesses(run)
    if not any(one.severity == GRAVE for one in wrong):
        sentence = SENTENCES["use"] if traits.needs_port else ANYWHERE
        return Conclusion(run.title, "use", sentence, (_held(run), *faults)[:MOST])
    if traits.needs_port:
        return Conclusion(run.title, "avoid", SENTENCES["avoid"], faults[:MOST])
    return Conclusion(run.title, "use when", SENTENCES["use when"], (_portable(traits), *faults)[:MOST])


def _held(run: Run) -> Reason:
    """Say that nothing grave was found; with numbers, flows that have the same reasons would stand apart."""
    if any(one.kind == "attack" and one.verdict in ("pass", "fail") for one in run.findings):
        return Reason("Checks and attacks found nothing of high severity.")
    return Reason("Checks found nothing of high severity; no attack was tried.")


def _portable(traits: FlowTraits) -> Reason:
    if traits.polled:
        return Reason("It needs no port, and any browser can approve it.", traits.source)
    return Reason("It needs no port: you copy the address yourself.", traits.source)
