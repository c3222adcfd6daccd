"""The findings as SARIF 2.1.0, which code hosts and editors show as alerts.

Only failures are results: GitHub ignores `kind`, and would show what passed as an alert
(microsoft/PSRule#955). What was checked stands in the rules. GitHub refuses a file with a result that has no
physical location, and shows none whose location is not a path (github/codeql-action#1738,
microsoft/sarif-sdk#2694). There is no source file to point at, so each column is a path of its own, such as
`flows/code`, and its description says so; the logical location beside it names the column.

A text may come from a server: braces, which would be placeholders, are doubled, and no text becomes a link.

Source: SARIF 2.1.0 §3.11.5, §3.11.6 (messages), §3.27 (results), §3.49 (rules); GitHub Docs, "SARIF support
for code scanning".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from loopback_auth.compare.drawing.document import written
from loopback_auth.compare.judging.anchors import anchor, titles
from loopback_auth.compare.judging.changes import WEIGHTS, stems
from loopback_auth.compare.model import Comparison, Finding, Movement, Outcome, Severity
from loopback_auth.drawing.markdown_text import escaped
from loopback_auth.drawing.page_text import references
from loopback_auth.redact import server_text

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
TOOL = "loopback_auth"
LONGEST, SHORTEST = 2_000, 500
"""Characters of a message, and of a description, of which GitHub allows 1,024 with its doubled braces."""

LEVELS: Mapping[Severity, str] = {"info": "note", "low": "note", "medium": "warning", "high": "error"}
SCORES: Mapping[Severity, str] = {"low": "3.0", "medium": "5.5", "high": "8.0"}
"""Scores in the middle of what GitHub calls low (0.1 to 3.9), medium (4.0 to 6.9) and high (7.0 to 8.9)."""
GRAVITY: Mapping[Outcome, str] = {"failed": "error", "refused": "warning", "not possible": "warning"}
"""The level of a run in which nothing was judged, by how it ended."""
STATES: Mapping[Movement, str] = {"new": "new", "worse": "updated", "better": "updated"}
"""The state of a result, by how it changed since the earlier run; a failure that did not is unchanged."""

_OF_URIS = ":/?#@!$&'()*+,;=%-._~"
_APART = re.compile(r"[^A-Za-z0-9]+")

Members = dict[str, object]


def sarif(comparison: Comparison) -> str:
    """Write the findings that failed, and the rules that were checked."""
    rules = _by_rule(comparison)
    whole: Members = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": TOOL,
                        "version": _text(comparison.version),
                        "rules": [_rule(name, several) for name, several in rules.items()],
                    }
                },
                # GitHub keeps the alerts of flows, programs and servers apart by this category.
                "automationDetails": {"id": f"{TOOL}/{comparison.kind}/"},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": True, **_notifications(comparison)}],
                "results": list(_results(comparison, rules)),
            }
        ],
    }
    return written(whole, indent=2) + "\n"


def _by_rule(comparison: Comparison) -> dict[str, list[Finding]]:
    """Return the findings of all runs by their ids, those that failed first."""
    rules: dict[str, list[Finding]] = {}
    for run in comparison.runs:
        for finding in run.findings:
            rules.setdefault(_id(finding), []).append(finding)
    return {name: sorted(several, key=lambda one: one.verdict != "fail") for name, several in rules.items()}


def _rule(name: str, findings: Sequence[Finding]) -> Members:
    first = findings[0]
    severity = WEIGHTS[max(WEIGHTS.index(one.severity) for one in findings)]
    expected = f"Expected: {first.title}." + (f" Source: {first.source}." if first.source else "")
    whole = f"{expected} What to do: {first.advice}" if first.advice else expected
    return {
        "id": name,
        **_friendly_name(name),
        "shortDescription": {"text": _text(f"{first.title}.", SHORTEST)},
        "fullDescription": {"text": _text(expected, SHORTEST)},
        "help": {"text": _text(whole), "markdown": _braced(escaped(whole))},
        **_help_uri(first.source),
        "defaultConfiguration": {"level": LEVELS[severity]},
        "properties": {
            "tags": ["security", "oauth", first.kind],
            "precision": "high",
            **({"security-severity": SCORES[severity]} if severity in SCORES else {}),
        },
    }


def _friendly_name(name: str) -> dict[str, str]:
    """Write an id as one identifier, `TokenInFragment`; one word would be the id again (§3.49.7)."""
    identifier = "".join(part[:1].upper() + part[1:] for part in _APART.split(name))[:255]
    return {"name": identifier} if identifier.lower() not in ("", name.lower()) else {}


def _help_uri(source: str) -> dict[str, str]:
    """Link to the first clause or page that a source names."""
    link = next((url for _, url in references(source) if url), "")
    return {"helpUri": quote(link, safe=_OF_URIS)} if link else {}


def _results(comparison: Comparison, rules: Iterable[str]) -> Iterator[Members]:
    numbers, states = {name: number for number, name in enumerate(rules)}, _states(comparison)
    named = titles(comparison.runs)
    for title, stem, run in zip(named, stems(named), comparison.runs, strict=True):
        seen: dict[str, int] = {}
        for finding in run.findings:
            if finding.verdict != "fail":
                continue
            name = _id(finding)
            seen[name] = seen.get(name, 0) + 1
            yield {
                "ruleId": name,
                "ruleIndex": numbers[name],
                "kind": "fail",
                "level": LEVELS[finding.severity],
                "message": {"text": _text(f"{title}: {finding.because}")},
                "locations": [_location(comparison, title, stem)],
                "partialFingerprints": _fingerprints(f"{comparison.kind}/{stem}/{name}", seen[name]),
                **(
                    {} if states is None else {"baselineState": states.get(_key(title, finding), "unchanged")}
                ),
                "properties": {
                    "anchor": anchor(finding.id, title),
                    "column": _text(title),
                    "flow": _text(run.flow),
                    "severity": finding.severity,
                    "steps": list(finding.steps),
                },
            }


def _location(comparison: Comparison, title: str, stem: str) -> Members:
    """Point at a column: by a path, which no file of the user has, and which an upgrade does not change."""
    named = server_text(title, LONGEST) or "unnamed"
    about = f"This is the column {named} of a comparison of {comparison.kind}. There is no source file."
    return {
        "physicalLocation": {
            "artifactLocation": {
                "uri": anchor(stem, comparison.kind),
                "description": {"text": _text(about)},
            },
            "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
        },
        "logicalLocations": [{"name": named, "fullyQualifiedName": f"{comparison.kind}/{named}"}],
    }


def _fingerprints(identity: str, count: int) -> dict[str, str]:
    """Name a result for good; GitHub reads this one alone, and the action that uploads leaves it as it is."""
    digest = hashlib.blake2b(identity.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return {"primaryLocationLineHash": f"{digest}:{count}"}


def _states(comparison: Comparison) -> dict[tuple[str, str, str], str] | None:
    """Return how the findings that moved since the earlier run are called; None where there was none."""
    if comparison.changes is None:
        return None
    moved = (one for one in comparison.changes.findings if one.movement in STATES)
    return {(one.run, one.kind, one.finding): STATES[one.movement] for one in moved}


def _key(title: str, finding: Finding) -> tuple[str, str, str]:
    return title, finding.kind, finding.id


def _notifications(comparison: Comparison) -> Members:
    """Tell of the runs in which nothing was judged."""
    told = [
        {"level": GRAVITY[run.outcome], "message": {"text": _text(f"{title}: {run.outcome}. {run.reason}")}}
        for title, run in zip(titles(comparison.runs), comparison.runs, strict=True)
        if run.outcome in GRAVITY
    ]
    return {"toolExecutionNotifications": told} if told else {}


def _id(finding: Finding) -> str:
    return server_text(finding.id, 200) or "unnamed"


def _text(text: str, limit: int = LONGEST) -> str:
    """Clean a text for a message that must not be empty."""
    return _braced(server_text(text, limit).replace("](", "] (")) or "-"


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
