"""The names by which other documents link to a finding: in the report's page, in SARIF and in Markdown.

They are made of what stays the same: the id of the finding, and the title of the run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from loopback_auth.compare.model import Run

_APART = re.compile(r"[^a-z0-9.]+")


def anchor(finding: str, run: str = "") -> str:
    """Return the fragment for a finding, such as `code-form-post/token-in-fragment`.

    Args:
        finding: id of the finding.
        run: title of the run; empty: the finding in all runs.
    """
    return f"{_slug(run)}/{_slug(finding)}" if run else _slug(finding)


def titles(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the titles of runs, each once."""
    return unique([run.title for run in runs])


def unique(names: Sequence[str]) -> tuple[str, ...]:
    """Return names, each once: the second of two equal ones ends in (2)."""
    found: dict[str, None] = {}
    for name in names:
        numbered = (f"{name} ({count})" for count in range(2, len(names) + 1))
        several = chain((name,), numbered)
        found[next(one for one in several if one not in found)] = None
    return tuple(found)


def _slug(text: str) -> str:
    return _APART.sub("-", text.lower()).strip("-.") or "unnamed"
