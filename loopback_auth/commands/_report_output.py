"""How a comparison leaves the commands `compare` and `audit`: files, stdout, and the exit status.

What cannot be written is refused before anything is run.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from loopback_auth.cli import answer, tell
from loopback_auth.commands._gate import STOPPED, gate
from loopback_auth.compare.drawing.document import json_text
from loopback_auth.compare.drawing.table import first_screen, scrolled_table, table
from loopback_auth.compare.judging.changes import against
from loopback_auth.compare.judging.gate import THRESHOLDS
from loopback_auth.compare.running.earlier import read_earlier
from loopback_auth.compare.running.files import check_target, write_report
from loopback_auth.errors import ConfigError
from loopback_auth.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loopback_auth.compare.judging.changes import Earlier
    from loopback_auth.compare.model import Comparison, Kind, Severity

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
        fail_on: which findings give the exit status of the gate; None: none.
        earlier: what the comparison is held against, if anything.
    """

    targets: tuple[str, ...]
    json: bool
    width: int | None
    full: bool
    fail_on: Severity | None
    earlier: Earlier | None


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
    parser.add_argument(
        "--fail-on",
        choices=THRESHOLDS,
        help=f"exit with status {STOPPED} when a finding of this severity, or of a higher one, failed",
    )
    parser.add_argument(
        "--against",
        metavar="FILE",
        help="show what changed since the run that wrote FILE, by -o FILE.json; --fail-on then counts only "
        "what is new or worse",
    )
    parser.add_argument("--width", type=int, metavar="N", help="width of the table in characters")


def check_outputs(
    options: argparse.Namespace, *, kind: Kind = "flows", columns: Sequence[str] = ()
) -> Outputs:
    """Read the flags of `add_outputs`, before anything is run.

    Args:
        options: of the command line.
        kind: what will be compared.
        columns: titles of the runs that there will be; empty: not known before.

    Raises:
        ConfigError: a value cannot be used, or a file cannot be written or read.
    """
    if options.width is not None and options.width < NARROWEST:
        raise ConfigError(
            f"A table that is {options.width} characters wide is too narrow.",
            hint=f"Give --width {NARROWEST} or more.",
        )
    targets = tuple(check_target(path) for path in options.output if path != "-")
    return Outputs(
        targets,
        json=options.json,
        width=options.width,
        full=options.full,
        fail_on=options.fail_on,
        earlier=None if options.against is None else read_earlier(options.against, kind, columns),
    )


def deliver(comparison: Comparison, outputs: Outputs, *, private: bool = False) -> int:
    """Write the files, print the answer, and return the exit status.

    Args:
        comparison: what was found.
        outputs: from `check_outputs`.
        private: only the user may read the files.
    """
    if outputs.earlier is not None:
        comparison = against(comparison, outputs.earlier)
    for path in outputs.targets:
        write_report(comparison, path, private=private)
        tell(f"Written: {path}")
    _print(comparison, outputs)
    return 0 if outputs.fail_on is None else gate(comparison, outputs.fail_on, outputs.targets)


def _print(comparison: Comparison, outputs: Outputs) -> None:
    if outputs.json:
        answer(json_text(comparison))
        return

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


def _columns() -> int:
    with suppress(OSError, ValueError):
        return min(os.get_terminal_size(sys.stdout.fileno()).columns or WIDEST, WIDEST)
    return WIDEST
