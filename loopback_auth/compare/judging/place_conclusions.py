"""Which of the compared flows to use where: the plan's order for such a machine, without the flows to avoid.

The machines are typical ones, described by the signals by which the plan knows them. This machine is not
looked at: `doctor` does that. Of flows that any browser can approve, the one with the lightest faults counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loopback_auth.compare.judging.conclusions import BY_WEIGHT, MOST, failed, weaknesses
from loopback_auth.compare.model import Conclusion, PlaceConclusion, Reason, Run
from loopback_auth.flow_table import CHOOSABLE, POLLED, TWO_STEP
from loopback_auth.plan.model import NO, UNLIKELY, Plan, Surroundings
from loopback_auth.plan.routes import DECLARED, capabilities, plan
from loopback_auth.trace.evidence import traits_of


@dataclass(frozen=True, slots=True)
class _Machine:
    place: str
    title: str
    environ: Mapping[str, str]
    files: tuple[str, ...] = ()
    terminal: bool = True
    openers: tuple[str, ...] = ()


MACHINES = (
    _Machine("laptop", "on a laptop or desktop", {"DISPLAY": ":0"}, openers=("xdg-open",)),
    _Machine("ssh", "over SSH", {"SSH_CONNECTION": "198.51.100.7 52000 203.0.113.9 22"}),
    _Machine("container", "in a container", {}, files=("/.dockerenv",)),
    _Machine("ci", "in a CI job", {"CI": "true"}, terminal=False),
    _Machine("agent", "in a coding agent", {"CLAUDECODE": "1"}, terminal=False),
)
"""The places, each with the signals that such a machine shows."""

TWO_STEPS = "`start` prints the link, a person approves it elsewhere, and `finish` brings the tokens"
NOTHING = (
    "None of the compared flows is the right one there: use another flow, or sign in elsewhere and bring the "
    "kept sign-in along."
)
NOT_JUDGED = "Not judged: see what is said about the flows."
IF_REACHED = ", if your browser can reach a port of that machine"
"""Where the plan cannot know it, as with forwarded or published ports."""


def place_conclusions(runs: Sequence[Run], conclusions: Sequence[Conclusion]) -> tuple[PlaceConclusion, ...]:
    """Choose among the flows that were run, for each place.

    Args:
        runs: the flows.
        conclusions: one for each, in their order.
    """
    usable = [run for run, one in zip(runs, conclusions, strict=True) if one.advice in ("use", "use when")]
    if all(one.advice == "not judged" for one in conclusions):
        return tuple(PlaceConclusion(one.place, one.title, "", NOT_JUDGED, ()) for one in MACHINES)
    return tuple(_conclusion(machine, usable) for machine in MACHINES)


def _conclusion(machine: _Machine, runs: Sequence[Run]) -> PlaceConclusion:
    found = _plan(machine, runs)
    waits = found.facts.waits.level != NO
    for route in found.routes:
        run = _best(POLLED if route.flow in POLLED else (route.flow,), runs)
        if run is None or not (waits or route.flow in TWO_STEP):
            continue
        reached = found.facts.reaches.level == UNLIKELY and traits_of(run.flow).needs_port
        using = f"Use {run.title}{IF_REACHED if reached else ''}"
        sentence = f"{using}." if waits else f"{using}: {TWO_STEPS}."
        why = _there(route.why) if waits else f"No program may wait there: {found.facts.waits.reason}."
        reasons = (Reason(why), *weaknesses(run))[:MOST]
        return PlaceConclusion(machine.place, machine.title, run.title, sentence, reasons)
    reasons = tuple(
        Reason(_there(f"{flow}: {why}")) for flow, why in found.refused.items() if _best((flow,), runs)
    )
    return PlaceConclusion(machine.place, machine.title, "", NOTHING, reasons[:MOST])


def _there(why: str) -> str:
    """Say of the machine that is described what the plan says of the one that it was asked about."""
    return why.replace("this machine", "that machine").replace("this is", "it is")


def _plan(machine: _Machine, runs: Sequence[Run]) -> Plan:
    surroundings = Surroundings(
        machine.environ,
        platform="linux",
        files=machine.files,
        stdin=machine.terminal,
        stderr=machine.terminal,
        openers=machine.openers,
    )
    allowed = [flow for flow in CHOOSABLE if _best((flow,), runs) is not None]
    able = capabilities(set(DECLARED))
    # `start` and `finish` confirm the account in their own way.
    return plan(surroundings, able, overrides={}, allowed=allowed, unconfirmed=True)


def _best(flows: Sequence[str], runs: Sequence[Run]) -> Run | None:
    """Return the run of these flows with the fewest and lightest faults; the first of equal ones."""
    alike = [run for run in runs if {run.flow, traits_of(run.flow).variant_of}.intersection(flows)]
    return min(alike, key=_weight, default=None)


def _weight(run: Run) -> tuple[int, ...]:
    severities = [one.severity for one in failed(run)]
    return tuple(severities.count(severity) for severity in BY_WEIGHT)
