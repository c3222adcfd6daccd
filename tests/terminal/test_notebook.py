"""Messages in the output of a cell: escaped, and with links to click."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from loopback_auth.terminal.notebook import NotebookLine, as_html, notebook_line


def test_addresses_are_links() -> None:
    """A sentence ends with a full stop, which is not part of the address."""
    html = as_html("Open http://127.0.0.1:5/key?a=1&b=2.\n\n  https://id.example/x")

    url = "http://127.0.0.1:5/key?a=1&amp;b=2"
    assert f'<a href="{url}" target="_blank" rel="noopener noreferrer">{url}</a>.\n\n  <a href="https' in html


@pytest.mark.parametrize(
    "text", ["<script>x</script>", 'https://x"onclick="y', "javascript:x", "https://x'<b>"]
)
def test_hostile_texts_stay_texts(text: str) -> None:
    """What a server said may be in a message; a notebook that is trusted would run it."""
    html = as_html(text)

    assert html.count("<") == html.count("<div") + html.count("</div") + html.count("<a href=") + html.count(
        "</a>"
    )
    assert html.count('"') == 2 + 6 * html.count("<a ")
    assert "javascript:" not in html.partition("href=")[2]


def test_a_line_shows_both_forms() -> None:
    """A notebook that shows no HTML, or is read as text, has the plain one."""
    shown: list[tuple[str, str]] = []

    NotebookLine(lambda *forms: shown.append(forms)).say("a & b")

    assert shown == [("a & b", '<div style="white-space: pre-wrap">a &amp; b</div>')]


def test_ipython_in_a_terminal_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its shell has no kernel, and its output is the terminal."""
    ipython = ModuleType("IPython")
    ipython.__dict__["get_ipython"] = object
    monkeypatch.setitem(sys.modules, "IPython", ipython)

    assert notebook_line(None) is None
