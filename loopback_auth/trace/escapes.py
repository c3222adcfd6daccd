"""Decodes what is escaped in a text, and remembers for each character where it stood in the text.

A text does not say how often it was escaped, nor by which rules: an address may stand in an address, in a
form, in JSON, on a page. So it is decoded layer by layer, by all rules at once, until nothing is left.

Source: RFC 3986 §2.1, RFC 8259 §7, HTML "Character references".
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

MOST_LAYERS = 8
"""How often a text may be escaped; an address within an address within a form is escaped three times."""

_ESCAPED = re.compile(
    r"""(?:%[0-9A-Fa-f]{2})+|(?:\\u[0-9A-Fa-f]{4})+|\\["\\/bfnrt]"""
    r"|&(?:#[0-9]{1,16}|#[xX][0-9A-Fa-f]{1,16}|[A-Za-z]{2,8});"
)
"""Characters as they are escaped in URLs and forms (RFC 3986 §2.1), JSON (RFC 8259 §7) and HTML."""
_IN_JSON = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def layers(text: str) -> list[tuple[str, Sequence[int]]] | None:
    """Decode a text until nothing in it is escaped; None if that takes too long.

    Returns:
        Each layer, the text itself first; with the position in the text of each character, and of the end.
    """
    places: Sequence[int] = range(len(text) + 1)
    found: list[tuple[str, Sequence[int]]] = [(text, places)]
    while _ESCAPED.search(text):
        decoded, places = _decoded(text, places)
        if decoded == text:
            break
        if len(found) > MOST_LAYERS:
            return None
        text = decoded
        found.append((text, places))
    if "+" in text:
        found.append((text.replace("+", " "), places))  # As forms write a blank.
    return found


def _decoded(text: str, places: Sequence[int]) -> tuple[str, list[int]]:
    characters: list[str] = []
    kept: list[int] = []
    end = 0
    for match in _ESCAPED.finditer(text):
        start = match.start()
        characters.append(text[end:start])
        kept += places[end:start]
        for character, length in _meaning(match[0]):
            characters.append(character)
            kept.append(places[start])
            start += length
        end = match.end()
    characters.append(text[end:])
    kept += places[end:]
    return "".join(characters), kept


def _meaning(escaped: str) -> Iterator[tuple[str, int]]:
    """Decode one escape, or a run of them: each character, and how long it was when escaped."""
    if escaped[0] == "%":
        # Bytes that are not UTF-8 stay apart from each other.
        for character in bytes.fromhex(escaped.replace("%", "")).decode("utf-8", "surrogateescape"):
            yield character, 3 * len(character.encode("utf-8", "surrogateescape"))
    elif escaped[:2] == "\\u":
        raw = bytes.fromhex(escaped.replace("\\u", ""))
        for character in raw.decode("utf-16-be", "surrogatepass"):
            yield character, 12 if ord(character) > 0xFFFF else 6
    elif escaped[0] == "\\":
        yield _IN_JSON.get(escaped[1], escaped[1]), 2
    else:
        meant = html.unescape(escaped)
        yield meant[0], len(escaped) - len(meant) + 1
        yield from ((character, 1) for character in meant[1:])
