"""A comparison as JSON.

`schema` describes it. Members may be added under the same `format_version`; one that goes or changes its
meaning makes a new one. All but printable ASCII is escaped, so that no text can steer a terminal or end a
line, as U+2028 does for some readers; half of a surrogate pair, which is not a character, becomes a question
mark.

Source: RFC 8259 §7, §8.2.
"""

from __future__ import annotations

import json
from dataclasses import fields

from loopback_auth.compare.judging.anchors import titles
from loopback_auth.compare.model import (
    Attack,
    Cell,
    Change,
    Changes,
    Comparison,
    Conclusion,
    Difference,
    Finding,
    PlaceConclusion,
    Reason,
    Row,
    Run,
    Tokens,
)
from loopback_auth.narrow import is_tuple
from loopback_auth.trace.records import Exchange, Headers, Secret, Step

Described = (
    Attack
    | Cell
    | Change
    | Changes
    | Conclusion
    | Difference
    | Exchange
    | Finding
    | PlaceConclusion
    | Reason
    | Row
    | Secret
    | Step
    | Tokens
)

FORMAT = "loopback_auth.comparison"
FORMAT_VERSION = 2


def document(comparison: Comparison) -> dict[str, object]:
    """Return the comparison as JSON has it: objects, arrays, strings, numbers."""
    names = titles(comparison.runs)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **_origin(comparison),
        "conclusions": [_reasoned(one) for one in comparison.conclusions],
        "places": [_reasoned(one) for one in comparison.places],
        "changes": comparison.changes and _changes(comparison.changes),
        "runs": [_run(name, run) for name, run in zip(names, comparison.runs, strict=True)],
        "rows": [
            members(row)
            | {"cells": [{"run": name} | members(cell) for name, cell in zip(names, row.cells, strict=True)]}
            for row in comparison.rows
        ],
    }


def json_text(comparison: Comparison) -> str:
    """Write the document."""
    return written(document(comparison), indent=2) + "\n"


def entry_members(entry: Step | Exchange) -> dict[str, object]:
    """Return a step or an exchange; named values are objects, since a name may come twice."""
    if isinstance(entry, Step):
        return members(entry) | {"values": named(entry.values)}
    return members(entry) | {
        "request_headers": named(entry.request_headers),
        "response_headers": named(entry.response_headers),
    }


def named(pairs: Headers) -> list[dict[str, str]]:
    """Return pairs as objects, as HAR has them."""
    return [{"name": name, "value": value} for name, value in pairs]


def members(value: Described) -> dict[str, object]:
    """Return the fields of a value by their names."""
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def written(value: object, *, indent: int | None = None) -> str:
    """Write JSON in printable ASCII alone."""
    whole = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    return json.dumps(json.loads(whole), indent=indent).replace("\x7f", "\\u007f")


def _origin(comparison: Comparison) -> dict[str, object]:
    return {
        "kind": comparison.kind,
        "ground": comparison.ground,
        "provider": comparison.provider,
        "made_at": comparison.made_at,
        "version": comparison.version,
    }


def _changes(changes: Changes) -> dict[str, object]:
    return members(changes) | {
        "findings": [members(one) for one in changes.findings],
        "differences": [members(one) for one in changes.differences],
    }


def _run(name: str, run: Run) -> dict[str, object]:
    entries = [{"kind": _kind(entry)} | entry_members(entry) for entry in run.trace.entries]
    return {
        "name": name,
        "flow": run.flow,
        **_ending(run),
        "findings": [members(finding) for finding in run.findings],
        "attacks": [members(attack) for attack in run.attacks],
        "entries": entries,
        "secrets": [members(secret) for secret in run.trace.secrets],
    }


def _ending(run: Run) -> dict[str, object]:
    return {"outcome": run.outcome, "reason": run.reason, "tokens": run.tokens and members(run.tokens)}


def _reasoned(conclusion: Conclusion | PlaceConclusion) -> dict[str, object]:
    return members(conclusion) | {"reasons": [members(reason) for reason in conclusion.reasons]}


def _kind(entry: Step | Exchange) -> str:
    return "step" if isinstance(entry, Step) else "exchange"


def _plain(value: object) -> object:
    return [_plain(one) for one in value] if is_tuple(value) else value
