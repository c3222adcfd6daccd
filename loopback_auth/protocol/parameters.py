"""Parse the parameters of a query, a fragment or a form, so that those that decide have one meaning only.

This module refuses to know what the parameters mean.

Source: RFC 6749 §4.1.2, §4.1.2.1, appendix A, appendix B; WHATWG URL §5.1.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from loopback_auth.protocol.response import DECISIVE

FIELD_LIMIT = 256
"""Parameters in one callback; real ones have fewer than ten, but some servers add a whole log."""

BODY_LIMIT = 64 * 1024
"""Bytes of a form_post body; also the limit of the request line and of each header."""


def parse_parameters(raw: bytes) -> tuple[tuple[str, str], ...] | None:
    """Split a query or form body; None when a parameter that decides is ambiguous.

    `&` is the only separator, and there are at most `FIELD_LIMIT` fields. Parameters that decide must be
    UTF-8 without control characters. A client MUST ignore parameters that it does not know, and a description
    is optional: unreadable bytes in those are replaced, so that they do not make the response fail.

    Source: RFC 6749 §4.1.2, §4.1.2.1, appendix A, appendix B; WHATWG URL §5.1.
    """
    if not raw:
        return ()
    fields = raw.split(b"&")
    if len(fields) > FIELD_LIMIT or len(raw) > BODY_LIMIT:
        return None
    parameters: list[tuple[str, str]] = []
    for one in fields:
        encoded_name, _, encoded = one.partition(b"=")
        name = _legible(encoded_name)  # Known names are ASCII: an unreadable name cannot become one of them.
        value = _legible(encoded, breaks="" if name in DECISIVE else "\r\n\t")
        if name in DECISIVE and value != _octets(encoded).decode("utf-8", "surrogateescape"):
            return None
        parameters.append((name, value))
    return tuple(parameters)


def as_sent(text: str) -> bytes:
    """Return the bytes of a request line, in which bytes that are not UTF-8 are escaped as surrogates.

    Source: RFC 9112 §3 (a request is a sequence of octets).
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")  # Any other surrogate stays unreadable.


def _legible(encoded: bytes, *, breaks: str = "") -> str:
    """Decode a name or a value, replacing what is not UTF-8, and control characters except `breaks`.

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
