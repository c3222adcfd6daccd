"""Every ending of a file's name has its form."""

from __future__ import annotations

import pytest
from comparison_samples import COMPARISON

from loopback_auth.compare.drawing.outputs import FORMS, render
from loopback_auth.errors import ConfigError

BEGINNINGS = {
    ".html": "<!doctype html>",
    ".json": '{\n  "format": "loopback_auth.comparison"',
    ".har": '{\n  "log": {',
    ".md": "# 2 flows with demo",
    ".mmd": "sequenceDiagram\n",
    ".sarif": '{\n  "$schema": "https://json.schemastore.org/sarif-2.1.0.json"',
    ".txt": "2 flows with demo",
    ".xml": '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>',
}


@pytest.mark.parametrize("suffix", FORMS)
def test_suffix_chooses_the_form(suffix: str) -> None:
    """People name a file, not a format."""
    written = render(COMPARISON, suffix)

    assert written.lower().startswith(BEGINNINGS[suffix].lower())
    assert written.endswith("\n")
    assert render(COMPARISON, suffix.upper()) == written


@pytest.mark.parametrize("suffix", [".pdf", "", "json", ".\x1b[31m"])
def test_unknown_suffix_is_refused(suffix: str) -> None:
    """With the list of those that there are, and nothing that steers a terminal."""
    with pytest.raises(ConfigError) as caught:
        render(COMPARISON, suffix)

    assert caught.value.hint.endswith(", ".join(FORMS) + ".")
    assert caught.value.message.isprintable()
