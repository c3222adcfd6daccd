"""The findings and attacks in a report: each once, for all columns that it applies to, the worst first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from loopback_auth.compare.drawing.overview import HOW_ATTACKS_ENDED, SEVERITIES
from loopback_auth.compare.drawing.report_anchors import Anchors
from loopback_auth.compare.model import Advice, Attack, Comparison, Finding, Movement, Run, Verdict

VERDICT_WORDS: Mapping[Verdict, str] = {
    "fail": "Failed",
    "not observed": "Not observed",
    "pass": "Passed",
    "not applicable": "Not applicable",
}
"""Words for the verdicts, in the order in which they are shown."""

ATTACK_WORDS: dict[Verdict, str] = {verdict: word.capitalize() for verdict, word in HOW_ATTACKS_ENDED.items()}
"""Words for the verdicts, in the order in which they are shown."""

ADVICE_MARKS: Mapping[Advice, str] = {
    "use": "pass",
    "use when": "when",
    "avoid": "fail",
    "not judged": "not-observed",
}
"""The sign beside each advice."""

MOVEMENT_MARKS: Mapping[Movement, str] = {
    "new": "fail",
    "worse": "fail",
    "better": "pass",
    "fixed": "pass",
    "not observed": "not-observed",
}
"""The sign beside what happened to a finding since an earlier comparison."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")

Links = Sequence[tuple[str, int]]
"""Links to entries: the id of the element, and the number of the entry."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a check or an attack ended in one column.

    Args:
        at: place of the column.
        title: of the column.
        anchor: id of the finding in this column; empty where it has none.
        links: to the entries that show it.
    """

    at: int
    title: str
    anchor: str
    links: Links


@dataclass(frozen=True, slots=True)
class Ending:
    """A verdict with its reason, and the columns that it is about.

    Args:
        verdict: of the check or the attack.
        because: one sentence.
        runs: the columns.
    """

    verdict: Verdict
    because: str
    runs: Sequence[Ended]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One finding in all columns.

    Args:
        finding: the one that failed, as it knows what to do; any where none did.
        anchor: id of the element that shows it.
        endings: what came out.
    """

    finding: Finding
    anchor: str
    endings: Sequence[Ending]

    @property
    def failed(self) -> bool:
        """Whether it failed in some column."""
        return self.finding.verdict == "fail"

    @property
    def headline(self) -> str:
        """What happened, in one sentence; where nothing failed, what was checked."""
        return first_sentence(self.finding.because) if self.failed else self.finding.title


@dataclass(frozen=True, slots=True)
class AttackResult:
    """One attack on all columns.

    Args:
        attack: what was tried.
        anchor: id of the finding that it is; empty where there is none.
        verdicts: one for each column; None where it was not tried.
        endings: what came out.
    """

    attack: Attack
    anchor: str
    verdicts: Sequence[Verdict | None]
    endings: Sequence[Ending]

    @property
    def succeeded(self) -> bool:
        """Whether it succeeded in some column."""
        return "fail" in self.verdicts


@dataclass(frozen=True, slots=True)
class Tally:
    """How many attacks ended one way or the other.

    Args:
        tried: that could be tried, and whose end was seen.
        succeeded: of these.
    """

    tried: int
    succeeded: int


def first_sentence(text: str) -> str:
    """Return a text up to the end of its first sentence."""
    return _SENTENCE_END.split(text, maxsplit=1)[0]


def without(text: str, headline: str) -> str:
    """Return what a text says after the sentence that stands above it already."""
    return text.removeprefix(headline).strip()


def tally(run: Run) -> Tally:
    """Count the attacks on a run."""
    ended = [attack.verdict for attack in run.attacks if attack.verdict in ("fail", "pass")]
    return Tally(len(ended), ended.count("fail"))


def checks(comparison: Comparison, names: Anchors) -> list[CheckResult]:
    """Return every finding, the worst first; of the attacks only those that succeeded somewhere."""
    found: dict[str, list[tuple[Finding, Ended]]] = {}
    for at, run in enumerate(comparison.runs):
        for finding in run.findings:
            told = found.setdefault(finding.id, [])
            # An id has to be unique, also where a run has two findings of one name.
            again = any(ended.at == at for _, ended in told)
            links = found_links(finding.steps, names.entries[at])
            told.append(
                (finding, Ended(at, run.title, "" if again else names.of_runs[at, finding.id], links))
            )
    in_order = sorted(
        found.values(), key=lambda each: min(SEVERITIES.index(finding.severity) for finding, _ in each)
    )
    results = [_check(each, names.findings[each[0][0].id]) for each in in_order]
    return [one for one in results if one.failed or one.finding.kind == "check"]


def attacks(comparison: Comparison, names: Anchors) -> list[AttackResult]:
    """Return every attack; those that succeeded come first."""
    found: dict[str, dict[int, Attack]] = {}
    for at, run in enumerate(comparison.runs):
        for attack in run.attacks:
            found.setdefault(attack.id, {})[at] = attack
    tried = [_tried(each, comparison.runs, names) for each in found.values()]
    return sorted(tried, key=lambda one: not one.succeeded)


def found_links(numbers: Iterable[int], anchors: Mapping[int, str]) -> Links:
    """Link the entries that show something; those that cannot be found are left out."""
    found: dict[str, int] = {}
    for number in numbers:
        if number in anchors:
            found.setdefault(anchors[number], number)
    return list(found.items())


def _check(results: Sequence[tuple[Finding, Ended]], anchor: str) -> CheckResult:
    one = next((finding for finding, _ in results if finding.verdict == "fail"), results[0][0])
    told: list[tuple[Verdict, str, Ended]] = []
    for finding, ended in results:
        # Beside a failure, the reasons of the other columns are left out.
        brief = one.verdict == "fail" != finding.verdict
        shown = replace(ended, links=()) if brief else ended
        told.append((finding.verdict, "" if brief else finding.because, shown))
    return CheckResult(one, anchor, _endings(told, VERDICT_WORDS))


def _tried(tried: Mapping[int, Attack], runs: Sequence[Run], names: Anchors) -> AttackResult:
    one = next(iter(tried.values()))
    kinds = {finding.kind for run in runs for finding in run.findings if finding.id == one.id}
    named = kinds == {"attack"}
    verdicts: list[Verdict | None] = [tried[at].verdict if at in tried else None for at in range(len(runs))]
    told: list[tuple[Verdict, str, Ended]] = []
    for at, attack in tried.items():
        anchor = names.of_runs.get((at, attack.id), "") if named else ""
        told.append((attack.verdict, attack.because, Ended(at, runs[at].title, anchor, ())))
    return AttackResult(one, names.findings[one.id] if named else "", verdicts, _endings(told, ATTACK_WORDS))


def _endings(told: Iterable[tuple[Verdict, str, Ended]], order: Iterable[Verdict]) -> list[Ending]:
    """Group the columns that have the same verdict and reason."""
    joined: dict[tuple[Verdict, str], list[Ended]] = {}
    for verdict, because, ended in told:
        joined.setdefault((verdict, because), []).append(ended)
    places = list(order)
    in_order = sorted(joined.items(), key=lambda each: places.index(each[0][0]))
    return [Ending(verdict, because, runs) for (verdict, because), runs in in_order]
