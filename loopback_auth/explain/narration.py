"""The whole explanation of one sign-in, rehearsed or recorded: puts together the parts of a story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from loopback_auth.compare.model import Finding, Run
from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.explain.answers import Answer
from loopback_auth.explain.by_hand import commands
from loopback_auth.explain.diagram_trace import diagram_trace
from loopback_auth.explain.endings import AFTER_SIGN_IN, NO_END
from loopback_auth.explain.story import ExplainedStep, explained_steps
from loopback_auth.explain.story_questions import SecretExposure, questions, secret_exposures
from loopback_auth.explain.story_templates import NOTES
from loopback_auth.explain.ticket_screen import short_answers
from loopback_auth.explain.wording import FROM_RESPONSE, Wording
from loopback_auth.trace.evidence import POLLS, exchanges_named, first_exchange, traits_of
from loopback_auth.trace.records import Trace

StoryKind = Literal["flow", "recording", "link", "error", "token", "document"]

HEADINGS: Mapping[StoryKind, str] = {
    "link": "What the link carries",
    "token": "What the token says",
    "document": "What the document says",
}
"""What the scenes of a story are called, where they are not steps."""


@dataclass(frozen=True, slots=True)
class Story:
    """The whole explanation of a sign-in, or of one thing from a sign-in: a link, an error, a token.

    Args:
        flow: name of the flow; empty where it is not known.
        title: one line.
        summary: the flow in a sentence or two.
        source: clause behind the summary.
        notes: what the reader needs to know first.
        scenes: the steps, in order.
        answers: to the questions that people ask.
        fates: each secret, with who could have taken it.
        findings: results of the checks; empty for a rehearsal, where the provider did not answer.
        by_hand: shell commands that make the same requests; empty where a browser must come back.
        kind: what is explained. A link, an error or a token has no trace, and its scenes are its parts.
        short: what people ask most, with answers of a line or two, for the first screen.
        trace: what the diagrams show, with the addresses that the explanation uses; None without one.
    """

    flow: str
    title: str
    summary: str
    source: str
    notes: tuple[str, ...]
    scenes: tuple[ExplainedStep, ...]
    answers: tuple[Answer, ...]
    fates: tuple[SecretExposure, ...]
    findings: tuple[Finding, ...] = ()
    by_hand: tuple[str, ...] = ()
    kind: StoryKind = "flow"
    short: tuple[Answer, ...] = ()
    trace: Trace | None = None

    @property
    def heading(self) -> str:
        """What the scenes are called."""
        return HEADINGS.get(self.kind, "Step by step")


def rehearsed_story(run: Run, wording: Wording) -> Story:
    """Explain what the program does at a provider, from a rehearsal."""
    flow = traits_of(run.flow)
    steps = explained_steps(run, wording)
    return Story(
        flow=run.flow,
        title=f"{run.flow} at {wording.provider}, step by step",
        summary=flow.summary,
        source=wording.contract.source if wording.contract is not None else flow.source,
        notes=tuple(_placeholder_notes(steps, wording)),
        scenes=steps,
        answers=questions(run, wording),
        fates=secret_exposures(run, wording),
        by_hand=commands(run, wording),
        short=short_answers(run, wording),
        trace=diagram_trace(run.trace, wording),
    )


def recorded_story(run: Run, contract: TicketContract | None) -> Story:
    """Explain a sign-in that was recorded."""
    wording = Wording(contract=contract)
    flow = traits_of(run.flow)
    name, summary, source = run.flow, flow.summary, flow.source
    if {exchange.step for exchange in run.trace.exchanges()} <= AFTER_SIGN_IN:
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
        notes=tuple(_gap_notes(run)) if source else (),
        scenes=explained_steps(run, wording),
        answers=questions(run, wording),
        fates=secret_exposures(run, wording),
        findings=run.findings,
        kind="recording",
    )


def _placeholder_notes(steps: tuple[ExplainedStep, ...], wording: Wording) -> Iterator[str]:
    """Iterate over the notes that explain placeholders."""
    shown = repr(steps)
    if wording.asked:
        yield NOTES["asked"]
    elif wording.rehearsed:
        yield NOTES["rehearsed"].format(provider=wording.provider)
    else:
        yield NOTES["demo"]
    if ":PORT" in shown:
        yield NOTES["port"]
    if "CLIENT_ID" in shown:
        yield NOTES["client_id"]
    if "_endpoint}" in shown or "_uri}" in shown:
        yield from _published_addresses(steps)
    if FROM_RESPONSE in shown:
        yield NOTES["from_response"]


def _published_addresses(steps: tuple[ExplainedStep, ...]) -> Iterator[str]:
    asked = [step.request.removeprefix("GET ") for step in steps if step.title == "metadata request"]
    see = NOTES["see"].format(commands=" or ".join(f"curl {url}" for url in asked)) if asked else ""
    yield NOTES["published"].format(see=see)


def _gap_notes(run: Run) -> Iterator[str]:
    """Iterate over the notes about what the recording does not show."""
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
