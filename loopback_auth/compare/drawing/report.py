"""A comparison as one HTML page that needs nothing else: no network, no server, and no script to be read.

What may be in it: the text of `report.css` and `report.js`, each named by its hash in the policy of the page,
and text that was escaped. A link leads elsewhere only where a clause or a source can be read, once somebody
follows it. The script adds what pointing at things can show; everything is there without it, and in print.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from string import Template

from loopback_auth.compare.drawing.overview import GROUNDS
from loopback_auth.compare.drawing.report_exchanges import written_out
from loopback_auth.compare.drawing.report_layout import Diagram, lay_out
from loopback_auth.compare.drawing.report_svg import drawing
from loopback_auth.compare.drawing.report_table import Anchors, cards, legend, outcome, table
from loopback_auth.compare.drawing.report_text import colour, plain, secret_button
from loopback_auth.compare.drawing.report_verdicts import attacks, findings
from loopback_auth.compare.nouns import Comparison, Run
from loopback_auth.compare.running.choices import FLOWS
from loopback_auth.pages.frame import file_text
from loopback_auth.trace.records import Ground

_GROUND_FLAGS: dict[Ground, tuple[str, ...]] = {
    "simulate": ("--simulate",),
    "demo": (),
    "live": ("--client-id", "ID", "--live"),
    "file": (),
}

_NUMBERS = (
    "No way",
    "One way",
    "Two ways",
    "Three ways",
    "Four ways",
    "Five ways",
    "Six ways",
    "Seven ways",
    "Eight ways",
    "Nine ways",
)

_BESIDE = 6
"""As many flows fit beside each other on a wide screen."""

LABELLED = "Coloured labels are secrets, replaced while this was recorded: the same label is the same secret."
AS_THEY_ARE = "Secrets are shown as they are: whoever has this page has them."

_WHERE: dict[Ground, str] = {
    "simulate": "Everything ran in memory: the server is the demonstration server of this project, the"
    " browser and the person are simulated, and the clock moves only when somebody waits.",
    "demo": "Requests went over real sockets of this machine, to the demonstration server of this project;"
    " the browser and the person are simulated.",
    "live": "A real browser, once for each flow. What it and the provider said to each other cannot be seen"
    " from here.",
    "file": "Read from a recording that somebody made.",
}


def report(comparison: Comparison) -> str:
    """Draw the page.

    Args:
        comparison: all that is on it; its texts may be a stranger's.
    """
    style, script = _file("report.css"), _file("report.js")
    page = {"style": style, "script": script, "policy": _policy(style, script)}
    return Template(_file("report.html")).substitute(page | _origin(comparison) | _parts(comparison))


def _origin(comparison: Comparison) -> dict[str, str]:
    made_at = datetime.fromtimestamp(comparison.made_at, UTC)
    return {
        "title": _title(len(comparison.runs)),
        "provider": plain(comparison.provider),
        "ground": GROUNDS[comparison.ground],
        "where": _WHERE[comparison.ground],
        # There the clock is part of the simulation, and the page the same each time.
        "made": "Made, by its own clock" if comparison.ground == "simulate" else "Made",
        "date": f"{made_at:%Y-%m-%d %H:%M}",
        "datetime": f"{made_at:%Y-%m-%dT%H:%M:%SZ}",
        "version": plain(comparison.version),
        "command": plain(_command(comparison)),
    }


def _command(comparison: Comparison) -> str:
    """Say how to come to such a page, as it is typed into a shell."""
    flows = tuple(run.flow for run in comparison.runs)
    words = ["python", "-m", "loopback_auth", "compare"]
    words += [comparison.provider] if comparison.ground == "live" else []
    words += ["--flows", ",".join(flows)] if flows != FLOWS else []
    return shlex.join([*words, *_GROUND_FLAGS[comparison.ground], "-o", "report.html"])


def _parts(comparison: Comparison) -> dict[str, str]:
    runs = comparison.runs
    diagrams = lay_out([run.trace for run in runs])
    anchors: Anchors = [_anchors(at, diagram) for at, diagram in enumerate(diagrams)]
    return {
        "legend": legend(),
        "cards": cards(comparison),
        "count": str(min(len(runs), _BESIDE)),
        "follow": _follow(diagrams),
        "secrets": LABELLED if any(run.trace.secrets for run in runs) else AS_THEY_ARE,
        "diagrams": "".join(map(_figure, range(len(runs)), runs, diagrams, anchors)),
        "fits": " fits" if len(runs) <= _BESIDE else "",
        "table": table(comparison, anchors),
        "findings": findings(comparison, anchors),
        "attacks": attacks(comparison),
        "exchanges": "".join(map(_exchanges, runs, diagrams, anchors)),
    }


def _title(count: int) -> str:
    words = _NUMBERS[count] if count < len(_NUMBERS) else f"{count} ways"
    # A line never ends inside "sign in".
    return f"{words} to sign\N{NO-BREAK SPACE}in{', side by side' if count > 1 else ''}"


def _anchors(at: int, diagram: Diagram) -> dict[int, str]:
    return {entry.number: f"entry-{at}-{arrow.number}" for arrow in diagram.arrows for entry in arrow.entries}


def _follow(diagrams: Sequence[Diagram]) -> str:
    """Offer every secret that is drawn, those of one colour together."""
    labels = {label for each in diagrams for arrow in each.arrows for label in (*arrow.sent, *arrow.received)}
    return "".join(map(secret_button, sorted(labels, key=lambda label: (colour(label) or 99, label))))


def _figure(at: int, run: Run, diagram: Diagram, anchors: Mapping[int, str]) -> str:
    return (
        f'<figure id="flow-{at}"><figcaption><h3>{plain(run.flow)}</h3>{outcome(run)}</figcaption>'
        f"{drawing(diagram, anchors)}</figure>"
    )


def _exchanges(run: Run, diagram: Diagram, anchors: Mapping[int, str]) -> str:
    entries = "".join(written_out(arrow, anchors[arrow.number]) for arrow in diagram.arrows)
    nothing = '<p class="lead">It did not run.</p>'
    return f'<section class="flow"><h3>{plain(run.flow)}</h3>{entries or nothing}</section>'


def _policy(style: str, script: str) -> str:
    """Allow these two inline texts and nothing else (CSP Level 3 §2.3.1).

    What frames may do cannot be said inside a page (§4.3).
    """
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; script-src {_hash(script)}"
    )


def _hash(inline: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"


def _file(name: str) -> str:
    return file_text(name, __package__)
