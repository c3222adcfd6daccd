"""Sequence diagrams in Mermaid, which code hosts draw from the text.

Decides what becomes an arrow, what a note, and how text is escaped: all but plain characters becomes an
entity code of Mermaid's, so that nothing a server says can end a line, be a directive, or become markup. The
numbers are those of the trace. What repeats itself, as polling does, is drawn once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from loopback_auth.drawing.columns import wrapped
from loopback_auth.redact import server_text
from loopback_auth.trace.reading import (
    labels_in,
    labels_received,
    labels_sent,
    response_header,
    without_query,
)
from loopback_auth.trace.records import Exchange, Party, Step, Trace

PARTICIPANTS: dict[Party, str] = {
    "person": "User",
    "browser": "Browser",
    "client": "Program",
    "server": "Server",
    "stranger": "Stranger",
}
DIRECTIONS: dict[str, tuple[Party, Party]] = {
    "open": ("client", "browser"),
    "browse": ("client", "browser"),
    "invite": ("client", "person"),
    "approve": ("person", "browser"),
    "paste": ("person", "client"),
}
"""Steps that are arrows; all others are notes at the program."""

LONGEST = 160
"""Characters of one text."""

WIDTH = 44
"""Characters of one line of it."""

_UNSAFE = re.compile(r"[^\w .,/:?=()'+*!@§…\u00d7-]|\be(?=nd\b)", re.IGNORECASE)
"""The word `end` would close a loop."""


def mermaid(trace: Trace) -> str:
    """Draw one trace."""
    lines = [*_heading((trace,)), *map(_indented, _body(trace))]
    return "\n".join(lines) + "\n"


def several(traces: Sequence[Trace], captions: Sequence[str]) -> str:
    """Draw traces below each other, each below its caption, since a file has only one diagram."""
    lines = list(_heading(traces))
    for trace, caption in zip(traces, captions, strict=True):
        lines.append(_indented(f"Note over User,Server: {_lines(caption)}"))
        lines += map(_indented, _body(trace))
    return "\n".join(lines) + "\n"


def _heading(traces: Sequence[Trace]) -> Iterator[str]:
    """Declare the parties from left to right; a stranger only where the trace has one."""
    present = {party for trace in traces for one in trace.exchanges() for party in (one.sender, one.receiver)}
    yield "sequenceDiagram"
    for party, name in PARTICIPANTS.items():
        if party != "stranger" or party in present:
            yield _indented(f"{'actor' if party == 'person' else 'participant'} {name}")


def _body(trace: Trace) -> Iterator[str]:
    """Draw the entries, and repetitions only once."""
    entries = trace.entries
    shapes = [tuple(_drawn(entry, "")) for entry in entries]
    at = 0
    while at < len(entries):
        length, times = _repetition(shapes[at:])
        lines = [line for entry in entries[at : at + length] for line in _drawn(entry, f"{entry.number} ")]
        yield from lines if times == 1 else (f"loop {times} times", *map(_indented, lines), "end")
        at += length * times


def _repetition(shapes: Sequence[tuple[str, ...]]) -> tuple[int, int]:
    """Return how many of the first entries repeat, and how often; 1 and 1 where none do."""
    for length in (1, 2, 3):
        times = 1
        while shapes[length * times : length * (times + 1)] == shapes[:length]:
            times += 1
        if times > 1:
            return length, times
    return 1, 1


def _drawn(entry: Step | Exchange, number: str) -> Iterator[str]:
    return _exchange(entry, number) if isinstance(entry, Exchange) else _step(entry, number)


def _step(step: Step, number: str) -> Iterator[str]:
    words = _lines(number + step.words)
    if step.name in DIRECTIONS:
        sender, receiver = DIRECTIONS[step.name]
        yield f"{PARTICIPANTS[sender]}->>{PARTICIPANTS[receiver]}: {words}"
    else:
        yield f"Note over Program: {words}"


def _exchange(exchange: Exchange, number: str) -> Iterator[str]:
    sender, receiver = PARTICIPANTS[exchange.sender], PARTICIPANTS[exchange.receiver]
    path = re.sub(r"^[a-z]+://[^/?#]*", "", without_query(exchange.url)) or "/"
    asked = [number + exchange.step, f"{exchange.method} {path}"]
    carried = [label for label in labels_sent(exchange) if label not in path]
    if not exchange.observed:
        yield f"{sender}-){receiver}: {_lines(*asked, *_with(carried), '(not observed)')}"
        return
    if exchange.status:
        target = response_header(exchange, "location")
        status = f"{exchange.status} to {without_query(target)}" if target else str(exchange.status)
        yield f"{sender}->>{receiver}: {_lines(*asked, *_with(carried))}"
        yield f"{receiver}-->>{sender}: {_lines(status, *_with(labels_received(exchange)))}"
    else:
        yield f"{sender}-x{receiver}: {_lines(*asked, *_with(carried), '(no answer)')}"
    if shown := [label for label in labels_in(exchange.address) if label not in exchange.url]:
        yield f"Note over {sender}: {_lines('address bar', *_with(shown))}"


def _with(secrets: Sequence[str]) -> Sequence[str]:
    return [f"with {', '.join(secrets)}"] if secrets else ()


def _lines(*texts: str) -> str:
    """Break texts into lines, and escape them (mermaid.js.org: Entity codes to escape characters)."""
    lines = [line for text in texts for line in wrapped(server_text(text, LONGEST), WIDTH)]
    return "<br/>".join(_UNSAFE.sub(lambda found: f"#{ord(found[0])};", line) for line in lines)


def _indented(line: str) -> str:
    return f"    {line}"
