"""Asks a resource, before a person is sent anywhere, which authorization server signs in to it and how.

The steps are those of a sign-in, up to the point where a client would be registered: the request without a
token, the metadata of the resource, those of the server that it names. What was sent is in each answer. An
error is an answer, too.

Source: RFC 9728 §3, §5.1; RFC 8414 §3; MCP authorization specification 2025-11-25.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from loopback_auth.doctor.redirect_probe import ProbeAnswer, Verdict
from loopback_auth.doctor.server_offers import offers
from loopback_auth.effects import Flow, FlowResult, Send, resume_flow
from loopback_auth.errors import LoopbackAuthError, ProtocolError, TransportError
from loopback_auth.flows.address import ask_address
from loopback_auth.flows.resource import choose_server
from loopback_auth.flows.resource_answer import ResourceFound
from loopback_auth.flows.reuse import as_issuer
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.urls import shown_url
from loopback_auth.records import replace
from loopback_auth.redact import server_text

T = TypeVar("T")
Answers = tuple[ProbeAnswer, ...]
REQUEST, RESOURCE, SERVER = "request without a token", "resource metadata", "authorization server"


def probe_resource(client: ClientConfig) -> Flow[tuple[Answers, ClientConfig | None]]:
    """Find out how to sign in to a resource, or that an address is an issuer.

    Args:
        client: with a `resource_server`.

    Returns:
        One answer about each step, and the client with its server; None where no sign-in is possible.

    Source: RFC 9728 §5; RFC 8414 §3.
    """
    sent: list[str] = []
    try:
        found = yield from _noted(ask_address(client), sent)
    except LoopbackAuthError as exc:
        return (_failed(RESOURCE, exc, sent),), None
    if isinstance(found, ServerMetadata):
        told = f"This is not a resource, but an authorization server: {found.issuer}."
        at_issuer = as_issuer(client)
        known = replace(at_issuer, provider=replace(client.provider, metadata=found))
        there = ProbeAnswer("address", "yes", _after(sent, told), "RFC 8414 §3")
        return (there, *offers(found.document)), known
    answers = (*_requested(found, sent), _described(found, sent))
    del sent[:]
    try:
        access = yield from _noted(choose_server(client, found), sent)
    except LoopbackAuthError as exc:
        return (*answers, _failed(SERVER, exc, sent)), None
    over = tuple(
        ProbeAnswer(SERVER, "no", f"{server_text(issuer, 120)} is passed over: {why}.", "RFC 9728 §7.6")
        for issuer, why in access.passed_over.items()
    )
    chosen = f"The sign-in is at {access.metadata.issuer}" + f", with the scope {access.scope}" * bool(
        access.scope
    )
    there = ProbeAnswer(SERVER, "yes", _after(sent, f"{chosen}."), "RFC 8414 §3")
    because = "The resource demands that tokens are bound to a key."
    demanded = (ProbeAnswer("DPoP demanded", "yes", because, "RFC 9728 §2"),) if access.dpop else ()
    known = replace(
        client,
        provider=replace(client.provider, metadata=access.metadata),
        resource=client.resource or (access.resource,),
        scope=access.scope,
    )
    return (*answers, *over, there, *demanded, *offers(access.metadata.document)), known


def _requested(found: ResourceFound, sent: list[str]) -> Answers:
    source, demand = "RFC 9110 §11.6.1", found.demand
    first = sent[:1] if demand is None or len(sent) < 2 or "POST" not in sent[1] else sent[:2]
    if demand is None:
        told = "It asks for no token here. Only its metadata say where to sign in."
        return (ProbeAnswer(REQUEST, "unknown", _after(first, told), source),)
    if not demand.challenged:
        told = "It demands a token, but not by a WWW-Authenticate header, as its operator should have it do."
        return (ProbeAnswer(REQUEST, "likely", _after(first, told), source),)
    scope = f" for the scope {demand.scope}" if demand.scope else ""
    metadata = (
        f" Its metadata are at {server_text(shown_url(demand.metadata_url))}." if demand.metadata_url else ""
    )
    told = f"It demands a token{scope}.{metadata}"
    return (ProbeAnswer(REQUEST, "yes", _after(first, told), source),)


def _described(found: ResourceFound, sent: list[str]) -> ProbeAnswer:
    requests = [
        line for line in sent if "/.well-known/" in line or line.startswith(f"GET {shown_url(found.at)} ")
    ]
    if found.metadata is None:
        told = (
            "It publishes none. Its origin is taken for the authorization server, as the MCP specification "
            "of 2025-03-26 has it."
        )
        return ProbeAnswer(RESOURCE, "no", _after(requests, told), "RFC 9728 §3")
    servers = server_text(", ".join(found.issuers), 400) or "none"
    told = f"They are about {shown_url(found.metadata.resource)}. Authorization servers: {servers}."
    return ProbeAnswer(RESOURCE, "yes", _after(requests, told), "RFC 9728 §3")


def _failed(what: str, exc: LoopbackAuthError, sent: list[str]) -> ProbeAnswer:
    verdict: Verdict = "unknown" if isinstance(exc, TransportError) else "no"
    source = exc.source if isinstance(exc, ProtocolError) else "RFC 9728 §3"
    return ProbeAnswer(what, verdict, _after(sent, f"{exc.message.rstrip('.')}. {exc.hint}".strip()), source)


def _after(sent: Iterable[str], told: str) -> str:
    requests = "; ".join(sent)
    return f"{requests}. {told}" if requests else told


def _noted(flow: Flow[T], sent: list[str]) -> Flow[T]:
    """Run a flow, and note each request with what came back."""
    answer: object = None
    while not isinstance(step := resume_flow(flow, answer), FlowResult):
        try:
            answer = yield step
        except LoopbackAuthError as exc:
            answer = exc
        if isinstance(step, Send):
            came = answer.status if isinstance(answer, HttpResponse) else "no answer"
            sent.append(f"{step.request.method} {shown_url(step.request.url)} -> {came}")
    return step.value
