"""The parameters that requests and responses carry, and where: in an address, a body or a header."""

from __future__ import annotations

import re
from collections.abc import Iterator

from loopback_auth.protocol.challenge import token_challenge
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
"""Name of the part of an address that only the browser sees."""

_CLIENT = re.compile(r"Basic ([^:]+):(<client_secret#\d+>)")


def request_parts(exchange: Exchange) -> Iterator[tuple[str, Parameters]]:
    """Iterate over the parts of a request that may carry parameters, with the parameters of each."""
    yield "query", query_parameters(exchange.url)
    yield "form", form_parameters(exchange)
    yield "JSON", json_parameters(exchange)
    head = next((value for name, value in exchange.request_headers if name.lower() == "authorization"), "")
    yield f"Authorization: {head.partition(' ')[0]}", _credentials(head)
    yield "header", tuple(("DPoP", value) for value in proofs(exchange))
    yield FRAGMENT, fragment_parameters(exchange.address)


def request_parameters(exchange: Exchange) -> Parameters:
    """Return the parameters that a server sees: in the query, the body, or the client authentication."""
    return tuple(pair for where, pairs in request_parts(exchange) if where != FRAGMENT for pair in pairs)


def response_parameters(exchange: Exchange) -> Parameters:
    """Return the parameters of a response: in the address of its redirect, or in its body."""
    target = response_header(exchange, "location")
    challenge = token_challenge(response_header(exchange, "www-authenticate"))
    return (
        *query_parameters(target),
        *fragment_parameters(target),
        *(challenge.parameters.items() if challenge is not None else ()),
        *response_members(exchange),
    )


def proofs(exchange: Exchange) -> Iterator[str]:
    """Iterate over the proofs of possession that a request carries (RFC 9449 §4.1)."""
    return (value for name, value in exchange.request_headers if name.lower() == "dpop")


def _credentials(head: str) -> Parameters:
    if (client := _CLIENT.fullmatch(head)) is not None:
        return ("client_id", client[1]), ("client_secret", client[2])
    return tuple((label_kind(label), label) for label in LABEL.findall(head))
