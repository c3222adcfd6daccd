"""What people ask about a flow, answered from its trace, and who could have taken each secret in it.

An answer is built from what the trace shows: how often the program polled, which request carried a redirect
URI, where the label of the token appeared. A question that the trace cannot answer is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from loopback_auth.compare.judging.result_rows import LOOPBACK, host_of
from loopback_auth.compare.model import Run
from loopback_auth.explain.story import Manner, is_token
from loopback_auth.explain.story_templates import ANSWERS, QUESTIONS, TAKERS
from loopback_auth.explain.story_words import SECRETS
from loopback_auth.explain.value_flow import sent_along
from loopback_auth.trace.evidence import (
    POLLS,
    REDEMPTIONS,
    RESPONSES,
    authorization_request,
    authorization_response,
    browser_starts,
    entry_numbers,
    exchanges_named,
    first_exchange,
    redeeming_request,
    traits_of,
)
from loopback_auth.trace.reading import label_kind, labels_in, labels_received, labels_sent, without_query
from loopback_auth.trace.records import Exchange, Trace


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that people ask, with its answer.

    Args:
        question: as people ask it.
        answer: a sentence or more.
        source: clause or page behind the answer.
        steps: numbers of the trace entries that show it.
    """

    question: str
    answer: str
    source: str
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """A secret, and who could have taken it.

    Args:
        label: such as `<code#1>`.
        good_for: what can be done with it, in a sentence.
        taken_by: who had a chance to see it, besides the program and the server.
        source: clause or page behind `good_for`.
    """

    label: str
    good_for: str
    taken_by: str
    source: str


def questions(run: Run, manner: Manner) -> tuple[Answer, ...]:
    """Answer the questions that people ask about a flow."""
    asked = (_ticket, _approval, _redirect_uri, _code, _token_endpoint, _token)
    return tuple(one for ask in asked if (one := ask(run.trace, manner)) is not None)


def fates(run: Run, manner: Manner) -> tuple[Fate, ...]:
    """Say for every secret what it is good for, and who could have taken it."""
    trace = run.trace
    used = {label for each in trace.exchanges() for label in (*labels_sent(each), *labels_in(each.address))}
    redeemed = {label for each in exchanges_named(trace, *REDEMPTIONS) for label in labels_sent(each)}
    opening = _opening(trace)
    wanted = [
        one.label
        for one in trace.secrets
        if one.label in opening
        or (
            one.kind in SECRETS
            # An address may hold an id that is good for showing a page only.
            and (one.kind != "ticket" or one.label in redeemed)
            # A secret that only the demonstration server made is not one of the provider's.
            and (one.label in used or not manner.rehearsed)
        )
    ]
    return tuple(_fate(label, trace, manner) for label in wanted)


def _ticket(trace: Trace, manner: Manner) -> Answer | None:
    created, exchanged = first_exchange(trace, "ticket request"), first_exchange(trace, "ticket exchange")
    if created is None:
        return None
    finish = ANSWERS["ticket poll"]
    if exchanged is not None:
        finish = ANSWERS["ticket exchange"].format(exchange=_request(exchanged, manner))
    redeeming = redeeming_request(trace)
    wanted = set(map(label_kind, labels_sent(redeeming))) if redeeming is not None else set[str]()
    more = " bound" if "code_verifier" in wanted else " more" if wanted - {"ticket"} else ""
    said = ANSWERS["ticket"].format(
        create=_request(created, manner), finish=finish, holder=ANSWERS[f"ticket holder{more}"]
    )
    return Answer(QUESTIONS["ticket"], said, _source(manner), entry_numbers(created, exchanged))


