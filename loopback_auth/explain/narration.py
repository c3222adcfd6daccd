"""All that is told of one sign-in, put together: of one that was rehearsed, and of one that was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loopback_auth.compare.model import Finding, Run
from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.explain.by_hand import commands
from loopback_auth.explain.endings import AFTERWARDS, NO_END
from loopback_auth.explain.story import FROM_ANSWER, ExplainedStep, Manner, scenes
from loopback_auth.explain.story_questions import Answer, Fate, fates, questions
from loopback_auth.trace.evidence import POLLS, exchanges_named, first_exchange, traits_of
from loopback_auth.trace.records import Trace


@dataclass(frozen=True, slots=True)
class Story:
    """All that is told of a sign-in.

    Args:
        title: one line.
        summary: a sentence or two.
        source: the clause behind the summary.
        notes: what has to be known to read it.
        scenes: in order.
        answers: to what people ask.
        fates: of the secrets.
        findings: of every check; none where the server was not the provider's own.
        by_hand: commands of a shell that make the same calls, where somebody can.
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
    """Tell what the program would do."""
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
    """Tell what somebody has recorded."""
    manner = Manner(contract=contract)
    flow = traits_of(run.flow)
    name, summary, source = run.flow, flow.summary, flow.source
    if {exchange.step for exchange in run.trace.exchanges()} <= AFTERWARDS:
        name, summary, source = (
            "What follows a sign-in",
            "How somebody signed in is not in the recording.",
            "",
        )
    return Story(
        flow=run.flow,
        title=f"{name} at {run.trace.provider}, as it was recorded",
        summary=summary,
        source=contract.source if contract is not None else source,
        notes=tuple(_gaps(run)) if source else (),
        scenes=scenes(run, manner),
        answers=questions(run, manner),
        fates=fates(run, manner),
        findings=run.findings,
    )


def _reading_aids(told: tuple[ExplainedStep, ...], manner: Manner) -> Iterator[str]:
    """Say what stands for what."""
    shown = repr(told)
    if manner.rehearsed:
        yield (
            f"Nothing was sent to {manner.provider}: this is what the program does, rehearsed in memory. "
            "Only the response fields that the program uses are shown."
        )
    else:
        yield "https://as.example stands for the demonstration server."
    if ":PORT" in shown:
        yield "PORT stands for any free port."
    if "CLIENT_ID" in shown:
        yield "CLIENT_ID stands for yours."
    if "_endpoint}" in shown or "_uri}" in shown:
        yield from _where_braces_are_filled(told)
    if FROM_ANSWER in shown:
        yield "Addresses in braces that are from an answer are the provider's own choice each time."


def _where_braces_are_filled(told: tuple[ExplainedStep, ...]) -> Iterator[str]:
    asked = [scene.request.removeprefix("GET ") for scene in told if scene.title == "metadata request"]
    see = f" To see them: {' or '.join(f'curl {url}' for url in asked)}." if asked else ""
    yield (
        f"Addresses in braces are published by the provider, which was not asked for them.{see} To have them "
        "filled in: --token-endpoint URL, and so on."
    )


def _gaps(run: Run) -> Iterator[str]:
    """Say what is not in a recording although it must have happened."""
    trace = run.trace
    if first_exchange(trace, "authorization response") is not None and _is_missing(trace, "token request"):
        yield (
            "The code was redeemed elsewhere, if at all: the token request goes from the program to the "
            "server, and is not observed by a browser."
        )
    if traits_of(run.flow).polled and not tuple(exchanges_named(trace, *POLLS)):
        yield "Whoever asked the server for the approval did so elsewhere: no such request was observed."
    if run.outcome == "failed":
        yield run.reason or NO_END
    elif run.reason:
        yield f"It was refused ({run.reason})."


def _is_missing(trace: Trace, step: str) -> bool:
    came = repr(tuple(trace.exchanges("browser", "client")))
    return "<code#" in came and first_exchange(trace, step) is None
