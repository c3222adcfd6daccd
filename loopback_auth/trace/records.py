"""The records of a trace: what the flow of one sign-in did, and what went over the wire, without secrets.

`compare` and `explain` judge and draw nothing but traces. What is not in one was not observed, and must not
be claimed. A secret is a label such as `<code#1>`, the same label wherever the same secret stands.

Times are seconds since the sign-in began, so that a trace can be shown without telling when that was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from loopback_auth.records import dataclass

Party = Literal["client", "browser", "server", "person", "stranger"]
"""`client` is the program that signs in, with its redirect endpoint; `server` is the authorization server or
another server of the provider; `stranger` is any other program or person."""

Ground = Literal["simulate", "demo", "live", "file"]
"""Where a trace comes from: memory, loopback sockets, a real provider and browser, or a recording."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that the flow did or that happened to it, other than an HTTP request.

    Args:
        number: position in the trace, counted from 1 together with exchanges.
        at: seconds since the beginning.
        name: `bind`, `open` (a browser was started, or a link shown), `browse`, `invite`, `approve` (the
            person decided), `receive`, `paste`, `wait`, `warn`, `done` or `failed`.
        words: one sentence for people.
        values: names and values of details, such as `redirect_uri`, or `argument` of a started program.
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
        number: position in the trace, counted from 1 together with steps.
        at: seconds from the beginning to the request.
        seconds: from the request to the response.
        sender: who sent the request.
        receiver: who answered it.
        step: the name of the request in the words of the specification, such as `token request`.
        method: of HTTP.
        url: as sent, without a fragment; a label in it is not percent-encoded.
        request_headers: in order; a name may come twice.
        request_body: empty when there was none.
        status: 0 when there was no response, or when it was not observed.
        response_headers: in order; a name may come twice.
        response_body: empty when there was none.
        address: what the browser's address bar showed, fragment included; empty for all but navigations.
        observed: False where only the browser and the server saw the exchange; then the URL alone is known.
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
    """One secret: its label, and what is known of it.

    Args:
        label: stands for the secret wherever it occurs, such as `<code#1>`.
        kind: name of its parameter.
        length: of the secret, in characters; nothing else of it is kept.
    """

    label: str
    kind: str
    length: int


@dataclass(frozen=True, slots=True)
class Trace:
    """One sign-in from beginning to end.

    Args:
        flow: name of the flow.
        ground: where it ran.
        provider: name of the provider.
        entries: steps and exchanges in order; their numbers count from 1 without gaps.
        secrets: one for every label in the entries.
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
