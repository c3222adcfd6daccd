"""What happened in one sign-in, already without secrets: what the flow asked for, what went over the wire.

A trace is all that `compare` and `explain` judge and draw. Whatever cannot be seen there was not observed,
and must not be claimed. Secrets are labels such as `<code#1>` from the moment of recording on, the same
label wherever the same secret turns up.

Times are seconds since the sign-in began, so that a trace can be shown without saying when that was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Party = Literal["client", "browser", "server", "person", "stranger"]
"""`client` is the program that signs in, its redirect endpoint included; `server` that of the provider."""

Ground = Literal["simulate", "demo", "live", "file"]
"""Where a trace comes from: memory, loopback sockets, a real provider and browser, somebody's capture."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that the flow did, or that happened to it, apart from HTTP requests.

    Args:
        number: place in the trace, from 1, shared with exchanges.
        at: seconds since the beginning.
        name: `bind`, `open` (a browser was started, or a link shown), `browse`, `invite`, `approve` (the
            person decided), `receive`, `paste`, `wait`, `warn`, `done` or `failed`.
        words: one sentence for people.
        values: named details, such as `redirect_uri`, or `argument` of a started program.
    """

    number: int
    at: float
    name: str
    words: str
    values: tuple[tuple[str, str], ...] = ()

    def value(self, name: str) -> str:
        """Return a detail, or the empty string."""
        return dict(self.values).get(name, "")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request and its response.

    Args:
        number: place in the trace, from 1, shared with steps.
        at: seconds since the beginning.
        seconds: until the response was there.
        sender: who sent the request.
        receiver: who answered it.
        step: in the words of the specification, such as `token request`.
        method: of HTTP.
        url: as sent, without a fragment; a label in it is not percent-encoded.
        request_headers: in order; a name may come twice.
        request_body: empty when there was none.
        status: 0 when there was no response, or when it was not observed.
        response_headers: in order; a name may come twice.
        response_body: empty when there was none.
        address: what the browser's address bar showed, fragment included; empty for all but navigations.
        observed: False for what only the browser and the server have seen; then nothing but the URL is known.
    """

    number: int
    at: float
    seconds: float
    sender: Party
    receiver: Party
    step: str
    method: str
    url: str
    request_headers: Headers = ()
    request_body: str = ""
    status: int = 0
    response_headers: Headers = ()
    response_body: str = ""
    address: str = ""
    observed: bool = True


@dataclass(frozen=True, slots=True)
class Secret:
    """A label, and what it stands for.

    Args:
        label: such as `<code#1>`; the same wherever the same secret occurs.
        kind: name of the parameter.
        length: of the value, in characters; nothing else of the value is kept.
    """

    label: str
    kind: str
    length: int


@dataclass(frozen=True, slots=True)
class Trace:
    """One sign-in from beginning to end.

    Args:
        flow: its name.
        ground: where it ran.
        provider: name of the provider.
        entries: in order; numbers count from 1 without gaps.
        secrets: every label that occurs.
    """

    flow: str
    ground: Ground
    provider: str
    entries: tuple[Step | Exchange, ...]
    secrets: tuple[Secret, ...] = ()

    def exchanges(self, sender: Party | None = None, receiver: Party | None = None) -> Iterator[Exchange]:
        """Iterate over the exchanges between these parties, in order."""
        for entry in self.entries:
            if (
                isinstance(entry, Exchange)
                and sender in (None, entry.sender)
                and receiver in (None, entry.receiver)
            ):
                yield entry

    def steps(self, name: str) -> Iterator[Step]:
        """Iterate over the steps of a name, in order."""
        for entry in self.entries:
            if isinstance(entry, Step) and entry.name == name:
                yield entry
