"""The whole explanation of one sign-in: of one that was rehearsed, or of one that was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loopback_auth.compare.model import Finding, Run
from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.explain.by_hand import commands
from loopback_auth.explain.endings import AFTERWARDS, NO_END
from loopback_auth.explain.story import FROM_RESPONSE, ExplainedStep, Manner, scenes
from loopback_auth.explain.story_questions import Answer, Fate, fates, questions
from loopback_auth.explain.story_templates import NOTES
from loopback_auth.trace.evidence import POLLS, exchanges_named, first_exchange, traits_of
from loopback_auth.trace.records import Trace


@dataclass(frozen=True, slots=True)
class Story:
    """The whole explanation of a sign-in.

    Args:
        flow: name of the flow.
        title: one line.
        summary: a sentence or two.
        source: clause behind the summary.
        notes: what the reader needs to know beforehand.
        scenes: the steps, in order.
        answers: to the questions that people ask.
        fates: each secret, and who could have taken it.
        findings: of every check; empty where the server was not the provider's own.
        by_hand: shell commands that make the same calls, where that is possible.
    """

    flow: str
    title: str
    summary: str
    source: str
    notes: tuple[str, ...]
    scenes: tuple[ExplainedStep, ...]
    answers: tuple[Answer, ...]
    fates: tuple[Fate, ...]
    findings: tuple[Finding, ...] = ()
    by_hand: tuple[str, ...] = ()


def rehearsed_story(run: Run, manner: Manner) -> Story:
    """Explain what the program would do."""
    flow = traits_of(run.flow)
    told = scenes(run, manner)
    return Story(
        flow=run.flow,
        title=f"{run.flow} at {manner.provider}, step by step",
        summary=flow.summary,
        source=manner.contract.source if manner.contract is not None else flow.source,
        notes=tuple(_reading_aids(told, manner)),
        scenes=told,
        answers=questions(run, manner),
        fates=fates(run, manner),
        by_hand=commands(run, manner),
    )


def recorded_story(run: Run, contract: TicketContract | None) -> Story:
    """Explain a recording."""
    manner = Manner(contract=contract)
    flow = traits_of(run.flow)
    name, summary, source = run.flow, flow.summary, flow.source
    if {exchange.step for exchange in run.trace.exchanges()} <= AFTERWARDS:
        name, summary, source = (
            "What follows a sign-in",
            "The recording does not show the sign-in itself.",
            "",
        )
    return Story(
        flow=run.flow,
        title=f"{name} at {run.trace.provider}, as recorded",
        summary=summary,
        source=contract.source if contract is not None else source,
        notes=tuple(_gaps(run)) if source else (),
        scenes=scenes(run, manner),
        answers=questions(run, manner),
        fates=fates(run, manner),
        findings=run.findings,
    )


def _reading_aids(told: tuple[ExplainedStep, ...], manner: Manner) -> Iterator[str]:
    """Explain the placeholders."""
    shown = repr(told)
    if manner.rehearsed:
        yield NOTES["rehearsed"].format(provider=manner.provider)
    else:
        yield NOTES["demo"]
    if ":PORT" in shown:
        yield NOTES["port"]
    if "CLIENT_ID" in shown:
        yield NOTES["client_id"]
    if "_endpoint}" in shown or "_uri}" in shown:
        yield from _where_braces_are_filled(told)
    if FROM_RESPONSE in shown:
        yield NOTES["from_response"]


def _where_braces_are_filled(told: tuple[ExplainedStep, ...]) -> Iterator[str]:
    asked = [scene.request.removeprefix("GET ") for scene in told if scene.title == "metadata request"]
    see = NOTES["see"].format(commands=" or ".join(f"curl {url}" for url in asked)) if asked else ""
    yield NOTES["published"].format(see=see)


def _gaps(run: Run) -> Iterator[str]:
    """Say what must have happened but is not in the recording."""
    trace = run.trace
    if first_exchange(trace, "authorization response") is not None and _is_missing(trace, "token request"):
        yield NOTES["no_token_request"]
    if traits_of(run.flow).polled and not tuple(exchanges_named(trace, *POLLS)):
        yield NOTES["no_polls"]
    if run.outcome == "failed":
        yield run.reason or NO_END
    elif run.reason:
        yield NOTES["refused"].format(reason=run.reason)


def _is_missing(trace: Trace, step: str) -> bool:
    came = repr(tuple(trace.exchanges("browser", "client")))
    return "<code#" in came and first_exchange(trace, step) is None
