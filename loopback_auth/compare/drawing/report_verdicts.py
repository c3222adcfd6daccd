"""What was checked and what was tried, told once for all flows that it concerns: what failed comes first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from loopback_auth.compare.drawing.overview import HOW_ATTACKS_ENDED, SEVERITIES, checked
from loopback_auth.compare.drawing.report_table import Anchors, finding_anchors, mark, severity, steps
from loopback_auth.compare.drawing.report_text import clause, plain, rich
from loopback_auth.compare.nouns import Attack, Comparison, Finding, Verdict

WORDS: Mapping[Verdict, str] = {
    "fail": "Failed",
    "not observed": "Not observed",
    "pass": "Passed",
    "not applicable": "Not applicable",
}
"""In the order in which they are told."""

_ATTACK_WORDS = {verdict: word.capitalize() for verdict, word in HOW_ATTACKS_ENDED.items()}


@dataclass(frozen=True, slots=True)
class _Told:
    """What one check, or one attack, came to with one flow.

    Args:
        steps: links to the entries that show it, as HTML.
    """

    verdict: Verdict
    because: str
    flow: str
    steps: str = ""


def findings(comparison: Comparison, anchors: Anchors) -> str:
    """Tell what failed, worst first, and after that everything else that was checked."""
    found: dict[str, list[tuple[Finding, _Told]]] = {}
    for run, places in zip(comparison.runs, anchors, strict=True):
        for finding in run.findings:
            links = steps(finding.steps, places, run.flow)
            told = _Told(finding.verdict, finding.because, run.flow, links)
            found.setdefault(finding.id, []).append((finding, told))
    checks = sorted(found.values(), key=_gravity)
    ids = finding_anchors(comparison)
    bad = [_check(each, ids) for each in checks if _failed(each)]
    rest = [_check(each, ids) for each in checks if not _failed(each)]
    shown = f'<ul class="verdicts">{"".join(bad)}</ul>'
    none = f'<p class="good">{mark("pass")}Nothing failed.</p>' if rest else ""
    return f'<p class="lead">{plain(checked(comparison))}</p>{shown if bad else none}{_rest(rest)}'


def attacks(comparison: Comparison) -> str:
    """Tell what was tried, and how it ended; what succeeded comes first."""
    found: dict[str, dict[int, Attack]] = {}
    for at, run in enumerate(comparison.runs):
        for attack in run.attacks:
            found.setdefault(attack.id, {})[at] = attack
    if not found:
        return '<p class="lead">Nothing was tried in this comparison.</p>'
    tried = sorted(found.values(), key=lambda each: all(one.verdict != "fail" for one in each.values()))
    flows = [run.flow for run in comparison.runs]
    heads = "".join(f"<span>{plain(flow)}</span>" for flow in flows)
    return (
        '<p class="lead">What was tried on which flow, and how that ended. Open one for what happened.</p>'
        f'<div class="attacks"><div class="heads" aria-hidden="true"><span>Attack</span>{heads}</div>'
        f"{''.join(_attack(each, flows) for each in tried)}</div>"
    )


def _gravity(check: Sequence[tuple[Finding, _Told]]) -> int:
    return min(SEVERITIES.index(finding.severity) for finding, _ in check)


def _failed(check: Sequence[tuple[Finding, _Told]]) -> bool:
    return any(told.verdict == "fail" for _, told in check)


def _check(check: Sequence[tuple[Finding, _Told]], ids: Mapping[str, str]) -> str:
    # The one that failed knows what to do.
    one = next((finding for finding, told in check if told.verdict == "fail"), check[0][0])
    told = [ending for _, ending in check]
    style, advice = "passed", ""
    if _failed(check):
        # Beside a failure it matters where there is none, and no longer why.
        told = [each if each.verdict == "fail" else replace(each, because="", steps="") for each in told]
        style = one.severity
        advice = f'<p class="advice"><b>What to do</b> {rich(one.advice)}</p>' if one.advice else ""
    expected = '<span class="expected">Expected:</span> ' if _failed(check) else ""
    title = f"{severity(one)} <span>{expected}{rich(one.title)}</span>"
    return _card(style, title, _endings(told, WORDS) + advice, one.source, f' id="{ids[one.id]}"')


def _card(style: str, title: str, body: str, source: str, attributes: str) -> str:
    return f'<li class="verdict {style}"{attributes}><h3>{title}</h3>{body}{_source(source)}</li>'


def _source(source: str) -> str:
    return f'<p class="source">{clause(source)}</p>' if source else ""


def _attack(tried: Mapping[int, Attack], flows: Sequence[str]) -> str:
    one = next(iter(tried.values()))
    told = [_Told(attack.verdict, attack.because, flows[at]) for at, attack in tried.items()]
    ends = "".join(_end(flow, tried.get(at)) for at, flow in enumerate(flows))
    return (
        f'<details class="attack"><summary><h3>{rich(one.title)}</h3>{ends}</summary>'
        f'<div class="shown">{_endings(told, _ATTACK_WORDS)}{_source(one.source)}</div></details>'
    )


def _end(flow: str, attack: Attack | None) -> str:
    verdict: Verdict = attack.verdict if attack else "not observed"
    word = _ATTACK_WORDS[verdict].lower() if attack else "not tried"
    name = verdict.replace(" ", "-")
    named = f'<span class="of">{plain(flow)}: </span>'
    return f' <span class="end {name}">{mark(name)}<span>{named}{word}</span></span>'


def _endings(told: Iterable[_Told], words: Mapping[Verdict, str]) -> str:
    """Say the same of several flows only once."""
    joined: dict[tuple[Verdict, str], list[str]] = {}
    for one in told:
        flow = f"<b>{plain(one.flow)}</b> {one.steps}".rstrip()
        joined.setdefault((one.verdict, one.because), []).append(flow)
    order = list(words)
    lines = sorted(joined.items(), key=lambda line: order.index(line[0][0]))
    return f'<ul class="endings">{"".join(_lines(lines, words))}</ul>'


def _lines(
    lines: Iterable[tuple[tuple[Verdict, str], Sequence[str]]], words: Mapping[Verdict, str]
) -> Iterator[str]:
    for (verdict, because), flows in lines:
        name = verdict.replace(" ", "-")
        why = f' <span class="because">{rich(because)}</span>' if because else ""
        yield (
            f'<li class="{name}"><span class="word">{mark(name)}{words[verdict]}</span> '
            f"<span>{', '.join(flows)}{why}</span></li>"
        )


def _rest(checks: Sequence[str]) -> str:
    if not checks:
        return ""
    summary = f"<summary>{len(checks)} checks in which nothing failed</summary>"
    return f'<details class="rest">{summary}<ul class="verdicts">{"".join(checks)}</ul></details>'
