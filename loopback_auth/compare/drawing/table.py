"""A comparison on a terminal: the conclusions on one screen, and on request everything behind them.

The title of a row is above its cells, not beside them: so six flows fit beside each other in 80 columns.
Where they do not fit, the cells are written flow by flow, and equal ones together. Lines are ASCII, escape
sequences are used only for colours, and text of a server is cleaned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from loopback_auth.compare.drawing.advice import TYPICAL, advised, advised_places
from loopback_auth.compare.drawing.changes import change_heading, change_lines, change_remarks
from loopback_auth.compare.drawing.overview import (
    HOW_ATTACKS_ENDED,
    LEGEND,
    attacked,
    cell_text,
    checked,
    failed,
    groups,
    heading,
    overview,
    sources,
    unseen,
)
from loopback_auth.compare.model import Cell, Comparison, Row
from loopback_auth.drawing.columns import GAP, TEXT_LIMIT, fitting, grid, hanging, painted
from loopback_auth.redact import server_text

_COMMAND = re.compile(r"^(\s*)::(?=[a-z])", re.MULTILINE)
"""What build servers take for a command where a line begins with it (GitHub Docs, "Workflow commands")."""
LEAST = 9
"""Characters of a column that can be read."""
MOST = 8
"""Lines about changed findings on the first screen."""
LONG = 70
"""Characters of a cell that is not set in a column, nor what stands beside it."""

BOLD, RED, YELLOW, GREEN = "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[32m"
COLOURS: Mapping[str, str] = {
    "signed in": GREEN,
    "examined": GREEN,
    "refused": RED,
    "failed": RED,
    "not possible": YELLOW,
    "high": RED,
    "medium": YELLOW,
    "SUCCEEDED": RED,
    "prevented": GREEN,
    "new": RED,
    "worse": RED,
    "better": GREEN,
    "fixed": GREEN,
    "use": GREEN,
    "use when": YELLOW,
    "avoid": RED,
}
PLAIN: Mapping[str, str] = {}


class _Page:
    """What every part of the page needs: widths, colours, the flows, the sources."""

    def __init__(self, comparison: Comparison, *, width: int, colour: bool) -> None:
        self.width = width
        self.colours = COLOURS if colour else PLAIN
        self.bold = BOLD if colour else ""
        self.flows = [server_text(run.title) for run in comparison.runs]
        self._sources = sources(comparison)
        beside = [texts for texts in map(self.texts, comparison.rows) if not _stand_alone(texts)]
        self.widths = fitting([self.flows, *beside], width - 2, least=LEAST)
        """Widths of the columns, one for each flow; None where the page is too narrow for columns."""

    def texts(self, row: Row) -> list[str]:
        """Write the cells of a row, each with its mark."""
        return [self._text(cell) for cell in row.cells]

    def _text(self, cell: Cell) -> str:
        text, mark = cell_text(cell, self._sources)
        return server_text(text, TEXT_LIMIT) + mark

    def title(self, text: str) -> Iterator[str]:
        """Write the title of a part."""
        yield ""
        yield painted(server_text(text, self.width), self.bold)
        yield "-" * len(server_text(text, self.width))


def first_screen(comparison: Comparison, *, width: int, colour: bool) -> str:
    """Draw the conclusions alone.

    Args:
        comparison: what is drawn.
        width: characters from left to right; 40 is the least that is respected.
        colour: paint the advice, by escape sequences.
    """
    page = _Page(comparison, width=max(width, 40), colour=colour)
    changed = _changes(page, comparison, most=MOST)
    rest = (*_conclusions(page, comparison), *_counts(page, comparison))
    return _joined([*_heading(page, comparison), *changed, *rest])


def table(comparison: Comparison, *, width: int = 100, colour: bool = False) -> str:
    """Draw the whole comparison with the conclusions first, as a file is read.

    Args:
        comparison: what is drawn.
        width: characters from left to right; 40 is the least that is respected.
        colour: paint verdicts, by escape sequences.
    """
    page = _Page(comparison, width=max(width, 40), colour=colour)
    first = (*_heading(page, comparison), *_changes(page, comparison), *_conclusions(page, comparison))
    return _joined([*first, *_first(page, comparison), *_rest(page, comparison)])


def scrolled_table(comparison: Comparison, *, width: int, colour: bool) -> str:
    """Draw the whole comparison with the conclusions last: a terminal shows the end.

    Args:
        comparison: what is drawn.
        width: characters from left to right; 40 is the least that is respected.
        colour: paint verdicts, by escape sequences.
    """
    page = _Page(comparison, width=max(width, 40), colour=colour)
    last = (*_heading(page, comparison), *_changes(page, comparison), *_conclusions(page, comparison))
    return _joined([*_rest(page, comparison), *_first(page, comparison), "", "", *last])


def _joined(lines: Sequence[str]) -> str:
    return _COMMAND.sub(r"\1: :", "\n".join(lines)) + "\n"


def _heading(page: _Page, comparison: Comparison) -> Iterator[str]:
    yield from hanging("", heading(comparison), width=page.width)


def _changes(page: _Page, comparison: Comparison, most: int | None = None) -> Iterator[str]:
    """Write what changed since the earlier run, if there was one.

    Args:
        page: what is drawn on.
        comparison: what is drawn.
        most: how many lines about findings; None: all.
    """
    if comparison.changes is None:
        return
    yield ""
    yield from hanging("", change_heading(comparison.changes), width=page.width)
    lines = change_lines(comparison.changes)
    for one in lines[:most]:
        word = one.movement.upper()
        text = f"{one.severity} {one.finding} ({', '.join(one.runs)}): {one.because}"
        for line in hanging(f"  {word} ", text, width=page.width, indent=4):
            yield line.replace(word, painted(word, page.colours.get(one.movement, "")), 1)
    if most is not None and len(lines) > most:
        left = sum(len(one.runs) for one in lines[most:])  # As the heading counts them.
        yield f"  and {left} more"
    for remark in change_remarks(comparison):
        yield from hanging("", remark, width=page.width, indent=2)


def _conclusions(page: _Page, comparison: Comparison) -> Iterator[str]:
    """Write the advice for each run, those with the same together, then the advice for each place."""
    groups, places = advised(comparison), advised_places(comparison)
    indent = max((len(one.advice) for one in groups), default=0) + len(GAP)
    if groups:
        yield ""
    for one in groups:
        word, because = one.advice.upper(), " ".join((one.sentence, *(each.text for each in one.reasons)))
        text = f"{', '.join(one.runs)}: {because}"
        for line in hanging(word.ljust(indent), text, width=page.width):
            yield line.replace(word, painted(word, page.colours.get(one.advice, "")), 1)
    if places:
        yield ""
        yield from hanging("", TYPICAL, width=page.width)
    for titles, sentence in places:
        yield from hanging("  ", f"{titles}: {sentence}", width=page.width, indent=4)


def _counts(page: _Page, comparison: Comparison) -> Iterator[str]:
    yield ""
    yield from hanging("", checked(comparison), width=page.width)


def _first(page: _Page, comparison: Comparison) -> Iterator[str]:
    yield ""
    yield from _overview(page, comparison)
    for flow, run in zip(page.flows, comparison.runs, strict=True):
        if run.reason:
            yield ""
            yield from hanging(f"{flow}: ", run.reason, width=page.width, indent=2)
    yield ""
    yield from hanging("", LEGEND, width=page.width)


def _rest(page: _Page, comparison: Comparison) -> Iterator[str]:
    for name, rows in groups(comparison):
        yield from page.title(name)
        yield from _group(page, rows)
    yield from _findings(page, comparison)
    yield from _unseen(page, comparison)
    yield from _attacks(page, comparison)
    yield from _sources(page, comparison)


def _overview(page: _Page, comparison: Comparison) -> Iterator[str]:
    """Write one line for each run where there is room, else like the other rows."""
    rows, noun = overview(comparison), comparison.kind.removesuffix("s").capitalize()
    columns = [[row.title, *page.texts(row)] for row in rows]
    head, *body = zip([noun, *page.flows], *columns, strict=True)
    widths = fitting([head, *body], page.width, least=LEAST)
    if widths is None:
        yield from _group(page, rows)
        return
    yield from grid([head], widths)
    yield GAP.join("-" * width for width in widths)
    yield from grid(body, widths, colours=page.colours)


def _group(page: _Page, rows: Sequence[Row]) -> Iterator[str]:
    """Write rows, each in the shortest form that can be read."""
    if page.widths is not None:
        yield from _indented(grid([page.flows], page.widths))
    for row in rows:
        texts = page.texts(row)
        if len(set(texts)) == 1 < len(texts):
            yield from hanging("", f"{row.title}: {texts[0]} (all)", width=page.width, indent=2)
            continue
        yield from hanging("", row.title, width=page.width)
        if page.widths is None or _stand_alone(texts):
            yield from _one_by_one(page, texts)
        else:
            yield from _indented(grid([texts], page.widths, colours=page.colours))


def _one_by_one(page: _Page, texts: Sequence[str]) -> Iterator[str]:
    """Write the cells flow by flow, equal ones only once."""
    longest = min(max(map(len, page.flows)), page.width * 2 // 5)
    rows = [
        (", ".join(flow for flow, one in zip(page.flows, texts, strict=True) if one == text), text)
        for text in dict.fromkeys(texts)
    ]
    widths = (longest, page.width - 2 - len(GAP) - longest)
    return _indented(grid(rows, widths, colours=page.colours))


def _findings(page: _Page, comparison: Comparison) -> Iterator[str]:
    yield from page.title("Findings")
    for finding, told in failed(comparison):
        severity = finding.severity.upper()
        text = f"{finding.id} [{finding.source}]"
        yield ""
        for line in hanging(f"{severity} ", text, width=page.width, indent=2):
            yield line.replace(severity, painted(severity, page.colours.get(finding.severity, "")), 1)
        for flows, because in told:
            yield from hanging("  ", f"{flows}: {because}", width=page.width, indent=4)
        yield from hanging("  ", f"Expected: {finding.title}.", width=page.width, indent=4)
        if finding.advice:
            yield from hanging("  ", f"What to do: {finding.advice}", width=page.width, indent=4)
    yield ""
    yield from hanging("", checked(comparison), width=page.width)


def _unseen(page: _Page, comparison: Comparison) -> Iterator[str]:
    found = unseen(comparison)
    if found:
        yield from page.title("Not observed")
    for because, names in found:
        yield from hanging("", f"{names}: {because}", width=page.width, indent=2)


def _attacks(page: _Page, comparison: Comparison) -> Iterator[str]:
    tried = attacked(comparison)
    if not tried:
        return
    yield from page.title("Attacks that were tried")
    for attack, endings in tried:
        yield ""
        yield from hanging("", f"{attack.title} [{attack.source}]", width=page.width, indent=2)
        for verdict, flows, because in endings:
            word = HOW_ATTACKS_ENDED[verdict]
            for line in hanging("  ", f"{word}: {flows}. {because}", width=page.width, indent=4):
                yield line.replace(word, painted(word, page.colours.get(word, "")), 1)


def _sources(page: _Page, comparison: Comparison) -> Iterator[str]:
    listed = sources(comparison)
    if listed:
        yield from page.title("Sources")
    for source, number in listed.items():
        yield from hanging(f"[{number}] ".rjust(len(f"[{len(listed)}] ")), source, width=page.width)


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _stand_alone(texts: Sequence[str]) -> bool:
    """Return whether the cells of a row are too long for columns."""
    return max(map(len, texts), default=0) > LONG
