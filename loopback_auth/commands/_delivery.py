"""How a comparison leaves the commands `compare` and `audit`: files, stdout, and the exit status.

What cannot be written is refused before anything is run.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from loopback_auth.cli import answer, tell
from loopback_auth.compare.drawing.document import json_text
from loopback_auth.compare.drawing.table import first_screen, scrolled_table, table
from loopback_auth.compare.running.files import check_target, write_report
from loopback_auth.errors import ConfigError
from loopback_auth.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.compare.model import Comparison

WIDEST, NARROWEST = 100, 40
"""Characters of a line of the table: the most without --width, and the least."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a comparison is written.

    Args:
        targets: paths of files, from `check_target`.
        json: the document goes to stdout in place of the table.
        width: of the table, in characters; None: that of the terminal.
        full: everything is printed, not only the conclusions.
    """

    targets: tuple[str, ...]
    json: bool
    width: int | None
    full: bool


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Declare the flags that say how the comparison is written."""
    parser.add_argument(
        "-o",
        "--output",
        action="append",
        default=[],
        metavar="FILE",
        help="write a report; the ending of the name says which; may be repeated; - is stdout",
    )
    parser.add_argument("--full", action="store_true", help="print everything, not only the conclusions")
    parser.add_argument("--width", type=int, metavar="N", help="width of the table in characters")


def check_outputs(options: argparse.Namespace) -> Outputs:
    """Read the flags of `add_outputs`, and refuse what cannot be written; call it before anything is run.

    Raises:
        ConfigError: a value cannot be used.
    """
    if options.width is not None and options.width < NARROWEST:
        raise ConfigError(
            f"A table that is {options.width} characters wide is too narrow.",
            hint=f"Give --width {NARROWEST} or more.",
        )
    targets = tuple(check_target(path) for path in options.output if path != "-")
    return Outputs(targets, json=options.json, width=options.width, full=options.full)


def deliver(comparison: Comparison, outputs: Outputs, *, private: bool = False) -> int:
    """Write the files, print the answer, and return the exit status.

    Args:
        comparison: what was found.
        outputs: from `check_outputs`.
        private: only the user may read the files.
    """
    for path in outputs.targets:
        write_report(comparison, path, private=private)
        tell(f"Written: {path}")
    if outputs.json:
        answer(json_text(comparison))
        return 0

    width, terminal = outputs.width or _columns(), sys.stdout.isatty()
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if not outputs.full:
        answer(first_screen(comparison, width=width, colour=colour))
        if not outputs.targets:
            tell("For the details add --full, for a page with diagrams -o report.html")
    elif terminal:
        answer(scrolled_table(comparison, width=width, colour=colour))
    else:
        answer(table(comparison, width=width))
    return 0


def _columns() -> int:
    with suppress(OSError, ValueError):
        return min(os.get_terminal_size(sys.stdout.fileno()).columns or WIDEST, WIDEST)
    return WIDEST
