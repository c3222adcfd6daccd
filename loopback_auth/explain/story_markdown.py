"""A story as Markdown for code hosts, with its diagram; every text may come from a server, and is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from loopback_auth.drawing.markdown_text import escaped, linked, table
from loopback_auth.drawing.mermaid import mermaid
from loopback_auth.explain.diagram_trace import explained_only
from loopback_auth.explain.knowledge import Knowledge, knowledge
from loopback_auth.explain.narration import Story
from loopback_auth.explain.story import ExplainedStep, ExplainedValue
from loopback_auth.redact import server_text


def markdown(stories: Sequence[Story]) -> str:
    """Write explanations, one after the other."""
    return "\n\n".join(part for story in stories for part in _parts(story) if part) + "\n"


def _parts(story: Story) -> Iterator[str]:
    yield f"# {escaped(story.title)}"
    yield _with_source(story.summary, story.source)
    yield from map(escaped, story.notes)
    for one in story.short:
        yield f"{_bold(one.question)} {escaped(one.answer)}".strip()
        yield "\n".join(f"{number}. {escaped(point)}" for number, point in enumerate(one.points, 1))
    if story.trace is not None:
        yield f"```mermaid\n{mermaid(explained_only(story.trace, story.scenes))}```"
    if story.scenes:
        yield f"## {story.heading}"
    known = knowledge(story.trace, story.scenes) if story.trace is not None else ()
    for number, step in enumerate(story.scenes, 1):
        yield from _step(number, step)
        if known:
            yield from _learned(known[number - 1])
    bad = [one for one in story.findings if one.verdict == "fail"]
    if bad:
        yield "## Findings"
    for finding in bad:
        lines = [f"**{escaped(finding.severity)}** {_with_source(finding.id, finding.source)}", ""]
        lines += [f"- {escaped(finding.because)}", f"- Expected: {escaped(finding.title)}."]
        lines += [f"- What to do: {escaped(finding.advice)}"] if finding.advice else []
        yield "\n".join(lines)
    if story.answers:
        yield "## Questions and answers"
    for one in story.answers:
        yield _bold(one.question)
        if one.answer:
            yield _with_source(one.answer, one.source)
        yield from _list(one.points)
    if story.fates:
        rows = (map(escaped, (one.label, one.good_for, one.taken_by)) for one in story.fates)
        yield "## Secrets, and who could take them"
        yield table(["Secret", "What it is good for", "Could be taken by"], map(list, rows))
    if story.by_hand:
        yield "## The same requests with curl"
        yield f"```sh\n{_commands(story.by_hand)}\n```"


def _step(number: int, step: ExplainedStep) -> Iterator[str]:
    who = f"{step.who}: " if step.who else ""
    yield f"### {number}. {escaped(who + step.title)}"
    if step.request:
        yield escaped(step.request)
    if step.words:
        yield _with_source(step.words, step.source)
    for where, sent in groupby(step.sent, key=lambda value: value.where):
        yield _values(where or "Value", sent)
    if step.received:
        yield _values(f"Response {step.status or ''}".rstrip(), step.received)


def _learned(known: Sequence[Knowledge]) -> Iterator[str]:
    told = [f"{one.who}: {', '.join(one.learned)}" for one in known if one.learned]
    if told:
        yield f"Who learns what: {escaped('; '.join(told))}"


def _values(head: str, values: Iterator[ExplainedValue] | Sequence[ExplainedValue]) -> str:
    rows = ([escaped(one.name), escaped(one.value), _with_source(one.words, one.source)] for one in values)
    return table([escaped(head), "", ""], rows)


def _bold(words: str) -> str:
    shown = escaped(words)
    return f"**{shown}**" if shown else ""


def _list(points: Sequence[str]) -> Iterator[str]:
    if points:
        yield "\n".join(f"- {escaped(point)}" for point in points if server_text(point))


def _with_source(words: str, source: str) -> str:
    return f"{escaped(words)} ({linked(source)})" if source else escaped(words)


def _commands(commands: Sequence[str]) -> str:
    """Write commands so that no line of theirs can end the block."""
    lines = (server_text(line) for command in commands for line in command.splitlines())
    return "\n".join(line.replace("```", "` ` `") for line in lines)
