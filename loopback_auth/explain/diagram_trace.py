"""The trace that the diagrams of an explanation show: with the provider's addresses, and no claim about it.

In a rehearsal the demonstration server answers in place of the provider. What the pages and the metadata of
the provider answer is not known from that, so those requests are marked as not observed. Of what was sent
only the labels of secrets are kept; what the parameters are is in the explanation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from loopback_auth.drawing.arrows import Arrow, arrows
from loopback_auth.explain.story import ExplainedStep
from loopback_auth.explain.wording import Wording, shown_link
from loopback_auth.trace.reading import (
    labels_in,
    labels_received,
    labels_sent,
    response_header,
    without_query,
)
from loopback_auth.trace.records import Exchange, Step, Trace


def diagram_trace(trace: Trace, wording: Wording) -> Trace:
    """Return a trace as an explanation shows it."""
    return replace(trace, entries=tuple(_told(entry, wording) for entry in trace.entries))


def _told(entry: Step | Exchange, wording: Wording) -> Step | Exchange:
    if isinstance(entry, Step):
        values = tuple(
            (name, _with_labels(shown_link(value, wording), labels_in(value))) for name, value in entry.values
        )
        # The words of the last step name an account of the demonstration server.
        words = "Signed in." if entry.name == "done" else wording.translated(entry.words)
        return replace(entry, words=words, values=values)
    hidden = wording.hides_answer(entry)
    bare = wording.translated(without_query(entry.url))
    target = response_header(entry, "location")
    return replace(
        entry,
        url=_with_labels(bare, labels_in(entry.url)),
        address=_with_labels(bare, labels_in(entry.address)) if entry.address else "",
        request_headers=(),
        request_body=" ".join(labels_sent(entry)),
        response_headers=(("Location", wording.translated(without_query(target))),) if target else (),
        response_body=" ".join(labels_received(entry)),
        status=0 if hidden else entry.status,
        observed=entry.observed and not hidden,
    )


def _with_labels(bare: str, labels: Sequence[str]) -> str:
    more = [label for label in labels if label not in bare]
    return f"{bare}?{'&'.join(more)}" if more else bare


def explained_only(trace: Trace, scenes: Sequence[ExplainedStep]) -> Trace:
    """Return the entries that scenes explain, numbered as the scenes are."""
    return replace(trace, entries=tuple(_numbered(trace.entries, _numbers(scenes))))


def explained_arrows(trace: Trace, scenes: Sequence[ExplainedStep]) -> tuple[Arrow, ...]:
    """Return the arrows that scenes explain, numbered as the scenes are.

    Which phase an arrow is in follows from all entries, also from those that are not explained.
    """
    numbers = _numbers(scenes)
    drawn = ((arrow, tuple(_numbered(arrow.entries, numbers))) for arrow in arrows(trace))
    return tuple(replace(arrow, entries=entries) for arrow, entries in drawn if entries)


def _numbers(scenes: Sequence[ExplainedStep]) -> dict[int, int]:
    return {number: place for place, scene in enumerate(scenes, 1) for number in scene.steps}


def _numbered(entries: Sequence[Step | Exchange], numbers: dict[int, int]) -> Iterator[Step | Exchange]:
    return (replace(entry, number=numbers[entry.number]) for entry in entries if entry.number in numbers)
