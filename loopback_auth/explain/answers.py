"""A question with its answer, and how an answer names a request."""

from __future__ import annotations

from dataclasses import dataclass

from loopback_auth.explain.wording import Wording
from loopback_auth.trace.reading import without_query
from loopback_auth.trace.records import Exchange


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that people ask, with its answer.

    Args:
        question: as people ask it.
        answer: a sentence or more; empty when the points say all.
        source: clause or page behind the answer.
        steps: numbers of the trace entries that show it.
        points: what the answer lists, a sentence each; empty when it is not a list.
    """

    question: str
    answer: str
    source: str
    steps: tuple[int, ...] = ()
    points: tuple[str, ...] = ()


def request_text(exchange: Exchange | None, wording: Wording) -> str:
    """Name a request by its method and address; empty without one."""
    if exchange is None:
        return ""
    return f"{exchange.method} {wording.translated(without_query(exchange.url))}"
