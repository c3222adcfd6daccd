"""Writes what was seen of a sign-in into the records of a trace, with labels in place of its secrets."""

from __future__ import annotations

from collections.abc import Iterable

from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.trace.reading import label_kind
from loopback_auth.trace.records import Exchange, Party, Secret, Step
from loopback_auth.trace.redactor import Redactor

DIGITS = 5
"""Digits of a second after the point: clocks that count from 1970 have no more."""


def written_exchange(
    request: HttpRequest,
    response: HttpResponse | None,
    redactor: Redactor,
    *,
    number: int,
    at: float,
    seconds: float,
    sender: Party,
    receiver: Party,
    step: str,
    address: str,
    observed: bool,
) -> Exchange:
    """Return the record of one exchange, with the fields of `Exchange`; its secrets are learnt already."""
    return Exchange(
        number=number,
        at=round(at, DIGITS),
        seconds=round(seconds, DIGITS),
        sender=sender,
        receiver=receiver,
        step=step,
        method=request.method,
        url=redactor.excerpt(request.url.partition("#")[0]),
        request_headers=redactor.headers(request.headers),
        request_body=redactor.body(request),
        status=response.status if response is not None else 0,
        response_headers=redactor.headers(response.headers) if response is not None else (),
        response_body=redactor.body(response) if response is not None else "",
        address=redactor.excerpt(address),
        observed=observed,
    )


def written_secrets(entries: Iterable[Step | Exchange], redactor: Redactor) -> tuple[Secret, ...]:
    """Return the secrets whose labels stand in these entries, in the order in which they were learnt."""
    shown = repr(tuple(entries))
    return tuple(
        Secret(label, label_kind(label), length) for label, length in redactor.known() if label in shown
    )
