"""What requests and answers carry along, and where in them: an address, a body, or a header."""

from __future__ import annotations

import re
from collections.abc import Iterator

from loopback_auth.trace.reading import (
    LABEL,
    Parameters,
    form_parameters,
    fragment_parameters,
    json_parameters,
    label_kind,
    query_parameters,
    response_header,
    response_members,
)
from loopback_auth.trace.records import Exchange

FRAGMENT = "fragment"
"""Names the part of an address that only the browser sees."""

_CLIENT = re.compile(r"Basic ([^:]+):(<client_secret#\d+>)")


def carried(exchange: Exchange) -> Iterator[tuple[str, Parameters]]:
    """Iterate over the places of a request that may carry something, and what each does carry."""
    yield "query", query_parameters(exchange.url)
    yield "form", form_parameters(exchange)
    yield "JSON", json_parameters(exchange)
    head = next((value for name, value in exchange.request_headers if name.lower() == "authorization"), "")
    yield f"Authorization: {head.partition(' ')[0]}", _credentials(head)
    yield FRAGMENT, fragment_parameters(exchange.address)


def sent_along(exchange: Exchange) -> Parameters:
    """Return what a request carried: in its address, its body, or as the client's credentials."""
    return tuple(pair for where, pairs in carried(exchange) if where != FRAGMENT for pair in pairs)


def came_back(exchange: Exchange) -> Parameters:
    """Return what an answer carried: in the address that it led to, or in its body."""
    target = response_header(exchange, "location")
    return (*query_parameters(target), *fragment_parameters(target), *response_members(exchange))


def _credentials(head: str) -> Parameters:
    if (client := _CLIENT.fullmatch(head)) is not None:
        return ("client_id", client[1]), ("client_secret", client[2])
    return tuple((label_kind(label), label) for label in LABEL.findall(head))
