"""A comparison as one HTML page that needs nothing else: no network, no server, and no script to be read.

What may be in it: the text of `report.css` and `report.js`, each named by its hash in the policy of the page,
and text that was escaped. A link leads elsewhere only where a clause or a source can be read, once somebody
follows it. The script adds what pointing at things can show; everything is there without it, and in print.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from loopback_auth.compare.drawing import report_exchanges as exchanges
from loopback_auth.compare.drawing import report_text as text
from loopback_auth.compare.drawing.mermaid import PARTICIPANTS
from loopback_auth.compare.drawing.overview import GROUNDS, SEVERITIES, checked, succeeded
from loopback_auth.compare.drawing.report_layout import HEAD, Diagram, lay_out
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
from loopback_auth.flow_table import BY_NAME, COMPARED
from loopback_auth.pages.frame import file_text
from loopback_auth.trace.reading import header
from loopback_auth.trace.records import Ground

LEGEND: dict[Basis, str] = {
    "observed": "seen in the recorded requests and answers of this run",
    "tried": "somebody tried it here as an attack, and this is how that ended",
    "known": "not of this run: a public source says so, and is named",
    "not observed": "nothing here shows it, so nothing is claimed",
}
MARK_OF_OUTCOME: dict[Outcome, str] = {
    "signed in": "pass",
    "refused": "fail",
    "failed": "fail",
    "not possible": "not-applicable",
}
NOTHING = {
    "ask": "nothing asked",
    "approve": "nothing observed",
    "answer": "no answer leg",
    "tokens": "no token request",
}
"""What is written where a phase is empty."""
SIGNS = {"done": "m-2.7 .2l2 2 3.6-4", "failed": "m-2.2-2.2l4.4 4.4m0-4.4l-4.4 4.4"}
"""A tick and a cross, from the middle of a dot."""

_ON_CARDS = {
    "status": "Status",
    "address-bar": "In the address bar",
    "person": "Steps of the person",
    "headless": "Over SSH, in a container",
    "delay": "From approval to tokens",
    "refresh-token": "Refresh token",
}
"""Rows that decide between flows, by the titles that they have there."""
_DRAWN = "order"
"""A row that the diagrams tell better."""

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
"""As many flows fit beside each other on a wide screen."""

LABELLED = "Coloured labels are secrets, replaced while this was recorded: the same label is the same secret."
AS_THEY_ARE = "Secrets are shown as they are: whoever has this page has them."

_WHERE: dict[Ground, str] = {
    "simulate": "Everything ran in memory: the server is the demonstration server of this project, the"
    " browser and the person are simulated, and the clock moves only when somebody waits.",
    "demo": "Requests went over real sockets of this machine, to the demonstration server of this project;"
    " the browser and the person are simulated.",
    "live": "A real browser, once for each flow. What it and the provider said to each other cannot be seen"
    " from here.",
    "file": "Read from a recording that somebody made.",
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
        comparison: all that is on it; its texts may be a stranger's.
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
    filters: Mapping[str, Callable[..., Any]] = {
        **{one.__name__: one for one in (text.bare, text.clean, text.colour, text.cut, text.lines)},
        **{one.__name__: one for one in (text.parts, text.references, text.said, text.short)},
        **{one.__name__: one for one in (exchanges.alike, exchanges.broken, exchanges.duration)},
        **{one.__name__: one for one in (exchanges.other_headers, exchanges.readable, exchanges.waits)},
        "dashed": lambda words: words.replace(" ", "-"),
        "found": found_links,
        "location": lambda exchange: header(exchange, "location"),
        "n": lambda length: f"{length:.1f}".removesuffix(".0"),
        "succeeded": succeeded,
    }
    made.filters.update(filters)
    made.globals.update(
        ATTACK_WORDS=ATTACK_WORDS,
        BODY_LIMIT=exchanges.BODY_LIMIT,
        HEAD=HEAD,
        FLOWS=BY_NAME,
        LEGEND=LEGEND,
        MARK_OF_OUTCOME=MARK_OF_OUTCOME,
        NOTHING=NOTHING,
        PARTICIPANTS=PARTICIPANTS,
        SIGNS=SIGNS,
        VERDICT_WORDS=VERDICT_WORDS,
    )
    return made


def _origin(comparison: Comparison) -> dict[str, object]:
    made_at = datetime.fromtimestamp(comparison.made_at, UTC)
    return {
        "title": _title(len(comparison.runs)),
        "provider": comparison.provider,
        "ground": GROUNDS[comparison.ground],
        "where": _WHERE[comparison.ground],
        # There the clock is part of the simulation, and the page the same each time.
        "made": "Made, by its own clock" if comparison.ground == "simulate" else "Made",
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
    """Say how to come to such a page, as it is typed into a shell."""
    flows = tuple(run.flow for run in comparison.runs)
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
