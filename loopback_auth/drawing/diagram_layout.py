"""The layout of the sequence diagrams in a report: rows in bands, one band for each phase.

A phase begins at the same height in every diagram, so that an empty one is visible beside the others, and so
does a step that several flows have in common. Between two such steps each flow is laid out alone. The names
of the lanes are a drawing of their own, which can stay in sight above the other one. Lengths are in units of
the drawing, where a line of text is some ten high; letters are assumed to be as wide as in a wide font.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import reduce

from loopback_auth.drawing.arrows import LONGEST_LABEL, PHASES, Arrow, Phase, arrows, held_against
from loopback_auth.drawing.page_text import short
from loopback_auth.redact import server_text
from loopback_auth.trace.records import Party, Trace

PARTIES: tuple[Party, ...] = ("person", "browser", "client", "server", "stranger")

LANE = 52.0
"""Distance between two lanes."""
MARGIN = 26.0
"""Space beside the first and the last lane."""
CAPTION = 37.0
"""Height of the names of the lanes."""
GUTTER = 15.0
"""Space at the left for the numbers; no label reaches into it."""
TITLE = 20.0
"""Height of the name of a phase, above its rows."""
LEAST = 22.0
"""Height of a phase without rows, below its title."""
FOOT = 6.0
"""Space below the last row of a phase."""
LINE = 17.0
"""Distance from the top of a row to its arrow; the label is between."""

_LABEL_SIZE = 11.25
_SMALL_SIZE = 10.0
_EMS = {
    **dict.fromkeys("ijl", 0.28),
    **dict.fromkeys(" .,:;'|!", 0.33),
    **dict.fromkeys("frt()[]-/", 0.405),
    **dict.fromkeys("sz", 0.53),
    **dict.fromkeys("acekovxy", 0.614),
    **dict.fromkeys("ABCDEFGHIJKLNOPQRSTUVXYZ&", 0.79),
    **dict.fromkeys("wmMW@%+=<>#~", 1.0),
}
"""Widths of letters, in the size of the font."""
_NONE: Mapping[int, int] = {}
_CARGO_LETTER = 5.8
_CARGO_EDGE = 7.0
_CARGO_GAP = 3.0
_CARGO_HEIGHT = 14.0


@dataclass(frozen=True, slots=True)
class Cargo:
    """The label of a secret at its place.

    Args:
        label: of the secret.
        x: its left side.
        y: its top.
        width: enough for the label.
        lost: it is not there, and would be in the whole flow.
    """

    label: str
    x: float
    y: float
    width: float
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """An arrow at its place.

    Args:
        arrow: what is drawn.
        label: as much of the arrow's label as fits above it.
        top: of the row.
        height: of the row.
        start_x: lane that it begins at.
        end_x: lane that it leads to.
        line_y: where the request goes.
        back_y: where the answer comes back; 0 without one.
        label_x: middle of the label.
        cargo: the secrets that went along, or came back.
    """

    arrow: Arrow
    label: str
    top: float
    height: float
    start_x: float
    end_x: float
    line_y: float
    back_y: float
    label_x: float
    cargo: tuple[Cargo, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A phase of one diagram.

    Args:
        phase: which one.
        top: where it begins.
        height: the same in all diagrams.
        rows: the arrows in it, from top to bottom.
    """

    phase: Phase
    top: float
    height: float
    rows: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Diagram:
    """One trace, laid out beside others.

    Args:
        lanes: the parties, from left to right.
        width: of the drawing.
        height: of the drawing, the same for all.
        bands: the phases, from top to bottom.
    """

    lanes: tuple[Party, ...]
    width: float
    height: float
    bands: tuple[Band, ...]

    @property
    def arrows(self) -> tuple[Arrow, ...]:
        """All arrows, from top to bottom."""
        return tuple(row.arrow for band in self.bands for row in band.rows)

    @property
    def reached(self) -> int:
        """How far the flow came: the place of its last phase, or of the very last unless it failed."""
        if self.arrows and self.arrows[-1].kind != "failed":
            return len(PHASES)
        return PHASES.index(self.arrows[-1].phase) if self.arrows else -1

    def lane_x(self, party: Party) -> float:
        """Return where a lane is."""
        return lane_x(self.lanes, party)


def lay_out(traces: Sequence[Trace], wholes: Mapping[int, int] = _NONE) -> tuple[Diagram, ...]:
    """Lay out the diagrams of several traces beside each other.

    Args:
        traces: from left to right.
        wholes: by the places of runs without a defence, the places of the same flows with it.
    """
    drawn = [arrows(trace) for trace in traces]
    for at, whole_at in wholes.items():
        drawn[at] = held_against(drawn[at], arrows(traces[whole_at]))
    return lay_out_arrows(drawn)