def _approval(trace: Trace, manner: Manner) -> Answer | None:
    question = QUESTIONS["approval"]
    if any(each.step in RESPONSES and "error" in dict(sent_along(each)) for each in trace.exchanges()):
        return None
    polls = tuple(exchanges_named(trace, *POLLS))
    if polls:
        times = "once" if len(polls) == 1 else f"{len(polls)} times"
        said = ANSWERS["approval polled"].format(
            poll=_request(polls[-1], manner),
            times=times,
            until=_until(manner) if polls[0].step == "ticket status request" else "",
            no_callback="" if tuple(trace.exchanges("server")) else ANSWERS["approval no callback"],
        )
        source = "RFC 8628 §3.4" if polls[0].step == "device token request" else _source(manner)
        return Answer(question, said, source, entry_numbers(*polls))
    pasted = entry_numbers(*trace.steps("paste"))
    if pasted:
        return Answer(question, ANSWERS["approval pasted"], "RFC 6749 §4.1.2", pasted)
    response = authorization_response(trace)
    if response is None or not response.url:
        return None
    if first_exchange(trace, "fragment relay") is not None:
        return Answer(question, ANSWERS["approval relayed"], "RFC 6749 §4.2 (D-F)", response.steps)
    said = ANSWERS["approval redirected"].format(url=manner.translated(response.url))
    return Answer(question, said, "RFC 6749 §4.1.2; RFC 8252 §7.3", response.steps)


def _until(manner: Manner) -> str:
    """Say what ends the polling."""
    contract = manner.contract
    if contract is None or not contract.done_path:
        return ""
    return ANSWERS["approval until"].format(
        pace="" if contract.long_poll else ANSWERS["approval pace"].format(seconds=contract.interval),
        member=contract.done_path,
        value="present" if contract.done_value is None else json.dumps(contract.done_value),
        gone=ANSWERS["approval gone"].format(
            statuses=", ".join(map(str, contract.gone[:-1])) + f" or {contract.gone[-1]}"
        ),
    )


def _redirect_uri(trace: Trace, manner: Manner) -> Answer | None:
    exchanges = tuple(trace.exchanges())
    with_it = [each for each in exchanges if "redirect_uri" in dict(sent_along(each))]
    if with_it:
        uri = manner.translated(dict(sent_along(with_it[0]))["redirect_uri"])
        recorded_there = not manner.rehearsed and host_of(uri) in LOOPBACK
        loopback = ":PORT" in uri or recorded_there
        exactly = ANSWERS["redirect_uri loopback" if loopback else "redirect_uri exact"]
        said = ANSWERS["redirect_uri"].format(uri=uri, exactly=exactly)
        source = "RFC 9700 §2.1; RFC 8252 §7.3" if loopback else "RFC 9700 §2.1"
        return Answer(QUESTIONS["redirect_uri"], said, source, entry_numbers(*with_it))
    if not traits_of(trace.flow).polled:
        return None
    source = "RFC 8628 §3.1" if trace.flow == "device" else _source(manner)
    return Answer(QUESTIONS["no_redirect_uri"], ANSWERS["no_redirect_uri"], source, entry_numbers(*exchanges))


def _code(trace: Trace, manner: Manner) -> Answer | None:
    """Point from the ticket to the code flow, where the provider has both."""
    declared = manner.declared
    if (
        first_exchange(trace, "ticket request") is None
        or declared is None
        or not declared.metadata.token_endpoint
    ):
        return None
    sent = declared.client_auth in ("client_secret_basic", "client_secret_post")
    said = ANSWERS["code"].format(
        provider=declared.name,
        token_endpoint=declared.metadata.token_endpoint,
        secret=ANSWERS["code secret"] if sent else "",
    )
    return Answer(QUESTIONS["code"], said, "RFC 6749 §4.1")


def _token_endpoint(trace: Trace, manner: Manner) -> Answer | None:
    request = first_exchange(trace, "token request")
    if request is None:
        return None
    carried = dict(sent_along(request))
    proofs = [
        ANSWERS[f"token_endpoint {name}"] for name in ("code_verifier", "client_secret") if name in carried
    ]
    said = ANSWERS["token_endpoint"].format(
        url=manner.translated(without_query(request.url)),
        proofs=ANSWERS["token_endpoint proofs"].format(proofs=" and ".join(proofs)) if proofs else "",
        warning=ANSWERS["token_endpoint warning"] if "client_secret" in carried else "",
    )
    source = "RFC 6749 §3.2; RFC 7636 §4.5" if "code_verifier" in carried else "RFC 6749 §3.2; RFC 8252 §8.5"
    return Answer(QUESTIONS["token_endpoint"], said, source, (request.number,))


