"""What `scripts/bench` measures of answers: what other open flows cost, how late an approval is noticed."""

from __future__ import annotations

import json
from statistics import median

from bench_rig import Bench, Sample, python, run

MOST_TURNS = 1
"""Of the event loop, by which other open flows may delay the token."""
MOST_MICROSECONDS = 10
"""That an adapter may add to a request."""
TOKENS_BY_CODE = 10
"""Pairs in a round; a device code takes a second each, so that there is one."""


def measure_race(bench: Bench) -> None:
    """Answer to token of a flow that is open beside others, against the same flow alone.

    The turns of the loop do not depend on the machine's mood; the milliseconds do, of which there are few.
    """
    for flow, answer, pairs in (("code", "callback", TOKENS_BY_CODE), ("device", "yes to a poll", 1)):
        written = run(python("race.py", flow, str(bench.rounds * pairs)), bench.environ())[1]
        samples: dict[str, list[Sample]] = {"beside two others": [], "alone": []}
        for who, turns, late in map(json.loads, written.splitlines()):
            samples[who].append({"turns": turns, f"{answer} to token": late})
        name = f"race, {flow}"
        bench.compare(name, samples, {f"{answer} to token": 1.1}, ("alone",))
        pairs_of_turns = zip(*([one["turns"] for one in each] for each in samples.values()), strict=True)
        more = max(beside - alone for beside, alone in pairs_of_turns)
        bench.bound(name, "turns more, most", "beside two others", more, MOST_TURNS)


def measure_adapters(bench: Bench) -> None:
    """What the adapters of `clients` add to a request of their libraries, with a fresh token."""
    for line in run(python("adapters.py", "20000"), bench.environ())[1].splitlines():
        library, microseconds = json.loads(line)
        bench.bound("adapter", "us a request", library, microseconds, MOST_MICROSECONDS)


def measure_approvals(bench: Bench) -> None:
    """Approval to token where nobody tells of it, and how often was asked; in real time, so once only."""
    written = run(python("approvals.py", "3", "20", "60"), bench.environ())[1]
    cases: dict[tuple[str, str, int], list[tuple[float, int]]] = {}
    for kind, who, after, late, polls in map(json.loads, written.splitlines()):
        cases.setdefault((kind, who, after), []).append((late, polls))
    for (kind, who, after), outcomes in sorted(cases.items()):
        name, seen = f"{kind}, approved after {after} s", who == "return seen"
        # A server that names an interval is not asked sooner, whoever comes back.
        prompt = 0.3 if seen and kind == "ticket" else None
        bench.bound(name, "s late, worst", who, max(late for late, _ in outcomes), prompt)
        bench.bound(name, "s late, median", who, median(late for late, _ in outcomes), None)
        bench.bound(name, "polls, most", who, max(polls for _, polls in outcomes), 20 if seen else None)
