"""The findings as JUnit XML, which nearly every CI system shows: a suite for a run, a case for a finding.

JUnit's format has no one schema. What is written is valid by that of Apache Ant and by that of Jenkins, which
is why there are times, hosts and empty outputs, and no sums over all suites. GitLab takes the name of a suite
from its cases, and of cases with one name only the first, so both names are unique. Why a case failed or was
skipped is the content of its element, since GitLab reads nothing else.

A text may come from a server: it is cleaned of what XML cannot carry.

Source: XML 1.0 §2.2 (characters); https://github.com/windyroad/JUnit-Schema (JUnit.xsd); GitLab Docs, "Unit
test reports".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from loopback_auth.compare.judging.anchors import anchor, unique
from loopback_auth.compare.model import Comparison, Finding, Run
from loopback_auth.redact import server_text
from loopback_auth.trace.records import Exchange, Trace

TOOL = "loopback_auth"
OUTCOME = "outcome"
"""Name of the case that says how a run ended."""
LONGEST = 2_000
"""Characters of a text."""


def junit(comparison: Comparison) -> str:
    """Write the findings."""
    named = zip(unique([_text(run.title) for run in comparison.runs]), comparison.runs, strict=True)
    suites = [_suite(comparison, number, title, run) for number, (title, run) in enumerate(named)]
    root = ElementTree.Element("testsuites")
    root.extend(suites)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(comparison: Comparison, number: int, title: str, run: Run) -> ElementTree.Element:
    cases = [_outcome(run), *(_case(finding, title) for finding in run.findings)]
    names = unique([OUTCOME, *(_text(finding.id) for finding in run.findings)])
    for case, name in zip(cases, names, strict=True):
        case.attrib = {"classname": title, "name": name, "time": "0"}
    attributes = {
        "name": title,
        "package": TOOL,
        "id": str(number),
        "tests": str(len(cases)),
        "failures": _count(cases, "failure"),
        "errors": _count(cases, "error"),
        "skipped": _count(cases, "skipped"),
        "time": _seconds(run.trace),
        "timestamp": f"{datetime.fromtimestamp(comparison.made_at, UTC):%Y-%m-%dT%H:%M:%S}",
        "hostname": "localhost",
    }
    suite = ElementTree.Element("testsuite", attributes)
    suite.append(_properties(comparison, run))
    suite.extend(cases)
    suite.extend([ElementTree.Element("system-out"), ElementTree.Element("system-err")])
    return suite


def _properties(comparison: Comparison, run: Run) -> ElementTree.Element:
    told = {
        "kind": comparison.kind,
        "flow": run.flow,
        "ground": comparison.ground,
        "provider": comparison.provider,
        "version": comparison.version,
    }
    properties = ElementTree.Element("properties")
    for name, value in told.items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": _text(value)})
    return properties


def _outcome(run: Run) -> ElementTree.Element:
    """Write how a run ended; where nothing could be judged, that is no success."""
    case = ElementTree.Element("testcase")
    if run.outcome == "failed":
        _add(case, "error", run.reason, {"message": _text(run.reason), "type": run.outcome})
    elif run.outcome in ("refused", "not possible"):
        _add(case, "skipped", f"{run.outcome}: {run.reason}")
    return case


def _case(finding: Finding, title: str) -> ElementTree.Element:
    case = ElementTree.Element("testcase")
    if finding.verdict == "fail":
        advice = f"\nWhat to do: {finding.advice}" if finding.advice else ""
        told = (
            f"{finding.because}\nExpected: {finding.title}.\nSource: {finding.source}{advice}"
            f"\nIn the report: #{anchor(finding.id, title)}"
        )
        _add(case, "failure", told, {"message": _text(finding.because), "type": finding.severity})
    elif finding.verdict != "pass":
        _add(case, "skipped", f"{finding.verdict}: {finding.because}")
    return case


def _add(
    case: ElementTree.Element, name: str, content: str, attributes: dict[str, str] | None = None
) -> None:
    element = ElementTree.SubElement(case, name, attributes or {})
    element.text = "\n".join(_text(line) for line in content.splitlines())


def _count(cases: Sequence[ElementTree.Element], name: str) -> str:
    return str(sum(case.find(name) is not None for case in cases))


def _seconds(trace: Trace) -> str:
    """Return how long a run took, as far as its trace shows."""
    ends = [one.at + (max(one.seconds, 0) if isinstance(one, Exchange) else 0) for one in trace.entries]
    return f"{max(ends, default=0):.3f}"


def _text(text: str) -> str:
    """Clean a text; it is never empty, since some names must not be."""
    return server_text(text, LONGEST) or "-"
