"""HTTP Archive 1.2, which the developer tools of browsers and most proxies open.

There is a page for each flow and an entry for each exchange. What HAR has no member for, such as steps, is in
members that begin with an underscore. A trace has no time of day, so the pages follow each other from the
time of the comparison on: importers sort all entries by time. Labels are percent-encoded in addresses, where
their number sign would begin a fragment.

A request that only the browser and the server have seen is an entry with status 0, as browsers write requests
without a response, and its comment says so.

Source: http://www.softwareishard.com/blog/har-12-spec/.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote

from loopback_auth.compare.drawing.document import entry_members, named, written
from loopback_auth.compare.model import Comparison, Run
from loopback_auth.trace.reading import LABEL, form_parameters, media_type, query_parameters, response_header
from loopback_auth.trace.records import Exchange, Step

UNKNOWN = -1
"""HAR's value for an unknown size or time; the sizes of bodies are unknown, as their secrets are labels."""

NOT_OBSERVED = "Not observed: only the browser and the server have seen this exchange."
NO_ANSWER = "There was no response."
PHRASES = {status.value: status.phrase for status in HTTPStatus}

GAP = 1.0
"""Seconds between the last entry of a flow and the next flow."""

_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def har(comparison: Comparison) -> str:
    """Write every exchange of every flow."""
    pages: list[dict[str, object]] = []
    entries: list[dict[str, object]] = []
    begin = comparison.made_at
    for number, run in enumerate(comparison.runs, 1):
        page = f"page_{number}"
        pages.append(_page(run, page, begin))
        entries += (_entry(exchange, page, begin) for exchange in run.trace.exchanges())
        begin += _length(run) + GAP
    log = {
        "version": "1.2",
        "creator": {"name": "loopback_auth", "version": comparison.version},
        "pages": pages,
        "entries": entries,
        "comment": f"Secrets are labels. Provider: {comparison.provider}. Ground: {comparison.ground}.",
    }
    return written({"log": log}, indent=2) + "\n"


def _page(run: Run, name: str, begin: float) -> dict[str, object]:
    return {
        "startedDateTime": _date(begin),
        "id": name,
        "title": run.title,
        "pageTimings": {"onContentLoad": UNKNOWN, "onLoad": UNKNOWN},
        "comment": run.reason or run.outcome,
        "_outcome": run.outcome,
        "_steps": [entry_members(entry) for entry in run.trace.entries if isinstance(entry, Step)],
    }


def _entry(exchange: Exchange, page: str, begin: float) -> dict[str, object]:
    milliseconds = round(max(exchange.seconds, 0.0) * 1000, 3)
    entry: dict[str, object] = {
        "pageref": page,
        "startedDateTime": _date(begin + exchange.at),
        "time": milliseconds,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_number": exchange.number,
        "_step": exchange.step,
        "_sender": exchange.sender,
        "_receiver": exchange.receiver,
        "_address": exchange.address,
        "_observed": exchange.observed,
        # What the filters of Chromium's developer tools go by.
        "_resourceType": "document" if exchange.address else "fetch",
    }
    comment = exchange.step if exchange.observed else f"{exchange.step}. {NOT_OBSERVED}"
    return entry | {"comment": comment}


def _request(exchange: Exchange) -> dict[str, object]:
    request: dict[str, object] = {
        "method": exchange.method,
        "url": _url(exchange.url),
        "httpVersion": "unknown",
        "cookies": [],
        "headers": named(exchange.request_headers),
        "queryString": named(query_parameters(exchange.url)),
        "headersSize": UNKNOWN,
        "bodySize": UNKNOWN,
    }
    if exchange.request_body:
        request["postData"] = {
            "mimeType": media_type(exchange.request_headers),
            "params": named(form_parameters(exchange)),
            "text": exchange.request_body,
        }
    return request


def _response(exchange: Exchange) -> dict[str, object]:
    content: dict[str, object] = {
        "size": len(exchange.response_body.encode("utf-8", "replace")),
        "mimeType": response_header(exchange, "content-type") or "x-unknown",
    }
    if exchange.response_body:
        content["text"] = exchange.response_body
    response: dict[str, object] = {
        "status": exchange.status,
        "statusText": PHRASES.get(exchange.status, ""),
        "httpVersion": "unknown",
        "cookies": [],
        "headers": named(exchange.response_headers),
        "content": content,
        "redirectURL": _url(response_header(exchange, "location")),
        "headersSize": UNKNOWN,
        "bodySize": UNKNOWN,
    }
    if not exchange.status:
        response["comment"] = NO_ANSWER if exchange.observed else NOT_OBSERVED
    return response


def _length(run: Run) -> float:
    """Return the seconds that a flow took."""
    ends = [one.at + (one.seconds if isinstance(one, Exchange) else 0) for one in run.trace.entries]
    return max(ends, default=0.0)


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _url(url: str) -> str:
    """Percent-encode characters that a URL may not have, but not escapes again (RFC 3986 §2)."""
    shown = LABEL.sub(lambda label: quote(label[0], safe=""), url)
    return quote(_NO_ESCAPE.sub("%25", shown), safe="%:/?#[]@!$&'()*+,;=", errors="replace")
