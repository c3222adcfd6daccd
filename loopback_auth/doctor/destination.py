"""Reads where an answer sends the browser: by a redirect, or by a form that submits itself.

Nothing is followed, and nothing in a page is believed: whether the browser may be sent there is for others to
judge.

Source: RFC 6749 §4.1.2; OAuth 2.0 Form Post Response Mode §2; RFC 9110 §10.2.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Literal
from urllib.parse import parse_qsl, urljoin

from loopback_auth.http_messages import HttpResponse

PAGE_LIMIT = 64 * 1024
"""Bytes of a page that are read; a page that posts an authorization response has fewer."""

_TAG = re.compile(r"<(form|input)\b([^<>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an answer sends the browser, and what the browser brings there.

    Args:
        address: absolute, without query and fragment; empty: the browser stays.
        parameters: names and values, in order.
        via: how they travel: in the query, as a form that submits itself, or in the fragment (`relay`).
    """

    address: str
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    via: Literal["query", "form_post", "relay"] = "query"


def destination(url: str, answer: HttpResponse) -> Destination:
    """Read where an answer sends the browser: by a redirect, or by the first form of its page.

    Args:
        url: that was requested.
        answer: untrusted.

    Source: RFC 6749 §4.1.2; OAuth 2.0 Form Post Response Mode §2; RFC 9110 §10.2.2.
    """
    if location := redirect_target(url, answer):
        rest, _, fragment = location.partition("#")
        address, _, query = rest.partition("?")
        found = tuple(parse_qsl(query or fragment.removeprefix("?")))
        return Destination(address, found, "query" if query else "relay")
    # The status does not matter: oidc-provider sends the form of a refusal with 400.
    action, fields = _posted(page_text(answer))
    return Destination(action, tuple(fields), "form_post")


def leads_to(uri: str, address: str) -> bool:
    """Return whether an address is a redirect URI; one without a path may have got a slash.

    Source: RFC 6749 §3.1.2.3; RFC 3986 §6.2.3.
    """
    return address == uri or (uri.count("/") == 2 and address == f"{uri}/")


def redirect_target(url: str, answer: HttpResponse) -> str:
    """Return the absolute URL of a redirect; empty where the answer is none.

    Source: RFC 9110 §10.2.2.
    """
    if not 300 <= answer.status < 400:
        return ""
    try:
        return urljoin(url, answer.header("location"))
    except ValueError:
        return ""


def page_text(answer: HttpResponse) -> str:
    """Return the beginning of a page.

    Source: RFC 9110 §8.3.2 (what is not UTF-8 is replaced).
    """
    return answer.body[:PAGE_LIMIT].decode("utf-8", "replace")


def _posted(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the address to which the first form of a page is sent, and its fields."""
    action = ""
    fields: list[tuple[str, str]] = []
    for tag, attributes in _TAG.findall(text):
        values = {one[0].lower(): unescape("".join(one[1:])) for one in _ATTRIBUTE.findall(attributes)}
        if tag.lower() == "form":
            action = action or values.get("action", "")
        elif "name" in values:
            fields.append((values["name"], values.get("value", "")))
    return action, fields
