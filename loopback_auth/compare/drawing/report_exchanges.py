"""How a report writes exchanges: bodies broken into lines, and equal requests together.

Bodies are broken where their format allows it, and nothing is decoded: the report shows what was sent, except
that secrets are labels already.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from loopback_auth.drawing.arrows import Arrow
from loopback_auth.http_messages import FORM
from loopback_auth.protocol.json import object_or_none
from loopback_auth.trace.reading import media_type
from loopback_auth.trace.records import Exchange, Headers

BODY_LIMIT = 1_200
"""Characters of a body that are shown; the rest of an HTML page would add nothing."""


def alike(arrow: Arrow) -> Iterator[tuple[Exchange, ...]]:
    """Group exchanges that follow each other and differ only in their times."""
    for _, group in groupby(arrow.exchanges, key=_looks):
        yield tuple(group)


def waits(arrow: Arrow) -> list[tuple[str, int]]:
    """Return the sentences about the waits before the requests, each once, and how often it applies."""
    return list(Counter(step.words for step in arrow.steps).items())


def readable(body: str, headers: Headers) -> str:
    """Break a body into lines where its form allows it."""
    kind = media_type(headers)
    if "json" in kind:
        members = object_or_none(body)
        return body if members is None else json.dumps(members, indent=2, ensure_ascii=False)
    return broken(body) if kind == FORM else body


def broken(text: str) -> str:
    """Break a URL or a form before each of its parameters, without decoding anything."""
    before, mark, after = text.partition("?")
    head, tail = (before, mark + after) if mark and "&" not in before else ("", text)
    parameters = tail.replace("&", "\n  &")
    return f"{head}\n  {parameters}" if head else parameters


def other_headers(exchange: Exchange) -> Headers:
    """Return the headers of the response without the location, which is shown beside the status."""
    return tuple(each for each in exchange.response_headers if each[0].lower() != "location")


def duration(seconds: float) -> str:
    """Write a duration with its unit."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _looks(exchange: Exchange) -> tuple[object, ...]:
    return (
        exchange.request_headers,
        exchange.request_body,
        exchange.status,
        exchange.response_headers,
        exchange.response_body,
    )
