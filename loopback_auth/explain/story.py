"""A sign-in told in order: who asked whom for what, what was sent along, and what each of that is for.

Everything is read off the trace. A request that is not there is not told, a parameter that was not sent is
not explained, and a value is written out only if it can be no secret: of any other there is the label, or the
name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from loopback_auth.compare.drawing.mermaid import DIRECTIONS, PARTICIPANTS
from loopback_auth.compare.model import Run
from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.explain.story_words import PARAMETERS, STEPS, VENDOR, Told
from loopback_auth.explain.value_flow import came_back, carried, sent_along
from loopback_auth.model import Provider
from loopback_auth.redact import server_text
from loopback_auth.trace.reading import (
    LABEL,
    Parameters,
    fragment_parameters,
    label_kind,
    labels_received,
    labels_sent,
    without_query,
)
from loopback_auth.trace.records import Exchange, Step

Heard = Callable[[tuple[str, str]], bool]

UNTOLD = frozenset({"browse", "wait", "receive", "warn", "start page", "page", "sign-in and consent"})
"""Steps and requests that are part of another one's telling, or the server's own business."""
PUBLIC = frozenset(
    {
        "authorized",
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
ANSWERS = frozenset({"access_token", "code", "error", "id_token"})
"""Parameters of which an authorization response has one."""
SHOWN = {"redirect_uri": "redirect_uri", "url": "link", "argument": "address", "user_code": "user_code"}
"""Values of steps that are written out, and by which names."""
LONGEST = 200
"""Characters of a value."""
FROM_RESPONSE = ", from the response}"
"""The end of the name that stands for an address which the server chose."""
NAMES = {party: name.lower() for party, name in PARTICIPANTS.items()}
"""Who asks or answers, inside a sentence."""


@dataclass(frozen=True, slots=True)
class Said:
    """A parameter: its name, its value as far as that is shown, and what it is for, told once in a story.

    Args:
        where: part of the request that carries it, such as `query`; empty for what came back.
    """

    name: str
    value: str = ""
    meaning: str = ""
    source: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class ExplainedStep:
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
        provider: what the server is called.
        translated: puts the provider's addresses in place of others.
        contract: the vendor's way to sign in by ticket.
        rehearsed: somebody else answered in the provider's place, so that of the answers only that is told
            which the program goes on with.
        declared: what is known of the provider beforehand, also about flows other than this one.
    """

    provider: str = "the server"
    translated: Callable[[str], str] = str
    contract: TicketContract | None = None
    rehearsed: bool = False
    declared: Provider | None = None

    def told(self, told: Told) -> Told:
        """Name the source of the vendor's contract where a sentence rests on it."""
        source = self.contract.source if self.contract is not None else ""
        return told[0], told[1].replace(VENDOR, source)

    def who(self, exchange: Exchange) -> str:
        """Say who asked whom."""
        names = {**NAMES, "server": self.provider.removeprefix("the ")}
        return f"{names[exchange.sender]} to {names[exchange.receiver]}"


def scenes(run: Run, manner: Manner) -> tuple[ExplainedStep, ...]:
    """Tell a run in order; requests of one kind that follow each other are told as one."""
    told: list[ExplainedStep] = []
    heard = _heard(run, manner)
    entries = [entry for entry in run.trace.entries if _name(entry) not in UNTOLD]
    for _, group in groupby(entries, key=_kind):
        same = tuple(group)
        last = same[-1]
        scene = _step(last, manner) if isinstance(last, Step) else _exchange(last, manner, heard)
        count = f", {len(same)} times" if len(same) > 1 else ""
        numbers = tuple(entry.number for entry in same)
        told.append(replace(scene, steps=numbers, title=f"{scene.title}{count}"))
    return tuple(_explained_once(told, manner))


def _kind(entry: Step | Exchange) -> tuple[str, ...]:
    """Return what entries have in common that are told as one."""
    where = (entry.method, without_query(entry.url)) if isinstance(entry, Exchange) else ()
    return (_name(entry), _variant(entry), *where)


def _name(entry: Step | Exchange) -> str:
    return entry.name if isinstance(entry, Step) else entry.step


def _variant(entry: Step | Exchange) -> str:
    """Name the circumstance that makes another sentence true."""
    if isinstance(entry, Step):
        if entry.name == "open" and not entry.value("program"):
            return "link"
        return "device" if entry.name == "invite" and entry.value("user_code") else ""
    along, back = dict(sent_along(entry)), dict(came_back(entry))
    match entry.step:
        case "metadata request":
            return "" if entry.status == 200 else "missing"
        case "authorization request" if entry.status >= 400:
            return "refused"
        case "authorization request":
            return "" if "code" in along.get("response_type", "code").split() else "fragment"
        case "authorization response":
            return _how_answered(entry)
        case "token request" if entry.sender == "browser":
            return "browser"
        case "device token request" if "access_token" not in back:
            return "pending"
        case "ticket status request" if back.get("authorized") != "true" and not any(
            map(is_token, labels_received(entry))
        ):
            return "pending"
        case "ticket request" if "code_challenge" in along:
            return "bound"
        case "ticket exchange" if "code_verifier" in along:
            return "bound"
    return ""


