"""Which header fields are forwarded, and which end at the proxy.

Everything that is about one connection ends here (RFC 9110 §7.6.1), and so does what says who asks: the
client's own `Authorization` is replaced. All else passes as it is: encodings, ranges, conditions, cookies.
What frames a message is written anew for each connection, so that two servers cannot disagree about it.

Source: RFC 9110 §7.6; RFC 9112 §6.3, §9.3; RFC 6265 (cookies are between the client and the server).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110 §7.6.1, §11.7; trailer fields are dropped with what announces them, as §6.5.1 allows."""
_OURS = HOP_BY_HOP | {"authorization", "content-length", "dpop", "expect", "host"}
"""Fields of a request that are written anew for the server."""
OVERRIDES = ("x-http-method", "x-http-method-override", "x-method-override")
"""Fields with which some servers treat a GET as another method."""
_BREAKS = re.compile(r"[\r\n\0]")
_NUMBER = re.compile(r"[0-9]{1,18}")

Fields = list[tuple[str, str]]


def request_fields(received: Iterable[tuple[str, str]], *, method: str, via: str) -> Fields:
    """Return the fields of a request for the server, but for the token and what frames its content.

    Args:
        received: as the client sent them.
        method: of the request.
        via: names the received protocol and this proxy, such as `1.1 proxy`.

    Source: RFC 9110 §7.6.1, §7.6.2 (`Max-Forwards` of OPTIONS), §7.6.3 (a gateway MUST send `Via` in each
    inbound request).
    """
    kept = _end_to_end(received, _OURS)
    if method == "OPTIONS":
        kept = [(name, _one_less(value) if name.lower() == "max-forwards" else value) for name, value in kept]
    kept.append(("Via", via))
    return kept


def response_fields(received: Iterable[tuple[str, str]], *, secret: str) -> tuple[Fields, bool]:
    """Return the fields of an answer for the client, and whether one was left out because it had the token.

    Args:
        received: as the server sent them.
        secret: the token of the request; empty: none.

    Source: RFC 9110 §7.6.1, §5.5 (line breaks become blanks).
    """
    kept: Fields = []
    told = False
    for name, value in _end_to_end(received, HOP_BY_HOP):
        if secret and (secret in value or secret in name):
            told = True
            continue
        kept.append((name, value if value.isascii() and value.isprintable() else _cleaned(value)))
    return kept, told


def content_length(fields: Iterable[tuple[str, str]]) -> int | None:
    """Return the length that an answer states; None: it states none, or is sent in chunks.

    Raises:
        ValueError: it states several lengths, or something that is not a length, or another transfer coding.

    Source: RFC 9112 §6.3.
    """
    found: set[str] = set()
    chunked = False
    for name, value in fields:
        lowered = name.lower()
        if lowered == "transfer-encoding":
            if value.strip().lower() != "chunked":
                raise ValueError("no length: another transfer coding")
            chunked = True
        elif lowered == "content-length":
            found.add(value)
    if chunked or not found:
        return None
    if len(found) > 1 or not _NUMBER.fullmatch(value := found.pop()):
        raise ValueError("no length")
    return int(value)


def wants_upgrade(method: str, fields: Iterable[tuple[str, str]]) -> bool:
    """Return whether a request asks to go on as a websocket.

    Source: RFC 6455 §4.1; RFC 9110 §7.8.
    """
    upgrade, connection = "", ""
    for name, value in fields:
        lowered = name.lower()
        if lowered == "upgrade":
            upgrade = value
        elif lowered == "connection":
            connection += f",{value}"
    return (
        method == "GET"
        and upgrade.strip().lower() == "websocket"
        and "upgrade" in {one.strip().lower() for one in connection.split(",")}
    )


def _one_less(value: str) -> str:
    return str(int(value) - 1) if _NUMBER.fullmatch(value) and int(value) else value


def _end_to_end(received: Iterable[tuple[str, str]], dropped: frozenset[str]) -> Fields:
    """Return the fields that are not dropped, and that `Connection` does not name.

    Source: RFC 9110 §7.6.1.
    """
    kept: Fields = []
    nominated: set[str] = set()
    for field in received:
        lowered = field[0].lower()
        if lowered not in dropped:
            kept.append(field)
        elif lowered == "connection" and field[1] not in ("keep-alive", "close"):
            nominated.update(one.strip().lower() for one in field[1].split(","))
    return [field for field in kept if field[0].lower() not in nominated] if nominated else kept


def _cleaned(value: str) -> str:
    """Return a value that can be written: UTF-8 as it is, other bytes read as ISO-8859-1 (RFC 9110 §5.5)."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        value = value.encode("utf-8", "surrogateescape").decode("latin-1")
    return _BREAKS.sub(" ", value)
