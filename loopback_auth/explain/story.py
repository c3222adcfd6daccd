"""The steps of a sign-in in order: who sends which request, with which parameters, and what each is for.

Decides which sentence explains a step, from what the trace shows. Explains no request that is not in the
trace and no parameter that was not sent. A value is shown only if it cannot be a secret; otherwise its
label is shown, or only the name of the parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from loopback_auth.compare.model import Run
from loopback_auth.drawing.mermaid import DIRECTIONS
from loopback_auth.explain.parameter_words import PARAMETERS
from loopback_auth.explain.story_words import STEPS, Sentence
from loopback_auth.explain.value_flow import proofs, request_parameters, request_parts, response_parameters
from loopback_auth.explain.wording import FROM_RESPONSE, PARTY_NAMES, Wording, shown_link
from loopback_auth.redact import server_text
from loopback_auth.trace.evidence import POLLS
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

IsShown = Callable[[tuple[str, str]], bool]
"""Returns whether a parameter that came from the server is shown."""

LEFT_OUT = frozenset({"browse", "wait", "receive", "warn", "start page", "page", "sign-in and consent"})
"""Steps and requests without an explanation: others include them, or they happen inside the server."""
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
        "application_type",
        "authorization_servers",
        "client_name",
        "redirect_uri",
        "redirect_uris",
        "resource",
        "resource_metadata",
        "response_mode",
        "response_type",
        "scope",
        "scopes_supported",
        "token_endpoint_auth_method",
        "token_type_hint",
    }
)
"""Parameters whose values are shown."""
RESPONSE_PARAMETERS = frozenset({"access_token", "code", "error", "id_token"})
"""An authorization response has at least one of these parameters."""
STEP_VALUES = {"redirect_uri": "redirect_uri", "url": "link", "argument": "address", "user_code": "user_code"}
"""Values of steps that are shown, and under which names."""
WITH_KEY = "with key"
"""Follows the name of a token that is bound to a key, in the tables of words."""
LONGEST_VALUE = 200
"""Characters of a value; the rest is cut."""


@dataclass(frozen=True, slots=True)
class ExplainedValue:
    """A parameter of a request or response.

    Args:
        name: of the parameter.
        value: a public value, or the label of a secret; empty when the value is not shown.
        meaning: what the parameter is for; empty after the first time in a story.
        source: clause behind the meaning; empty without one.
        where: part of the request that carries it, such as `query`; empty in a response.
        maker: who made the value, such as `the program, new for each sign-in`; empty where the steps show it.
        secret: whether the value is secret, so that it is not shown.
    """

    name: str
    value: str = ""
    meaning: str = ""
    source: str = ""
    where: str = ""
    maker: str = ""
    secret: bool = False

    @property
    def words(self) -> str:
        """What the parameter is for, and who made it; empty after the first time in a story."""
        return f"{self.meaning}; made by {self.maker}" if self.meaning and self.maker else self.meaning


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """A step of a sign-in: one request, equal requests in a row, or something that the program or user did.

    Args:
        steps: numbers of the trace entries.
        who: sender and receiver, such as `program to server`; or who acted; empty for a part of a token.
        title: name of the request or step; says how often it was repeated.
        request: method and URL; empty when the step is not a request.
        sent: parameters of the request.
        status: HTTP status of the response; 0 when there was none, or it was not recorded.
        received: parameters of the response.
        words: what the step is for.
        source: clause behind the words.
    """

    steps: tuple[int, ...]
    who: str
    title: str
    request: str
    sent: tuple[ExplainedValue, ...]
    status: int
    received: tuple[ExplainedValue, ...]
    words: str
    source: str


def explained_steps(run: Run, wording: Wording) -> tuple[ExplainedStep, ...]:
    """Explain a run in order; equal requests that follow each other are one step."""
    steps: list[ExplainedStep] = []
    is_shown = _is_shown(run, wording)
    entries = [entry for entry in run.trace.entries if _name(entry) not in LEFT_OUT]
    for _, group in groupby(entries, key=_kind):
        same = tuple(group)
        last = same[-1]
        step = _step(last, wording) if isinstance(last, Step) else _exchange(last, wording, is_shown)
        count = f", {len(same)} times" if len(same) > 1 else ""
        numbers = tuple(entry.number for entry in same)
        steps.append(replace(step, steps=numbers, title=f"{step.title}{count}"))
    bound = any(any(proofs(exchange)) for exchange in run.trace.exchanges())
    return tuple(_explained_once(steps, wording, bound=bound))


def _kind(entry: Step | Exchange) -> tuple[str, ...]:
    """Return what is equal in entries that are explained as one step."""
    where = (entry.method, without_query(entry.url)) if isinstance(entry, Exchange) else ()
    return (_name(entry), _variant(entry), *where)


def _name(entry: Step | Exchange) -> str:
    return entry.name if isinstance(entry, Step) else entry.step


def _variant(entry: Step | Exchange) -> str:
    """Return the variant of a step that needs another sentence; empty for the usual one."""
    if isinstance(entry, Step):
        if entry.name == "open" and not entry.value("program"):
            return "link"
        return "device" if entry.name == "invite" and entry.value("user_code") else ""
    along, back = dict(request_parameters(entry)), dict(response_parameters(entry))
    match entry.step:
        case "metadata request" | "resource metadata request":
            return "" if entry.status == 200 else "missing"
        case "request without a token" if entry.status != 401:
            return "unchallenged"
        case "authorization request" if entry.status >= 400:
            return "refused"
        case "authorization request":
            return "" if "code" in along.get("response_type", "code").split() else "fragment"
        case "authorization response":
            return _response_variant(entry)
        case "token request" if entry.sender == "browser":
            return "browser"
        case step if (
            step in POLLS
            and back.get("authorized") != "true"
            and not any(map(is_token, labels_received(entry)))
        ):
            return "pending"
        case "ticket request" if "code_challenge" in along:
            return "bound"
        case "ticket exchange" if "code_verifier" in along:
            return "bound"
        case _:
            return ""


def _response_variant(response: Exchange) -> str:
    """Return how an authorization response arrived, or that it refuses or was not recorded."""
    brought = {name for name, _ in (*request_parameters(response), *fragment_parameters(response.address))}
    if "error" in brought:
        return "refused"
    if not RESPONSE_PARAMETERS & brought:
        return "unseen"
    if fragment_parameters(response.address):
        return "fragment"
    if response.method == "POST":
        return "form_post" if "code" in brought else "tokens"
    return "" if response.status else "paste"


def _words(entry: Step | Exchange, wording: Wording) -> Sentence:
    name = _name(entry)
    special = STEPS.get(f"{name} {_variant(entry)}")
    return wording.with_source(special or STEPS.get(name, ("", "")))


def _step(step: Step, wording: Wording) -> ExplainedStep:
    words, source = _words(step, wording)
    values = tuple(
        ExplainedValue(name, shown_link(step.value(value), wording))
        for value, name in STEP_VALUES.items()
        if step.value(value)
    )
    # The words of the last step name an account of the demonstration server.
    title = "Signed in." if step.name == "done" else server_text(step.words)
    return ExplainedStep(
        (), PARTY_NAMES[DIRECTIONS.get(step.name, ("client",))[0]], title, "", values, 0, (), words, source
    )


def _exchange(exchange: Exchange, wording: Wording, is_shown: IsShown) -> ExplainedStep:
    words, source = _words(exchange, wording)
    url = wording.translated(without_query(exchange.url))
    along = [(where, pair) for where, pairs in request_parts(exchange) for pair in pairs]
    if url.endswith(FROM_RESPONSE):
        along = []
    real = exchange.number in wording.asked
    if exchange.receiver == "client":
        along = [(where, pair) for where, pair in along if is_shown(pair)]
    return ExplainedStep(
        steps=(),
        who=wording.direction(exchange),
        title=exchange.step,
        request=f"{exchange.method} {url}",
        sent=tuple(replace(_explained_value(pair, wording), where=where) for where, pair in along),
        # The demonstration server cannot know how the provider's pages and metadata answer.
        status=0 if wording.hides_answer(exchange) else exchange.status,
        received=tuple(
            _explained_value(pair, wording) for pair in _relevant(exchange) if real or is_shown(pair)
        ),
        words=words,
        source=source,
    )


def _is_shown(run: Run, wording: Wording) -> IsShown:
    """Make the function that decides which parameters of the server are shown."""
    if not wording.rehearsed:
        return lambda _: True
    used = {label for exchange in run.trace.exchanges() for label in labels_sent(exchange)}
    contract = wording.contract
    named: set[str] = {contract.done_path, *contract.extract.values()} if contract is not None else set()

    def is_shown(pair: tuple[str, str]) -> bool:
        name, value = pair
        is_secret = LABEL.fullmatch(value) is not None
        return name in named or (is_secret and (value in used or is_token(value)))

    return is_shown


def is_token(label: str) -> bool:
    """Return whether a label stands for an access token, whatever the vendor calls it."""
    kind = label_kind(label)
    return kind.endswith(("token", "_secret")) and kind not in ("client_secret", "refresh_token")


def _relevant(exchange: Exchange) -> Parameters:
    """Return the parameters of a response that need an explanation."""
    back = response_parameters(exchange)
    if exchange.step == "metadata request":
        return tuple(pair for pair in back if pair[0].endswith(("_endpoint", "issuer")))
    if exchange.step == "authorization request" and not RESPONSE_PARAMETERS & dict(back).keys():
        return ()  # The redirect leads to another page of the server.
    return back


def _explained_value(pair: tuple[str, str], wording: Wording) -> ExplainedValue:
    name, value = server_text(pair[0], 80), pair[1]
    if LABEL.fullmatch(value):
        return ExplainedValue(name, value, secret=True)
    return ExplainedValue(
        name, server_text(wording.translated(value), LONGEST_VALUE) if name in PUBLIC else ""
    )


def _explained_once(steps: list[ExplainedStep], wording: Wording, *, bound: bool) -> Iterator[ExplainedStep]:
    """Add the meaning of each parameter where it first occurs; tokens may be bound to a key."""
    known: set[str] = set()

    def explained(value: ExplainedValue) -> ExplainedValue:
        specials = (f"{value.name} {value.value}", f"{value.name} {WITH_KEY}" if bound else "")
        name = next((special for special in specials if special in PARAMETERS), value.name)
        if name in known or name not in PARAMETERS:
            return value
        known.add(name)
        meaning, source = wording.with_source(PARAMETERS[name])
        return replace(value, meaning=meaning, source=source)

    for step in steps:
        sent = tuple(map(explained, step.sent))
        yield replace(step, sent=sent, received=tuple(map(explained, step.received)))
