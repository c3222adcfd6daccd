"""What people ask most about tickets, in a line or two each, so that the first screen answers it.

The order of the requests is that of the rehearsal, and what ends each is in the vendor's contract. The longer
answers are in `story_questions`.

Source: the vendor's contract; netlify/open-api#96 and #133 (the questions).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from loopback_auth.compare.model import Run
from loopback_auth.explain.answers import Answer
from loopback_auth.explain.by_hand import commands
from loopback_auth.explain.wording import Wording, shown_link
from loopback_auth.settings.presets import preset
from loopback_auth.trace.evidence import first_exchange, redeeming_request
from loopback_auth.trace.reading import LABEL, label_kind, labels_sent, query_parameters, without_query
from loopback_auth.trace.records import Exchange, Trace

STEPS = ("ticket request", "ticket approval page", "ticket status request", "ticket exchange")
"""The requests whose order people ask for."""

QUESTIONS: Mapping[str, str] = {
    "order": "In which order are the endpoints called?",
    "ticket": "What is a ticket?",
    "approval": "Is there a notification of the approval?",
    "token": "How does the token stay away from client-side code?",
    "code": "Does response_type=code work, and where is its token endpoint?",
    "redirect_uri": "Why is the redirect URI ignored?",
    "curl": "How can it be tried by hand?",
}
"""Questions by their keys, in the order in which they are answered."""

ANSWERS: Mapping[str, str] = {
    "ticket": (
        "The ID of a login that a program has begun. The user approves it in a browser; the program "
        "exchanges it for a token."
    ),
    "ticket anyone": " Anyone who has the ID can do that.",
    "approval": "No. The program polls (request {number} above); nothing ever calls it.",
    "approval long": (
        "No. The program asks once (request {number} above), and the server answers when it is approved."
    ),
    "token": "Only the program and {provider} have it (request {number} above).",
    "token but": " But the browser sees the ID: keep the link secret.",
    "code": "Yes: POST {token_endpoint}{secret}. See explain code {provider}.",
    "code secret": ", with the client secret",
    "code demo": "Yes: see explain code. At Netlify: POST {token_endpoint}, with the client secret.",
    "code unknown": "No authorization endpoint and token endpoint of {provider} are known.",
    "redirect_uri": "The approval page redirects nowhere: the server records the approval.",
    "curl": "By the curl commands at the end.",
    "curl elsewhere": "explain ticket netlify ends with curl commands.",
}
"""Answers by the key of the question; a variant may follow the key."""


def short_answers(run: Run, wording: Wording) -> tuple[Answer, ...]:
    """Answer what people ask most about the tickets of a vendor; empty for another flow."""
    if wording.contract is None or first_exchange(run.trace, STEPS[0]) is None:
        return ()
    told = {
        "ticket": ANSWERS["ticket"] + ANSWERS["ticket anyone"] * _is_enough(run.trace),
        "approval": _approval(run.trace, wording),
        "token": _token(run.trace, wording),
        "code": _code(wording),
        "redirect_uri": ANSWERS["redirect_uri"],
        "curl": ANSWERS["curl" if commands(run, wording) else "curl elsewhere"],
    }
    order = Answer(QUESTIONS["order"], "", "", points=tuple(_order(run.trace, wording)))
    return (order, *(Answer(QUESTIONS[key], words, "") for key, words in told.items()))


def _order(trace: Trace, wording: Wording) -> Iterator[str]:
    """Iterate over the requests in order, each once, with what ends it."""
    for step, exchange in _requests(trace).items():
        if exchange.sender == "browser":
            yield f"browser: {_with_id(shown_link(exchange.url, wording))}"
        else:
            url = _with_id(wording.translated(without_query(exchange.url)))
            # Another URL with a query comes from a response as it is.
            pairs = query_parameters(exchange.url) if step == STEPS[0] else ()
            sent = f" with {', '.join(name for name, _ in pairs)}" if pairs else ""
            yield f"program: {exchange.method} {url}{sent}{_end(step, wording)}"


def _end(step: str, wording: Wording) -> str:
    """Return what comes of a request, from the contract."""
    contract = wording.contract
    if contract is None:
        return ""
    if step == "ticket request":
        return f", for its {', '.join(contract.extract.values())}"
    if step == "ticket status request" and contract.exchange is not None:
        return f", until {contract.done_path} is {json.dumps(contract.done_value)}"
    return f", for {contract.token_path}"


def _requests(trace: Trace) -> dict[str, Exchange]:
    """Return the first request of each step, in the order of the trace."""
    found: dict[str, Exchange] = {}
    for exchange in trace.exchanges():
        if exchange.step in STEPS:
            found.setdefault(exchange.step, exchange)
    return found


def _number(trace: Trace, step: str) -> int:
    return list(_requests(trace)).index(step) + 1


def _approval(trace: Trace, wording: Wording) -> str:
    long = wording.contract is not None and wording.contract.long_poll
    number = _number(trace, "ticket status request")
    return ANSWERS["approval long" if long else "approval"].format(number=number)


def _token(trace: Trace, wording: Wording) -> str:
    last = list(_requests(trace))[-1]
    words = ANSWERS["token"].format(provider=wording.provider, number=_number(trace, last))
    return words + ANSWERS["token but"] * _is_enough(trace)


def _code(wording: Wording) -> str:
    declared = wording.declared
    if declared is None:
        endpoint = str(preset("netlify").get("token_endpoint", ""))
        return ANSWERS["code demo"].format(token_endpoint=endpoint)
    if not declared.metadata.token_endpoint:
        return ANSWERS["code unknown"].format(provider=wording.provider)
    sent = declared.client_auth in ("client_secret_basic", "client_secret_post")
    return ANSWERS["code"].format(
        provider=declared.name,
        token_endpoint=declared.metadata.token_endpoint,
        secret=ANSWERS["code secret"] if sent else "",
    )


def _is_enough(trace: Trace) -> bool:
    """Return whether the ID, which the browser sees, is enough to get the token."""
    redeeming, page = redeeming_request(trace), first_exchange(trace, "ticket approval page")
    if redeeming is None or page is None:
        return False
    return set(labels_sent(redeeming)) <= set(labels_sent(page))


def _with_id(url: str) -> str:
    """Write ID for the label of a ticket: each is made anew."""
    return re.sub(LABEL, lambda label: "ID" if label_kind(label[0]) == "ticket" else label[0], url)
