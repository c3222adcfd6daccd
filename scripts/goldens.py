#!/usr/bin/env python3
"""Keep examples of what `compare` writes current: `--write` makes them anew, `--check` fails if they changed.

They are in tests/compare/goldens, made of the simulation, which is the same each time; a test compares them
as well. Only what somebody would read is kept: the table, the Markdown with its diagrams, and what is on the
page. Look at the difference before you commit it: it is what people will see.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.drawing.outputs import render
from loopback_auth.compare.drawing.table import table
from loopback_auth.compare.model import Attack, Run
from loopback_auth.compare.running.run import compare_simulated

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "compare" / "goldens"


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="make everything anew")
    parser.add_argument("--check", action="store_true", help="fail if something is not current")
    options = parser.parse_args()
    wanted = dict(goldens())
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*")}
    stale = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
    if options.write:
        FOLDER.mkdir(exist_ok=True)
        for name in stale:
            if name in wanted:
                FOLDER.joinpath(name).write_text(wanted[name], "utf-8")
            else:
                FOLDER.joinpath(name).unlink()
    if stale and options.check and not options.write:
        sys.stderr.write(f"Not current: {', '.join(stale)}. Run scripts/fix, and look at what it changed.\n")
        return 1
    return 0


def attacked(run: Run) -> tuple[Attack, ...]:
    """Try what others could do to a run."""
    return simulated_attacks(run.flow)


def goldens() -> Iterator[tuple[str, str]]:
    """Make each file: its name and its text."""
    # The version is left out: nothing else should change with it.
    whole = replace(compare_simulated(attacks=attacked), version="")
    one = replace(compare_simulated(["code"], attacks=attacked), version="")
    yield "all-80.txt", table(whole, width=80)
    yield "all.md", render(whole, ".md")
    page = render(one, ".html")
    yield "code.html", page[page.index("<body>") : page.index("<script>")]


if __name__ == "__main__":
    sys.exit(main())
