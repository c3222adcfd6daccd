"""Explanations, rehearsed and made up, so that what draws them can be tested."""

from __future__ import annotations

from functools import cache

from hostile_samples import hostile

from loopback_auth.compare.model import Finding
from loopback_auth.explain.answers import Answer
from loopback_auth.explain.narration import Story, rehearsed_story
from loopback_auth.explain.rehearsal import rehearse
from loopback_auth.explain.story import ExplainedStep, ExplainedValue
from loopback_auth.explain.story_questions import SecretExposure
from loopback_auth.explain.wording import Wording

ALGORITHM = ExplainedValue("alg", "RS256", "how it is signed")
HEADER = ExplainedStep((), "", "header", "", (ALGORITHM,), 0, (), "", "")
EXPIRED = Finding("exp", "high", "It has not expired", "fail", "It has.", "RFC 7519 §4.1.4", (), "Renew it.")


@cache
def rehearsed(flow: str) -> Story:
    """Explain a flow at the demonstration server."""
    rehearsal = rehearse(flow)
    return rehearsed_story(
        rehearsal.run, Wording(rehearsal.provider, rehearsal.translated, rehearsal.contract)
    )


def without_trace() -> Story:
    """Explain a token: it has parts, and no requests."""
    says = "It says who logged in."
    return Story("", "ID token", says, "", (), (HEADER,), (), (), (EXPIRED,), kind="token")


def hostile_story(text: str) -> Story:
    """Put one text into every place of an explanation that a recording could fill."""
    trace = hostile(text).runs[0].trace
    value = ExplainedValue(text, text, text, text, text)
    steps = tuple(
        ExplainedStep((entry.number,), text, text, text, (value,), 200, (value,), text, text)
        for entry in trace.entries
    )
    return Story(
        flow=text,
        title=text,
        summary=text,
        source=text,
        notes=(text,),
        scenes=steps,
        answers=(Answer(text, text, text, (), (text,)),),
        fates=(SecretExposure(text, text, text, text),),
        findings=(Finding(text, "high", text, "fail", text, text, (), text),),
        by_hand=(text, f"one\n{text}"),
        kind="recording",
        short=(Answer(text, text, text, (), (text,)),),
        trace=trace,
    )
