"""How text becomes HTML in a report: cleaned, escaped, with secrets marked and clauses linked.

Every text may come from a server or from somebody's capture. Nothing here builds an attribute from it but the
label of a secret, which is made of letters, digits and a number sign, and a link of a form that is checked.
"""

from __future__ import annotations

import re
from html import escape

from loopback_auth.redact import server_text
from loopback_auth.trace.evidence import label_kind
from loopback_auth.trace.reading import LABEL

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


def plain(text: str, limit: int = 500) -> str:
    """Make HTML of one line of text."""
    return escape(server_text(text, limit))


def rich(text: str, limit: int = 500) -> str:
    """Make HTML of one line of text, with the secrets in it marked."""
    return _marked(server_text(text, limit))


def preformatted(text: str) -> str:
    """Make HTML of text whose lines and indentation matter."""
    return "\n".join(_indentation(line) + _marked(server_text(line, LINE_LIMIT)) for line in text.split("\n"))


def secret(label: str) -> str:
    """Mark a secret, so that it can be told from others, and found wherever it is."""
    name = label.strip("<>")
    return f'<span class="secret c{colour(label)}" data-secret="{escape(name)}">{escape(label)}</span>'


def secret_button(label: str) -> str:
    """Make a button that shows where a secret goes; it needs the script of the page."""
    return (
        f'<button type="button" class="secret c{colour(label)}" data-secret="{escape(label.strip("<>"))}"'
        f' aria-pressed="false">{escape(short(label))}</button>'
    )


def short(label: str) -> str:
    """Name a secret as briefly as one can: `code` for `<code#1>`, but `code#2` for the second one."""
    return label.strip("<>").removesuffix("#1")


def colour(label: str) -> int:
    """Return the number of a secret's colour."""
    return COLOURS.get(label_kind(label), 0)


def clause(source: str) -> str:
    """Link every clause, page and issue in a source to where it can be read."""
    cleaned, at, rfc = server_text(source), 0, ""
    parts = []
    for found in _REFERENCE.finditer(cleaned):
        # In "RFC 9700 §4.5.3.1, §4.6.1" the second section belongs to the same RFC.
        rfc = found["rfc"] or (rfc if found["section"] or found["appendix"] else "")
        url = _url(found, rfc)
        text = re.sub(r"^https://(www\.)?", "", found[0]).rstrip("/")
        parts += [escape(cleaned[at : found.start()]), _link(url, text) if url else escape(found[0])]
        at = found.end()
    return "".join(parts) + escape(cleaned[at:])


def _url(found: re.Match[str], rfc: str) -> str:
    """Say where a reference leads; nowhere, where it is a section of nothing."""
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


def _link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}" rel="noopener noreferrer">{escape(text)}</a>'


def _marked(text: str) -> str:
    """Escape a text, and mark the secrets in it."""
    parts, at = [], 0
    for found in LABEL.finditer(text):
        parts += [escape(text[at : found.start()]), secret(found[0])]
        at = found.end()
    return "".join(parts) + escape(text[at:])


def _indentation(line: str) -> str:
    return " " * min(len(line) - len(line.lstrip(" ")), 40)
