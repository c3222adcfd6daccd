"""Answers to what people ask about a flow, and who could have taken each of its secrets.

Decides both from what the trace shows: how often the program polled, which request carried a redirect URI,
where the label of the token appears. A question that the trace cannot answer is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from loopback_auth.compare.judging.result_rows import LOOPBACK, host_of
from loopback_auth.compare.model import Run
from loopback_auth.explain.answers import Answer, request_text
from loopback_auth.explain.parameter_words import SECRETS
from loopback_auth.explain.resource_questions import client_id, resource, server
from loopback_auth.explain.story import WITH_KEY, is_token
from loopback_auth.explain.story_templates import ANSWERS, QUESTIONS, TAKERS
from loopback_auth.explain.value_flow import proofs, request_parameters
from loopback_auth.explain.wording import Wording
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
class SecretExposure:
    """A secret, and who could have taken it.

    Args:
        label: such as `<code#1>`.
        good_for: what can be done with it.
        taken_by: who could have seen it, besides the program and the server.
        source: clause or page behind `good_for`.
    """

    label: str
    good_for: str
    taken_by: str
    source: str


def questions(run: Run, wording: Wording) -> tuple[Answer, ...]:
    """Answer the questions that people ask about a flow."""
    asked = (server, client_id, _ticket, resource, _approval, _redirect_uri, _code, _token_endpoint, _token)
    return tuple(one for ask in asked if (one := ask(run.trace, wording)) is not None)


def secret_exposures(run: Run, wording: Wording) -> tuple[SecretExposure, ...]:
    """Return for each secret what can be done with it, and who could have taken it."""
    trace = run.trace
    used = {label for each in trace.exchanges() for label in (*labels_sent(each), *labels_in(each.address))}
    redeemed = {label for each in exchanges_named(trace, *REDEMPTIONS) for label in labels_sent(each)}
    access_token_labels = _access_token_labels(trace)
    wanted = [
        one.label
        for one in trace.secrets
        if one.label in access_token_labels
        or (
            one.kind in SECRETS
            # An ID in an address may only show a page; one that is exchanged is a secret.
            and (one.kind != "ticket" or one.label in redeemed)
            # In a rehearsal the demonstration server may issue what the provider does not.
            and (one.label in used or not wording.rehearsed)
        )
    ]
    return tuple(_secret_exposure(label, trace, wording) for label in wanted)


def _ticket(trace: Trace, wording: Wording) -> Answer | None:
    created, exchanged = first_exchange(trace, "ticket request"), first_exchange(trace, "ticket exchange")
    if created is None:
        return None
    finish = ANSWERS["ticket poll"]
    if exchanged is not None:
        finish = ANSWERS["ticket exchange"].format(exchange=request_text(exchanged, wording))
    redeeming = redeeming_request(trace)
    wanted = set(map(label_kind, labels_sent(redeeming))) if redeeming is not None else set[str]()
    more = " bound" if "code_verifier" in wanted else " more" if wanted - {"ticket"} else ""
    words = ANSWERS["ticket"].format(
        create=request_text(created, wording), finish=finish, holder=ANSWERS[f"ticket holder{more}"]
    )
    return Answer(QUESTIONS["ticket"], words, _source(wording), entry_numbers(created, exchanged))


def _approval(trace: Trace, wording: Wording) -> Answer | None:
    question = QUESTIONS["approval"]
    if any(
        each.step in RESPONSES and "error" in dict(request_parameters(each)) for each in trace.exchanges()
    ):
        return None
    polls = tuple(exchanges_named(trace, *POLLS))
    if polls:
        times = "once" if len(polls) == 1 else f"{len(polls)} times"
        words = ANSWERS["approval polled"].format(
            poll=request_text(polls[-1], wording),
            times=times,
            until=_until(wording) if polls[0].step == "ticket status request" else "",
            no_callback="" if tuple(trace.exchanges("server")) else ANSWERS["approval no callback"],
        )
        source = "RFC 8628 §3.4" if polls[0].step == "device token request" else _source(wording)
        return Answer(question, words, source, entry_numbers(*polls))
    pasted = entry_numbers(*trace.steps("paste"))
    if pasted:
        return Answer(question, ANSWERS["approval pasted"], "RFC 6749 §4.1.2", pasted)
    response = authorization_response(trace)
    if response is None or not response.url:
        return None
    if first_exchange(trace, "fragment relay") is not None:
        return Answer(question, ANSWERS["approval relayed"], "RFC 6749 §4.2 (D-F)", response.steps)
    words = ANSWERS["approval redirected"].format(url=wording.translated(response.url))
    return Answer(question, words, "RFC 6749 §4.1.2; RFC 8252 §7.3", response.steps)


def _until(wording: Wording) -> str:
    """Return the sentences that say when the polling ends."""
    contract = wording.contract
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


def _redirect_uri(trace: Trace, wording: Wording) -> Answer | None:
    exchanges = tuple(trace.exchanges())
    with_it = [each for each in exchanges if "redirect_uri" in dict(request_parameters(each))]
    if with_it:
        uri = wording.translated(dict(request_parameters(with_it[0]))["redirect_uri"])
        recorded_there = not wording.rehearsed and host_of(uri) in LOOPBACK
        loopback = ":PORT" in uri or recorded_there
        exactly = ANSWERS["redirect_uri loopback" if loopback else "redirect_uri exact"]
        words = ANSWERS["redirect_uri"].format(uri=uri, exactly=exactly)
        source = "RFC 9700 §2.1; RFC 8252 §7.3" if loopback else "RFC 9700 §2.1"
        return Answer(QUESTIONS["redirect_uri"], words, source, entry_numbers(*with_it))
    if not traits_of(trace.flow).polled:
        return None
    source = "RFC 8628 §3.1" if trace.flow == "device" else _source(wording)
    return Answer(QUESTIONS["no_redirect_uri"], ANSWERS["no_redirect_uri"], source, entry_numbers(*exchanges))


def _code(trace: Trace, wording: Wording) -> Answer | None:
    """Answer about the code flow where the provider has both tickets and a token endpoint."""
    declared = wording.declared
    if (
        first_exchange(trace, "ticket request") is None
        or declared is None
        or not declared.metadata.token_endpoint
    ):
        return None
    sent = declared.client_auth in ("client_secret_basic", "client_secret_post")
    words = ANSWERS["code"].format(
        provider=declared.name,
        token_endpoint=declared.metadata.token_endpoint,
        secret=ANSWERS["code secret"] if sent else "",
    )
    return Answer(QUESTIONS["code"], words, "RFC 6749 §4.1")


def _token_endpoint(trace: Trace, wording: Wording) -> Answer | None:
    request = first_exchange(trace, "token request")
    if request is None:
        return None
    carried = dict(request_parameters(request))
    proofs = [
        ANSWERS[f"token_endpoint {name}"] for name in ("code_verifier", "client_secret") if name in carried
    ]
    words = ANSWERS["token_endpoint"].format(
        url=wording.translated(without_query(request.url)),
        proofs=ANSWERS["token_endpoint proofs"].format(proofs=" and ".join(proofs)) if proofs else "",
        warning=ANSWERS["token_endpoint warning"] if "client_secret" in carried else "",
    )
    source = "RFC 6749 §3.2; RFC 7636 §4.5" if "code_verifier" in carried else "RFC 6749 §3.2; RFC 8252 §8.5"
    return Answer(QUESTIONS["token_endpoint"], words, source, (request.number,))


def _token(trace: Trace, wording: Wording) -> Answer | None:
    question = QUESTIONS["access_token"]
    label = next((one.label for one in trace.secrets if one.label in _access_token_labels(trace)), "")
    if not label:
        return None
    legs = [each for each in trace.exchanges("browser") if label in _labels(each)]
    if legs:
        where = "fragment" if any(label in each.address for each in legs) else "page"
        words = ANSWERS[f"access_token {where}"]
        return Answer(question, words, "RFC 9700 §2.1.2, §4.3.2", entry_numbers(*legs))
    ours = [each for each in trace.exchanges("client", "server") if label in _labels(each)]
    if not ours:
        return None  # The recording does not show how it came to the program.
    where = "response" if label in labels_received(ours[0]) else "request"
    words = ANSWERS[f"access_token {where}"].format(
        provider=wording.provider, request=ours[0].step, but=_enough_for_the_token(trace)
    )
    return Answer(question, words, "RFC 9700 §2.1.2", entry_numbers(*ours))


def _enough_for_the_token(trace: Trace) -> str:
    """Return the sentence about a secret that the browser sees and that is enough to get the token."""
    redeeming = redeeming_request(trace)
    wanted = set(labels_sent(redeeming)) if redeeming is not None else set[str]()
    shown = {
        label for leg in trace.exchanges("browser") for label in (*labels_sent(leg), *labels_in(leg.address))
    }
    if not wanted or not wanted <= shown:
        return ""
    return ANSWERS["access_token but"].format(secrets=" and ".join(sorted(wanted)))


def _access_token_labels(trace: Trace) -> frozenset[str]:
    """Return the labels of the access token, whatever the vendor calls it."""
    found = {one.label for one in trace.secrets if one.kind == "access_token"}
    redeeming = redeeming_request(trace)
    if redeeming is not None and redeeming.step.startswith("ticket"):
        found.update(filter(is_token, labels_received(redeeming)))
    return frozenset(found)


def _secret_exposure(label: str, trace: Trace, wording: Wording) -> SecretExposure:
    kind = "access_token" if label in _access_token_labels(trace) else label_kind(label)
    redeeming, request = redeeming_request(trace), authorization_request(trace)
    shown = dict(request_parameters(redeeming)).keys() if redeeming is not None else set[str]()
    promised = request is not None and "code_challenge" in request.parameters
    # Where the exchange was not observed, the server has at least been asked to require the verifier.
    bound = "code_verifier" in shown or (redeeming is None and promised)
    variants = [f"{kind} bound"] if bound else []
    if any(any(proofs(exchange)) for exchange in trace.exchanges()):
        variants.append(f"{kind} {WITH_KEY}")
    known = next((SECRETS[variant] for variant in variants if variant in SECRETS), SECRETS[kind])
    good_for, source = wording.with_source(known)
    takers = tuple(dict.fromkeys(_takers(label, trace)))
    plain = any(each.url.startswith("http:") for each in trace.exchanges() if label in _labels(each))
    only = TAKERS["only" if plain else "only inside TLS"].format(provider=wording.provider)
    return SecretExposure(label, good_for, "; ".join(takers) or only, source)


def _takers(label: str, trace: Trace) -> Iterator[str]:
    """Iterate over who could have seen a secret, besides the program and the server."""
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
        if label in _labels(leg):
            yield TAKERS["extensions"]
        at_our_port = leg.receiver == "client" and host_of(leg.url) in LOOPBACK and leg.step in RESPONSES
        if at_our_port and label in (*labels_sent(leg), *labels_in(leg.address)):
            yield TAKERS["port"]
    if tuple(trace.steps("paste")) and any(
        label in labels_in(leg.address) for leg in trace.exchanges("browser", "client")
    ):
        yield TAKERS["clipboard"]


def _labels(exchange: Exchange) -> tuple[str, ...]:
    return (*labels_sent(exchange), *labels_received(exchange), *labels_in(exchange.address))


def _source(wording: Wording) -> str:
    return wording.contract.source if wording.contract is not None else ""
