"""Every exchange and every step of a report, written out: what was asked, and what was answered.

Bodies are broken into lines where their form allows it, and nothing is decoded: what is shown went over the
wire, but for the secrets, which were labels before they came here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from itertools import groupby

from loopback_auth.compare.drawing.diagram import Arrow, Entry
from loopback_auth.compare.drawing.mermaid import PARTICIPANTS
from loopback_auth.compare.drawing.report_text import plain, preformatted, rich
from loopback_auth.errors import MalformedResponse
from loopback_auth.model import FORM
from loopback_auth.protocol.json import parse_object
from loopback_auth.trace.reading import header, media_type
from loopback_auth.trace.records import Exchange, Headers, Step

BODY_LIMIT = 1_200
"""Characters of a body that are shown; a page of HTML says nothing that the rest of it would add to."""

_UNSEEN = "Not observed: this went between the browser and the server, and only the address is known."


def written_out(arrow: Arrow, anchor: str) -> str:
    """Write out what an arrow stands for, as an element that can be opened.

    Args:
        arrow: one row of a diagram.
        anchor: id of the element.
    """
    label = plain(arrow.label) + (f' <b class="times">{arrow.times}</b>' if arrow.times else "")
    return (
        f'<details id="{anchor}" class="entry {arrow.kind}">'
        f'<summary><span class="number">{arrow.number}</span> <span class="label">{label}</span>'
        f'{_summary(arrow)}</summary><div class="shown">{_body(arrow)}</div></details>'
    )


def _summary(arrow: Arrow) -> str:
    way = PARTICIPANTS[arrow.start]
    if arrow.start != arrow.end:
        way += f' <span aria-hidden="true">→</span><span class="vh">to</span> {PARTICIPANTS[arrow.end]}'
    return f' <span class="status">{arrow.status}</span><span class="way">{way}</span>'


def _body(arrow: Arrow) -> str:
    steps = [entry for entry in arrow.entries if isinstance(entry, Step)]
    if not arrow.exchanges:
        return "".join(map(_step, steps))
    parts = [_exchange(tuple(group)) for _, group in groupby(arrow.exchanges, key=_looks)]
    return (_waits(steps) if steps else "") + "".join(parts)


def _looks(exchange: Exchange) -> tuple[object, ...]:
    return (
        exchange.request_headers,
        exchange.request_body,
        exchange.status,
        exchange.response_headers,
        exchange.response_body,
    )


def _step(entry: Step) -> str:
    values = "".join(
        f"<div><dt>{plain(name)}</dt><dd><code>{rich(value)}</code></dd></div>"
        for name, value in entry.values
    )
    listed = f'<dl class="values">{values}</dl>' if values else ""
    return f'<p class="when">{_at(entry)}</p><p class="words">{rich(entry.words)}</p>{listed}'


def _waits(waits: Iterable[Step]) -> str:
    words = [rich(wait.words) for wait in waits]
    counted = (
        f"{word}{f' ({count} times)' if (count := words.count(word)) > 1 else ''}"
        for word in dict.fromkeys(words)
    )
    return f'<p class="waits">{" ".join(counted)}</p>'


def _exchange(alike: tuple[Exchange, ...]) -> str:
    """Write out an exchange; others that look the same are told by their times alone."""
    one = alike[0]
    when = ", ".join(map(_at, alike))
    if one.status:
        when += f" · took {one.seconds * 1000:.0f} ms" if one.seconds < 1 else f" · took {one.seconds:.1f} s"
    return f'<p class="when">{when}</p><div class="halves">{_request(one)}{_answer(one)}</div>'


def _at(entry: Entry) -> str:
    return f"at {entry.at:.2f} s"


def _request(one: Exchange) -> str:
    parts = [f"<pre><b>{plain(one.method)}</b> {preformatted(_broken(one.url))}</pre>"]
    if one.address and one.address != one.url:
        parts.append(f'<p class="bar">Address bar</p><pre>{preformatted(_broken(one.address))}</pre>')
    # The body first: what an OAuth message says is there, and seldom in a header.
    parts += [_text(one.request_body, one.request_headers), _headers(one.request_headers)]
    return f'<section class="half"><h4>Request</h4>{"".join(parts)}</section>'


def _answer(one: Exchange) -> str:
    if not one.observed:
        inside = f"<p>{_UNSEEN}</p>"
    elif not one.status:
        inside = "<p>There was no answer.</p>"
    else:
        target = header(one, "location")
        leads = f" to {preformatted(_broken(target))}" if target else ""
        inside = f"<pre><b>{one.status}</b>{leads}</pre>"
        others = tuple(each for each in one.response_headers if each[0].lower() != "location")
        inside += _text(one.response_body, one.response_headers) + _headers(others)
    return f'<section class="half"><h4>Answer</h4>{inside}</section>'


def _headers(headers: Headers) -> str:
    rows = "".join(
        f"<div><dt>{plain(name)}</dt><dd>{rich(value, 2_000)}</dd></div>" for name, value in headers
    )
    return f'<dl class="headers">{rows}</dl>' if rows else ""


def _text(body: str, headers: Headers) -> str:
    if not body:
        return ""
    whole = _readable(body, media_type(headers))
    cut = whole[:BODY_LIMIT]
    rest = (
        f'<p class="cut">{len(whole) - len(cut)} more characters are not shown.</p>' if cut != whole else ""
    )
    return f'<pre class="body">{preformatted(cut)}</pre>{rest}'


def _readable(body: str, kind: str) -> str:
    """Break a body into lines where its form allows it."""
    if "json" in kind:
        with suppress(MalformedResponse):
            members = parse_object(body.encode("utf-8", "replace"), what="body", source="RFC 8259")
            return json.dumps(members, indent=2, ensure_ascii=False)
    return _broken(body) if kind == FORM else body


def _broken(text: str) -> str:
    """Break a URL or a form before each of its parameters, without decoding anything."""
    before, mark, after = text.partition("?")
    head, tail = (before, mark + after) if mark and "&" not in before else ("", text)
    lines = tail.replace("&", "\n  &")
    return f"{head}\n  {lines}" if head else lines