def _how_answered(response: Exchange) -> str:
    """Name the way of an authorization response, and whether it grants anything."""
    brought = {name for name, _ in (*sent_along(response), *fragment_parameters(response.address))}
    if "error" in brought:
        return "refused"
    if not ANSWERS & brought:
        return "unseen"
    if fragment_parameters(response.address):
        return "fragment"
    if response.method == "POST":
        return "form_post" if "code" in brought else "tokens"
    return "" if response.status else "paste"


def _words(entry: Step | Exchange, manner: Manner) -> Told:
    name = _name(entry)
    special = STEPS.get(f"{name} {_variant(entry)}")
    return manner.told(special or STEPS.get(name, ("", "")))


def _step(step: Step, manner: Manner) -> ExplainedStep:
    words, source = _words(step, manner)
    said = tuple(
        Said(name, shown_link(step.value(value), manner))
        for value, name in SHOWN.items()
        if step.value(value)
    )
    # The last one names an account, which is nobody's.
    title = "Signed in." if step.name == "done" else server_text(step.words)
    return ExplainedStep(
        (), NAMES[DIRECTIONS.get(step.name, ("client",))[0]], title, "", said, 0, (), words, source
    )


def _exchange(exchange: Exchange, manner: Manner, heard: Heard) -> ExplainedStep:
    words, source = _words(exchange, manner)
    url = manner.translated(without_query(exchange.url))
    along = [(where, pair) for where, pairs in carried(exchange) for pair in pairs]
    if url.endswith(FROM_RESPONSE):
        along = []
    if exchange.receiver == "client":
        along = [(where, pair) for where, pair in along if heard(pair)]
    asked = exchange.sender == "browser" or exchange.step == "metadata request"
    return ExplainedStep(
        steps=(),
        who=manner.who(exchange),
        title=exchange.step,
        request=f"{exchange.method} {url}",
        sent=tuple(replace(_said(pair, manner), where=where) for where, pair in along),
        # How the provider's pages answer, and where it has its metadata, is its own business.
        status=0 if manner.rehearsed and asked else exchange.status,
        received=tuple(_said(pair, manner) for pair in _telling(exchange) if heard(pair)),
        words=words,
        source=source,
    )


def _heard(run: Run, manner: Manner) -> Heard:
    """Return what tells of a parameter that came from the server whether it is to be told."""
    if not manner.rehearsed:
        return lambda _: True
    used = {label for exchange in run.trace.exchanges() for label in labels_sent(exchange)}
    contract = manner.contract
    named: set[str] = {contract.done_path, *contract.extract.values()} if contract is not None else set()

    def heard(pair: tuple[str, str]) -> bool:
        name, value = pair
        is_secret = LABEL.fullmatch(value) is not None
        return name in named or (is_secret and (value in used or is_token(value)))

    return heard


def is_token(label: str) -> bool:
    """Return whether a label stands for what a sign-in is made for; vendors have their own names for it."""
    kind = label_kind(label)
    return kind.endswith(("token", "_secret")) and kind not in ("client_secret", "refresh_token")


def _telling(exchange: Exchange) -> Parameters:
    """Return what is worth a word of an answer."""
    back = came_back(exchange)
    if exchange.step == "metadata request":
        return tuple(pair for pair in back if pair[0].endswith(("_endpoint", "issuer")))
    if exchange.step == "authorization request" and not ANSWERS & dict(back).keys():
        return ()  # It leads to another page of the server's.
    return back


def _said(pair: tuple[str, str], manner: Manner) -> Said:
    name, value = server_text(pair[0], 80), pair[1]
    if LABEL.fullmatch(value):
        return Said(name, value)
    return Said(name, server_text(manner.translated(value), LONGEST) if name in PUBLIC else "")


def shown_link(url: str, manner: Manner) -> str:
    """Write an address as the provider's: by name where that is given, without the query where it is long."""
    whole = manner.translated(url)
    bare = manner.translated(without_query(url))
    return bare if bare.endswith(FROM_RESPONSE) or "redirect_uri=" in whole else whole


def _explained_once(told: list[ExplainedStep], manner: Manner) -> Iterator[ExplainedStep]:
    """Say of each parameter what it is for where it first occurs."""
    known: set[str] = set()

    def explained(said: Said) -> Said:
        special = f"{said.name} {said.value}"
        name = special if special in PARAMETERS else said.name
        if name in known or name not in PARAMETERS:
            return said
        known.add(name)
        meaning, source = manner.told(PARAMETERS[name])
        return replace(said, meaning=meaning, source=source)

    for scene in told:
        along = tuple(map(explained, scene.sent))
        yield replace(scene, sent=along, received=tuple(map(explained, scene.received)))
