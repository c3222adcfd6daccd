"""What a report says about flows, programs or servers: one row of words for each kind of comparison."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from loopback_auth.compare.drawing.overview import GROUNDS
from loopback_auth.compare.model import Comparison, Kind, Run
from loopback_auth.flow_table import COMPARED
from loopback_auth.invocation import SCRIPT
from loopback_auth.settings.presets import preset, preset_title
from loopback_auth.trace.records import Ground
from loopback_auth.words import DEMO_RIBBON

WITHOUT = " without "
"""The word between the name of a flow and that of the defence it lacks, in the title of a run."""

_NUMBERS = (
    *("No", "One", "Two", "Three", "Four", "Five", "Six"),
    *("Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"),
)

_GROUND_FLAGS: dict[Ground, tuple[str, ...]] = {
    "simulate": ("--simulate",),
    "demo": (),
    "live": ("--client-id", "ID", "--live"),
    "file": (),
}

_WHERE: dict[Ground, str] = {
    "simulate": "Everything ran in memory: with the demo server of this project, a simulated browser and"
    " user, and a simulated clock.",
    "demo": "The requests used real sockets of this machine and the demo server of this project. The browser"
    " and the user are simulated.",
    "live": "Each flow was run once in a real browser. The requests between the browser and the provider"
    " could not be observed.",
    "file": "Read from a recording of a browser or a proxy.",
}


@dataclass(frozen=True, slots=True)
class KindWords:
    """How a page speaks of its columns.

    Args:
        one: the noun for a column.
        many: the plural of the noun.
        heading: of the page, after a number, for one column and for several.
        lead: below the heading, what the page is made from.
        command: of the program that makes such pages.
        ground: how the columns came about; empty: as the comparison says.
        where: the same in a sentence or two; empty: likewise.
    """

    one: str
    many: str
    heading: tuple[str, str]
    lead: str
    command: str
    ground: str = ""
    where: str = ""


WORDS: dict[Kind, KindWords] = {
    "flows": KindWords(
        "flow",
        "flows",
        # A line never ends inside "sign in".
        ("way to sign\N{NO-BREAK SPACE}in", "ways to sign\N{NO-BREAK SPACE}in, side by side"),
        "From what happened in this run, not from a table of claims.",
        "compare",
    ),
    "programs": KindWords(
        "program",
        "programs",
        ("program put to the test", "programs put to the test, side by side"),
        "How each program signed in here, and what it did under attack.",
        "audit",
        "with simulated browser and user",
        "Each program ran on this machine, with the demo server of this project as its provider. The browser"
        " and the user are simulated.",
    ),
    "servers": KindWords(
        "server",
        "servers",
        ("authorization server, examined", "authorization servers, side by side"),
        "What each server publishes, and how it answered requests that change nothing.",
        "audit",
        "without a login",
        "Read from the metadata and from the answers to requests that need no login. Nothing was registered,"
        " approved or changed.",
    ),
}


def heading(comparison: Comparison) -> str:
    """Return the heading of the page."""
    count = len(comparison.runs)
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"{number} {WORDS[comparison.kind].heading[count != 1]}"


def ground(comparison: Comparison) -> tuple[str, str]:
    """Return how the columns came about, in a few words and in a sentence or two."""
    words = WORDS[comparison.kind]
    return words.ground or GROUNDS[comparison.ground], words.where or _WHERE[comparison.ground]


def server_name(name: str) -> str:
    """Return what people call a provider: the title of its preset where it has one."""
    return DEMO_RIBBON if name == "demo" else preset_title(name)


def command(comparison: Comparison) -> str:
    """Return the command that makes such a page, as it is typed into a shell."""
    words = [SCRIPT, WORDS[comparison.kind].command]
    if comparison.kind == "programs":
        return shlex.join([*words, "-o", "report.html", "--", "COMMAND"])
    if comparison.kind == "servers":
        words[-1] = "audit" if len(comparison.runs) == 1 else "compare"
        return shlex.join([*words, *map(_address, comparison.runs), "-o", "report.html"])
    titles = [run.title for run in comparison.runs]
    flows = tuple(title for title in titles if not _whole(title, titles))
    defences = dict.fromkeys(title.partition(WITHOUT)[2] for title in titles if _whole(title, titles))
    words += [comparison.provider] if comparison.ground == "live" else []
    words += ["--flows", ",".join(flows)] if flows != COMPARED else []
    words += ["--without", ",".join(defences)] if defences else _GROUND_FLAGS[comparison.ground]
    return shlex.join([*words, "-o", "report.html"])


def _address(run: Run) -> str:
    """Return what a server is called on the command line: the name of its preset, or else its issuer."""
    name = run.trace.provider
    asked = (each.url.partition("/.well-known/")[0] for each in run.trace.exchanges())
    return name if preset(name) else next(asked, name)


def _whole(title: str, titles: list[str]) -> str:
    """Return the title of the flow that a run is without a defence of; empty where it is none."""
    before = title.partition(WITHOUT)
    return before[0] if before[2] and before[0] in titles else ""
