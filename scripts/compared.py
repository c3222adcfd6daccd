"""The README's table and picture of `compare`: the simulated comparison, which is the same each time."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.drawing.advice import advised_places
from loopback_auth.compare.drawing.report import report
from loopback_auth.compare.model import Cell, Comparison
from loopback_auth.compare.running.run import compare_simulated

ROWS = ("history", "port", "fixation", "phishing", "elsewhere")
"""What tells the flows apart for whoever has to choose one; the report has all of it."""


def table() -> str:
    """Return what matters most, in Markdown."""
    comparison = _compared()
    rows = {row.id: row for row in comparison.rows}
    columns = [[_cell(cell) for cell in rows[name].cells] for name in ROWS]
    lines = [["flow", "conclusion", *(rows[name].title for name in ROWS)], ["---"] * (len(ROWS) + 2)]
    for one, *cells in zip(comparison.conclusions, *columns, strict=True):
        lines.append([f"`{one.run}`", one.advice, *cells])
    places = (f"{titles}: {text}" for titles, text in advised_places(comparison))
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", " ".join(places)])


def screenshot(path: Path) -> None:
    """Take a picture of the report where the diagrams stand side by side."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder, "report.html")
        page.write_text(report(_compared()))
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 1560}, reduced_motion="reduce")
        tab.goto(page.as_uri())
        tab.locator("#diagrams").scroll_into_view_if_needed()
        tab.evaluate("document.querySelector('#diagrams').scrollIntoView()")
        tab.screenshot(path=path)
        browser.close()


def _compared() -> Comparison:
    return compare_simulated(attacks=lambda run: simulated_attacks(run.flow))


def _cell(cell: Cell) -> str:
    # Labels never break, and nine columns of them are wider than a page of GitHub.
    named = re.sub(r"<(\w+)#\d+>", lambda label: f"the {label[1].replace('_', ' ')}", cell.text)
    text = named.replace("|", r"\|")
    return {"known": f"*{text}*", "tried": f"**{text}**", "not observed": f"{text}?"}.get(cell.basis, text)
