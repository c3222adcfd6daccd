"""The checks and attacks in a report: each once, for all flows that it applies to, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loopback_auth.compare.drawing.overview import HOW_ATTACKS_ENDED, SEVERITIES
from loopback_auth.compare.model import Attack, Comparison, Finding, Verdict

VERDICT_WORDS: Mapping[Verdict, str] = {
    "fail": "Failed",
    "not observed": "Not observed",
    "pass": "Passed",
    "not applicable": "Not applicable",
}
"""In the order in which they are shown."""

ATTACK_WORDS: dict[Verdict, str] = {verdict: word.capitalize() for verdict, word in HOW_ATTACKS_ENDED.items()}
"""In the order in which they are shown."""

Anchors = Mapping[int, str]
"""The ids of the elements that show the entries of a trace, by the numbers of the entries."""
Links = Sequence[tuple[str, int]]
"""Links to entries: the id of the element, and the number of the entry."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A verdict with its reason, and the flows that it is about.

    Args:
        verdict: of the check or the attack.
        because: one sentence.
        flows: their names, each with links to the entries that show it.
    """

    verdict: Verdict
    because: str
    flows: Sequence[tuple[str, Links]]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check in all flows.

    Args:
        finding: the one that failed, as it knows what to do; any where none did.
        endings: what came out.
    """

    finding: Finding
    endings: Sequence[Ending]

    @property
    def failed(self) -> bool:
        """Whether it failed in some flow."""
        return self.finding.verdict == "fail"


@dataclass(frozen=True, slots=True)
class AttackResult:
    """One attack on all flows.

    Args:
        attack: what was tried.
        verdicts: one for each flow; None where it was not tried.
        endings: what came out.
    """

    attack: Attack
    verdicts: Sequence[Verdict | None]
    endings: Sequence[Ending]


def checks(comparison: Comparison, anchors: Sequence[Anchors]) -> list[CheckResult]:
    """Return every check, the worst first."""
    found: dict[str, list[tuple[Finding, str, Links]]] = {}
    for run, places in zip(comparison.runs, anchors, strict=True):
        for finding in run.findings:
            links = found_links(finding.steps, places)
            found.setdefault(finding.id, []).append((finding, run.title, links))
    in_order = sorted(
        found.values(), key=lambda each: min(SEVERITIES.index(finding.severity) for finding, *_ in each)
    )
    return list(map(_check, in_order))


def attacks(comparison: Comparison) -> list[AttackResult]:
    """Return every attack; those that succeeded come first."""
    found: dict[str, dict[int, Attack]] = {}
    for at, run in enumerate(comparison.runs):
        for attack in run.attacks:
            found.setdefault(attack.id, {})[at] = attack
    tried = sorted(found.values(), key=lambda each: all(one.verdict != "fail" for one in each.values()))
    return [_tried(each, [run.title for run in comparison.runs]) for each in tried]


def finding_ids(comparison: Comparison) -> dict[str, str]:
    """Name the elements that show the checks, by the ids of the findings."""
    ids = dict.fromkeys(finding.id for run in comparison.runs for finding in run.findings)
    return {name: f"finding-{at}" for at, name in enumerate(ids)}


def found_links(numbers: Iterable[int], anchors: Anchors) -> Links:
    """Link the entries that show something; those that cannot be found are left out."""
    return list(dict.fromkeys((anchors[number], number) for number in numbers if number in anchors))


def _check(results: Sequence[tuple[Finding, str, Links]]) -> CheckResult:
    one = next((finding for finding, *_ in results if finding.verdict == "fail"), results[0][0])
    told: list[tuple[Verdict, str, str, Links]] = []
    for finding, flow, links in results:
        # Beside a failure, the reasons of the other flows are left out.
        brief = one.verdict == "fail" != finding.verdict
        told.append((finding.verdict, "" if brief else finding.because, flow, [] if brief else links))
    return CheckResult(one, _endings(told, VERDICT_WORDS))


def _tried(tried: Mapping[int, Attack], flows: Sequence[str]) -> AttackResult:
    verdicts: list[Verdict | None] = [tried[at].verdict if at in tried else None for at in range(len(flows))]
    no_links: Links = ()
    told: list[tuple[Verdict, str, str, Links]] = [
        (attack.verdict, attack.because, flows[at], no_links) for at, attack in tried.items()
    ]
    return AttackResult(next(iter(tried.values())), verdicts, _endings(told, ATTACK_WORDS))


def _endings(told: Iterable[tuple[Verdict, str, str, Links]], order: Iterable[Verdict]) -> list[Ending]:
    """Group the flows that have the same verdict and reason."""
    joined: dict[tuple[Verdict, str], list[tuple[str, Links]]] = {}
    for verdict, because, flow, links in told:
        joined.setdefault((verdict, because), []).append((flow, links))
    places = list(order)
    in_order = sorted(joined.items(), key=lambda each: places.index(each[0][0]))
    return [Ending(verdict, because, flows) for (verdict, because), flows in in_order]