def _token(trace: Trace, manner: Manner) -> Answer | None:
    question = QUESTIONS["access_token"]
    label = next((one.label for one in trace.secrets if one.label in _opening(trace)), "")
    if not label:
        return None
    legs = [each for each in trace.exchanges("browser") if label in _everything(each)]
    if legs:
        where = "fragment" if any(label in each.address for each in legs) else "page"
        said = ANSWERS[f"access_token {where}"]
        return Answer(question, said, "RFC 9700 §2.1.2, §4.3.2", entry_numbers(*legs))
    ours = [each for each in trace.exchanges("client", "server") if label in _everything(each)]
    if not ours:
        return None  # The recording does not show how it came to the program.
    where = "response" if label in labels_received(ours[0]) else "request"
    said = ANSWERS[f"access_token {where}"].format(
        provider=manner.provider, request=ours[0].step, but=_but(trace)
    )
    return Answer(question, said, "RFC 9700 §2.1.2", entry_numbers(*ours))


def _but(trace: Trace) -> str:
    """Say which secret is visible to the browser and is enough to get the token."""
    redeeming = redeeming_request(trace)
    wanted = set(labels_sent(redeeming)) if redeeming is not None else set[str]()
    shown = {
        label for leg in trace.exchanges("browser") for label in (*labels_sent(leg), *labels_in(leg.address))
    }
    if not wanted or not wanted <= shown:
        return ""
    return ANSWERS["access_token but"].format(secrets=" and ".join(sorted(wanted)))


def _opening(trace: Trace) -> frozenset[str]:
    """Return the labels of the access token, whatever the vendor calls it."""
    found = {one.label for one in trace.secrets if one.kind == "access_token"}
    redeeming = redeeming_request(trace)
    if redeeming is not None and redeeming.step.startswith("ticket"):
        found.update(filter(is_token, labels_received(redeeming)))
    return frozenset(found)


def _fate(label: str, trace: Trace, manner: Manner) -> Fate:
    kind = "access_token" if label in _opening(trace) else label_kind(label)
    redeeming, request = redeeming_request(trace), authorization_request(trace)
    proofs = dict(sent_along(redeeming)).keys() if redeeming is not None else set[str]()
    promised = request is not None and "code_challenge" in request.parameters
    # Where the exchange was not observed, the server has at least been asked to require the verifier.
    bound = "code_verifier" in proofs or (redeeming is None and promised)
    good_for, source = manner.told(SECRETS.get(f"{kind} bound" if bound else kind, SECRETS[kind]))
    takers = tuple(dict.fromkeys(_takers(label, trace)))
    plain = any(each.url.startswith("http:") for each in trace.exchanges() if label in _everything(each))
    only = TAKERS["only" if plain else "only inside TLS"].format(provider=manner.provider)
    return Fate(label, good_for, "; ".join(takers) or only, source)


def _takers(label: str, trace: Trace) -> Iterator[str]:
    """Say who had a chance to see a secret, besides the program and the server."""
    if label_kind(label) == "client_secret":
        yield TAKERS["program"]
    if any(label in labels_in(step.value("argument")) for step in browser_starts(trace)):
        yield TAKERS["processes"]
    shown = (*trace.steps("invite"), *(step for step in trace.steps("open") if not step.value("program")))
    invited = any(label in labels_in(*(value for _, value in step.values)) for step in shown)
    if invited or label_kind(label) == "user_code":
        yield TAKERS["screen"]
    for leg in trace.exchanges("browser"):
        if label in labels_in(leg.address):
            yield TAKERS["history"]
        if label in _everything(leg):
            yield TAKERS["extensions"]
        at_our_port = leg.receiver == "client" and host_of(leg.url) in LOOPBACK and leg.step in RESPONSES
        if at_our_port and label in (*labels_sent(leg), *labels_in(leg.address)):
            yield TAKERS["port"]
    if tuple(trace.steps("paste")) and any(
        label in labels_in(leg.address) for leg in trace.exchanges("browser", "client")
    ):
        yield TAKERS["clipboard"]


def _everything(exchange: Exchange) -> tuple[str, ...]:
    return (*labels_sent(exchange), *labels_received(exchange), *labels_in(exchange.address))


def _request(exchange: Exchange | None, manner: Manner) -> str:
    if exchange is None:
        return ""
    return f"{exchange.method} {manner.translated(without_query(exchange.url))}"


def _source(manner: Manner) -> str:
    return manner.contract.source if manner.contract is not None else ""
