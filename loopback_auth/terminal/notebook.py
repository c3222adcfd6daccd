"""Show messages in a notebook, with links to click: a cell, unlike a terminal, does not make them by itself.

IPython is not a dependency: a notebook has imported it already.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from html import escape
from typing import Any

from loopback_auth.program import Program
from loopback_auth.terminal.line import Line

_LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:)]")

Show = Callable[[str, str], object]
"""Shows a message in the output of a cell; called with its plain text, and with the same as HTML."""


def notebook_line(program: Program | None) -> NotebookLine | None:
    """Return what writes messages to the output of the cell that runs; None: this is not a notebook."""
    if "IPython" not in sys.modules:
        return None
    ipython: Any = sys.modules["IPython"]
    # IPython in a terminal has no kernel, and the terminal itself makes links of addresses.
    if getattr(ipython.get_ipython(), "kernel", None) is None:
        return None

    def show(text: str, html: str) -> None:
        ipython.display.display({"text/plain": text, "text/html": html}, raw=True)

    return NotebookLine(show, program)


class NotebookLine(Line):
    """Writes messages to the output of a cell, where nothing is drawn again.

    Args:
        show: shows a message.
        program: whose messages these are; None: a program without a name.
    """

    def __init__(self, show: Show, program: Program | None = None) -> None:
        super().__init__((program or Program()).resolved_words())
        self.live: bool = False
        self._show = show

    def say(self, text: str) -> None:
        """Show a message, with its addresses as links that open in a tab of their own."""
        self._show(text, as_html(text))


def as_html(text: str) -> str:
    """Return a message as HTML: escaped, with its line ends, and with its addresses as links."""
    pieces, end = list[str](), 0
    for found in _LINK.finditer(text):
        url = escape(found[0])
        pieces += [escape(text[end : found.start()]), _ANCHOR.format(url=url)]
        end = found.end()
    return _TEXT.format(text="".join([*pieces, escape(text[end:])]))


_ANCHOR = '<a href="{url}" target="_blank" rel="noopener noreferrer">{url}</a>'
_TEXT = '<div style="white-space: pre-wrap">{text}</div>'
