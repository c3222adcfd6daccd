"""One sign-in as lines of text: what happened in order, who asked whom, what was sent and what came back.

Headers are left out but for those with a secret, and where a redirect leads: what else an OAuth message says
is in its parameters.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopback_auth.compare.drawing.columns import hanging
from loopback_auth.compare.drawing.reading import (
    Parameters,
    answer,
    form,
    fragment,
    header,
    labels,
    media_type,
    place,
    query,
)
from loopback_auth.redact import server_text
from loopback_auth.trace import Exchange, Party, Step, Trace

NAMES: dict[Party, str] = {
    "client": "program",
    "browser": "browser",
    "server": "server",
    "person": "person",
    "stranger": "stranger",
}
ACTORS: dict[str, Party] = {"approve": "person", "paste": "person"}
"""Whose step it is; the program's own otherwise."""


def lines(trace: Trace, *, width: int = 100) -> str:
    """Write a sign-in.

    Args:
        trace: what happened.
        width: characters from left to right.
    """
    written: list[str] = []
    number = len(str(len(trace.entries)))
    time = max((len(_seconds(entry)) for entry in trace.entries), default=0)
    for entry in trace.entries:
        start = f"{str(entry.number).rjust(number)}  {_seconds(entry).rjust(time)}  "
        told = _step(entry) if isinstance(entry, Step) else _exchange(entry)
        written += hanging(start, next(told), width=width)
        indent = " " * (len(start) + 2 if len(start) * 2 <= width else 6)
        for line in told:
            # What does not fit is set in a little more.
            written += hanging(indent, server_text(line), width=width, indent=len(indent))
    return "\n".join(written) + "\n"


def _step(step: Step) -> Iterator[str]:
    yield f"{NAMES[ACTORS.get(step.name, 'client')]}: {server_text(step.words)}"
    yield from _named(step.values)


def _exchange(exchange: Exchange) -> Iterator[str]:
    yield f"{NAMES[exchange.sender]} to {NAMES[exchange.receiver]}: {server_text(exchange.step)}"
    yield f"{exchange.method} {place(exchange.url)}"
    yield from (f"{name}: {value}" for name, value in exchange.request_headers if labels(value))
    yield from _named(query(exchange.url))
    yield from _body(exchange.request_body, form(exchange), media_type(exchange.request_headers))
    if shown := fragment(exchange.address):
        yield "in the fragment of the address bar:"
        yield from _named(shown)
    if not exchange.observed:
        yield "(not observed: only the browser and the server know more)"
        return
    milliseconds = f"{exchange.seconds * 1000:.0f} ms"
    yield f"answer: {exchange.status} after {milliseconds}" if exchange.status else "no answer"
    if target := header(exchange, "location"):
        yield f"to {place(target)}"
        yield from _named((*query(target), *fragment(target)))
    yield from _body(exchange.response_body, answer(exchange), media_type(exchange.response_headers))


def _body(body: str, parameters: Parameters, kind: str) -> Iterator[str]:
    """Write what can be read of a body, or that there was one."""
    if parameters or not body:
        return _named(parameters)
    return iter((f"({kind or 'a body of unknown type'}, {len(body)} characters)",))


def _named(parameters: Parameters) -> Iterator[str]:
    return (f"{name} = {value}" for name, value in parameters)


def _seconds(entry: Step | Exchange) -> str:
    return f"{entry.at:.2f} s"
