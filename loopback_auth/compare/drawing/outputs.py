"""The forms in which a comparison is written, by the ending of a file's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from loopback_auth.compare.drawing.badge import badge
from loopback_auth.compare.drawing.document import json_text
from loopback_auth.compare.drawing.har import har
from loopback_auth.compare.drawing.junit import junit
from loopback_auth.compare.drawing.markdown import markdown
from loopback_auth.compare.drawing.sarif import sarif
from loopback_auth.compare.drawing.summary import summary
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
    ".summary.md": summary,
    ".svg": badge,
    ".txt": table,
    ".xml": junit,
}
"""The function that writes each form, by the ending of the file's name."""


def ending(name: str, forms: Iterable[str] = FORMS) -> str:
    """Return which form the name of a file asks for: the longest that it ends in.

    Args:
        name: of a file, without a folder; capitals do not matter.
        forms: the endings to choose from.

    Raises:
        ConfigError: nothing is written with such an ending.
    """
    # As for pathlib, a name that begins with its only dot has no ending.
    endings = list(forms)
    found = [form for form in endings if name.lower().endswith(form) and len(name) > len(form)]
    if not found:
        raise ConfigError(
            f"The ending of {name[:200]!a} is not that of a report.",
            hint=f"Give the file a name that ends in one of {', '.join(endings)}.",
        )
    return max(found, key=len)


def render(comparison: Comparison, form: str) -> str:
    """Write a comparison.

    Args:
        comparison: what to write.
        form: from `ending`.
    """
    return FORMS[form](comparison)
