"""What pages, texts and values of a program say: read with care, because a program may write anything.

A page is judged by its visible words. What those words do not show is `neither`: no judge may claim more.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Iterator
from typing import Literal
from urllib.parse import quote, quote_plus, urlsplit

from loopback_auth.http_messages import HttpResponse
from loopback_auth.redact import server_text

Claim = Literal["success", "failure", "neither"]

PAGE_LIMIT = 65536
"""Bytes of a page that are read."""
QUOTED = 120
"""Characters of a page or message that are quoted."""
SHORT = 8
"""A shorter value is not looked for in texts: it would be found by chance."""

_TAG = re.compile(r"<[!/?]?([a-z][a-z0-9]*)?", re.IGNORECASE)
_HIDDEN = frozenset({"script", "style", "title", "template", "noscript"})
_FAILURE = re.compile(
    r"\b(errors?|fail(s|ed|ure)?|denied|refused|rejected|invalid|cancell?ed|declined|unsuccessful|mismatch"
    r"|expired|wrong|problem|could ?n[o']t|cannot|can'?t|unable|forbidden|unauthorized|bad request"
    r"|(was|were|is|are|has|have|did) ?n(o|')t"
    r"|not (been )?(signed|logged|authori[sz]ed|authenticated|granted))\b",
    re.IGNORECASE,
)
_SUCCESS = re.compile(
    r"\b(success\w*|succeeded|signed in|logged in|authenticated|authori[sz]ed|verified|granted|connected"
    r"|welcome|all set|thank you|completed (the )?(log-?in|sign-?in|auth\w*)"
    r"|(log-?in|sign-?in|auth\w*) (is |was |has been )?(now )?(ok|done|finished|completed?))\b",
    re.IGNORECASE,
)
_EXTERNAL = re.compile(
    r"""(?:src|href|action|data|poster)\s*=\s*["']?\s*((?:https?:)?//[^"'\s>]+)|url\(\s*["']?((?:https?:)?//[^"'\s)]+)""",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}", re.IGNORECASE)
UUID_BITS = 122.0
"""Random bits of a version 4 UUID (RFC 9562 §5.4)."""
_ALPHABETS = (
    (re.compile(r"[0-9]+"), 10),
    (re.compile(r"[0-9a-f]+|[0-9A-F]+"), 16),
    (re.compile(r"[a-z0-9]+|[A-Z0-9]+"), 36),
    (re.compile(r"[A-Za-z0-9_-]+=*|[A-Za-z0-9+/]+=*"), 64),
)


def page_text(page: HttpResponse) -> str:
    """Return the visible words of a page, with single spaces."""
    source = page.body[:PAGE_LIMIT].decode("utf-8", "replace")
    if "html" in page.header("content-type").lower() or "<" in source:
        source = html.unescape(" ".join(_visible(source)))
    return " ".join(source.split())


def _visible(source: str) -> Iterator[str]:
    """Return the texts between tags, in time that grows with the length of the source alone."""
    lower, at = source.lower(), 0
    while (start := source.find("<", at)) >= 0:
        yield source[at:start]
        tag = _TAG.match(source, start)
        name = (tag[1] or "").lower() if tag is not None else ""
        if source.startswith("<!--", start):
            closing = "-->"
        elif name in _HIDDEN and not source.startswith("</", start):
            closing = f"</{name}"
        else:
            closing = ">" if name or source.startswith("<!", start) else "<"
        end = lower.find(closing, start)
        if end < 0:
            return
        at = end + len(closing)
        if closing.startswith("</"):
            at = lower.find(">", at) + 1
            if not at:
                return
    yield source[at:]


def claim(text: str) -> Claim:
    """Return what a page says of the sign-in; a word of failure outweighs one of success."""
    if _FAILURE.search(text):
        return "failure"
    return "success" if _SUCCESS.search(text) else "neither"


def quoted(text: str) -> str:
    """Quote the beginning of a text of the program, without control characters."""
    return f'"{server_text(" ".join(text.split()), QUOTED)}"'


def external(page: HttpResponse, own: Iterable[str]) -> tuple[str, ...]:
    """Return the hosts that a page loads from or links to, other than the given ones."""
    source = page.body[:PAGE_LIMIT].decode("utf-8", "replace")
    hosts = dict.fromkeys(_host(one or other) for one, other in _EXTERNAL.findall(source))
    known = set(own)
    return tuple(host for host in hosts if host and host not in known)


def _host(url: str) -> str:
    try:
        return urlsplit(url if ":" in url.partition("//")[0] else f"http:{url}").hostname or ""
    except ValueError:
        return ""


def holds(text: str, value: str) -> bool:
    """Return whether a text has a value in it, as it is or percent-encoded."""
    return len(value) >= SHORT and any(
        form in text for form in {value, quote(value, safe=""), quote_plus(value)}
    )


def most_bits(value: str) -> float:
    """Return how much chance a value can have at most, in bits, by its length and the characters in it.

    A value that happens to lack a kind of character is not taken for one that cannot have it: a token of 22
    characters of base64url has no digit in one case of a hundred.
    """
    if _UUID.fullmatch(value):
        return UUID_BITS
    size = next((size for alphabet, size in _ALPHABETS if alphabet.fullmatch(value)), 95)
    return len(value) * math.log2(size)
