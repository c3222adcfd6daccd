"""Reduces a recorded exchange to what the specifications of a sign-in have names for.

Known secrets are labels already. This protects the unknown ones: of any other parameter or member only the
name is kept, of any other body nothing, and no part of a path that looks like a secret.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from urllib.parse import quote

from loopback_auth.narrow import is_list
from loopback_auth.protocol.json import object_or_none
from loopback_auth.redact import server_text
from loopback_auth.trace.reading import (
    LABEL,
    Parameters,
    form_parameters,
    fragment_parameters,
    query_parameters,
    without_query,
)
from loopback_auth.trace.records import Exchange, Headers
from loopback_auth.trace.secret_finder import looks_secret

HIDDEN = "(not shown)"
KNOWN = frozenset(
    {
        "acr_values",
        "audience",
        "authorization_response_iss_parameter_supported",
        "authorized",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "created_at",
        "display",
        "error",
        "error_description",
        "error_uri",
        "expires_in",
        "grant_type",
        "interval",
        "iss",
        "issuer",
        "jwks_uri",
        "max_age",
        "prompt",
        "redirect_uri",
        "require_pushed_authorization_requests",
        "resource",
        "response_mode",
        "response_type",
        "scope",
        "token_type",
        "token_type_hint",
        "verification_uri",
        "verification_uri_complete",
        "verification_url",
    }
)
"""Names whose values are kept, besides the lists and addresses of metadata."""
ADDRESSES = frozenset({"location", "redirect_uri", "referer", "verification_uri_complete"})
"""Parameters, members and headers that hold an address."""

_ORIGIN = re.compile(r"[^/?#]*://[^/]*")
_USER = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*@")
_NUMBERED = re.compile(r"[A-Za-z0-9._~%=-]*[0-9][A-Za-z0-9._~%=-]*")
_WORD = re.compile(r"[A-Za-z0-9._~-]{16,}")
_LONGEST_PART = 12
"""Characters of a path segment with digits; a longer one may be a secret."""
_LONGEST_NAME = 60


def reduced(exchange: Exchange) -> Exchange:
    """Reduce an exchange; its known secrets must be labels already."""
    return replace(
        exchange,
        url=reduced_url(exchange.url),
        address=reduced_url(exchange.address),
        request_headers=_headers(exchange.request_headers),
        request_body=_members(exchange.request_body) or _parameters(form_parameters(exchange)),
        response_headers=_headers(exchange.response_headers),
        response_body=_members(exchange.response_body),
    )


def reduced_url(url: str) -> str:
    """Reduce an address; its known secrets must be labels already."""
    head = without_query(url)
    origin = _ORIGIN.match(head)
    start = origin.end() if origin is not None else 0  # It may be relative.
    shown = head[:start] + "/".join(map(_part, head[start:].split("/")))
    # Netlify's fragments begin with a question mark.
    behind = tuple((name.removeprefix("?"), value) for name, value in fragment_parameters(url))
    if query := query_parameters(url):
        shown += f"?{_parameters(query)}"
    if len(behind) == 1 and not behind[0][1] and not url.endswith("="):
        # The name of a place, or the route of an application, and not a parameter.
        return f"{shown}#{'/'.join(map(_part, behind[0][0].split('/')))}"
    return f"{shown}#{_parameters(behind)}" if behind else shown


def without_random(text: str) -> str:
    """Return a text without the words that look like random values.

    Servers quote what they refuse: "code SplxlOBeZQQYbYS6WxSbIA has expired".
    """
    return _WORD.sub(lambda word: HIDDEN if any(map(looks_secret, word[0].split("."))) else word[0], text)


def without_user(url: str) -> str:
    """Return an address without a user name and a password."""
    return _USER.sub(r"\1//...@", url)


def _members(body: str) -> str:
    """Reduce a JSON object; empty when the body is something else."""
    members = object_or_none(body)
    if members is None:
        return ""
    return json.dumps({shown_name(name): _member(name, value) for name, value in members.items()})


def _member(name: str, value: object) -> object:
    if isinstance(value, str):
        return _value(name, value)
    if is_list(value) and name.endswith("_supported"):
        return [one for one in value if isinstance(one, str)]
    return value if name in KNOWN and isinstance(value, bool | int | float) else HIDDEN


def _parameters(pairs: Parameters) -> str:
    """Write parameters; labels stay readable."""
    written = ((shown_name(name), _value(name, value)) for name, value in pairs)
    return "&".join(
        f"{quote(name, safe='')}={value if LABEL.fullmatch(value) else quote(value, safe='')}"
        for name, value in written
    )


def _value(name: str, value: str) -> str:
    if LABEL.fullmatch(value) or not value:
        return value
    if name in ADDRESSES:
        return reduced_url(value)
    return value if is_public(name) else HIDDEN


def is_public(name: str) -> bool:
    """Return whether the value of a parameter or member with this name is one that everybody may see."""
    return name in KNOWN or name.endswith(("_supported", "_endpoint"))


def shown_name(name: str) -> str:
    """Return the name of a parameter, unless it looks like a secret in the place of a name."""
    cleaned = server_text(name, 80)
    return (
        cleaned
        if len(cleaned) <= _LONGEST_NAME and not (_NUMBERED.fullmatch(cleaned) and len(cleaned) > 24)
        else HIDDEN
    )


def _part(part: str) -> str:
    part, mark, _ = part.partition(";")  # RFC 3986 §3.3: what follows belongs to the application.
    shown = HIDDEN if len(part) > _LONGEST_PART and _NUMBERED.fullmatch(part) else part
    return f"{shown};{HIDDEN}" if mark else shown


def _headers(headers: Headers) -> Headers:
    return tuple(
        (name, reduced_url(value) if name.lower() in ADDRESSES else value) for name, value in headers
    )
