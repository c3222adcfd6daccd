"""A comparison as Markdown for code hosts: conclusions, tables, findings, attacks, a diagram for each run.

Every text may come from a server, so that nothing in it may become markup, a mention or a link: what looks
like one is written as code, and every other special character of Markdown is escaped.

Source: GitHub Flavored Markdown Spec §4.10 (tables), §6.1 (backslash escapes), §6.3 (code spans).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from loopback_auth.compare.drawing.advice import Advised, advised, advised_places
from loopback_auth.compare.drawing.overview import (
    HOW_ATTACKS_ENDED,
    LEGEND,
    attacked,
    cell_text,
    checked,
    failed,
    groups,
    heading,
    overview,
    sources,
)
from loopback_auth.compare.model import Cell, Comparison, Row
from loopback_auth.drawing.mermaid import mermaid
from loopback_auth.redact import server_text

_SPECIAL = re.compile(r"[\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_])")
_ITEM = re.compile(r"^(?:(\d+)(?=[.)](?: |$))|(?=[-+=]))")
"""The beginning of a list item, at the beginning of a text."""
_LINKED = re.compile(r"[<>@#]|://|^www\.", re.IGNORECASE)
"""Characters of labels, mentions, issue numbers and URLs."""
_PAGE = re.compile(r"https://[\w./~%#-]+")


def markdown(comparison: Comparison) -> str:
    """Write the comparison."""
    flows = [_text(run.title) for run in comparison.runs]
    numbers = sources(comparison)
    first = overview(comparison)
    columns = zip(flows, *(_cells(row, numbers) for row in first), strict=True)
    parts = [f"# {_text(heading(comparison))}", *conclusions(comparison)]
    parts.append(_table(["", *(row.title for row in first)], columns))
    parts += [f"{_text(run.title)}: {_text(run.reason)}" for run in comparison.runs if run.reason]
    parts.append(_text(LEGEND))
    for name, rows in groups(comparison):
        body = ([_text(row.title), *_cells(row, numbers)] for row in rows)
        parts += [f"## {_text(name)}", _table(["", *flows], body)]
    parts += ["## Findings", *_findings(comparison), checked(comparison)]
    parts += ["## Attacks that were tried", *_attacks(comparison)]
    for run in comparison.runs:
        parts += [f"## What happened: {_text(run.title)}", f"```mermaid\n{mermaid(run.trace)}```"]
    if numbers:
        parts += ["## Sources", "\n".join(f"{number}. {_link(source)}" for source, number in numbers.items())]
    return "\n\n".join(parts) + "\n"


def conclusions(comparison: Comparison) -> Iterator[str]:
    """Write the advice for each run, those with the same together, then the advice for each place."""
    if comparison.conclusions:
        because = (
            (_text(one.advice), _text(", ".join(one.runs)), _text(" ".join((one.sentence, *_reasons(one)))))
            for one in advised(comparison)
        )
        yield _table(["Conclusion", "", "Why"], ((f"**{advice}**", *rest) for advice, *rest in because))
    if comparison.places:
        yield "\n".join(f"- {_text(titles)}: {_text(text)}" for titles, text in advised_places(comparison))


def _reasons(one: Advised) -> Iterator[str]:
    return (reason.text for reason in one.reasons)


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(row: Row, numbers: Mapping[str, int]) -> list[str]:
    return [_cell(cell, numbers) for cell in row.cells]


def _cell(cell: Cell, numbers: Mapping[str, int]) -> str:
    return "".join(map(_text, cell_text(cell, numbers)))


def _findings(comparison: Comparison) -> Iterator[str]:
    for finding, told in failed(comparison):
        lines = [f"**{finding.severity}** {_text(finding.id)} ({_link(finding.source)})", ""]
        lines += [f"- {_text(flows)}: {_text(because)}" for flows, because in told]
        lines.append(f"- Expected: {_text(finding.title)}.")
        if finding.advice:
            lines.append(f"- What to do: {_text(finding.advice)}")
        yield "\n".join(lines)


def _attacks(comparison: Comparison) -> Iterator[str]:
    for attack, endings in attacked(comparison):
        lines = [f"{_text(attack.title)} ({_link(attack.source)})", ""]
        lines += [
            f"- **{HOW_ATTACKS_ENDED[verdict]}**: {_text(flows)}. {_text(because)}"
            for verdict, flows, because in endings
        ]
        yield "\n".join(lines)


def _link(source: str) -> str:
    return f"<{source}>" if _PAGE.fullmatch(source) else _text(source)


def _text(text: str) -> str:
    """Write a text so that nothing in it is markup; it stays on one line."""
    words = server_text(text).split(" ")
    escaped = [_code(word) if _LINKED.search(word) else _SPECIAL.sub(r"\\\g<0>", word) for word in words]
    return _ITEM.sub(r"\1\\", " ".join(escaped))


def _code(word: str) -> str:
    """Write a word as code; a bar in it would end a table cell, so it stays outside, as does a comma."""
    core = word.rstrip(",.;:")
    pieces: list[str] = []
    for piece in core.split("|"):
        fence = "`" * (max(map(len, re.findall("`*", piece))) + 1)
        blank = " " if "`" in piece else ""
        pieces.append(f"{fence}{blank}{piece}{blank}{fence}" if piece else "")
    return r"\|".join(pieces) + word[len(core) :]
