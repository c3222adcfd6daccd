"""The links of a program: those with which it started a browser, and those that it only printed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from loopback_auth.protocol.urls import is_loopback_url

# ECMA-48 §5.4 (control sequences), and the operating system commands of xterm, as those of links.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
_LINKED = re.compile(r"\x1b\]8;[^;\x07\x1b]*;([^\x07\x1b]*)(?:\x07|\x1b\\)")
# Up to a blank, a quote, or what no URL can have (RFC 3986 §2); a sentence may go on after it.
_LINK = re.compile(r"(?:https?|HTTPS?)://[^\s\"'<>\\^`{}|\x00-\x20\x7f-\U0010ffff]{1,65536}")
_AFTER = ".,;:!?"
_PAIRS = {")": "(", "]": "["}


def links_in(text: str) -> tuple[str, ...]:
    """Return the http and https URLs in what a program has written, each once, in order."""
    return tuple(dict.fromkeys(_trimmed(found) for found in _LINK.findall(_unescaped(plain(text)))))


def authority_of(url: str) -> str:
    """Return host and port of a URL as it has them; empty when it has none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def port_of(url: str) -> int:
    """Return the port of a URL, the usual one where it names none; 0 when there is none."""
    try:
        parts = urlsplit(url)
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return 0


def is_here(url: str) -> bool:
    """Return whether a URL leads to this machine, whatever a name server says.

    Source: RFC 6761 §6.3; RFC 8252 §7.3.
    """
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and parts.port != 0 and is_loopback_url(url)
    except ValueError:
        return False


def parameters_of(url: str) -> list[tuple[str, str]]:
    """Return the parameters in the query of a URL, in order."""
    return parse_qsl(url.partition("#")[0].partition("?")[2], keep_blank_values=True)


def repeated(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that come more than once, in order."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return tuple(name for name, count in seen.items() if count > 1)


def _unescaped(text: str) -> str:
    """Read the escapes that JSON may have in a URL, where programs write it so."""
    return text.replace("\\u0026", "&").replace("\\/", "/")


def _trimmed(link: str) -> str:
    """Cut what belongs to the sentence around a link."""
    spare = {last: link.count(last) - link.count(first) for last, first in _PAIRS.items()}
    end = len(link)
    while end:
        last = link[end - 1]
        if spare.get(last, 0) > 0:
            spare[last] -= 1
        elif last not in _AFTER:
            break
        end -= 1
    return link[:end]


def plain(text: str) -> str:
    """Return a text without the escape sequences of terminals; the target of a link stands in its place."""
    return _ESCAPES.sub("", _LINKED.sub(r" \1 ", text))
