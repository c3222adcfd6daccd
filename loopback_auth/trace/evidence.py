"""What a trace shows: the messages, secrets and steps of which rows and checks of a comparison speak.

Secrets are labels, so that "who could have got the tokens" is a question about labels: which ones were in the
request that was answered with tokens, and where else do they stand? From the name of a flow nothing is
concluded but which kind of flow it is.

An exchange of which only the URL is known shows what was requested, but not what a browser did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from loopback_auth.flow_table import BY_NAME, FLOWS, FlowTraits
from loopback_auth.trace.reading import (
    form_parameters,
    fragment_parameters,
    label_kind,
    labels_in,
    labels_sent,
    query_parameters,
    without_query,
)
from loopback_auth.trace.records import Exchange, Step, Trace

POLLS = tuple(flow.polled_by for flow in FLOWS if flow.polled)
"""Names of the requests that ask again and again whether the person has approved."""

REDEMPTIONS = ("token request", "ticket exchange", *POLLS)
"""Requests of ours that are answered with tokens, where the browser does not bring them."""

RESPONSES = ("authorization response", "fragment relay")
"""Names of the requests of the browser that bring an authorization response to our port."""

ACCESS_TOKENS = ("access_token", "refresh_token")
"""Kinds of secrets that give access, at once or after a refresh request."""

TOKENS = (*ACCESS_TOKENS, "id_token")

GRANTS = ("code", "device_code", "ticket")
"""Kinds of secrets that stand for the person's approval, and are exchanged for tokens (RFC 6749 §1.3)."""

PROOFS = ("code_verifier", "client_secret", "client_assertion")
"""Kinds of secrets by which the client proves that it is the one that asked."""

BY_GRAVITY = (*TOKENS, "client_secret", *GRANTS)
"""Kinds of secrets, those first whose loss is the worst."""


@dataclass(frozen=True, slots=True)
class Message:
    """The parameters of an authorization request or response.

    Args:
        parameters: by name; a value is empty where only the name was seen.
        url: where they were sent, without query and fragment; empty where the person brought them.
        steps: numbers of the entries that show it.
    """

    parameters: Mapping[str, str]
    url: str
    steps: tuple[int, ...]


def traits_of(flow: str) -> FlowTraits:
    """Return the traits of a flow; those of `code` for an unknown one."""
    return BY_NAME.get(flow, BY_NAME["code"])


