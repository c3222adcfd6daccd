"""The conclusions of a comparison, those that say the same together, for all text forms."""

from __future__ import annotations

from dataclasses import dataclass

from loopback_auth.compare.model import Advice, Comparison, Reason

TYPICAL = "On typical machines; the command doctor looks at this one:"
"""What stands above the conclusions about places."""


@dataclass(frozen=True, slots=True)
class Advised:
    """Some runs of which the same was concluded.

    Args:
        advice: what to do.
        runs: their titles.
        sentence: the advice in one sentence.
        reasons: at most two.
    """

    advice: Advice
    runs: tuple[str, ...]
    sentence: str
    reasons: tuple[Reason, ...]


def advised(comparison: Comparison) -> tuple[Advised, ...]:
    """Return the conclusions about the runs, in the order of the first run of each."""
    together: dict[tuple[Advice, str, tuple[Reason, ...]], list[str]] = {}
    for one in comparison.conclusions:
        together.setdefault((one.advice, one.sentence, one.reasons), []).append(one.run)
    return tuple(
        Advised(advice, tuple(runs), sentence, reasons)
        for (advice, sentence, reasons), runs in together.items()
    )


def advised_places(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """Return the conclusions about places: the beginning of a sentence, and what follows its colon."""
    together: dict[str, list[str]] = {}
    for one in comparison.places:
        together.setdefault(one.sentence, []).append(one.title)
    return tuple(
        (begun[:1].upper() + begun[1:], sentence[:1].lower() + sentence[1:])
        for sentence, titles in together.items()
        for begun in [", ".join(titles)]
    )
