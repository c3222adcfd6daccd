"""What we write for other programs, opened by them: diagrams by Mermaid, the archive by developer tools."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import missing
from playwright.sync_api import Browser, BrowserContext, Page

from browser.conftest import PATIENCE, Tab
from loopback_auth.compare.drawing.har import har
from loopback_auth.compare.drawing.outputs import render
from loopback_auth.compare.model import Comparison
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.drawing.mermaid import mermaid
from loopback_auth.trace.records import Exchange, Step

pytestmark = pytest.mark.browser

MERMAID = Path(__file__).parent.parent / "foreign/node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"
PICTURES = Path(__file__).parent.parent / "artefacts"
DEVELOPER_TOOLS = "devtools://devtools/bundled/devtools_app.html"

HOSTILE = (
    "plain",
    "end",
    "END; loop x",
    "a; b # c %% d {e} [f] (g) | h",
    "#60;script#62; &lt;b&gt; &#60;i&#62; ﬂ°°60¶ß",
    "%%{init: {'theme': 'dark'}}%%",
    "wrap: nowrap: $$x^2$$",
    "<script>window.hit=1</script><img src=x onerror=window.hit=1><br/>",
    'participant X: ->> X: - + ( ) \\n \\ `code` "quotes"',
    "Note over Person: hello",
    "<code#1>, <access_token#2>",
)

DRAW = """async (diagram) => {
    mermaid.initialize({ startOnLoad: false });
    await mermaid.parse(diagram);
    const { svg } = await mermaid.render('drawing', diagram);
    document.body.innerHTML = svg;
}"""

IMPORT = """async (text) => {
    const har = await import('./models/har/har.js');
    const log = new har.HARFormat.HARRoot(JSON.parse(text)).log;
    return har.Importer.Importer.requestsFromHARLog(log).map((one) => [
        one.requestMethod, one.url(), one.statusCode, one.resourceType().name(), one.startTime,
    ]);
}"""


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """All flows, as they run in memory."""
    return compare_simulated()


@pytest.fixture(scope="module")
def drawing(browser: Browser) -> Iterator[Page]:
    """A page that has Mermaid."""
    if not MERMAID.is_file():
        missing("@mermaid-js/tiny is not installed")
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.set_content("<!doctype html><body></body>")
        page.add_script_tag(path=MERMAID)
        yield page


def drawn(page: Page, diagram: str) -> list[str]:
    """Draw a diagram and return the texts in it."""
    page.evaluate(DRAW, diagram)
    return page.locator("svg text").all_text_contents()


@pytest.mark.parametrize("at", range(6))
def test_mermaid_draws_every_flow(drawing: Page, comparison: Comparison, at: int) -> None:
    """Every entry is there by its number, and nobody takes part who was not named."""
    trace = comparison.runs[at].trace
    texts = drawn(drawing, mermaid(trace))
    PICTURES.mkdir(exist_ok=True)
    drawing.screenshot(path=PICTURES / f"mermaid-{trace.flow.replace(' ', '-')}.png", full_page=True)
    numbers = {int(found[1]) for text in texts if (found := re.match(r"(\d{1,2}) \w", text))}

    assert {text for text in texts if text in ("User", "Browser", "Program", "Server")} == {
        "User",
        "Browser",
        "Program",
        "Server",
    }
    assert numbers <= {entry.number for entry in trace.entries}
    assert {1, len(trace.entries)} <= numbers
    assert any("token" in text and text.startswith("with <") for text in texts)


def test_mermaid_draws_all_flows_in_one(drawing: Page, comparison: Comparison) -> None:
    """The form for a file."""
    texts = drawn(drawing, render(comparison, ".mmd"))

    assert [text for text in texts if text.endswith(": signed in")] == [
        f"{run.flow}: signed in" for run in comparison.runs
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_mermaid_draws_hostile_text_as_text(drawing: Page, comparison: Comparison, text: str) -> None:
    """What a server says is read in the picture as it was sent, and is nothing else."""
    run = comparison.runs[0]
    entries = (
        Step(1, 0.0, "warn", text),
        Step(2, 0.0, "approve", text),
        Exchange(3, 0.0, 0.0, "client", "server", text, "GET", "https://as.example/", status=200),
        Exchange(4, 0.0, 0.0, "client", "server", text, "GET", "https://as.example/", observed=False),
    )
    shown = " ".join(drawn(drawing, mermaid(replace(run.trace, entries=entries))))

    for number in (1, 2, 3, 4):
        assert f"{number} {text}".replace(" ", "") in shown.replace(" ", "")
    assert drawing.evaluate("window.hit") is None
    assert drawing.locator("svg :is(script, img, a, foreignObject)").count() == 0


def test_developer_tools_import_the_archive(context: BrowserContext, comparison: Comparison) -> None:
    """Chromium's own importer takes every entry, the ones without an answer among them."""
    tab = Tab(context.new_page())
    tab.page.goto(DEVELOPER_TOOLS)
    imported = tab.page.evaluate(IMPORT, har(comparison))
    exchanges = [one for run in comparison.runs for one in run.trace.exchanges()]
    started = [one[4] for one in imported]

    assert [(one[0], one[2]) for one in imported] == [(one.method, one.status) for one in exchanges]
    assert all("#" not in one[1] for one in imported)
    assert {one[3] for one in imported} == {"document", "fetch"}
    assert started == sorted(started)
