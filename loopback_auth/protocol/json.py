"""Parse JSON strictly, so that a document has one meaning only.

Python's decoder accepts duplicate members, NaN and infinities, and its limit of nesting depends on the
version. An attacker who can make two programs read one document differently can choose the token. Also here:
how members and numbers are read, and whether an answer is JSON or a web page.

Source: RFC 8259 §4 (unique names), §6 (no NaN), §9 (limits); RFC 7493 §2.3; RFC 6749 §5.1.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import NoReturn

from loopback_auth.errors import MalformedResponse
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.narrow import is_list, is_mapping, is_object

BODY_LIMIT = 1 << 20
"""Bytes of a body after decompression."""

DEPTH_LIMIT = 32
"""Levels of nested arrays and objects; real answers have about five."""

LARGEST = 1e15
"""Limit of numbers; far beyond every date in Unix seconds."""

_DIGITS = re.compile(r"\s*[0-9]{1,300}(\.[0-9]{0,300})?\s*")
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


def parse_object(body: bytes, *, what: str, source: str) -> dict[str, object]:
    """Parse a JSON object strictly.

    Args:
        body: UTF-8, at most `BODY_LIMIT` bytes; untrusted.
        what: names the document in the message, for example `token response`.
        source: the clause that demands JSON.

    Raises:
        MalformedResponse: anything but one well-formed object with unique member names, nested at most
            `DEPTH_LIMIT` deep.

    Source: RFC 8259 §4, §6, §8.1, §9; RFC 7493 §2.3.
    """

    def refuse(detail: str) -> NoReturn:
        raise MalformedResponse(
            f"The {what} is malformed: {detail}",
            source=source,
            hint="Check the configured addresses: something other than an OAuth server may have answered.",
        )

    if len(body) > BODY_LIMIT:
        refuse(f"more than {BODY_LIMIT} bytes")
    try:
        # RFC 8259 §8.1: a byte order mark is forbidden, and a parser may ignore it.
        # By hand, because Python would import the codec that does so while a person is waiting.
        text = body.removeprefix(BOM_UTF8).decode("utf-8")
        # Before the decoder: some versions accept any depth, and the result fails later.
        if _is_deep(text):
            refuse("nested too deeply")
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    # The decoder's message may quote the document, so it is not passed on.
    except (ValueError, UnicodeDecodeError):
        refuse("not a JSON document with unique names and finite numbers")
    if not is_object(value):
        refuse("not a JSON object")
    return value


def object_or_none(body: bytes | str) -> dict[str, object] | None:
    """Parse a JSON object as `parse_object` does; None where the body is anything else.

    Args:
        body: UTF-8 or text; untrusted.

    Source: RFC 8259 §4, §8.1; RFC 7493 §2.3.
    """
    raw = body.encode("utf-8", "replace") if isinstance(body, str) else body
    if _begins(raw) != b"{":
        return None
    try:
        return parse_object(raw, what="document", source="RFC 8259")
    except MalformedResponse:
        return None


def is_json(response: HttpResponse) -> bool:
    """Return whether an answer is JSON: its content type says so, or it begins with a brace.

    Source: RFC 6749 §5.1; RFC 6839 §3.1; proxies and simple servers send other content types.
    """
    kind = media_type(response)
    return kind == "application/json" or kind.endswith("+json") or _begins(response.body) == b"{"


def media_type(message: HttpRequest | HttpResponse) -> str:
    """Return the media type of a body in lower case, without parameters; empty when there is no header.

    Source: RFC 9110 §8.3.1.
    """
    return message.header("content-type").partition(";")[0].strip().lower()


def is_page(answer: HttpResponse) -> bool:
    """Return whether an answer is a web page.

    Source: RFC 9110 §8.3.
    """
    kind = media_type(answer)
    if "xml" in kind and "html" not in kind:
        return False  # Storage services and old gateways send XML, which is not for a browser.
    return not is_json(answer) and (kind == "text/html" or _begins(answer.body) == b"<")


def is_wall(answer: HttpResponse) -> bool:
    """Return whether something in front of the server answered, such as the log-in page of a network.

    Source: RFC 9110 §15.5.4, §15.5.8; RFC 6585 §6, appendix B (captive portals answer with 200, too).
    """
    # A page with status 404 is the server's own: there is nothing at this address.
    return is_page(answer) and (answer.status < 400 or answer.status in (403, 407, 451))


def member(document: Mapping[str, object], path: str) -> object:
    """Return the member that a path names, with dots between nested objects; None when there is none.

    Source: RFC 8259 §4.
    """
    value: object = document
    for name in path.split("."):
        value = value.get(name) if is_mapping(value) else None
    return value


def text_member(document: Mapping[str, object], name: str) -> str:
    """Return a string member, or the empty string when it is absent or of another type.

    Source: RFC 8259 §3 (a number is not the string of its digits).
    """
    value = document.get(name)
    return value if isinstance(value, str) else ""


def strings_member(document: Mapping[str, object], name: str) -> tuple[str, ...] | None:
    """Return the strings of a list; None when it is absent or of another type.

    A string in place of a list is read as its words, and members of other types are left out.

    Source: RFC 8414 §2, RFC 9728 §2 ("JSON array containing a list").
    """
    value = document.get(name)
    listed = value.split() if isinstance(value, str) and value else value
    return tuple(item for item in listed if isinstance(item, str)) if is_list(listed) else None


def text_or_digits(value: object) -> str:
    """Return a string, or the digits of a number; the empty string for anything else.

    Source: RFC 8259 §3, §6.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """Return a number that is not negative, or that a string of digits means; None for anything else.

    True is not a number here, although Python takes it for 1.

    Source: RFC 6749 appendix A.14 (`expires-in = 1*DIGIT`); RFC 7519 §2 (NumericDate); RFC 9110 §10.2.3.
    """
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        return None
    # Before the conversion: a very long integer does not fit into a float.
    return float(min(value, LARGEST))


def _begins(body: bytes) -> bytes:
    """Return the first character of a body that is not white space."""
    return body.removeprefix(BOM_UTF8).lstrip()[:1]


def _is_deep(text: str) -> bool:
    # Most answers have fewer brackets than the limit, so that counting them is enough.
    if text.count("[") + text.count("{") <= DEPTH_LIMIT:
        return False
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > DEPTH_LIMIT:
                return True
        elif match[0] in "]}":
            depth -= 1
    return False


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and infinities are not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return value
