"""Rewrite what a flow asks for, and what it is answered, on the way between the flow and the world.

A flow is a generator of effects, so another generator can stand between it and its interpreter. The shipped
flows stay as they are: nothing in them knows of this, and only simulations use it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from loopback_auth.effects import Browse, Effect, Flow, FlowResult, Send, resume_flow
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.http_messages import HttpRequest
from loopback_auth.records import replace

T = TypeVar("T")
Pairs = list[tuple[str, str]]
Change = Callable[[Pairs], Pairs]
"""Returns parameters in place of others."""


class Rewriting(Protocol):
    """What is changed in the requests of a flow, and in their answers."""

    def sent(self, effect: Effect) -> Effect:
        """Return what the world performs in place of an effect."""
        ...

    def answered(self, effect: Effect, answer: object) -> object:
        """Return what the flow gets in place of an answer of the world."""
        ...


def rewritten(flow: Flow[T], rewriting: Rewriting) -> Flow[T]:
    """Run a flow with its effects and their answers rewritten; errors reach it as they are."""
    answer: object = None
    try:
        while not isinstance(step := resume_flow(flow, answer), FlowResult):
            try:
                answer = rewriting.answered(step, (yield rewriting.sent(step)))
            except LoopbackAuthError as exc:
                answer = exc
        return step.value
    finally:
        flow.close()


def leave_out(*names: str) -> Change:
    """Return the change that leaves out parameters."""
    return lambda pairs: [pair for pair in pairs if pair[0] not in names]


def in_authorization_request(effect: Effect, change: Change) -> Effect:
    """Change the parameters of the authorization request, whether the browser carries it or it is pushed."""
    if isinstance(effect, Browse) and effect.request is not None:
        url = _in_query(effect.url, change)
        parameters = tuple(change(list(effect.request.parameters)))
        return Browse(url, replace(effect.request, url=url, parameters=parameters))
    return in_form(effect, "pushed authorization request", change)


def in_form(effect: Effect, step: str, change: Change) -> Effect:
    """Change the parameters of one of the program's own requests.

    Args:
        effect: any.
        step: name of the request.
        change: of its parameters.
    """
    if not isinstance(effect, Send) or effect.step != step:
        return effect
    pairs = parse_qsl(effect.request.body.decode("ascii"), keep_blank_values=True)
    request: HttpRequest = replace(effect.request, body=urlencode(change(pairs)).encode("ascii"))
    return replace(effect, request=request)


def _in_query(url: str, change: Change) -> str:
    parts = urlsplit(url)
    pairs = change(parse_qsl(parts.query, keep_blank_values=True))
    return parts._replace(query=urlencode(pairs, quote_via=quote)).geturl()
