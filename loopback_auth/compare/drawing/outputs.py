"""The forms in which a comparison is written, by the ending of a file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from loopback_auth.compare.drawing.document import json_text
from loopback_auth.compare.drawing.har import har
from loopback_auth.compare.drawing.junit import junit
from loopback_auth.compare.drawing.markdown import markdown
from loopback_auth.compare.drawing.sarif import sarif
from loopback_auth.compare.drawing.table import table
from loopback_auth.compare.model import Comparison
from loopback_auth.drawing.mermaid import several
from loopback_auth.errors import ConfigError


def _all_in_one(comparison: Comparison) -> str:
    runs = comparison.runs
    return several([run.trace for run in runs], [f"{run.title}: {run.outcome}" for run in runs])


def _report(comparison: Comparison) -> str:
    from loopback_auth.compare.drawing.report import report  # No other form has to wait for templates.

    return report(comparison)


FORMS: Mapping[str, Callable[[Comparison], str]] = {
    ".html": _report,
    ".json": json_text,
    ".har": har,
    ".md": markdown,
    ".mmd": _all_in_one,
    ".sarif": sarif,
    ".txt": table,
    ".xml": junit,
}
"""What writes each."""


def render(comparison: Comparison, suffix: str) -> str:
    """Write a comparison.

    Args:
        comparison: what to write.
        suffix: of a file's name, with its dot; capitals do not matter.

    Raises:
        ConfigError: nothing is written with this suffix.
    """
    write = FORMS.get(suffix.lower())
    if write is None:
        raise ConfigError(
            f"A comparison cannot be written to a file that ends in {suffix!a}.",
            hint=f"Give the file a name that ends in one of {', '.join(FORMS)}.",
        )
    return write(comparison)
