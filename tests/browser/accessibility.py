"""What would shut somebody out of a page, as axe-core finds it."""

from __future__ import annotations

from typing import Any

from command_line import missing
from foreign.conftest import HERE
from playwright.sync_api import Page

AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")


def grave(page: Page) -> list[str]:
    """Return the serious and critical violations of a page as it is shown now, and where they are."""
    if not AXE.is_file():
        missing("axe-core is not installed")
    page.evaluate(f"() => {{ if (!window.axe) {{ {AXE.read_text('utf-8')} }} }}")
    result: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    found = [one for one in result["violations"] if one["impact"] in GRAVE]
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]
