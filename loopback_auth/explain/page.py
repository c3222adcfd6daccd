"""An explanation as a file: an HTML page that needs no network and no script, Markdown, or a Mermaid diagram.

Each step of a sign-in is on the page with its arrow, its parameters, what it is for, and who knows which
secret after it. The script shows one step at a time; without it all steps stand below each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from jinja2 import Environment

from loopback_auth import __version__
from loopback_auth.compare.drawing import outputs
from loopback_auth.compare.running import files
from loopback_auth.compare.running.files import write_file
from loopback_auth.drawing import page
from loopback_auth.drawing.diagram_layout import Diagram, Placed, lay_out_arrows
from loopback_auth.drawing.mermaid import several
from loopback_auth.errors import ConfigError
from loopback_auth.explain.diagram_trace import explained_arrows, explained_only
from loopback_auth.explain.knowledge import Knowledge, knowledge
from loopback_auth.explain.narration import Story
from loopback_auth.explain.story import ExplainedStep, ExplainedValue
from loopback_auth.explain.story_markdown import markdown

STYLES = ("drawing/page.css", "drawing/diagram.css", "story.css")
SCRIPTS = ("drawing/secrets.js", "story.js")


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step as the page shows it.

    Args:
        number: from 1.
        anchor: id of its element.
        step: what is explained.
        sent: the parameters of the request, by the part that carries them.
        rows: its arrows.
        known: who knows what after it.
    """

    number: int
    anchor: str
    step: ExplainedStep
    sent: Sequence[tuple[str, Sequence[ExplainedValue]]]
    rows: Sequence[Placed]
    known: Sequence[Knowledge]


@dataclass(frozen=True, slots=True)
class ShownStory:
    """A story as the page shows it.

    Args:
        anchor: what the ids of its parts begin with; empty for the first.
        story: what is explained.
        steps: its scenes.
        diagram: of all steps; None where it has no trace.
    """

    anchor: str
    story: Story
    steps: Sequence[ShownStep]
    diagram: Diagram | None

    @property
    def anchors(self) -> Mapping[int, str]:
        """The ids of the steps, by their numbers."""
        return {step.number: step.anchor for step in self.steps}


def check_story_target(path: str) -> str:
    """Return the path of a page, absolute and without links.

    Raises:
        ConfigError: nothing is written with such an ending, or there.
    """
    return files.check_target(path, of_form=_ending)


def write_story(stories: Sequence[Story], path: str) -> None:
    """Write explanations in the form that the ending of the path says.

    Args:
        stories: one, or those of a recording.
        path: from `check_story_target`.

    Raises:
        ConfigError: it cannot be written, or there is nothing to draw.
    """
    write_file(path, FORMS[_ending(Path(path).name)](stories))


def story_page(stories: Sequence[Story]) -> str:
    """Draw the page; the texts may come from a server or a recording, and are escaped."""
    shown = [_shown(story, at) for at, story in enumerate(stories)]
    values: dict[str, object] = {
        "title": stories[0].title if len(stories) == 1 else f"{len(stories)} sign-ins, as recorded",
        "stories": shown,
        "version": __version__,
    }
    return (
        _templates()
        .get_template("story.html")
        .render(values | page.inlined(str(__package__), STYLES, SCRIPTS))
    )


def story_diagram(stories: Sequence[Story]) -> str:
    """Draw the steps in Mermaid.

    Raises:
        ConfigError: what is explained has no steps between parties.
    """
    drawn = [(story.trace, story) for story in stories if story.trace is not None]
    if not drawn:
        raise ConfigError(
            "There is no diagram of this: it has no requests and responses.",
            hint="Give the file a name that ends in .html or .md.",
        )
    traces = [explained_only(trace, story.scenes) for trace, story in drawn]
    return several(traces, [story.title for _, story in drawn])


FORMS: Mapping[str, Callable[[Sequence[Story]], str]] = {
    ".html": story_page,
    ".md": markdown,
    ".mmd": story_diagram,
}
"""The function that writes each form, by the ending of the file's name."""


def _ending(name: str) -> str:
    return outputs.ending(name, FORMS)


@cache
def _templates() -> Environment:
    return page.templates(str(__package__), {}, {})


def _shown(story: Story, at: int) -> ShownStory:
    anchor = f"{at + 1}-" if at else ""
    diagram = _diagram(story)
    rows = [row for band in diagram.bands for row in band.rows] if diagram is not None else []
    known = knowledge(story.trace, story.scenes) if story.trace is not None else ((),) * len(story.scenes)
    steps = [
        ShownStep(
            number,
            f"{anchor}step-{number}",
            step,
            [(where, list(values)) for where, values in groupby(step.sent, key=_where)],
            [row for row in rows if row.arrow.number == number],
            known[number - 1],
        )
        for number, step in enumerate(story.scenes, 1)
    ]
    return ShownStory(anchor, story, steps, diagram)


def _diagram(story: Story) -> Diagram | None:
    if story.trace is None:
        return None
    [diagram] = lay_out_arrows([explained_arrows(story.trace, story.scenes)])
    return diagram


def _where(value: ExplainedValue) -> str:
    return value.where
