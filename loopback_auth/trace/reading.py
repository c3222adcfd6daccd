"""Reads the exchanges of a trace: parameters that were sent, members that came back, labels of secrets.

A label such as `<code#1>` contains a number sign, so that the usual parser of URLs would take its second half
for a fragment. What cannot be read is left out.
"""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl

from loopback_auth.http_messages import FORM
from loopback_auth.narrow import is_strings
from loopback_auth.protocol.json import object_or_none
from loopback_auth.trace.records import Exchange

LABEL = re.compile(r"<[a-z0-9_]+#\d+>")
"""A label, which stands for a secret."""

Parameters = tuple[tuple[str, str], ...]


def without_query(url: str) -> str:
    """Return a URL without its query and fragment."""
    return url[: _end(url, "?#")]


def query_parameters(url: str) -> Parameters:
    """Return the parameters in the query of a URL."""
    rest = url[len(without_query(url)) :]
    return _parameters(rest[1 : _end(rest, "#")]) if rest.startswith("?") else ()


def fragment_parameters(url: str) -> Parameters:
    """Return the parameters in the fragment of a URL."""
    return _parameters(url[_end(url, "#") + 1 :])


def form_parameters(exchange: Exchange) -> Parameters:
    """Return the parameters in the body of a request; empty where the body is not a form."""
    return _parameters(exchange.request_body) if media_type(exchange.request_headers) == FORM else ()


def json_parameters(exchange: Exchange) -> Parameters:
    """Return the members of a JSON object in the body of a request; empty where there is no object."""
    return _members_in(exchange.request_body)


def parameters_sent(exchange: Exchange) -> Parameters:
    """Return the parameters of a request, from its query and its body, a form or JSON."""
    return (*query_parameters(exchange.url), *form_parameters(exchange), *json_parameters(exchange))


def response_members(exchange: Exchange) -> Parameters:
    """Return the members of a JSON object in the body of a response; empty where there is no object."""
    return _members_in(exchange.response_body)


def labels_in(*texts: str) -> tuple[str, ...]:
    """Return the labels in some texts, each once, in order."""
    return tuple(dict.fromkeys(label for text in texts for label in LABEL.findall(text)))


def label_kind(label: str) -> str:
    """Return the kind of a secret from its label, such as `code` from `<code#1>`; a name stays as it is."""
    return label.strip("<>").partition("#")[0]


def labels_sent(exchange: Exchange) -> tuple[str, ...]:
    """Return the labels of the secrets that a request carried."""
    headers = (value for _, value in exchange.request_headers)
    return labels_in(exchange.url, *headers, exchange.request_body)


def labels_received(exchange: Exchange) -> tuple[str, ...]:
    """Return the labels of the secrets that a response carried."""
    headers = (value for _, value in exchange.response_headers)
    return labels_in(*headers, exchange.response_body)


def response_header(exchange: Exchange, name: str) -> str:
    """Return a header of the response, or the empty string; `name` is in lower case."""
    return next((value for key, value in exchange.response_headers if key.lower() == name), "")


def media_type(headers: Parameters) -> str:
    """Return the media type in some headers, in lower case; empty when there is none."""
    kind = next((value for key, value in headers if key.lower() == "content-type"), "")
    return kind.partition(";")[0].strip().lower()


def _members_in(text: str) -> Parameters:
    return tuple((name, _plain(value)) for name, value in (object_or_none(text) or {}).items())


def _end(url: str, characters: str) -> int:
    """Return where the first of these characters stands outside of labels, or the end."""
    masked = LABEL.sub(lambda label: "x" * len(label[0]), url)
    return min((at for at in map(masked.find, characters) if at >= 0), default=len(url))


def _parameters(text: str) -> Parameters:
    return tuple(parse_qsl(text, keep_blank_values=True))


def _plain(value: object) -> str:
    if is_strings(value):
        return " ".join(value)
    return value if isinstance(value, str) else json.dumps(value)
