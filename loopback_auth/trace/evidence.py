"""What a trace shows, read once for rows and checks alike.

Secrets are labels here, so that "who could have redeemed the tokens" is a question about labels: which ones
did the request carry that was answered with tokens, and where else did they turn up? Nothing is concluded
from a flow's name but what kind of flow it is.

A leg of which only the URL is known counts as evidence of what was asked for, never of what a browser did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from loopback_auth.flow_table import BY_NAME, FlowTraits
from loopback_auth.trace.reading import (
    form_parameters,
    fragment_parameters,
    labels_in,
    labels_sent,
    query_parameters,
    without_query,
)
from loopback_auth.trace.records import Exchange, Step, Trace

POLLS = ("device token request", "ticket status request")
REDEMPTIONS = ("token request", "device token request", "ticket exchange", "ticket status request")
"""Requests of ours that are answered with tokens, where the browser does not bring them."""
RESPONSES = ("authorization response", "fragment relay")

ACCESS = ("access_token", "refresh_token")
TOKENS = (*ACCESS, "id_token")
KEYS = ("code", "device_code", "ticket")
PROOFS = ("code_verifier", "client_secret", "client_assertion")
GRAVITY = (*TOKENS, "client_secret", *KEYS)


@dataclass(frozen=True, slots=True)
class Message:
    """Parameters that were sent to somebody, and the entries that show it.

    Args:
        url: where to, without query and fragment.
    """

    parameters: Mapping[str, str]
    url: str
    steps: tuple[int, ...]


def traits_of(flow: str) -> FlowTraits:
    """Return what the flow of a run is; an unknown one is taken for a code flow."""
    return BY_NAME.get(flow, BY_NAME["code"])


def label_kind(label: str) -> str:
    """Return what a label stands for, such as `code` for `<code#1>`; a name stands for itself."""
    return label.strip("<>").partition("#")[0]


def of_kind(found: Iterable[str], kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the labels of these kinds."""
    return tuple(label for label in found if label_kind(label) in kinds)


def asked(trace: Trace) -> Message | None:
    """Return the authorization request: as pushed, as the browser took it along, or as it was handed out."""
    pushed = first(trace, "pushed authorization request")
    front = first(trace, "authorization request")
    if pushed is not None or front is not None:
        url = front.url if front is not None else ""
        parameters = {**dict(form_parameters(pushed) if pushed else ()), **dict(query_parameters(url))}
        return Message(parameters, without_query(url), numbers(pushed, front))
    for step in trace.steps("browse"):
        for _, value in step.values:
            if query_parameters(value):
                return Message(dict(query_parameters(value)), without_query(value), (step.number,))
    return None


def answered(trace: Trace) -> Message | None:
    """Return the authorization response: what reached our port, or what the person brought.

    Where only the names of its parameters were seen, their values are empty.
    """
    for exchange in trace.exchanges("browser", "client"):
        if exchange.step not in RESPONSES:
            continue
        # Last the address: its fragment, which no request carries, was seen by our own page.
        for parameters in (
            form_parameters(exchange),
            query_parameters(exchange.url),
            fragment_parameters(exchange.address),
        ):
            if parameters:
                return Message(dict(parameters), without_query(exchange.url), (exchange.number,))
    step = taken(trace)
    if step is None:
        return None
    return Message(dict.fromkeys(step.value("parameters").split(), ""), "", (step.number,))


def taken(trace: Trace) -> Step | None:
    """Return the step in which an authorization response was taken."""
    return next((step for name in ("receive", "paste") for step in trace.steps(name)), None)


def brought(
    trace: Trace, kinds: Iterable[str], ways: Iterable[str]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return what of these kinds an authorization response brought, and the entry that shows it.

    Args:
        trace: where on live ground the step in which the response was taken tells no more than names.
        kinds: names of parameters.
        ways: how it came: `query`, `form_post`, `relay` or `paste`.

    Returns:
        Labels, or names of parameters where the values were not seen.
    """
    step, response = taken(trace), answered(trace)
    if step is None or response is None or step.value("via") not in ways:
        return (), ()
    return tuple(response.parameters[name] or name for name in kinds if name in response.parameters), (
        step.number,
    )


def published(trace: Trace) -> Exchange | None:
    """Return the request that got the server's metadata: the last of several places looked at."""
    return next((each for each in named(trace, "metadata request") if each.status == 200), None)


def first(trace: Trace, step: str) -> Exchange | None:
    """Return the first exchange of a name."""
    return next(named(trace, step), None)


def named(trace: Trace, *steps: str) -> Iterator[Exchange]:
    """Iterate over the exchanges of these names, in order."""
    return (exchange for exchange in trace.exchanges() if exchange.step in steps)


def numbers(*entries: Step | Exchange | None) -> tuple[int, ...]:
    """Return the places of these entries in the trace, each once, in order."""
    return tuple(sorted({entry.number for entry in entries if entry is not None}))


def redemption(trace: Trace) -> Exchange | None:
    """Return the request that was to be answered with tokens: the last of its kind."""
    sent_by_us = [each for each in trace.exchanges("client", "server") if each.step in REDEMPTIONS]
    exchanges = [each for each in sent_by_us if each.step == "ticket exchange"]
    return next(reversed(exchanges or sent_by_us), None)


def keys(trace: Trace) -> frozenset[str]:
    """Return the labels of what redeems the tokens: code, device code, or all that a ticket's polls carry."""
    found = {secret.label for secret in trace.secrets if secret.kind in KEYS}
    for exchange in trace.exchanges("client", "server"):
        if exchange.step in REDEMPTIONS:
            found.update(
                label for label in labels_sent(exchange) if label_kind(label) not in (*PROOFS, *TOKENS)
            )
    return frozenset(found)


def prizes(trace: Trace) -> frozenset[str]:
    """Return the labels of what somebody else could make use of: tokens, and what redeems them."""
    wanted = (*TOKENS, "client_secret", "user_code")
    return keys(trace) | {secret.label for secret in trace.secrets if secret.kind in wanted}


def shown(found: Iterable[str]) -> str:
    """Name some labels, the gravest first; `nothing` when there are none."""

    def gravity(label: str) -> int:
        kind = label_kind(label)
        return GRAVITY.index(kind) if kind in GRAVITY else len(GRAVITY) + (kind == "user_code")

    return ", ".join(sorted(dict.fromkeys(found), key=gravity)) or "nothing"


def watched(trace: Trace) -> bool:
    """Return whether every leg of the browser was seen, so that what is not there did not happen."""
    legs = tuple(trace.exchanges("browser"))
    return trace.ground != "live" and all(leg.observed for leg in legs)


def in_browser(exchange: Exchange) -> tuple[str, ...]:
    """Return the labels that code in the browser could read in an exchange of its own."""
    return labels_in(exchange.url, exchange.address, exchange.request_body, exchange.response_body)


def in_address(exchange: Exchange) -> tuple[str, ...]:
    """Return the labels in what the address bar showed."""
    return labels_in(exchange.address)


def started(trace: Trace) -> tuple[Step, ...]:
    """Return the steps in which a program was started, and did not only a link get shown."""
    return tuple(step for step in trace.steps("open") if step.value("program"))


def granted(trace: Trace) -> tuple[int, ...]:
    """Return the entries that show how the tokens came."""
    exchange = redemption(trace)
    if exchange is not None:
        return (exchange.number,)
    response = answered(trace)
    return response.steps if response is not None else numbers(*trace.steps("done"))
