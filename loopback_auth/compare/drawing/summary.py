"""A comparison as a short summary in Markdown, for the page of a CI job: changes, conclusions, failures.

A job's page cannot link into a report that is an artifact beside it, so the place in the report is written as
a fragment to copy, such as `#token-in-fragment`; the clauses are links. Every text may come from a server, so
each is escaped.

Source: GitHub Docs, "Workflow commands for GitHub Actions", adding a job summary (1 MiB for each step).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from loopback_auth.compare.drawing.markdown import changed, conclusions
from loopback_auth.compare.drawing.overview import Told, checked, failed, heading
from loopback_auth.compare.judging.anchors import anchor
from loopback_auth.compare.model import Comparison, Finding
from loopback_auth.drawing.markdown_text import escaped, table
from loopback_auth.drawing.page_text import references

MOST = 50
"""Findings that are listed; there is a report for the others."""

_RFC = re.compile(r"https://www\.rfc-editor\.org/rfc/rfc[0-9]+(#[a-z0-9.-]+)?")


def summary(comparison: Comparison) -> str:
    """Write the summary."""
    parts = [f"## {escaped(heading(comparison))}", *changed(comparison), *conclusions(comparison)]
    parts += [f"{escaped(run.title)}: {escaped(run.reason)}" for run in comparison.runs if run.reason]
    return "\n\n".join([*parts, *_findings(comparison), checked(comparison)]) + "\n"


def _findings(comparison: Comparison) -> Iterator[str]:
    found = failed(comparison)
    if not found:
        return
    yield "### What failed"
    head = ["Severity", "In the report", "In", "What is expected", "What to do"]
    yield table(head, (_line(finding, told) for finding, told in found[:MOST]))
    if len(found) > MOST:
        yield f"And {len(found) - MOST} more."


def _line(finding: Finding, told: Told) -> list[str]:
    runs = ", ".join(runs for runs, _ in told)
    expected = f"{escaped(finding.title)}. {_clauses(finding.source)}"
    return [
        f"**{finding.severity}**",
        escaped(f"#{anchor(finding.id)}"),
        escaped(runs),
        expected,
        escaped(finding.advice),
    ]


def _clauses(source: str) -> str:
    """Write a source, with a link for each clause of an RFC."""
    return "".join(
        f"[{escaped(text)}]({url})" if _RFC.fullmatch(url) else escaped(text) + " " * text.endswith(" ")
        for text, url in references(source)
    )
