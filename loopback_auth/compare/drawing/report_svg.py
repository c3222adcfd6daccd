"""The drawing of a sequence diagram as SVG inside an HTML page.

Every arrow is a link to the exchange that it stands for, so that pointing, keys and screen readers find their
way without a script. Colours, fonts and symbols are those of the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from loopback_auth.compare.drawing.diagram import PHASES, Arrow
from loopback_auth.compare.drawing.mermaid import PARTICIPANTS
from loopback_auth.compare.drawing.report_layout import HEAD, LONGEST, Band, Cargo, Diagram, Placed, lane_x
from loopback_auth.compare.drawing.report_text import colour, plain, short
from loopback_auth.redact import server_text
from loopback_auth.trace.records import Step

PHASE_NAMES = {"ask": "Ask", "approve": "Approve", "answer": "Answer", "tokens": "Tokens"}
NOTHING = {
    "ask": "nothing asked",
    "approve": "nothing observed",
    "answer": "no answer leg",
    "tokens": "no token request",
}
_SIGNS = {"done": "m-2.7 .2l2 2 3.6-4", "failed": "m-2.2-2.2l4.4 4.4m0-4.4l-4.4 4.4"}
"""A tick and a cross, from the middle of a dot."""


def drawing(diagram: Diagram, anchors: Mapping[int, str]) -> str:
    """Draw a diagram.

    Args:
        diagram: laid out beside the others.
        anchors: id of the element that shows an arrow's exchange, by the number of the arrow.
    """
    reached = _reached(diagram.arrows)
    bands = "".join(
        _band(band, diagram.width, reached) + "".join(_row(row, diagram.width, anchors) for row in band.rows)
        for band in diagram.bands
    )
    return (
        f'<svg class="diagram" viewBox="0 0 {_n(diagram.width)} {_n(diagram.height)}" role="group"'
        f' aria-label="Sequence diagram of {plain(diagram.flow)}">'
        f"{_grounds(diagram)}{_lanes(diagram)}{bands}</svg>"
    )


def said(arrow: Arrow) -> str:
    """Say in words what an arrow shows, for those who do not see it.

    It begins with what is written there, so that whoever speaks to the machine can call it by that (WCAG 2.2
    §2.5.3).
    """
    written = [str(arrow.number), _cut(arrow.label), arrow.times, arrow.status]
    written += map(short, arrow.sent + arrow.received)
    lines = [" ".join(filter(None, written)) + "."]
    if arrow.exchanges:
        last = arrow.exchanges[-1]
        lines.append(f"{PARTICIPANTS[arrow.start]} to {PARTICIPANTS[arrow.end]}: {last.method} {last.url}.")
    else:
        lines += [entry.words for entry in arrow.entries if isinstance(entry, Step)]
    if arrow.received:
        lines.append(f"Brings {', '.join(map(short, arrow.received))}.")
    return server_text(" ".join(lines))


def _reached(arrows: Sequence[Arrow]) -> int:
    """Return how far a flow came: the place of its last phase, or of the very last unless it failed."""
    if arrows and arrows[-1].kind != "failed":
        return len(PHASES)
    return PHASES.index(arrows[-1].phase) if arrows else -1


def _grounds(diagram: Diagram) -> str:
    return "".join(
        f'<rect class="ground {band.phase}" y="{_n(band.top)}" width="{_n(diagram.width)}"'
        f' height="{_n(band.height)}"/>'
        for band in diagram.bands
    )


def _lanes(diagram: Diagram) -> str:
    parts = []
    for party in diagram.lanes:
        x = lane_x(diagram.lanes, party)
        parts.append(
            f'<use href="#i-{party}" x="{_n(x - 8)}" y="6" width="16" height="16"/>'
            f'<text x="{_n(x)}" y="34">{PARTICIPANTS[party]}</text>'
            f'<path d="M{_n(x)} {_n(HEAD - 6)}V{_n(diagram.height)}"/>'
        )
    return f'<g class="lanes" aria-hidden="true">{"".join(parts)}</g>'


def _band(band: Band, width: float, reached: int) -> str:
    title = f'<text class="phase" x="8" y="{_n(band.top + 13)}">{PHASE_NAMES[band.phase]}</text>'
    if band.rows:
        return title
    words = NOTHING[band.phase] if PHASES.index(band.phase) <= reached else "not reached"
    return f'{title}<text class="nothing" x="{_n(width / 2)}" y="{_n(band.top + 31)}">{words}</text>'


def _row(row: Placed, width: float, anchors: Mapping[int, str]) -> str:
    arrow = row.arrow
    shape = _dot(row) if arrow.start == arrow.end else _line(row)
    hit = f'x="1" y="{_n(row.top)}" width="{_n(width - 2)}" height="{_n(row.height)}" rx="5"'
    return (
        f'<a class="arrow {arrow.kind} {arrow.phase}" href="#{anchors[arrow.number]}"'
        f' tabindex="0" role="link" aria-label="{escape(said(arrow))}"><rect class="hit" {hit}/>'
        f'<text class="number" x="3" y="{_n(row.line_y + 3)}">{arrow.number}</text>'
        f" {shape}{_label(row)} {' '.join(map(_cargo, row.cargo))}</a>"
    )


def _label(row: Placed) -> str:
    arrow = row.arrow
    small = (("times", arrow.times), ("status", arrow.status))
    more = "".join(f' <tspan class="{name}">{text}</tspan>' for name, text in small if text)
    words = escape(_cut(arrow.label))
    return f'<text class="label" x="{_n(row.label_x)}" y="{_n(row.top + 11)}">{words}{more}</text>'


def _cut(label: str) -> str:
    return server_text(label, LONGEST)


def _line(row: Placed) -> str:
    """Draw the request with a full head, and below it the answer with an open one."""
    ahead = 1 if row.end_x > row.start_x else -1
    start, tip, y = row.start_x + 2 * ahead, row.end_x - 2 * ahead, row.line_y
    there = (
        f'<path class="line" d="M{_n(start)} {_n(y)}H{_n(tip - 5 * ahead)}"/>'
        f'<path class="head" d="M{_n(tip)} {_n(y)}l{-7 * ahead} -3.5v7z"/>'
    )
    if not row.back_y:
        return there
    y = row.back_y
    return (
        f'{there}<path class="back" d="M{_n(tip)} {_n(y)}H{_n(start)}"/>'
        f'<path class="open" d="M{_n(start + 5 * ahead)} {_n(y - 3)}L{_n(start)} {_n(y)}l{5 * ahead} 3"/>'
    )


def _dot(row: Placed) -> str:
    x, y = row.start_x, row.line_y + 1
    sign = _SIGNS.get(row.arrow.kind, "")
    drawn = f'<path class="tick" d="M{_n(x)} {_n(y)}{sign}"/>' if sign else ""
    return f'<circle class="dot" cx="{_n(x)}" cy="{_n(y)}" r="{6 if sign else 3.5}"/>{drawn}'


def _cargo(cargo: Cargo) -> str:
    name, middle = escape(cargo.label.strip("<>")), _n(cargo.x + cargo.width / 2)
    return (
        f'<g class="cargo c{colour(cargo.label)}" data-secret="{name}">'
        f'<rect x="{_n(cargo.x)}" y="{_n(cargo.y)}" width="{_n(cargo.width)}" height="12" rx="6"/>'
        f'<text x="{middle}" y="{_n(cargo.y + 9)}">{escape(short(cargo.label))}</text></g>'
    )


def _n(value: float) -> str:
    """Write a length briefly."""
    return f"{value:.1f}".removesuffix(".0")
