"""A story as text for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import groupby
from operator import attrgetter

from loopback_auth.compare.drawing.columns import hanging
from loopback_auth.compare.drawing.overview import checked, failed
from loopback_auth.compare.model import Comparison, Finding, Run
from loopback_auth.explain.narration import Story
from loopback_auth.explain.story import ExplainedStep, Said
from loopback_auth.explain.story_questions import Answer, Fate
from loopback_auth.narrow import is_tuple
from loopback_auth.redact import server_text
from loopback_auth.trace.records import Trace

Noun = Story | ExplainedStep | Said | Answer | Fate | Finding
INDENT = 4
RESPONSE = "response"
"""The word before what came back."""
GITHUB = "https://github.com/"
"""Left out before the name of a repository, as it would stand on every other line."""


def text(story: Story, *, width: int = 100) -> str:
    """Write a story.

    Args:
        story: its texts may come from a stranger.
        width: characters from left to right.
    """
    lines = [*hanging("", story.title, width=width), "-" * min(len(story.title), width)]
    lines += hanging("", _with_source(story.summary, story.source), width=width)
    for note in story.notes:
        lines += hanging("", note, width=width)
    lines += hanging("", _contents(story), width=width)
    if story.answers:
        lines += ["", "Questions and answers", "---------------------"]
    for one in story.answers:
        lines += ["", *hanging("", one.question, width=width)]
        lines += hanging("  ", _with_source(one.answer, one.source), width=width)
    lines += ["", "Step by step", "------------"]
    for number, scene in enumerate(story.scenes, 1):
        lines += ["", *_scene(number, scene, width)]
    if story.fates:
        lines += ["", "Secrets, and who could take them", "--------------------------------"]
    for fate in story.fates:
        lines += [
            "",
            *hanging(f"{fate.label}  ", _with_source(fate.good_for, fate.source), width=width, indent=2),
        ]
        lines += hanging("  could be taken by: ", fate.taken_by, width=width, indent=4)
    lines += _findings(story, width)
    if story.by_hand:
        lines += ["", *_by_hand(story, width)]
    return "\n".join(lines) + "\n"


def _contents(story: Story) -> str:
    """Say what follows, because it is longer than a screen, and the last part is for copying."""
    parts = (
        (story.answers, "questions and answers"),
        (story.scenes, "the steps"),
        (story.fates, "secrets, and who could take them"),
        (story.findings, "results of the checks"),
        (story.by_hand, "the same requests with curl"),
    )
    return f"What follows: {'; '.join(title for part, title in parts if part)}."


def members(noun: Noun) -> dict[str, object]:
    """Return a story as JSON has it."""
    return {field.name: _plain(getattr(noun, field.name)) for field in fields(noun)}


def _plain(value: object) -> object:
    if is_tuple(value):
        return [_plain(one) for one in value]
    return members(value) if isinstance(value, Noun) else value


def _scene(number: int, scene: ExplainedStep, width: int) -> Iterator[str]:
    start = f"{number}. ".rjust(INDENT)
    yield from hanging(start, f"{scene.who}: {scene.title}", width=width)
    indent = " " * INDENT
    if scene.request:
        yield from hanging(indent, scene.request, width=width, indent=INDENT + 2)
    for where, said in groupby(scene.sent, key=attrgetter("where")):
        yield from _said(f"{where} " if where else "", tuple(said), width)
    if scene.status or scene.received:
        yield from _said(f"{RESPONSE} {scene.status or ''}".rstrip() + " ", scene.received, width)
    if scene.words:
        yield from hanging(indent, _with_source(scene.words, scene.source), width=width)


def _findings(story: Story, width: int) -> Iterator[str]:
    """Write what failed, and how much was checked."""
    if not story.findings:
        return
    run = Run(story.flow, "signed in", Trace(story.flow, "file", "", ()), findings=story.findings)
    whole = Comparison("file", "", 0.0, "", (run,), ())
    yield from ("", "Results of the checks", "---------------------")
    for finding, told in failed(whole):
        start = f"{finding.severity.upper()} "
        yield ""
        yield from hanging(start, f"{finding.id}: {finding.title} [{finding.source}]", width=width, indent=2)
        for _, because in told:
            yield from hanging("  ", because, width=width)
        yield from hanging("  ", f"What to do: {finding.advice}", width=width, indent=4)
    yield ""
    yield from hanging("", checked(whole), width=width)


def _by_hand(story: Story, width: int) -> Iterator[str]:
    """Write commands, none of which is wrapped: they are to be copied."""
    yield from ("The same requests with curl", "---------------------------", "")
    words = (
        "Run one command at a time. You paste a secret into a variable, and curl reads it from its standard "
        "input, so that it is not in the process list or in the shell's history."
    )
    yield from (*hanging("", words, width=width), "")
    for command in story.by_hand:
        yield from map(server_text, command.splitlines())


def _said(verb: str, said: tuple[Said, ...], width: int) -> Iterator[str]:
    """Write what is explained on lines of its own, and the bare names together."""
    if not said:
        if verb.startswith(RESPONSE):
            yield " " * INDENT + verb.strip()
        return
    bare = [one.name for one in said if not one.value and not one.meaning]
    start = " " * INDENT + verb
    for one in said:
        if one.value or one.meaning:
            value = f" = {one.value}" if one.value else ""
            meaning = f": {_with_source(one.meaning, one.source)}" if one.meaning else ""
            yield from hanging(start, f"{one.name}{value}{meaning}", width=width, indent=len(start) + 2)
            start = " " * len(start)
    if bare:
        yield from hanging(start, ", ".join(bare), width=width)


def _with_source(words: str, source: str) -> str:
    return f"{words} [{source.removeprefix(GITHUB)}]" if source else words
