"""What people ask of a flow, answered from its trace, and what becomes of each secret in it.

An answer is put together from what the trace shows: how often was asked, which request carried a redirect
URI, where the label of the token turned up. A question that the trace says nothing about is not answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from loopback_auth.compare.judging.result_rows import LOOPBACK, host_of
from loopback_auth.compare.model import Run
from loopback_auth.explain.story import Manner, is_token
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
    """A question, its answer, the clause behind it, and the trace entries that show it."""

    question: str
    answer: str
    source: str
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """A secret: its label, what it is good for, where else it showed, and so who could have taken it."""

    label: str
    good_for: str
    taken_by: str
    source: str


def questions(run: Run, manner: Manner) -> tuple[Answer, ...]:
    """Answer what people ask."""
    asked = (_ticket, _approval, _redirect_uri, _code, _token_endpoint, _token)
    return tuple(one for ask in asked if (one := ask(run.trace, manner)) is not None)


def fates(run: Run, manner: Manner) -> tuple[Fate, ...]:
    """Tell of every secret what it is good for, and who could have taken it."""
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
            # What only the stand-in of a provider gave is no secret of the provider's.
            and (one.label in used or not manner.rehearsed)
        )
    ]
    return tuple(_fate(label, trace, manner) for label in wanted)


def _ticket(trace: Trace, manner: Manner) -> Answer | None:
    created, exchanged = first_exchange(trace, "ticket request"), first_exchange(trace, "ticket exchange")
    if created is None:
        return None
    redeemed = (
        f"and that is then turned into the token ({_request(exchanged, manner)})"
        if exchanged is not None
        else "and whose next status request is answered with the token"
    )
    redeeming = redeeming_request(trace)
    wanted = set(map(label_kind, labels_sent(redeeming))) if redeeming is not None else set[str]()
    besides = " and the code verifier" if "code_verifier" in wanted else " and what came with it"
    holder = f"Whoever has the id{besides if wanted - {'ticket'} else ''}"
    said = (
        f"An id that the program asks for ({_request(created, manner)}), that a person approves in a "
        f"browser, {redeemed}. {holder} can do that. No standard knows it: it is the vendor's way for "
        "programs that no browser can come back to."
    )
    return Answer("What is a ticket?", said, _source(manner), entry_numbers(created, exchanged))


def _approval(trace: Trace, manner: Manner) -> Answer | None:
    question = "How does the program learn of the approval?"
    if any(each.step in RESPONSES and "error" in dict(sent_along(each)) for each in trace.exchanges()):
        return None
    polls = tuple(exchanges_named(trace, *POLLS))
    if polls:
        times = "once" if len(polls) == 1 else f"{len(polls)} times"
        until = _until(manner) if polls[0].step == "ticket status request" else ""
        called = [each for each in trace.exchanges("server")]
        nobody = "" if called else " Nobody calls it back: no request came to it from the server."
        said = f"By asking ({_request(polls[-1], manner)}), here {times}{until}{nobody}"
        source = "RFC 8628 §3.4" if polls[0].step == "device token request" else _source(manner)
        return Answer(question, said, source, entry_numbers(*polls))
    pasted = entry_numbers(*trace.steps("paste"))
    if pasted:
        return Answer(question, "The person brings the answer, by copy and paste.", "RFC 6749 §4.1.2", pasted)
    response = authorization_response(trace)
    if response is None or not response.url:
        return None
    if first_exchange(trace, "fragment relay") is not None:
        said = (
            "The browser comes back to the redirect URI, and a script of the page there hands the answer on."
        )
        return Answer(question, said, "RFC 6749 §4.2 (D-F)", response.steps)
    said = f"The browser brings the answer to {manner.translated(response.url)}: that request is the notice."
    return Answer(question, said, "RFC 6749 §4.1.2; RFC 8252 §7.3", response.steps)


def _until(manner: Manner) -> str:
    """Say what ends the asking."""
    contract = manner.contract
    if contract is None or not contract.done_path:
        return "."
    value = "there" if contract.done_value is None else json.dumps(contract.done_value)
    gone = ", ".join(map(str, contract.gone[:-1])) + f" or {contract.gone[-1]}"
    seconds = "" if contract.long_poll else f"at most every {contract.interval:g} s, "
    return (
        f", {seconds}until {contract.done_path} is {value}. The status {gone} is the end, too: denied, "
        "expired, or unknown."
    )


def _redirect_uri(trace: Trace, manner: Manner) -> Answer | None:
    exchanges = tuple(trace.exchanges())
    with_it = [each for each in exchanges if "redirect_uri" in dict(sent_along(each))]
    if with_it:
        uri = manner.translated(dict(sent_along(with_it[0]))["redirect_uri"])
        recorded_there = not manner.rehearsed and host_of(uri) in LOOPBACK
        loopback = ":PORT" in uri or recorded_there
        exactly = "; of a loopback address the port may differ." if loopback else "."
        said = (
            f"It says where the server may send the browser: {uri}. The server has to compare it with what "
            f"is registered, character by character{exactly}"
        )
        source = "RFC 9700 §2.1; RFC 8252 §7.3" if loopback else "RFC 9700 §2.1"
        return Answer("What is the redirect URI for?", said, source, entry_numbers(*with_it))
    if not traits_of(trace.flow).polled:
        return None
    said = (
        "Nothing comes back through the browser. None of the requests of this flow carries a redirect_uri, "
        "and the approval page sends the browser nowhere: the approval is only noted at the server."
    )
    source = "RFC 8628 §3.1" if trace.flow == "device" else _source(manner)
    return Answer("Why is the redirect URI ignored?", said, source, entry_numbers(*exchanges))


def _code(trace: Trace, manner: Manner) -> Answer | None:
    """Lead from a ticket to the flow that people know, where the provider has both."""
    declared = manner.declared
    if (
        first_exchange(trace, "ticket request") is None
        or declared is None
        or not declared.metadata.token_endpoint
    ):
        return None
    sent = declared.client_auth in ("client_secret_basic", "client_secret_post")
    said = (
        f"That is the code flow, which explain code {declared.name} tells. Its token endpoint is "
        f"{declared.metadata.token_endpoint}{', which wants a client secret' if sent else ''}."
    )
    return Answer("Does response_type=code work, and where is its token endpoint?", said, "RFC 6749 §4.1")


def _token_endpoint(trace: Trace, manner: Manner) -> Answer | None:
    request = first_exchange(trace, "token request")
    if request is None:
        return None
    carried = dict(sent_along(request))
    proofs = [
        f"{words} ({name})"
        for name, words in (("code_verifier", "the code verifier"), ("client_secret", "the client secret"))
        if name in carried
    ]
    wants = f" The program proves itself there with {' and '.join(proofs)}." if proofs else ""
    warning = " A secret that is shipped with a program is none." if "client_secret" in carried else ""
    said = f"{manner.translated(without_query(request.url))}.{wants}{warning}"
    source = "RFC 6749 §3.2; RFC 7636 §4.5" if "code_verifier" in carried else "RFC 6749 §3.2; RFC 8252 §8.5"
    return Answer("Where is the token endpoint, and what does it want?", said, source, (request.number,))


def _token(trace: Trace, manner: Manner) -> Answer | None:
    question = "Where does the access token show, and can code in the browser read it?"
    label = next((one.label for one in trace.secrets if one.label in _opening(trace)), "")
    if not label:
        return None
    legs = [each for each in trace.exchanges("browser") if label in _everything(each)]
    if legs:
        where = (
            "behind the # of the address, where scripts, extensions and the history can have it"
            if any(label in each.address for each in legs)
            else "through a page, whose scripts and the browser's extensions can have it"
        )
        said = f"Yes: the browser carries it {where}."
        return Answer(question, said, "RFC 9700 §2.1.2, §4.3.2", entry_numbers(*legs))
    ours = [each for each in trace.exchanges("client", "server") if label in _everything(each)]
    if not ours:
        return None  # It came to the program by a way that the recording does not show.
    place = "answer to the " if label in labels_received(ours[0]) else ""
    said = (
        f"Only between the program and {manner.provider}, first in the {place}{ours[0].step}. No page, "
        f"script or extension in the browser sees it.{_but(trace)}"
    )
    return Answer(question, said, "RFC 9700 §2.1.2", entry_numbers(*ours))


def _but(trace: Trace) -> str:
    """Say which secret the browser does see that is enough to fetch the token."""
    redeeming = redeeming_request(trace)
    wanted = set(labels_sent(redeeming)) if redeeming is not None else set[str]()
    shown = {
        label for leg in trace.exchanges("browser") for label in (*labels_sent(leg), *labels_in(leg.address))
    }
    if not wanted or not wanted <= shown:
        return ""
    named = " and ".join(sorted(wanted))
    return f" But the browser does see {named}, and whoever is first to redeem that has the token."


def _opening(trace: Trace) -> frozenset[str]:
    """Return the labels of what opens the account: the access token, by whatever name the vendor gives it."""
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
    # Where nobody saw the redemption, the server has at least been asked to insist on the verifier.
    bound = "code_verifier" in proofs or (redeeming is None and promised)
    good_for, source = manner.told(SECRETS.get(f"{kind} bound" if bound else kind, SECRETS[kind]))
    takers = tuple(dict.fromkeys(_takers(label, trace)))
    plain = any(each.url.startswith("http:") for each in trace.exchanges() if label in _everything(each))
    nobody = f"nobody but the program and {manner.provider}{'' if plain else ': it travels inside TLS'}"
    return Fate(label, good_for, "; ".join(takers) or nobody, source)


def _takers(label: str, trace: Trace) -> Iterator[str]:
    """Say who, besides the program and the server, had a chance to see a secret."""
    if label_kind(label) == "client_secret":
        yield "whoever has a copy of the program, where it is shipped with one"
    if any(label in labels_in(step.value("argument")) for step in browser_starts(trace)):
        yield "whoever lists the processes of this machine"
    shown = (*trace.steps("invite"), *(step for step in trace.steps("open") if not step.value("program")))
    invited = any(label in labels_in(*(value for _, value in step.values)) for step in shown)
    if invited or label_kind(label) == "user_code":
        yield "whoever sees the link or the screen"
    for leg in trace.exchanges("browser"):
        if label in labels_in(leg.address):
            yield "whoever reads the address bar or the history"
        if label in _everything(leg):
            yield "extensions of the browser"
        at_our_port = leg.receiver == "client" and host_of(leg.url) in LOOPBACK and leg.step in RESPONSES
        if at_our_port and label in (*labels_sent(leg), *labels_in(leg.address)):
            yield "another program that holds the port"
    if tuple(trace.steps("paste")) and any(
        label in labels_in(leg.address) for leg in trace.exchanges("browser", "client")
    ):
        yield "whatever reads the clipboard"


def _everything(exchange: Exchange) -> tuple[str, ...]:
    return (*labels_sent(exchange), *labels_received(exchange), *labels_in(exchange.address))


def _request(exchange: Exchange | None, manner: Manner) -> str:
    if exchange is None:
        return ""
    return f"{exchange.method} {manner.translated(without_query(exchange.url))}"


def _source(manner: Manner) -> str:
    return manner.contract.source if manner.contract is not None else ""
