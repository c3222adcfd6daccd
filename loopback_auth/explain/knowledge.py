"""Who knows which secret after each step of a sign-in: what parties sent and received, and where it was left.

A secret is known to each party that sent it, received it, or could read it where the step left it: in the
history of the browser, in the list of processes. Only what the trace shows counts. That a secret could also
be guessed or stolen is for `compare`.

Source: RFC 9700 §4.2.4, §4.3.1; RFC 8252 §8.1, §8.12.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loopback_auth.explain.story import ExplainedStep
from loopback_auth.trace.reading import labels_in, labels_received, labels_sent
from loopback_auth.trace.records import Exchange, Party, Step, Trace

KNOWERS = {
    "person": "User",
    "browser": "Browser",
    "client": "Program",
    "server": "Server",
    "stranger": "Stranger",
    "history": "Anyone who reads the browser history",
    "processes": "Any process that reads the process list",
}
"""Who can know a secret: the parties of a trace, and those who read what the browser and the system keep."""

State = dict[str, tuple[str, ...]]
"""Labels of secrets, by keys of `KNOWERS`."""
Fact = tuple[str, str]
"""A key of `KNOWERS`, and the label of a secret."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What one of them knows after a step.

    Args:
        who: for people.
        known: labels of the secrets that it knew before.
        learned: labels of those that this step told it.
    """

    who: str
    known: tuple[str, ...]
    learned: tuple[str, ...]


def knowledge(trace: Trace, steps: Iterable[ExplainedStep]) -> tuple[tuple[Knowledge, ...], ...]:
    """Return for each step who knows what after it; secrets that no step shows are left out.

    Args:
        trace: that was explained.
        steps: of the explanation, in order.
    """
    explained = list(steps)
    shown = {label for step in explained for label in _shown(step)}
    entries, at = sorted(trace.entries, key=lambda entry: entry.number), 0
    known: dict[str, list[str]] = {}
    found: list[tuple[State, State]] = []
    for step in explained:
        before = {who: tuple(labels) for who, labels in known.items()}
        while at < len(entries) and entries[at].number <= max(step.steps, default=0):
            for who, label in _told(entries, at):
                if label in shown and label not in known.setdefault(who, []):
                    known[who].append(label)
            at += 1
        after = {who: tuple(labels) for who, labels in known.items()}
        found.append((before, after))
    # A party that learns something later is there from the beginning, so that the rows stay the same.
    rows = [who for who in KNOWERS if known.get(who)]
    return tuple(tuple(_learned(who, *pair) for who in rows) for pair in found)


def _learned(who: str, before: State, after: State) -> Knowledge:
    old = before.get(who, ())
    return Knowledge(KNOWERS[who], old, tuple(label for label in after.get(who, ()) if label not in old))


def _shown(step: ExplainedStep) -> tuple[str, ...]:
    return labels_in(*(value.value for value in (*step.sent, *step.received)), step.request)


def _told(entries: list[Step | Exchange], at: int) -> Iterator[Fact]:
    """Iterate over what an entry tells whom."""
    entry = entries[at]
    if isinstance(entry, Exchange):
        yield from _exchanged(entry)
        return
    labels = labels_in(*(value for _, value in entry.values))
    told: tuple[str, ...] = ()
    match entry.name:
        case "open" if entry.value("program"):
            told = ("client", "browser", "processes")
        case "open" | "invite":
            told = ("client", "person")
        case "browse":
            told = ("client", "browser")
        case "paste":
            # The user copies the address of the response.
            told = ("person", "client")
            labels += _last_address(entries[:at])
        case _:
            pass
    for who in told:
        yield from ((who, label) for label in labels)


def _exchanged(exchange: Exchange) -> Iterator[Fact]:
    parties: tuple[Party, Party] = (exchange.sender, exchange.receiver)
    for label in (*labels_sent(exchange), *labels_received(exchange)):
        yield from ((party, label) for party in parties)
    for label in labels_in(exchange.address):
        # A fragment stays in the browser (RFC 9110 §4.2.5), and the history keeps the whole address.
        yield exchange.sender, label
        yield "history", label


def _last_address(entries: list[Step | Exchange]) -> tuple[str, ...]:
    addresses = (entry.address for entry in reversed(entries) if isinstance(entry, Exchange))
    return labels_in(next((address for address in addresses if address), ""))
