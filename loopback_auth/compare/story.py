"""A sign-in told in order: who asked whom for what, what was sent along, and what each of that is for.

Everything is read off the trace. A request that is not there is not told, a parameter that was not sent is
not explained, and a value is written out only if it can be no secret: of any other there is the label, or the
name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from loopback_auth.approval import TicketContract
from loopback_auth.compare.evidence import FRONT, Kind, kind_of
from loopback_auth.compare.lines import NAMES
from loopback_auth.compare.nouns import Run
from loopback_auth.compare.reading import LABEL, Parameters, answer, form, fragment, header, place, query
from loopback_auth.compare.story_words import PARAMETERS, STEPS, VENDOR, Told
from loopback_auth.protocol.json import parse_object
from loopback_auth.errors import MalformedResponse
from loopback_auth.redact import server_text
from loopback_auth.trace import Exchange, Step

UNTOLD = frozenset({"browse", "wait", "receive", "approve", "start page", "page", "warn"})
"""Steps and requests that are part of another one's telling, or nobody's business."""
PUBLIC = frozenset(
    {
        "client_id",
        "code_challenge_method",
        "error",
        "error_description",
        "grant_type",
        "iss",
        "prompt",
        "redirect_uri",
        "response_mode",
        "response_type",
        "scope",
        "token_type_hint",
    }
)
"""Parameters whose values are written out."""
LONGEST = 200
"""Characters of a value."""
TOKENS = frozenset({"access_token", "id_token"})


@dataclass(frozen=True, slots=True)
class Said:
    """A parameter: its name, its value as far as it is shown, and what it is for, told once in a story."""

    name: str
    value: str = ""
    meaning: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing that happened.

    Args:
        steps: numbers of the trace entries.
        who: such as `program to server`.
        title: what it is, with how often.
        request: method and address; empty for what is no request.
        sent: with the request.
        status: of the answer; 0 when there was none, or none was seen.
        received: with the answer.
        words: what it is for.
        source: the clause that says so.
    """

    steps: tuple[int, ...]
    who: str
    title: str
    request: str
    sent: tuple[Said, ...]
    status: int
    received: tuple[Said, ...]
    words: str
    source: str


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak of a run.

    Args:
        provider: name of the provider; empty: the server.
        translated: puts the provider's addresses in place of others.
        contract: the vendor's way to sign in by ticket.
    """

    provider: str = ""
    translated: Callable[[str], str] = str
    contract: TicketContract | None = None

    def told(self, told: Told) -> Told:
        """Name the source of the vendor's contract where a sentence rests on it."""
        source = self.contract.source if self.contract is not None else "RFC 8628 §3.3"
        return told[0], told[1].replace(VENDOR, source)

    @property
    def server(self) -> str:
        """What the server is called."""
        return self.provider or "the server"


def scenes(run: Run, manner: Manner) -> tuple[Scene, ...]:
    """Tell a run in order; requests of one kind that follow each other are told as one."""
    entries = [entry for entry in run.trace.entries if _name(entry) not in UNTOLD]
    told = []
    for _, group in groupby(entries, key=lambda entry: (_name(entry), _sender(entry), isinstance(entry, Step))):
        same = tuple(group)
        told.append(_step(same[0], run, manner) if isinstance(same[0], Step) else _exchange(same, run, manner))
    return tuple(_explained_once(told, manner))


def is_pending(exchange: Exchange) -> bool:
    """Tell whether a poll was answered with "not yet"."""
    return not TOKENS & dict(answer(exchange)).keys() and not _says_yes(exchange)


def parameters(exchange: Exchange) -> Parameters:
    """Return what a request carried: in its address, its form or its JSON body, and its client secret."""
    basic = [value for name, value in exchange.request_headers if name.lower() == "authorization"]
    labels = [label for value in basic for label in LABEL.findall(value)]
    credentials = tuple((label.strip("<>").partition("#")[0], label) for label in labels)
    return (*query(exchange.url), *form(exchange), *_json(exchange.request_body), *credentials)


def came_back(exchange: Exchange) -> Parameters:
    """Return what an answer carried: in the address it led to, or in its JSON body."""
    target = header(exchange, "location")
    return (*query(target), *fragment(target), *answer(exchange))


def _says_yes(exchange: Exchange) -> bool:
    return dict(answer(exchange)).get("authorized") == "true"


def _step(step: Step, run: Run, manner: Manner) -> Scene:
    words, source = manner.told(_words(step.name, step, run))
    pairs = [(name, value) for name, value in step.values if name in ("redirect_uri", "url", "argument")]
    said = tuple(
        Said("link" if name == "url" else name, manner.translated(_bare(value) if name != "redirect_uri" else value))
        for name, value in pairs
    )
    who = NAMES["person" if step.name == "paste" else "client"]
    return Scene((step.number,), who, server_text(step.words), "", said, 0, (), words, source)


def _exchange(same: tuple[Exchange, ...], run: Run, manner: Manner) -> Scene:
    shown = same[-1]
    words, source = manner.told(_words(shown.step, shown, run))
    count = f", {len(same)} times" if len(same) > 1 else ""
    who = f"{NAMES[shown.sender]} to {NAMES[shown.receiver]}"
    url = manner.translated(place(shown.url))
    sent = parameters(shown) if not url.startswith("{") or "_" in url else ()
    back = "" if shown.observed else " (not seen: only the browser and the server know more)"
    return Scene(
        steps=tuple(one.number for one in same),
        who=who.replace("server", manner.provider) if manner.provider else who,
        title=f"{shown.step}{count}{back}",
        request=f"{shown.method} {url}",
        sent=tuple(_said(name, value, manner) for name, value in (*sent, *fragment(shown.address))),
        status=shown.status,
        received=tuple(_said(name, value, manner, ours=False) for name, value in came_back(shown)),
        words=words,
        source=source,
    )
