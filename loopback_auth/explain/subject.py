"""Decides what a text is that a user wants explained: a flow, an error code, a link, a token, a document.

The text is untrusted: it may have been copied from a terminal, a log, a chat or a page, with quotes, line
breaks and the name of a header around it. Nothing is read from a file here, and nothing is sent. A text that
is nothing of this is unknown, and is not guessed at.

Source: RFC 3986 §3; RFC 7515 §3.1; RFC 6749 §4.1.2.1, §5.2; RFC 6750 §3.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote

from loopback_auth.compare.model import RESOURCE
from loopback_auth.explain.errors.error_story import CODES, NUMBER
from loopback_auth.flow_table import BY_NAME
from loopback_auth.protocol.challenge import challenges
from loopback_auth.protocol.json import object_or_none
from loopback_auth.settings.presets import every_preset
from loopback_auth.trace.secret_names import PUBLIC, SECRET_PARAMETERS

SubjectKind = Literal[
    "flow", "provider", "error", "link", "token", "document", "file", "nothing", "too long", "unknown"
]

LONGEST = 1 << 20
"""Characters of a text; a link has hundreds, a token some thousands."""
ALIASES = {"mcp": RESOURCE}
"""What people call a flow, and its name."""

_PASTED = ("\x1b[200~", "\x1b[201~")
"""What a terminal puts around a text that is pasted into it."""
_QUOTES = ('""', "''", "``", "<>", "\u201c\u201d", "\u2018\u2019")
"""What people put around a text that they copy."""
_MOST_QUOTES = 4
"""Pairs of quotes around a text that are taken off."""
_HEADER = re.compile(r"(?:Location|Referer|URL|Authorization|DPoP|WWW-Authenticate):\s+", re.IGNORECASE)
_REQUEST_LINE = re.compile(r"(?:GET|POST|HEAD)\s+(\S+)(?:\s+HTTP/[\d.]+)?", re.IGNORECASE)
_CREDENTIALS = re.compile(r"(?:Bearer|DPoP)\s+(?=ey|[A-Za-z0-9_-]+\.)", re.IGNORECASE)
_PARTS = re.compile(r"[A-Za-z0-9_+/=-]+(?:\.[A-Za-z0-9_+/=-]*){2,4}(?:~.*)?")
_CUT = re.compile(r"ey[A-Za-z0-9_+/=-]{14,}(?:\.[A-Za-z0-9_+/=-]*)?")
"""The beginning of a token."""
_ESCAPED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*%(?:25)*3A%(?:25)*2F%(?:25)*2F", re.IGNORECASE)
"""The beginning of a link that is escaped as a whole."""
_MOST_ESCAPES = 3
"""How often a link may be escaped as a whole."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\s)")
_PAIR = re.compile(r"[A-Za-z_%][^\s=&:/?#'\"<>]*=")
"""The beginning of parameters without anything before them."""
_WITHIN = re.compile(r"https?://[^\s\"'`<>\\|{}^\u2018-\u201f]+", re.IGNORECASE)
_TOKEN_WITHIN = re.compile(r"ey[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}")
_CODE_WITHIN = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)+")
_ABSOLUTE = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+-]*://|urn:|[A-Za-z][A-Za-z0-9+-]*\.[A-Za-z0-9+.-]*:/)", re.IGNORECASE
)
_LOCAL = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?:[/?#]|$)", re.IGNORECASE)
_DOMAIN = re.compile(r"[^\s/?#:@%&=.]+(?:\.[^\s/?#:@%&=.]+)+(?::\d{1,5})?(?:/[^\s?#]*)?[?#]\S")
"""A host and a path without a scheme, as address bars show them."""
_DRIVE = re.compile(r"[A-Za-z]:(?:\\|/(?!/))")
_FILE = re.compile(r"[^\s?#=&]+\.(?:har|json|jwt|jws|token|txt|url|log)", re.IGNORECASE)
_RUNNING = frozenset({"javascript:", "data:", "vbscript:", "file:", "blob:"})
"""Schemes that have no // behind them and are links all the same; they are never those of a sign-in."""
_KNOWN = {*SECRET_PARAMETERS, *PUBLIC, "error", "redirect_uri", "response_type", "grant_type", "SAMLRequest"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What kind of thing a text is, and the text without what stood around it.

    Args:
        kind: of the text.
        text: without what stood around it; of an error its code.
        detail: what else the text says about an error, such as its description.
    """

    kind: SubjectKind
    text: str = field(default="", repr=False)
    detail: str = field(default="", repr=False)


def recognised(text: str) -> Subject:
    """Recognise what kind of thing a text is.

    Args:
        text: however long and strange; untrusted.

    Source: RFC 3986 §3 (links); RFC 7515 §3.1, RFC 7516 §3.1 (tokens); RFC 6750 §3 (challenges).
    """
    if len(text) > LONGEST:
        return Subject("too long")
    bare = _unwrapped(_restored(text))
    if not bare:
        return Subject("nothing")
    if bare[0] == "{":
        cut = object_or_none(bare) is None  # Or as Python prints a dictionary.
        return (_within(bare) if cut else None) or Subject("document", bare)
    ways: tuple[Callable[[str], Subject | None], ...] = (_name, _error, _token, _link, _file, _within)
    return next((found for way in ways if (found := way(bare)) is not None), Subject("unknown", bare))


def _restored(text: str) -> str:
    """Return a text without surrogates: they stand for bytes that the locale cannot read (PEP 383)."""
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # Others never come from a command line.
        octets = text.encode("utf-8", "replace")
    return octets.decode("utf-8", "replace")


def _unwrapped(text: str) -> str:
    """Return a text without what stood around it where it was copied."""
    for mark in _PASTED:
        text = text.replace(mark, "")
    text = text.strip()
    for _ in range(_MOST_QUOTES):
        if len(text) > 1 and f"{text[0]}{text[-1]}" in _QUOTES:
            text = text[1:-1].strip()
    if (header := _HEADER.match(text)) is not None:
        text = text[header.end() :]
    line = _REQUEST_LINE.fullmatch(text)
    return line[1] if line is not None else text


def _name(text: str) -> Subject | None:
    word = " ".join(text.split())
    word = ALIASES.get(word, word)
    if word in BY_NAME:
        return Subject("flow", word)
    return Subject("provider", word) if word in every_preset() else None


def _error(text: str) -> Subject | None:
    """Recognise a code, alone, with its description behind it, or in a challenge."""
    if (number := NUMBER.match(text)) is not None:
        return Subject("error", number[0].upper(), text[number.end() :].lstrip(": "))
    if len(text) > LONGEST // 16 or text[:1] in "?#/":
        return None
    code, _, detail = text.partition(" ")
    code = code.removeprefix("error=").removeprefix("error:").strip("\"':,.")
    if code.lower() in CODES:
        return Subject("error", code.lower(), detail.strip())
    for challenge in challenges(text):
        if challenge.error:
            return Subject("error", challenge.error, challenge.parameters.get("error_description", ""))
    return None


def _token(text: str) -> Subject | None:
    """Recognise a JWS, a JWE or a piece of one, with the white space of a narrow terminal in it."""
    if (credentials := _CREDENTIALS.match(text)) is not None:
        text = text[credentials.end() :]
    joined = "".join(text.split())
    whole = _PARTS.fullmatch(joined) is not None
    if (whole or _CUT.fullmatch(joined)) and _begins_with_object(joined.partition(".")[0]):
        return Subject("token", joined)
    return None


def _begins_with_object(part: str) -> bool:
    raw = part[:16].replace("+", "-").replace("/", "_").rstrip("=")
    try:
        return urlsafe_b64decode(raw + "=" * (-len(raw) % 4)).lstrip()[:1] == b"{"
    except ValueError:
        return False


def _link(text: str) -> Subject | None:
    """Recognise a link, whole or without its beginning; a link that is escaped as a whole is unescaped."""
    for _ in range(_MOST_ESCAPES):
        if _ESCAPED.match(text):
            text = unquote(text)
    text = "".join(line.strip() for line in re.split("[\r\n]", text))  # Narrow terminals break long links.
    if text.startswith("//"):
        return Subject("link", f"https:{text}")
    if _LOCAL.match(text):
        return Subject("link", f"http://{text}")
    if _DOMAIN.match(text):
        return Subject("link", f"https://{text}")
    if _SCHEME.match(text) and not _DRIVE.match(text):
        scheme = text.partition(":")[0].lower()
        whole = f"{scheme}:" in _RUNNING or _ABSOLUTE.match(text) or _has_parameters(text)
        return Subject("link", text) if whole else None
    if text[0] not in "?#/":
        if not _PAIR.match(text):
            return None
        text = f"?{text}"
    return Subject("link", text) if _has_parameters(text) else None


def _has_parameters(text: str) -> bool:
    """Return whether a text has parameters of a sign-in, behind a question mark or a number sign."""
    behind = re.split("[?#]", text[: LONGEST // 16])[1:]
    return any(name in _KNOWN for part in behind for name, _ in parse_qsl(part, keep_blank_values=True))


def _within(text: str) -> Subject | None:
    """Recognise what a command, a sentence or a line of a log is about: a link, a token or an error code."""
    if len(text) > LONGEST // 16:
        return None
    for found in _WITHIN.findall(text):
        if _has_parameters(found):
            return Subject("link", found.rstrip(").,;:]"))
    for found in _TOKEN_WITHIN.findall(text):
        if _begins_with_object(found.partition(".")[0]):
            return Subject("token", found)
    if (number := NUMBER.search(text)) is not None:
        return Subject("error", number[0].upper())
    codes = (found.lower() for found in _CODE_WITHIN.findall(text))
    return next((Subject("error", code) for code in codes if code in CODES), None)


def _file(text: str) -> Subject | None:
    """Recognise a path by its ending, or because it is written as one. The file need not exist."""
    if "\n" in text or len(text) > 4096:
        return None
    if _FILE.fullmatch(text) or _DRIVE.match(text) or re.match(r"(?:~?|\.{1,2})/\S", text):
        return Subject("file", text)
    return None
