"""The parameters of an answer: a query, a fragment or a form, read without a second reading that matters.

Source: RFC 6749 §4.1.2, §4.1.2.1, appendix A, appendix B; WHATWG URL §5.1.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from loopback_auth.protocol.response import FREE_TEXT, KNOWN_PARAMETERS

FIELD_LIMIT = 256
"""Parameters in one callback; real ones have fewer than ten, and some servers put a whole log beside them."""

BODY_LIMIT = 64 * 1024
"""Bytes of a form_post body; also the limit of the request line and of each header."""

DECISIVE = KNOWN_PARAMETERS - FREE_TEXT
"""Parameters that have to be UTF-8 without control characters, or else the whole is not read."""


def parse_parameters(raw: bytes) -> tuple[tuple[str, str], ...] | None:
    """Split a query or form body; None when what matters in it has no single reading.

    `&` is the only separator, and there are at most `FIELD_LIMIT` fields. What decides has to be UTF-8
    without control characters. A client MUST ignore the parameters that it does not know, and a description
    is optional: whatever cannot be read in those is replaced, for they may not take the answer along.

    Source: RFC 6749 §4.1.2, §4.1.2.1, appendix A, appendix B; WHATWG URL §5.1.
    """
    if not raw:
        return ()
    fields = raw.split(b"&")
    if len(fields) > FIELD_LIMIT or len(raw) > BODY_LIMIT:
        return None
    parameters = []
    for one in fields:
        encoded_name, _, encoded = one.partition(b"=")
        name = _legible(encoded_name)  # Those that are known are ASCII: none comes of an unreadable one.
        value = _legible(encoded, breaks="" if name in DECISIVE else "\r\n\t")
        if name in DECISIVE and value != _octets(encoded).decode("utf-8", "surrogateescape"):
            return None
        parameters.append((name, value))
    return tuple(parameters)


def as_sent(text: str) -> bytes:
    """Return the bytes of a request line: those that were no UTF-8 are in it as escaped surrogates.

    Source: RFC 9112 §3 (a request is a sequence of octets).
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")  # Another surrogate, which stays unreadable.


def _legible(encoded: bytes, *, breaks: str = "") -> str:
    """Decode a name or a value; what is no UTF-8, and every control character but some, is replaced.

    Microsoft puts line breaks into each `error_description`.
    """
    text = _octets(encoded).decode("utf-8", "replace")
    return "".join(
        "\ufffd" if _is_control(character) and character not in breaks else character for character in text
    )


def _is_control(character: str) -> bool:
    return character < "\x20" or character == "\x7f"


def _octets(encoded: bytes) -> bytes:
    return unquote_to_bytes(encoded.replace(b"+", b" "))
