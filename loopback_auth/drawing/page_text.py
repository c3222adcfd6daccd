"""The filters of a report's templates: they clean text, find labels of secrets, and link clauses.

Every text may come from a server or from a recording of another person. Nothing here makes HTML: the
templates escape whatever they are given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from loopback_auth.redact import server_text
from loopback_auth.trace.reading import LABEL, label_kind

COLOURS = {
    "code": 1,
    "state": 2,
    "nonce": 2,
    "code_verifier": 3,
    "access_token": 4,
    "refresh_token": 5,
    "id_token": 6,
    "ticket": 7,
    "device_code": 8,
    "user_code": 9,
}
"""Secrets by kind, as classes of the stylesheet; all others are 0."""

LINE_LIMIT = 2_000
"""Characters of one line that are shown."""

_SPAN = re.compile(r"`([^`]+)`")
_DOCUMENTS = {
    "OpenID Connect Core 1.0": "https://openid.net/specs/openid-connect-core-1_0.html",
    "OpenID Connect Discovery 1.0": "https://openid.net/specs/openid-connect-discovery-1_0.html",
    "OAuth 2.0 Form Post Response Mode": "https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html",
}
_REFERENCE = re.compile(
    r"RFC (?P<rfc>\d{1,5})(?: §(?P<first>\d+(?:\.\d+)*))?"
    r"|§(?P<section>\d+(?:\.\d+)*)"
    r"|(?<= )appendix (?P<appendix>[A-Z](?:\.\d+)*)"
    r"|(?P<issue>(?<![\w/])[A-Za-z0-9-]{1,39}/[\w.-]{1,99}#\d+)"
    r"|(?P<url>https://[A-Za-z0-9.-]+(?::\d+)?(?:/[\w.~%!$&'()*+,;=:@/?#-]*)?(?<![.,;:)]))"
    rf"|(?P<document>{'|'.join(map(re.escape, _DOCUMENTS))})"
)


def clean(text: str, limit: int = 500) -> str:
    """Return one line of text without anything invisible."""
    return server_text(text, limit)


def lines(text: str) -> str:
    """Clean a text whose lines and indentation matter."""
    return "\n".join(_indentation(line) + server_text(line, LINE_LIMIT) for line in text.split("\n"))


def parts(text: str) -> Iterator[tuple[str, bool]]:
    """Cut a text into labels of secrets and what is between; a label is marked with True."""
    at = 0
    for found in LABEL.finditer(text):
        yield text[at : found.start()], False
        yield found[0], True
        at = found.end()
    yield text[at:], False


def spans(text: str) -> Iterator[tuple[str, bool]]:
    """Cut a text into what stands between two backticks, marked with True, and the rest."""
    at = 0
    for found in _SPAN.finditer(text):
        yield text[at : found.start()], False
        yield found[1], True
        at = found.end()
    yield text[at:], False


def bare(label: str) -> str:
    """Return a label without its brackets: `code#1`."""
    return label.strip("<>")


def short(label: str) -> str:
    """Return a label as short as possible: `code` for `<code#1>`, but `code#2` for the second code."""
    return bare(label).removesuffix("#1")


def colour(label: str) -> int:
    """Return the number of a secret's colour."""
    return COLOURS.get(label_kind(label), 0)


def references(source: str) -> Iterator[tuple[str, str]]:
    """Cut a source into clauses, pages and issues with the URL of each, and what is between, without one."""
    cleaned, at, rfc = server_text(source), 0, ""
    for found in _REFERENCE.finditer(cleaned):
        # In "RFC 9700 §4.5.3.1, §4.6.1" the second section belongs to the same RFC.
        rfc = found["rfc"] or (rfc if found["section"] or found["appendix"] else "")
        yield cleaned[at : found.start()], ""
        yield re.sub(r"^https://(www\.)?", "", found[0]).rstrip("/"), _url(found, rfc)
        at = found.end()
    yield cleaned[at:], ""


def _url(found: re.Match[str], rfc: str) -> str:
    """Return where a reference leads; nowhere, where it is a section of nothing."""
    if found["issue"]:
        return f"https://github.com/{found[0].replace('#', '/issues/')}"
    if found["url"] or found["document"]:
        return _DOCUMENTS.get(found[0], found[0])
    document = f"https://www.rfc-editor.org/rfc/rfc{rfc}" if rfc else ""
    section = found["first"] or found["section"]
    if section or found["appendix"]:
        part = f"section-{section}" if section else f"appendix-{found['appendix']}"
        return document and f"{document}#{part}"
    return document


def _indentation(line: str) -> str:
    return " " * min(len(line) - len(line.lstrip(" ")), 40)
