"""A story as text for a terminal, and as JSON: decides the layout, and no words of the explanation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from itertools import groupby
from operator import attrgetter

from loopback_auth.compare.drawing.overview import checked, failed
from loopback_auth.compare.model import Comparison, Finding, Run
from loopback_auth.drawing.columns import hanging
from loopback_auth.explain.answers import Answer
from loopback_auth.explain.narration import Story, StoryKind
from loopback_auth.explain.story import ExplainedStep, ExplainedValue
from loopback_auth.explain.story_questions import SecretExposure
from loopback_auth.narrow import is_tuple
from loopback_auth.redact import server_text
from loopback_auth.trace.records import Trace

Part = Story | ExplainedStep | ExplainedValue | Answer | SecretExposure | Finding
INDENT = 4
RESPONSE = "response"
"""The word before what came back."""
GITHUB = "https://github.com/"
"""Left out before the name of a repository, as it would stand on every other line."""


def text(story: Story, *, width: int = 100) -> str:
    """Write a story as text.

    Args:
        story: its values may come from an untrusted server.
        width: characters of a line; commands to copy are not wrapped.
    """
    lines = [*hanging("", story.title, width=width), "-" * min(len(story.title), width)]
    for one in story.short:
        lines += _short(one, width)
    lines += hanging("", _with_source(story.summary, story.source), width=width)
    for note in story.notes:
        lines += hanging("", note, width=width)
    if story.kind in ("flow", "recording"):
        lines += hanging("", _contents(story), width=width)
    parts = ORDERS[story.kind]
    for part in (parts[1], parts[0], *parts[2:]) if story.short else parts:
        lines += part(story, width)
    return "\n".join(lines) + "\n"


def _short(one: Answer, width: int) -> Iterator[str]:
    """Write a question and its short answer, without a line between them."""
    yield from hanging("", f"{one.question} {one.answer}", width=width, indent=2)
    for number, point in enumerate(one.points, 1):
        yield from hanging(f"  {number}. ", point, width=width)


def _answers(story: Story, width: int) -> Iterator[str]:
    if story.answers:
        yield from ("", "Questions and answers", "---------------------")
    for one in story.answers:
        yield ""
        yield from hanging("", one.question, width=width)
        yield from _answer(one, width)


def _scenes(story: Story, width: int) -> Iterator[str]:
    if story.scenes:
        yield from ("", story.heading, "-" * len(story.heading))
    for number, step in enumerate(story.scenes, 1):
        yield ""
        yield from _step(number, step, width)


def _fates(story: Story, width: int) -> Iterator[str]:
    if story.fates:
        yield from ("", "Secrets, and who could take them", "--------------------------------")
    for secret in story.fates:
        good_for = _with_source(secret.good_for, secret.source)
        yield ""
        yield from hanging(f"{secret.label}  ", good_for, width=width, indent=2)
        yield from hanging("  could be taken by: ", secret.taken_by, width=width, indent=4)


def _answer(one: Answer, width: int) -> Iterator[str]:
    if one.answer:
        yield from hanging("  ", _with_source(one.answer, "" if one.points else one.source), width=width)
    for number, point in enumerate(one.points, 1):
        last = number == len(one.points)
        yield from hanging("  - ", _with_source(point, one.source if last else ""), width=width)


def _contents(story: Story) -> str:
    """List the parts: a story is longer than a screen, and its last part is for copying."""
    answers, steps = (story.answers, "questions and answers"), (story.scenes, "the steps")
    parts = (
        *((steps, answers) if story.short else (answers, steps)),
        (story.fates, "secrets, and who could take them"),
        (story.findings, "results of the checks"),
        (story.by_hand, "the same requests with curl"),
    )
    return f"What follows: {'; '.join(title for part, title in parts if part)}."


def members(part: Part) -> dict[str, object]:
    """Return a story, or a part of it, as a JSON object; its trace is left out, as the steps tell it."""
    return {field.name: _plain(getattr(part, field.name)) for field in fields(part) if field.name != "trace"}


def _plain(value: object) -> object:
    if is_tuple(value):
        return [_plain(one) for one in value]
    return members(value) if isinstance(value, Part) else value


def _step(number: int, step: ExplainedStep, width: int) -> Iterator[str]:
    start = f"{number}. ".rjust(INDENT)
    head = f"{step.who}: {step.title}" if step.who else step.title
    yield from hanging(start, head, width=width)
    indent = " " * INDENT
    if step.request:
        yield from hanging(indent, step.request, width=width, indent=INDENT + 2)
    for where, values in groupby(step.sent, key=attrgetter("where")):
        yield from _values(f"{where} " if where else "", tuple(values), width)
    if step.status or step.received:
        yield from _values(f"{RESPONSE} {step.status or ''}".rstrip() + " ", step.received, width)
    if step.words:
        yield from hanging(indent, _with_source(step.words, step.source), width=width)


def _findings(story: Story, width: int) -> Iterator[str]:
    """Write the checks that failed, and how many there were."""
    if not story.findings:
        return
    run = Run(story.flow, "signed in", Trace(story.flow, "file", "", ()), findings=story.findings)
    whole = Comparison("file", "", 0.0, "", (run,), ())
    yield from ("", "Results of the checks", "---------------------")
    for finding, reasons in failed(whole):
        start, headline = f"{finding.severity.upper()} ", _with_source(finding.id, finding.source)
        yield ""
        yield from hanging(start, headline, width=width, indent=2)
        for _, because in reasons:
            yield from hanging("  ", because, width=width, indent=4)
        yield from hanging("  ", f"Expected: {finding.title}.", width=width, indent=4)
        yield from hanging("  ", f"What to do: {finding.advice}", width=width, indent=4)
    yield ""
    yield from hanging("", checked(whole), width=width)


def _by_hand(story: Story, width: int) -> Iterator[str]:
    """Write the commands without wrapping them, so that they can be copied."""
    if not story.by_hand:
        return
    yield from ("", "The same requests with curl", "---------------------------", "")
    words = (
        "Run one command at a time. You paste a secret into a variable, and curl reads it from its standard "
        "input, so that it is not in the process list or in the shell's history."
    )
    yield from (*hanging("", words, width=width), "")
    for command in story.by_hand:
        yield from map(server_text, command.splitlines())


def _values(verb: str, values: tuple[ExplainedValue, ...], width: int) -> Iterator[str]:
    """Write each explained parameter on its own line, and the bare names together."""
    if not values:
        if verb.startswith(RESPONSE):
            yield " " * INDENT + verb.strip()
        return
    bare = [one.name for one in values if not one.value and not one.meaning]
    start = " " * INDENT + verb
    for one in values:
        if one.value or one.meaning:
            value = f" = {one.value}" if one.value else ""
            meaning = f": {_with_source(one.words, one.source)}" if one.words else ""
            yield from hanging(start, f"{one.name}{value}{meaning}", width=width, indent=len(start) + 2)
            start = " " * len(start)
    if bare:
        yield from hanging(start, ", ".join(bare), width=width)


def _with_source(words: str, source: str) -> str:
    return f"{words} [{source.removeprefix(GITHUB)}]" if source else words


ORDERS: Mapping[StoryKind, tuple[Callable[[Story, int], Iterator[str]], ...]] = {
    "flow": (_answers, _scenes, _fates, _findings, _by_hand),
    "recording": (_answers, _scenes, _fates, _findings),
    "link": (_scenes, _findings, _answers, _fates),
    "token": (_scenes, _findings, _answers),
    "error": (_answers,),
    "document": (_scenes, _findings, _answers, _fates),
}
"""The parts of a story, in the order in which they are written: what is asked most comes first."""