def lay_out_arrows(drawn: Sequence[Sequence[Arrow]]) -> tuple[Diagram, ...]:
    """Lay out diagrams of these arrows beside each other."""
    there = {party for each in drawn for arrow in each for party in (arrow.start, arrow.end)}
    lanes: tuple[Party, ...] = tuple(party for party in PARTIES if party != "stranger" or party in there)
    bands: list[list[Band]] = [[] for _ in drawn]
    top = 0.0
    for phase in PHASES:
        aligned = _aligned([[arrow for arrow in each if arrow.phase == phase] for each in drawn], lanes, top)
        bottom = max((row.top + row.height for rows in aligned for row in rows), default=0.0)
        height = max(bottom - top, TITLE + LEAST) + FOOT
        for mine, rows in zip(bands, aligned, strict=True):
            mine.append(Band(phase, top, height, rows))
        top += height
    return tuple(Diagram(lanes, _width(lanes), top, tuple(mine)) for mine in bands)


def lane_x(lanes: Sequence[Party], party: Party) -> float:
    """Return where a lane is."""
    return MARGIN + LANE * lanes.index(party)


def _width(lanes: Sequence[Party]) -> float:
    return 2 * MARGIN + LANE * (len(lanes) - 1)


def _aligned(
    drawn: Sequence[Sequence[Arrow]], lanes: Sequence[Party], top: float
) -> list[tuple[Placed, ...]]:
    """Place the arrows of one phase: common steps at one height, all others as high as possible."""
    none: list[str] = []
    order = reduce(_merged, ([arrow.label for arrow in each] for each in drawn), none)
    rows: list[list[Placed]] = [[] for _ in drawn]
    free = [top + TITLE] * len(drawn)
    waiting = list(map(deque, drawn))
    for label in order:
        having = [at for at, left in enumerate(waiting) if left and left[0].label == label]
        row_top = max((free[at] for at in having), default=top)
        for at in having:
            rows[at].append(_placed(waiting[at].popleft(), lanes, row_top))
            free[at] = row_top + rows[at][-1].height
    return list(map(tuple, rows))


def _merged(these: list[str], those: list[str]) -> list[str]:
    """Merge two orders of steps into one that contains both, and common steps only once."""
    merged: list[str] = []
    for kind, start, end, other_start, other_end in SequenceMatcher(
        None, these, those, autojunk=False
    ).get_opcodes():
        merged += these[start:end]
        if kind != "equal":
            merged += those[other_start:other_end]
    return merged


def _placed(arrow: Arrow, lanes: Sequence[Party], top: float) -> Placed:
    start, end, width = lane_x(lanes, arrow.start), lane_x(lanes, arrow.end), _width(lanes)
    middle, line_y = (start + end) / 2, top + LINE
    cargo = _cargo((*arrow.sent, *arrow.lost), middle, line_y + 4, width)
    along = tuple(replace(one, lost=one.label not in arrow.sent) for one in cargo)
    bottom = line_y + _room(along)
    back_y = bottom + 6 if any(exchange.status for exchange in arrow.exchanges) else 0.0
    back = tuple(_cargo(arrow.received, middle, back_y + 4, width)) if back_y else ()
    bottom = max(bottom, back_y) + _room(back) + 10
    small = sum(_wide(f" {text}", _SMALL_SIZE) for text in (arrow.times, arrow.status) if text)
    label = _fitting(arrow.label, width - GUTTER - 2 - small)
    half = (_wide(label, _LABEL_SIZE) + small) / 2
    label_x = max(min(middle, width - 2 - half), GUTTER + half)
    return Placed(arrow, label, top, bottom - top, start, end, line_y, back_y, label_x, along + back)


def _fitting(label: str, room: float) -> str:
    """Return a label, cut where it would be wider than there is room."""
    shown = server_text(label, LONGEST_LABEL)
    while shown and _wide(shown, _LABEL_SIZE) > room:
        shown = shown.rstrip("…")[:-1].rstrip() + "…" if shown != "…" else ""
    return shown


def _wide(text: str, size: float) -> float:
    """Estimate how wide a text is in a wide font, such as Verdana or DejaVu Sans."""
    return size * sum(_EMS.get(letter, 0.636 if letter.isascii() else 1.05) for letter in text)


def _room(cargo: Sequence[Cargo]) -> float:
    return _CARGO_HEIGHT * len({one.y for one in cargo})


def _cargo(labels: Sequence[str], middle: float, top: float, width: float) -> Iterator[Cargo]:
    """Place labels side by side around the middle of an arrow, in as many lines as they need."""
    for place, line in enumerate(_broken(labels, width - 4)):
        whole = sum(map(_size, line)) + _CARGO_GAP * (len(line) - 1)
        x = min(max(middle - whole / 2, 2), max(width - whole - 2, 2))
        for label in line:
            yield Cargo(label, x, top + place * _CARGO_HEIGHT, _size(label))
            x += _size(label) + _CARGO_GAP


def _broken(labels: Sequence[str], room: float) -> list[list[str]]:
    lines: list[list[str]] = []
    left = 0.0
    for label in labels:
        left -= _size(label) + _CARGO_GAP
        if left < 0:
            lines.append([])
            left = room - _size(label)
        lines[-1].append(label)
    return lines


def _size(label: str) -> float:
    return len(short(label)) * _CARGO_LETTER + _CARGO_EDGE