def labels_of_kind(found: Iterable[str], kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the labels of these kinds."""
    return tuple(label for label in found if label_kind(label) in kinds)


def authorization_request(trace: Trace) -> Message | None:
    """Return the authorization request as it was pushed and the browser took it along; None without one.

    Where neither was seen, it is the address that the flow handed to the browser.
    """
    pushed = first_exchange(trace, "pushed authorization request")
    front = first_exchange(trace, "authorization request")
    if pushed is not None or front is not None:
        url = front.url if front is not None else ""
        parameters = {**dict(form_parameters(pushed) if pushed else ()), **dict(query_parameters(url))}
        return Message(parameters, without_query(url), entry_numbers(pushed, front))
    for step in trace.steps("browse"):
        for _, value in step.values:
            if query_parameters(value):
                return Message(dict(query_parameters(value)), without_query(value), (step.number,))
    return None


def authorization_response(trace: Trace) -> Message | None:
    """Return the authorization response: what reached our port, or what the person brought; else None."""
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
    step = response_step(trace)
    if step is None:
        return None
    return Message(dict.fromkeys(step.value("parameters").split(), ""), "", (step.number,))


def response_step(trace: Trace) -> Step | None:
    """Return the step in which an authorization response was taken."""
    return next((step for name in ("receive", "paste") for step in trace.steps(name)), None)


def labels_brought(
    trace: Trace, kinds: Iterable[str], ways: Iterable[str]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return what an authorization response brought of these kinds, and which entry shows it.

    Args:
        trace: of one sign-in.
        kinds: names of parameters.
        ways: how the response has to have come: `query`, `form_post`, `relay` or `paste`.

    Returns:
        Labels, or names of parameters where the values were not seen, as may be on live ground; and the
        number of the entry.
    """
    step, response = response_step(trace), authorization_response(trace)
    if step is None or response is None or step.value("via") not in ways:
        return (), ()
    return tuple(response.parameters[name] or name for name in kinds if name in response.parameters), (
        step.number,
    )


def metadata_exchange(trace: Trace) -> Exchange | None:
    """Return the request that was answered with the server's metadata; None when there was none."""
    return next((each for each in exchanges_named(trace, "metadata request") if each.status == 200), None)


def first_exchange(trace: Trace, step: str) -> Exchange | None:
    """Return the first exchange of a name."""
    return next(exchanges_named(trace, step), None)


def exchanges_named(trace: Trace, *steps: str) -> Iterator[Exchange]:
    """Iterate over the exchanges of these names, in order."""
    return (exchange for exchange in trace.exchanges() if exchange.step in steps)


def entry_numbers(*entries: Step | Exchange | None) -> tuple[int, ...]:
    """Return the numbers of entries, each once, in order."""
    return tuple(sorted({entry.number for entry in entries if entry is not None}))


def redeeming_request(trace: Trace) -> Exchange | None:
    """Return the request that was to be answered with tokens: the last of its kind."""
    sent_by_us = [each for each in trace.exchanges("client", "server") if each.step in REDEMPTIONS]
    exchanges = [each for each in sent_by_us if each.step == "ticket exchange"]
    return next(reversed(exchanges or sent_by_us), None)


def redeeming_labels(trace: Trace) -> frozenset[str]:
    """Return the labels of what is exchanged for the tokens, such as a code or the ID of a ticket."""
    found = {secret.label for secret in trace.secrets if secret.kind in GRANTS}
    for exchange in trace.exchanges("client", "server"):
        if exchange.step in REDEMPTIONS:
            found.update(
                label for label in labels_sent(exchange) if label_kind(label) not in (*PROOFS, *TOKENS)
            )
    return frozenset(found)


def valuable_labels(trace: Trace) -> frozenset[str]:
    """Return the labels of what an attacker could use: tokens, client secrets, and what brings tokens."""
    wanted = (*TOKENS, "client_secret", "user_code")
    return redeeming_labels(trace) | {secret.label for secret in trace.secrets if secret.kind in wanted}


def labels_text(found: Iterable[str]) -> str:
    """Return labels as a list for people, the gravest first; `nothing` when there are none."""

    def gravity(label: str) -> int:
        kind = label_kind(label)
        return BY_GRAVITY.index(kind) if kind in BY_GRAVITY else len(BY_GRAVITY) + (kind == "user_code")

    return ", ".join(sorted(dict.fromkeys(found), key=gravity)) or "nothing"


def browser_observed(trace: Trace) -> bool:
    """Return whether every request of the browser was seen, so that what is not there did not happen."""
    legs = tuple(trace.exchanges("browser"))
    return trace.ground != "live" and all(leg.observed for leg in legs)


def labels_in_browser(exchange: Exchange) -> tuple[str, ...]:
    """Return the labels that code in the browser could read in an exchange of its own."""
    return labels_in(exchange.url, exchange.address, exchange.request_body, exchange.response_body)


def labels_in_address(exchange: Exchange) -> tuple[str, ...]:
    """Return the labels in what the address bar showed."""
    return labels_in(exchange.address)


def browser_starts(trace: Trace) -> tuple[Step, ...]:
    """Return the steps in which a program was started to open a browser, rather than a link shown."""
    return tuple(step for step in trace.steps("open") if step.value("program"))


def entries_with_tokens(trace: Trace) -> tuple[int, ...]:
    """Return the entries that show how the tokens came."""
    exchange = redeeming_request(trace)
    if exchange is not None:
        return (exchange.number,)
    response = authorization_response(trace)
    return response.steps if response is not None else entry_numbers(*trace.steps("done"))
