"""Text in columns, for a terminal: wrapped at spaces, and long words at punctuation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from loopback_auth.redact import server_text

GAP = "  "
TEXT_LIMIT = 2_000
"""Characters of one text."""

MOST = 14
"""Longest word for which a column is widened, where there is room, so that it is not broken."""

_PIECE = re.compile(r"\[?[^_/&=?,:\[-]*[_/&=?,:-]*")
"""A piece of a long word, which may be broken after these characters, and before a bracket."""

_NO_COLOURS: Mapping[str, str] = {}


def wrapped(text: str, width: int) -> list[str]:
    """Clean a text, and break it into lines of at most `width` characters; no text gives no line."""
    lines: list[str] = []
    for word in server_text(text, TEXT_LIMIT).split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines += _broken(word, width)
    return lines


def hanging(start: str, text: str, *, width: int, indent: int | None = None) -> Iterator[str]:
    """Write a text after its start; what does not fit into that line is written below, indented.

    Args:
        start: kept as it is as far as the indent goes; not cleaned.
        text: to be cleaned and wrapped.
        width: characters from left to right.
        indent: of the lines below; that of the text when not given, less where this is half of the room.
    """
    indent = len(start) if indent is None else indent
    if indent * 2 > width:
        yield start.rstrip()
        indent = 4
        start = " " * indent
    lines = wrapped(start[indent:] + text, width - indent)
    yield (start[:indent] + "".join(lines[:1])).rstrip()
    yield from (" " * indent + line for line in lines[1:])


def grid(
    rows: Sequence[Sequence[str]], widths: Sequence[int], *, colours: Mapping[str, str] = _NO_COLOURS
) -> Iterator[str]:
    """Set rows of cells in columns.

    Args:
        rows: as many cells in each as there are widths.
        widths: in characters.
        colours: escape sequences for cells that are exactly these texts.
    """
    for row in rows:
        cells = [wrapped(text, width) for text, width in zip(row, widths, strict=True)]
        for line in zip_longest(*cells, fillvalue=""):
            pieces = zip(line, widths, row, strict=True)
            yield GAP.join(
                painted(piece, colours.get(text, "")) + " " * (width - len(piece))
                for piece, width, text in pieces
            ).rstrip()


def painted(text: str, colour: str) -> str:
    """Colour a text with escape sequences; without a colour it stays as it is."""
    return f"{colour}{text}\x1b[0m" if colour and text else text


def fitting(rows: Sequence[Sequence[str]], room: int, *, least: int) -> list[int] | None:
    """Choose the widths of columns so that all of them fit; None where one would be too narrow.

    Args:
        rows: all of the same length.
        room: characters from left to right.
        least: what a column gets if it needs it.
    """
    columns = list(zip(*rows, strict=True))
    longest = [max(map(len, column)) for column in columns]
    room -= len(GAP) * (len(columns) - 1)
    for most in range(MOST, least - 1, -1):
        unbroken = [max(_longest_piece(text, most) for text in column) for column in columns]
        widths = [min(one, max(least, piece)) for one, piece in zip(longest, unbroken, strict=True)]
        if sum(widths) <= room:
            break
    else:
        return None
    for _ in range(room - sum(widths)):
        # The next character goes where it saves most lines.
        needs = [
            sum(map(len, column)) / width if width < one else 0
            for column, one, width in zip(columns, longest, widths, strict=True)
        ]
        if max(needs, default=0):
            widths[needs.index(max(needs))] += 1
    return widths


def _longest_piece(text: str, most: int) -> int:
    """Return the width a column needs so that no word of at most `most` characters is broken."""
    words = text.replace("[", " [").split()  # Where a mark goes to the next line, nothing is lost.
    pieces = ([word] if len(word) <= most else _PIECE.findall(word) for word in words)
    return max((min(len(piece), most) for some in pieces for piece in some), default=0)


def _broken(word: str, width: int) -> Iterator[str]:
    """Break a word at punctuation, and elsewhere if there is none; a short word stays whole."""
    line = ""
    for piece in [word] if len(word) <= width else _PIECE.findall(word):
        if line and len(line) + len(piece) > width:
            yield line
            line = ""
        line += piece
        while len(line) > width:
            yield line[:width]
            line = line[width:]
    yield line
