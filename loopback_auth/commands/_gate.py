"""The gate of `--fail-on`: which findings stop a build, told on stderr, and the exit status."""

from __future__ import annotations

from loopback_auth.cli import tell
from loopback_auth.compare.judging.anchors import anchor
from loopback_auth.compare.judging.gate import breaches
from loopback_auth.redact import server_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from loopback_auth.compare.judging.gate import Breach
    from loopback_auth.compare.model import Comparison, Severity

STOPPED = 11
"""Exit status where a finding is at or above the threshold."""


def gate(comparison: Comparison, threshold: Severity, targets: Sequence[str]) -> int:
    """Tell which findings are at or above the threshold, and return the exit status.

    Args:
        comparison: what was found.
        threshold: the lowest severity that counts.
        targets: paths of the reports that were written.
    """
    found = breaches(comparison, threshold)
    news = "" if comparison.changes is None else " new or worse"
    if not found:
        tell(f"--fail-on {threshold}: no{news} finding.")
        return 0
    tell(f"--fail-on {threshold}: {len(found)}{news} finding{'s' * (len(found) != 1)}.")
    for run in dict.fromkeys(one.run for one in found):
        named = ", ".join(_named(one) for one in found if one.run == run)
        tell(f"  {server_text(run)}: {named}")
    page = next((path for path in targets if path.lower().endswith(".html")), "")
    first = next((f"#{anchor(one.finding, one.run)}" for one in found if one.finding), "")
    tell(f"Read on: {page}{first}" if page else "To read on, add -o report.html")
    return STOPPED


def _named(breach: Breach) -> str:
    if not breach.finding:
        return f"it was not judged, which counts as well: {server_text(breach.because)}"
    return f"{server_text(breach.finding)} ({breach.severity})"
