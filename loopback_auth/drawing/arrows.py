"""What a sequence diagram shows of a trace: arrows between lanes, in four phases.

Where they are drawn is decided by `diagram_layout`. A diagram is not the trace. Polling requests that look
alike become one arrow together with the waits between them, and what the program does alone becomes a note
on its lane. Phases are read from the trace, never from the name of a flow: that no response comes through the
browser distinguishes a device grant from a code, and it has to be seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from loopback_auth.drawing.mermaid import DIRECTIONS
from loopback_auth.trace.evidence import ACCESS_TOKENS, POLLS, labels_in_address, labels_of_kind
from loopback_auth.trace.reading import label_kind, labels_received, labels_sent
from loopback_auth.trace.records import Exchange, Party, Step, Trace

Phase = Literal["ask", "approve", "answer", "tokens"]
Kind = Literal["exchange", "unobserved", "act", "note", "done", "failed"]
Entry = Step | Exchange

PHASES: tuple[Phase, ...] = ("ask", "approve", "answer", "tokens")

_PHASE_OF_STEP: dict[str, Phase] = {
    "bind": "ask",
    "open": "ask",
    "browse": "ask",
    "invite": "ask",
    "approve": "approve",
    "paste": "answer",
    "receive": "answer",
    "done": "tokens",
}
_LABELS = {
    "bind": "listen for the redirect",
    "open": "open a page in a browser",
    "browse": "redirect the browser",
    "invite": "show the approval link",
    "approve": "approve or deny",
    "receive": "receive the response",
    "paste": "paste the URL",
    "warn": "warning",
    "done": "signed in",
    "failed": "not signed in",
}
_ENDS: dict[str, Kind] = {"done": "done", "failed": "failed"}
LONGEST_LABEL = 34
"""Characters of a sentence that still fits above an arrow."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """A message from one party to another, or a note where they are the same.

    Args:
        kind: how it is drawn.
        phase: in which band it is drawn.
        start: the party that sends.
        end: the party that receives.
        label: what it is, for people.
        entries: what it stands for, in order: several polling requests, and the waits before them.
        sent: labels of the secrets in the request, each once, in order.
        received: labels of those that only the response had.
        lost: labels of those that the same request of another run carries, and this one does not.
    """

    kind: Kind
    phase: Phase
    start: Party
    end: Party
    label: str
    entries: tuple[Entry, ...]
    sent: tuple[str, ...] = ()
    received: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The requests among the entries."""
        return tuple(entry for entry in self.entries if isinstance(entry, Exchange))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The entries that are not requests."""
        return tuple(entry for entry in self.entries if isinstance(entry, Step))

    @property
    def times(self) -> str:
        """How often the same request was sent, where that was more than once."""
        return f"×{len(self.exchanges)}" if len(self.exchanges) > 1 else ""  # noqa: RUF001 - a multiplication sign

    @property
    def status(self) -> str:
        """The statuses of the responses, each once."""
        if not self.exchanges:
            return ""
        found = dict.fromkeys(str(exchange.status) for exchange in self.exchanges if exchange.status)
        return ", ".join(found) or ("not observed" if self.kind == "unobserved" else "no response")

    @property
    def number(self) -> int:
        """The number of its first entry that is not a wait; it stands beside the arrow."""
        return next((entry for entry in self.entries if not _is(entry, "wait")), self.entries[0]).number


def arrows(trace: Trace) -> tuple[Arrow, ...]:
    """Turn the entries of a trace into arrows; each entry is in exactly one of them."""
    found: list[Arrow] = []
    waits: tuple[Entry, ...] = ()
    for entry, phase in zip(trace.entries, _phases(trace), strict=True):
        if _is(entry, "wait"):
            waits += (entry,)
            continue
        arrow = _arrow(entry, phase)
        if arrow.start == "client" and arrow.exchanges:
            # Other things happen during the wait before the next polling request.
            arrow, waits = replace(arrow, entries=waits + arrow.entries), ()
        found.append(_folded(found.pop(), arrow) if found and _alike(found[-1], arrow) else arrow)
    if waits:
        phase = found[-1].phase if found else "ask"
        found.append(Arrow("note", phase, "client", "client", "wait", waits))
    return tuple(found)


def held_against(drawn: Sequence[Arrow], whole: Sequence[Arrow]) -> tuple[Arrow, ...]:
    """Say of arrows which secrets they lack that the same ones of a whole flow carry.

    Args:
        drawn: of a run without a defence.
        whole: of the same flow with it.
    """
    carried: dict[tuple[Phase, str], list[Arrow]] = {}
    for arrow in whole:
        carried.setdefault((arrow.phase, arrow.label), []).append(arrow)
    found: list[Arrow] = []
    for arrow in drawn:
        same = carried.get((arrow.phase, arrow.label))
        there = set(map(label_kind, arrow.sent))
        lost = () if not same else tuple(one for one in same.pop(0).sent if label_kind(one) not in there)
        found.append(replace(arrow, lost=lost))
    return tuple(found)


def _arrow(entry: Entry, phase: Phase) -> Arrow:
    if isinstance(entry, Exchange):
        kind: Kind = "exchange" if entry.observed else "unobserved"
        # A fragment is not sent, but the address bar shows it.
        along = tuple(dict.fromkeys((*labels_sent(entry), *labels_in_address(entry))))
        back = tuple(label for label in labels_received(entry) if label not in along)
        return Arrow(kind, phase, entry.sender, entry.receiver, entry.step, (entry,), along, back)
    start, end = DIRECTIONS.get(entry.name, ("client", "client"))
    if (end_kind := _ENDS.get(entry.name)) is not None:
        return Arrow(end_kind, phase, start, end, _LABELS[entry.name], (entry,))
    words = entry.words[:1].lower() + entry.words[1:].rstrip(".")
    label = words if 0 < len(words) <= LONGEST_LABEL else _LABELS.get(entry.name, entry.name)
    return Arrow("note" if start == end else "act", phase, start, end, label, (entry,))


def _alike(before: Arrow, after: Arrow) -> bool:
    if before.phase != after.phase or not before.exchanges or not after.exchanges:
        return False
    return _request(before.exchanges[-1]) == _request(after.exchanges[-1])


def _folded(before: Arrow, after: Arrow) -> Arrow:
    return replace(
        after,
        entries=before.entries + after.entries,
        sent=tuple(dict.fromkeys(before.sent + after.sent)),
        received=tuple(dict.fromkeys(before.received + after.received)),
    )


def _request(exchange: Exchange) -> tuple[str, ...]:
    return exchange.sender, exchange.receiver, exchange.step, exchange.method, exchange.url


def _phases(trace: Trace) -> Iterator[Phase]:
    """Return the phase of each entry; a later entry is never in an earlier phase."""
    times = Counter(map(_request, trace.exchanges("client", "server")))
    polls = {_request(one) for one in trace.exchanges("client", "server") if one.step in POLLS}
    polls |= {request for request, count in times.items() if count > 1}
    phase: Phase = "ask"
    for at, entry in enumerate(trace.entries):
        found: Phase
        if isinstance(entry, Step):
            found = _PHASE_OF_STEP.get(entry.name, phase)
        elif _request(entry) in polls:
            times[_request(entry)] -= 1
            # Only the last poll got an answer.
            found = "approve" if times[_request(entry)] else _phase_of_end(entry)
        else:
            found = _phase_of(entry, phase, trace.entries[:at])
        phase = found if PHASES.index(found) > PHASES.index(phase) else phase
        yield phase


def _phase_of_end(poll: Exchange) -> Phase:
    return "tokens" if labels_of_kind(labels_received(poll), ACCESS_TOKENS) else "answer"


def _phase_of(exchange: Exchange, phase: Phase, before: Sequence[Entry]) -> Phase:
    match exchange.sender, exchange.receiver:
        case "browser", "server":
            return (
                "approve"
                if any(_is(entry, "invite") or _concerns_server(entry) for entry in before)
                else "ask"
            )
        case "browser", "client":
            return "answer" if any(map(_concerns_server, before)) else "ask"
        case "client", "server" if phase == "answer" or exchange.step == "token request":
            return "tokens"
        case _:
            return phase


def _concerns_server(entry: Entry) -> bool:
    """Return whether the browser was at the server, or the user has decided there."""
    if isinstance(entry, Step):
        return entry.name == "approve"
    return (entry.sender, entry.receiver) == ("browser", "server")


def _is(entry: Entry, name: str) -> bool:
    return isinstance(entry, Step) and entry.name == name
