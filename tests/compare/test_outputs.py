"""Every ending of a file's name has its form."""

from __future__ import annotations

import pytest
from comparison_samples import COMPARISON

from loopback_auth.compare.drawing.outputs import FORMS, ending, render
from loopback_auth.errors import ConfigError

BEGINNINGS = {
    ".html": "<!doctype html>",
    ".json": '{\n  "format": "loopback_auth.comparison"',
    ".har": '{\n  "log": {',
    ".md": "# 2 flows with demo",
    ".mmd": "sequenceDiagram\n",
    ".sarif": '{\n  "$schema": "https://json.schemastore.org/sarif-2.1.0.json"',
    ".summary.md": "## 2 flows with demo",
    ".svg": "<svg ",
    ".txt": "2 flows with demo",
    ".xml": '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>',
}


@pytest.mark.parametrize("form", FORMS)
def test_ending_chooses_the_form(form: str) -> None:
    """People name a file, not a format."""
    written = render(COMPARISON, ending(f"report{form.upper()}"))

    assert written.lower().startswith(BEGINNINGS[form].lower())
    assert written.endswith("\n")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("oauth.summary.md", ".summary.md"),
        ("summary.md", ".md"),
        (".summary.md", ".md"),
        ("report.summary.md.md", ".md"),
        ("a.xml.html", ".html"),
    ],
)
def test_longest_ending_counts(name: str, form: str) -> None:
    """A summary is Markdown, too."""
    assert ending(name) == form


@pytest.mark.parametrize("name", ["report.pdf", "", "json", ".json", "report.json ", "report.\x1b[31m"])
def test_unknown_ending_is_refused(name: str) -> None:
    """With the list of those that there are, and nothing that steers a terminal."""
    with pytest.raises(ConfigError) as caught:
        ending(name)

    assert caught.value.hint.endswith(", ".join(FORMS) + ".")
    assert caught.value.message.isprintable()
