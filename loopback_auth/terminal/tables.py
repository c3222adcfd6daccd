"""Tables of sentences: columns of words, and a last one that is filled to the width of the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

NARROWEST = 24
"""Columns below which sentences would be broken too often: they stand below their words then."""


def filled(text: str, columns: int) -> str:
    """Break sentences between words; links and commands stay whole."""
    return "\n".join(_lines(text, columns))


def table(rows: Sequence[Sequence[str]], columns: int) -> str:
    """Draw rows, indented by two, with a line break after each line."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    indent = 2 + sum(widths) + 2 * len(widths)
    below = columns - indent < NARROWEST and len(widths) > 0
    drawn: list[str] = []
    for row in rows:
        words = "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=False))
        if below:
            drawn += [f"  {words}", *(f"      {line}" for line in _lines(row[-1], columns - 6))]
            continue
        first, *rest = _lines(row[-1], columns - indent)
        drawn += [f"  {words}{first}", *(f"{'':<{indent}}{line}" for line in rest)]
    return "".join(f"{line.rstrip()}\n" for line in drawn)


def _lines(text: str, columns: int) -> list[str]:
    return wrap(text, max(columns, NARROWEST), break_long_words=False, break_on_hyphens=False) or [""]
