"""Every form that a comparison can be written in, by the ending of a file's name.

A form is imported when it is chosen: whoever looks at the table need not wait for the page.
"""

from __future__ import annotations

from loopback_auth.compare.nouns import Comparison
from loopback_auth.errors import ConfigError

SUFFIXES = {
    ".html": "one page with the diagrams beside each other",
    ".json": "everything, described by comparison.schema.json",
    ".jsonl": "one event a line",
    ".har": "the exchanges, for developer tools",
    ".md": "tables and diagrams, for code hosts",
    ".mmd": "one Mermaid diagram",
    ".txt": "the table of the terminal",
}
"""What each is, in a few words."""


def render(comparison: Comparison, suffix: str) -> str:
    """Write a comparison.

    Args:
        comparison: what to write.
        suffix: of a file's name, with its dot; capitals do not matter.

    Raises:
        ConfigError: nothing is written with this suffix.
    """
    match suffix.lower():
        case ".html":
            from loopback_auth.compare.drawing.report import report

            return report(comparison)
        case ".json":
            from loopback_auth.compare.drawing.document import json_text

            return json_text(comparison)
        case ".jsonl":
            from loopback_auth.compare.drawing.document import events

            return "".join(f"{line}\n" for line in events(comparison))
        case ".har":
            from loopback_auth.compare.drawing.har import har

            return har(comparison)
        case ".md":
            from loopback_auth.compare.drawing.markdown import markdown

            return markdown(comparison)
        case ".mmd":
            from loopback_auth.compare.drawing.mermaid import all_in_one

            return all_in_one(comparison)
        case ".txt":
            from loopback_auth.compare.drawing.table import table

            return table(comparison)
    raise ConfigError(
        f"A comparison cannot be written to a file that ends in {suffix!a}.",
        hint=f"Let its name end in one of {', '.join(SUFFIXES)}.",
    )
