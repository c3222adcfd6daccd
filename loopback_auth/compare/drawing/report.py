"""A comparison as one HTML page that needs no network, no server, and no script to be read.

It contains the text of `report.css` and `report.js`, each allowed by its hash in the policy of the page, and
escaped text. A link to another site leads to a clause or a source. The script only adds what pointing at an
arrow shows; everything is on the page without it, and in print.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from loopback_auth.compare.drawing import report_exchanges as exchanges
from loopback_auth.compare.drawing.overview import GROUNDS, SEVERITIES, checked, succeeded
from loopback_auth.compare.drawing.report_verdicts import (
    ATTACK_WORDS,
    VERDICT_WORDS,
    Anchors,
    attacks,
    checks,
    finding_ids,
    found_links,
)
from loopback_auth.compare.model import Basis, Comparison, Finding, Outcome, Row, Run
from loopback_auth.drawing import page_text as text
from loopback_auth.drawing.diagram_layout import HEAD, Diagram, lay_out
from loopback_auth.drawing.mermaid import PARTICIPANTS
from loopback_auth.flow_table import BY_NAME, COMPARED
from loopback_auth.pages.frame import file_text
from loopback_auth.trace.reading import response_header
from loopback_auth.trace.records import Exchange, Ground

LEGEND: dict[Basis, str] = {
    "observed": "seen in the recorded requests and responses of this run",
    "tried": "tried here as an attack, and this is the result",
    "known": "not from this run, but from the public source that is named",
    "not observed": "this run does not show it, so nothing is claimed",
}
MARK_OF_OUTCOME: dict[Outcome, str] = {
    "signed in": "pass",
    "refused": "fail",
    "failed": "fail",
    "not possible": "not-applicable",
    "examined": "pass",
}
PHASE_NAMES = {"ask": "Request", "approve": "Approval", "answer": "Response", "tokens": "Tokens"}
NOTHING = {
    "ask": "no request",
    "approve": "nothing observed",
    "answer": "no response",
    "tokens": "no token request",
}
"""What is written where a phase is empty."""
SIGNS = {"done": "m-2.7 .2l2 2 3.6-4", "failed": "m-2.2-2.2l4.4 4.4m0-4.4l-4.4 4.4"}
"""A tick and a cross, from the middle of a dot."""

_ON_CARDS = {
    "status": "Status",
    "address-bar": "In the address bar",
    "person": "User actions",
    "headless": "Over SSH, in a container",
    "delay": "Time from approval to tokens",
    "refresh-token": "Refresh token",
}
"""Rows that help to choose a flow, by their titles on the cards."""
_DRAWN = "order"
"""A row that the diagrams show better."""

_GROUND_FLAGS: dict[Ground, tuple[str, ...]] = {
    "simulate": ("--simulate",),
    "demo": (),
    "live": ("--client-id", "ID", "--live"),
    "file": (),
}

_NUMBERS = (
    "No way",
    "One way",
    "Two ways",
    "Three ways",
    "Four ways",
    "Five ways",
    "Six ways",
    "Seven ways",
    "Eight ways",
    "Nine ways",
)

_BESIDE = 6
"""Number of flows that fit beside each other on a wide screen."""

LABELLED = "Coloured labels stand for secrets: the same label is always the same secret."
AS_THEY_ARE = "Warning: this page contains the secrets themselves. Anyone who has the page can use them."

_WHERE: dict[Ground, str] = {
    "simulate": "Everything ran in memory: with the demo server of this project, a simulated browser and"
    " user, and a simulated clock.",
    "demo": "The requests used real sockets of this machine and the demo server of this project. The browser"
    " and the user are simulated.",
    "live": "Each flow was run once in a real browser. The requests between the browser and the provider"
    " could not be observed.",
    "file": "Read from a recording of a browser or a proxy.",
}


@dataclass(frozen=True, slots=True)
class Flow:
    """A run as the page shows it.

    Args:
        at: its place among the runs, from 0.
        run: what happened.
        diagram: laid out beside the others.
        anchors: ids of the elements that show its entries, by the numbers of the entries.
    """

    at: int
    run: Run
    diagram: Diagram
    anchors: Anchors

    @property
    def failed(self) -> list[Finding]:
        """The checks that failed, worst first."""
        failed = [finding for finding in self.run.findings if finding.verdict == "fail"]
        return sorted(failed, key=lambda finding: SEVERITIES.index(finding.severity))


def report(comparison: Comparison) -> str:
    """Draw the page.

    Args:
        comparison: to be drawn; its texts may come from a server or a recording, and are escaped.
    """
    style, script = _file("report.css"), _file("report.js")
    values = {"style": style, "script": script, "policy": _policy(style, script)}
    return templates().get_template("report.html").render(values | _origin(comparison) | _parts(comparison))


@cache
def templates() -> Environment:
    """Return the templates: they escape every value, and fail where one is missing."""
    made = Environment(
        autoescape=True,
        keep_trailing_newline=True,
        loader=FunctionLoader(_file),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    filters: dict[str, Callable[..., object]] = {
        **{one.__name__: one for one in (text.bare, text.clean, text.colour, text.cut, text.lines)},
        **{one.__name__: one for one in (text.parts, text.references, text.spoken, text.short)},
        **{one.__name__: one for one in (exchanges.alike, exchanges.broken, exchanges.duration)},
        **{one.__name__: one for one in (exchanges.other_headers, exchanges.readable, exchanges.waits)},
        "dashed": _dashed,
        "found": found_links,
        "location": _location,
        "n": _number,
        "succeeded": succeeded,
    }
    known: dict[str, Any] = made.filters
    known.update(filters)
    used: dict[str, Any] = dict(
        ATTACK_WORDS=ATTACK_WORDS,
        BODY_LIMIT=exchanges.BODY_LIMIT,
        HEAD=HEAD,
        FLOWS=BY_NAME,
        LEGEND=LEGEND,
        MARK_OF_OUTCOME=MARK_OF_OUTCOME,
        NOTHING=NOTHING,
        PARTICIPANTS=PARTICIPANTS,
        PHASE_NAMES=PHASE_NAMES,
        SIGNS=SIGNS,
        VERDICT_WORDS=VERDICT_WORDS,
    )
    made.globals.update(used)
    return made


def _dashed(words: str) -> str:
    return words.replace(" ", "-")


def _location(exchange: Exchange) -> str:
    return response_header(exchange, "location")


def _number(length: float) -> str:
    return f"{length:.1f}".removesuffix(".0")


def _origin(comparison: Comparison) -> dict[str, object]:
    made_at = datetime.fromtimestamp(comparison.made_at, UTC)
    return {
        "title": _title(len(comparison.runs)),
        "provider": comparison.provider,
        "ground": GROUNDS[comparison.ground],
        "where": _WHERE[comparison.ground],
        # There the clock is part of the simulation, so that the page is the same each time.
        "made": "Simulated time" if comparison.ground == "simulate" else "Made",
        "date": f"{made_at:%Y-%m-%d %H:%M}",
        "datetime": f"{made_at:%Y-%m-%dT%H:%M:%SZ}",
        "version": comparison.version,
        "command": _command(comparison),
    }


def _parts(comparison: Comparison) -> dict[str, object]:
    runs = comparison.runs
    diagrams = lay_out([run.trace for run in runs])
    flows = [Flow(at, run, diagrams[at], _anchors(at, diagrams[at])) for at, run in enumerate(runs)]
    rows = {row.id: row for row in comparison.rows}
    shown = [row for row in comparison.rows if row.id != _DRAWN]
    return {
        "attacks": attacks(comparison),
        "checked": checked(comparison),
        "checks": checks(comparison, [flow.anchors for flow in flows]),
        "count": min(len(runs), _BESIDE),
        "finding_ids": finding_ids(comparison),
        "fits": len(runs) <= _BESIDE,
        "flows": flows,
        "followed": _followed(diagrams),
        "on_cards": [(title, rows[name]) for name, title in _ON_CARDS.items() if name in rows],
        "properties": [(name, list(group)) for name, group in groupby(shown, key=_group)],
        "secrets": LABELLED if any(run.trace.secrets for run in runs) else AS_THEY_ARE,
    }


def _group(row: Row) -> str:
    return row.group


def _followed(diagrams: Sequence[Diagram]) -> list[str]:
    """Return every secret that is drawn, those of one colour together."""
    labels = {label for each in diagrams for arrow in each.arrows for label in (*arrow.sent, *arrow.received)}
    return sorted(labels, key=lambda label: (text.colour(label) or 99, label))


def _anchors(at: int, diagram: Diagram) -> dict[int, str]:
    return {entry.number: f"entry-{at}-{arrow.number}" for arrow in diagram.arrows for entry in arrow.entries}


def _command(comparison: Comparison) -> str:
    """Return the command that makes such a page, as it is typed into a shell."""
    flows = tuple(run.title for run in comparison.runs)
    words = ["python", "-m", "loopback_auth", "compare"]
    words += [comparison.provider] if comparison.ground == "live" else []
    words += ["--flows", ",".join(flows)] if flows != COMPARED else []
    return shlex.join([*words, *_GROUND_FLAGS[comparison.ground], "-o", "report.html"])


def _title(count: int) -> str:
    words = _NUMBERS[count] if count < len(_NUMBERS) else f"{count} ways"
    # A line never ends inside "sign in".
    return f"{words} to sign\N{NO-BREAK SPACE}in{', side by side' if count > 1 else ''}"


def _policy(style: str, script: str) -> str:
    """Allow these two inline texts and nothing else (CSP Level 3 §2.3.1).

    What frames may do cannot be said inside a page (§4.3).
    """
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; script-src {_hash(script)}"
    )


def _hash(inline: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"


def _file(name: str) -> str:
    return file_text(name, __package__)
