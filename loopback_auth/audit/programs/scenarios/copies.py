"""The user's own response, asked for by something else first, or brought more than once."""

from __future__ import annotations

from loopback_auth.audit.programs.actions import End, ProgramActions, ProgramScenario, SendBytes
from loopback_auth.audit.programs.observed import ProgramResult
from loopback_auth.audit.programs.scenarios.series import Probe, Sent, Series
from loopback_auth.audit.programs.scenarios.steps import authority, end_text, path, status_text, waiting
from loopback_auth.audit.programs.trial import Question, Trial
from loopback_auth.compare.attacks.attack_actions import Ask, Exposed
from loopback_auth.compare.attacks.context import ATTACKER_PAGE, AttackContext
from loopback_auth.compare.judging.verdicts import Judgement, failed, passed, unseen
from loopback_auth.http_messages import HttpRequest, HttpResponse

COOKIE = 16_000
"""Bytes of cookies that other programs on this host name have set."""


def _copy(exposed: Exposed, *, method: str = "", headers: tuple[tuple[str, str], ...] = ()) -> HttpRequest:
    """Copy the request that the browser is about to make; with a method of its own it has no body."""
    real = HttpRequest("GET", exposed.redirect_uri) if exposed.answer is None else exposed.answer.request()
    named = {name.lower() for name, _ in headers}
    kept = tuple(pair for pair in real.headers if pair[0].lower() not in named)
    return HttpRequest(method or real.method, real.url, (*kept, *headers), b"" if method else real.body)


def head(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """A scanner of links asks with HEAD whether the address works."""
    answer = yield from Ask(_copy(exposed, method="HEAD"))
    return Sent(f"HEAD of the callback got {status_text(answer)}.", bool(answer.status))


def options(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """The browser asks for permission before a script of the provider's page fetches the address."""
    asked = (
        ("Origin", ATTACKER_PAGE),
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Private-Network", "true"),
        ("Sec-Fetch-Mode", "cors"),
    )
    answer = yield from Ask(_copy(exposed, method="OPTIONS", headers=asked))
    return Sent(f"OPTIONS of the callback got {status_text(answer)}.", bool(answer.status))


def prefetch(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """The browser fetches the address in advance, in case the user follows the link."""
    marks = (("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Moz", "prefetch"))
    # With form_post there is nothing in the address, and browsers prefetch no form.
    answer = yield from Ask(_copy(exposed, method="GET", headers=marks))
    return Sent(f"A prefetch of the callback got {status_text(answer)}.", bool(answer.status))


def signed_in_with_page(result: ProgramResult) -> bool:
    """Return whether the sign-in succeeded, and the user's own request was answered with a page."""
    last = result.visits[-1].answer.status if result.visits else 0
    return result.succeeded and 0 < last < 400


ADVICE = "Take a callback only from a navigation: GET (or POST with form_post), and no Sec-Purpose header."

COPIES = Series(
    "copies",
    "Before the user opens the response, its address is asked for with HEAD, OPTIONS and as a prefetch.",
    (
        Probe(
            Question(
                "head-of-callback",
                "low",
                "The address of the response is asked for with HEAD first.",
                "HEAD does not use the response up",
                "HEAD uses the response up.",
                "RFC 9110 §9.2.1, §9.3.2",
                ADVICE,
            ),
            head,
        ),
        Probe(
            Question(
                "options-of-callback",
                "low",
                "The address of the response is asked for with OPTIONS first.",
                "OPTIONS does not use the response up",
                "OPTIONS uses the response up.",
                "RFC 9110 §9.3.7; lionello/onedrive-cli#63",
                ADVICE,
            ),
            options,
        ),
        Probe(
            Question(
                "prefetch-of-callback",
                "low",
                "The browser prefetches the address of the response.",
                "A prefetch does not use the response up",
                "A prefetch uses the response up.",
                "https://wicg.github.io/nav-speculation/prefetch.html; streamlit/streamlit#15589",
                ADVICE,
            ),
            prefetch,
        ),
    ),
    harmless=signed_in_with_page,
)

COOKIES = Question(
    "large-cookies",
    "low",
    "The browser sends 16 kB of cookies that other programs have set for this host.",
    "A browser with many cookies for this host can bring the response",
    "A browser with many cookies for this host cannot bring the response.",
    "RFC 6265 §8.5",
    "Raise the limits of the HTTP server for headers to 64 KiB.",
)
REPEATED = Question(
    "repeated-callback",
    "low",
    "The response comes twice, as with a double click or a reload.",
    "A repeated response is exchanged once, and does not spoil the sign-in",
    "A response that comes twice spoils the sign-in.",
    "RFC 6749 §4.1.2; RFC 9110 §9.2.2",
    "Keep the first response, and answer a repeated one with the same page.",
)


def reload(_: AttackContext) -> ProgramScenario:
    """The response comes with many cookies, and then twice more."""
    exposed = yield from waiting()
    first = yield from Ask(_copy(exposed, headers=(("Cookie", f"a={'x' * COOKIE}"),)))
    large = _cookies(first)
    if large.verdict != "pass":
        first = yield from Ask(_copy(exposed))
    second = yield from Ask(_copy(exposed))
    result = yield from End()
    codes = [one.parameters.get("code", "") for one in result.token_requests]
    said = f"The response got {status_text(first)}, and again {status_text(second)}."
    said = f"{said} It was exchanged {_times(len(codes))}."
    if result.succeeded and len(codes) == len(set(codes)):
        return {COOKIES.id: large, REPEATED.id: passed(said)}
    return {COOKIES.id: large, REPEATED.id: failed(f"{said} {end_text(result)}")}


def _cookies(answer: HttpResponse) -> Judgement:
    if not answer.status:
        return unseen(f"The response with {COOKIE} bytes of cookies got no answer.")
    said = f"The response with {COOKIE} bytes of cookies got {answer.status}."
    return passed(said) if answer.status < 400 else failed(said)


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


RELOAD = Trial(
    "reload",
    "The user's response comes with 16 kB of cookies, and twice more, as when a page is reloaded.",
    reload,
    (COOKIES, REPEATED),
    needs=("port", "code"),
)

SILENT = Question(
    "silent-connections",
    "medium",
    "A connection that says nothing and one with half a request stay open.",
    "Connections that say nothing do not hold the response up",
    "A connection that says nothing blocks the sign-in.",
    "browser-use/browser-harness#691; CWE-400",
    "Serve each connection by itself (threads or async), with a time limit for its request.",
    "attack",
)
PATIENCE = 15.0
"""Seconds in which the response must get through."""


def silence(_: AttackContext) -> ProgramScenario:
    """Connections are open to the port that say nothing or too little; then the response comes."""
    exposed = yield from waiting()
    where = authority(exposed.redirect_uri)
    half = f"GET {path(exposed.redirect_uri)} HTTP/1.1\r\nHost: {where}\r\n".encode("ascii", "replace")
    yield from SendBytes(where, wait=0.1, keep=True)
    yield from SendBytes(where, (half,), wait=0.1, keep=True)
    result = yield from End(PATIENCE)
    said = f"A silent connection and half a request were open. {end_text(result)}"
    return {SILENT.id: passed(said) if result.succeeded else failed(said)}


SILENCE = Trial(
    "silence",
    "A connection that says nothing and one with half a request stay open; then the user's response comes.",
    silence,
    (SILENT,),
    needs=("port", "code"),
)
