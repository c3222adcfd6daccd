"""A comparison as one HTML page that needs no network, no server, and no script to be read.

The conclusions come first, then what they rest on. A link to another site leads to a clause or a source. The
script only adds what pointing at an arrow shows; everything is on the page without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import groupby

from jinja2 import Environment

from loopback_auth.compare.drawing import report_exchanges as exchanges
from loopback_auth.compare.drawing.advice import TYPICAL
from loopback_auth.compare.drawing.changes import change_heading, change_lines, change_remarks
from loopback_auth.compare.drawing.overview import checked
from loopback_auth.compare.drawing.report_anchors import Anchors, anchors
from loopback_auth.compare.drawing.report_twins import twins
from loopback_auth.compare.drawing.report_verdicts import (
    ADVICE_MARKS,
    ATTACK_WORDS,
    MOVEMENT_MARKS,
    VERDICT_WORDS,
    Tally,
    attacks,
    checks,
    found_links,
    tally,
    without,
)
from loopback_auth.compare.drawing.report_words import WORDS, command, ground, heading, server_name
from loopback_auth.compare.judging.anchors import titles
from loopback_auth.compare.judging.conclusions import failed, fault
from loopback_auth.compare.model import Basis, Comparison, Conclusion, Finding, Kind, Outcome, Row, Run
from loopback_auth.drawing import page
from loopback_auth.drawing.diagram_layout import Diagram, lay_out
from loopback_auth.drawing.page_text import colour
from loopback_auth.flow_table import BY_NAME
from loopback_auth.trace.reading import response_header
from loopback_auth.trace.records import Exchange

STYLES = ("drawing/page.css", "drawing/diagram.css", "report.css")
SCRIPTS = ("drawing/secrets.js", "report_diagrams.js", "report.js")
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

ENDED_WELL: tuple[Outcome, ...] = ("signed in", "examined")
"""Outcomes that need no mention: the conclusion says more."""

_ON_CARDS: dict[Kind, dict[str, str]] = {
    "flows": {
        "status": "Status",
        "address-bar": "In the address bar",
        "person": "User actions",
        "headless": "Over SSH, in a container",
        "delay": "Time from approval to tokens",
        "refresh-token": "Refresh token",
    },
    "programs": {
        "reach": "Who reaches its port",
        "pkce": "PKCE",
        "state": "State",
        "closed": "Closes its port",
        "printed": "Tokens in the output",
        "files": "Files with tokens",
    },
    "servers": {
        "pkce": "PKCE with S256",
        "iss": "Server named in responses",
        "loopback-port": "Any port of this machine",
        "par": "Pushed requests",
        "dpop": "Tokens bound to a key",
        "device": "Device grant",
    },
}
"""Rows that help to choose, by their titles on the cards."""
_DRAWN = "order"
"""A row that the diagrams show better."""
_GRADE = "grade"
"""The row whose cells stand before the conclusions, where there is one."""

_BESIDE = 6
"""Number of columns that fit beside each other on a wide screen."""


@dataclass(frozen=True, slots=True)
class Column:
    """A run as the page shows it.

    Args:
        at: its place among the runs, from 0.
        title: its name, which no other column has.
        run: what happened.
        diagram: laid out beside the others.
        anchor: id of the element that shows the diagram, or else the card.
        entries: ids of the elements that show its entries, by the numbers of the entries.
        conclusion: what to do with it, if that was concluded.
        attacks: how many were tried, and how many succeeded.
    """

    at: int
    title: str
    run: Run
    diagram: Diagram
    anchor: str
    entries: Mapping[int, str]
    conclusion: Conclusion | None
    attacks: Tally

    @property
    def failed(self) -> list[Finding]:
        """What is wrong with it, the worst first."""
        return failed(self.run)

    @property
    def worst(self) -> str:
        """What is wrong first of all, in one sentence; empty where nothing is."""
        if not self.failed:
            return ""
        reasons = self.conclusion.reasons if self.conclusion is not None else ()
        told = (reason.text for reason in reasons if reason.finding == self.failed[0].id)
        return next(told, fault(self.run, self.failed[0]).text)


def report(comparison: Comparison) -> str:
    """Draw the page.

    Args:
        comparison: to be drawn; its texts may come from a server or a recording, and are escaped.
    """
    values = page.inlined(str(__package__), STYLES, SCRIPTS)
    template = templates().get_template("report.html")
    return template.render(values | _origin(comparison) | _parts(comparison))


@cache
def templates() -> Environment:
    """Return the templates."""
    filters: dict[str, Callable[..., object]] = {
        **{one.__name__: one for one in (exchanges.alike, exchanges.broken, exchanges.duration)},
        **{one.__name__: one for one in (exchanges.other_headers, exchanges.readable, exchanges.waits)},
        "found": found_links,
        "location": _location,
        "without": without,
    }
    values: dict[str, object] = {
        "ADVICE_MARKS": ADVICE_MARKS,
        "ATTACK_WORDS": ATTACK_WORDS,
        "MOVEMENT_MARKS": MOVEMENT_MARKS,
        "ENDED_WELL": ENDED_WELL,
        "BODY_LIMIT": exchanges.BODY_LIMIT,
        "FLOWS": BY_NAME,
        "LEGEND": LEGEND,
        "MARK_OF_OUTCOME": MARK_OF_OUTCOME,
        "TYPICAL": TYPICAL,
        "VERDICT_WORDS": VERDICT_WORDS,
    }
    return page.templates(str(__package__), filters, values)


def _location(exchange: Exchange) -> str:
    return response_header(exchange, "location")


def _origin(comparison: Comparison) -> dict[str, object]:
    made_at = datetime.fromtimestamp(comparison.made_at, UTC)
    run, where = ground(comparison)
    return {
        "heading": heading(comparison),
        "provider": server_name(comparison.provider),
        "ground": run,
        "where": where,
        # The clock of a simulation is part of it, so that the page is the same each time; it is no date.
        "made_at": None if comparison.ground == "simulate" else made_at,
        "version": comparison.version,
        "command": command(comparison),
        "words": WORDS[comparison.kind],
    }


def _parts(comparison: Comparison) -> dict[str, object]:
    runs = comparison.runs
    lesson = twins(comparison)
    diagrams = lay_out([run.trace for run in runs], {at: twin.whole_at for at, twin in lesson.items()})
    names = anchors(comparison, diagrams)
    rows = {row.id: row for row in comparison.rows}
    shown = [row for row in comparison.rows if row.id != _DRAWN]
    recorded, on_cards = any(run.trace.entries for run in runs), _ON_CARDS[comparison.kind]
    return {
        "at_of": {title: at for at, title in enumerate(titles(runs))},
        "attacks": attacks(comparison, names),
        "changed": _changed(comparison),
        "checked": checked(comparison),
        "checks": checks(comparison, names),
        "columns": list(_columns(comparison, diagrams, names)),
        "count": min(len(runs), _BESIDE),
        # The requests to a server that is examined have no order to be compared.
        "drawn": recorded and comparison.kind != "servers",
        "fits": len(runs) <= _BESIDE,
        "followed": _followed(diagrams),
        "grades": rows.get(_GRADE),
        "kind": comparison.kind,
        "names": names,
        "on_cards": [(title, rows[name]) for name, title in on_cards.items() if name in rows],
        "places": comparison.places,
        "properties": [(name, list(group)) for name, group in groupby(shown, key=_group)],
        "recorded": recorded,
        "secrets": page.LABELLED if any(run.trace.secrets for run in runs) else page.AS_THEY_ARE,
        "twins": lesson,
    }


def _changed(comparison: Comparison) -> dict[str, object] | None:
    """Return what changed since an earlier comparison; None where it was held against none."""
    changes = comparison.changes
    if changes is None:
        return None
    return {
        "heading": change_heading(changes),
        "lines": change_lines(changes),
        "remarks": list(change_remarks(comparison)),
    }


def _columns(comparison: Comparison, diagrams: Sequence[Diagram], names: Anchors) -> Iterator[Column]:
    concluded = dict(enumerate(comparison.conclusions))
    for at, (run, title) in enumerate(zip(comparison.runs, titles(comparison.runs), strict=True)):
        anchor, entries = names.runs[at], names.entries[at]
        yield Column(at, title, run, diagrams[at], anchor, entries, concluded.get(at), tally(run))


def _group(row: Row) -> str:
    return row.group


def _followed(diagrams: Sequence[Diagram]) -> list[str]:
    """Return every secret that is drawn, those of one colour together."""
    labels = {label for each in diagrams for arrow in each.arrows for label in (*arrow.sent, *arrow.received)}
    return sorted(labels, key=lambda label: (colour(label) or 99, label))
