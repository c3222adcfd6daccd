"""Texts in Markdown for code hosts, and tables of them.

A text may come from a server, so that nothing in it may become markup, a mention or a link: what looks like
one is written as code, and every other special character of Markdown is escaped.

Source: GitHub Flavored Markdown Spec §4.10 (tables), §6.1 (backslash escapes), §6.3 (code spans).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from loopback_auth.redact import server_text

_SPECIAL = re.compile(r"[\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_])")
_ITEM = re.compile(r"^(?:(\d+)(?=[.)](?: |$))|(?=[-+=]))")
"""The beginning of a list item, at the beginning of a text."""
_LINKED = re.compile(r"[<>@#]|://|^www\.", re.IGNORECASE)
"""Characters of labels, mentions, issue numbers and URLs."""
_PAGE = re.compile(r"https://[\w./~%#-]+")


def escaped(text: str) -> str:
    """Write a text so that nothing in it is markup; it stays on one line."""
    words = [
        _code(word) if _LINKED.search(word) else _SPECIAL.sub(r"\\\g<0>", word)
        for word in server_text(text).split(" ")
    ]
    return _ITEM.sub(r"\1\\", " ".join(words))


def linked(source: str) -> str:
    """Write a source: a link if it is a page, and else escaped."""
    return f"<{source}>" if _PAGE.fullmatch(source) else escaped(source)


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Write a table; its cells are Markdown already."""
    rows = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _code(word: str) -> str:
    """Write a word as code; a bar in it would end a table cell, so it stays outside, as does a comma."""
    core = word.rstrip(",.;:")
    pieces: list[str] = []
    for piece in core.split("|"):
        fence = "`" * (max(map(len, re.findall("`*", piece))) + 1)
        blank = " " if "`" in piece else ""
        pieces.append(f"{fence}{blank}{piece}{blank}{fence}" if piece else "")
    return r"\|".join(pieces) + word[len(core) :]
