"""An arrow of a diagram in words, for people who do not see it."""

from __future__ import annotations

from loopback_auth.drawing.diagram_layout import Placed
from loopback_auth.drawing.mermaid import PARTICIPANTS
from loopback_auth.drawing.page_text import short
from loopback_auth.redact import server_text


def spoken(row: Placed) -> str:
    """Say in words what an arrow shows.

    It begins with the visible text, by which people who speak to their computer call it (WCAG 2.2 §2.5.3).
    """
    arrow = row.arrow
    written = [str(arrow.number), row.label, arrow.times, arrow.status]
    written += map(short, arrow.sent + arrow.received)
    sentences = [" ".join(filter(None, written)) + "."]
    if arrow.exchanges:
        last = arrow.exchanges[-1]
        between = f"{PARTICIPANTS[arrow.start]} to {PARTICIPANTS[arrow.end]}"
        sentences.append(f"{between}: {last.method} {last.url}.")
    else:
        sentences += [step.words for step in arrow.steps]
    if arrow.lost:
        sentences.append(f"It lacks {', '.join(map(short, arrow.lost))}.")
    if arrow.received:
        sentences.append(f"The response has {', '.join(map(short, arrow.received))}.")
    return server_text(" ".join(sentences))
