"""What any web page can send to the program's port: forged responses, which the user did not cause."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from loopback_auth.audit.programs.actions import Abandon, End, ProgramActions, ProgramScenario
from loopback_auth.audit.programs.observed import ProgramResult
from loopback_auth.audit.programs.scenarios.series import Probe, Sent, Series
from loopback_auth.audit.programs.scenarios.steps import authority, path, status_text, waiting
from loopback_auth.audit.programs.scenarios.stray_requests import request_of
from loopback_auth.audit.programs.trial import Question, Trial
from loopback_auth.compare.attacks.attack_actions import Ask, Exposed
from loopback_auth.compare.attacks.context import (
    ATTACKER_PAGE,
    ATTACKER_STATE,
    AttackContext,
    from_page,
    from_script,
)
from loopback_auth.compare.attacks.redirects import DENIAL, FORGED
from loopback_auth.compare.judging.verdicts import Judgement, failed, passed, unseen
from loopback_auth.http_messages import HttpRequest

FORGED_CODE = FORGED.partition("=")[2]
STATED = urlencode({"state": ATTACKER_STATE})
ADVICE = (
    "Compare state before anything else; answer a callback without the right one with 400, and go on waiting."
)


def forged(exposed: Exposed, parameters: str) -> HttpRequest:
    """Make a forged response that travels as the real one: in the query, or as a form (form_post)."""
    if exposed.answer is not None and exposed.answer.method == "POST":
        return from_page(exposed.redirect_uri, parameters)
    return from_page(f"{exposed.redirect_uri}?{parameters}")


def wrong_state(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """A page opens the callback's address with a code and a wrong state."""
    answer = yield from Ask(forged(exposed, f"{FORGED}&{STATED}"))
    return Sent(f"A callback with a wrong state got {status_text(answer)}.", bool(answer.status))


def missing_state(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """A page opens it with a code and no state, and with an empty one."""
    none = yield from Ask(forged(exposed, FORGED))
    empty = yield from Ask(forged(exposed, f"{FORGED}&state="))
    said = f"A callback without state got {status_text(none)}, with an empty one {status_text(empty)}."
    return Sent(said, bool(none.status or empty.status))


def repeated_state(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """A page opens it with two different states."""
    answer = yield from Ask(forged(exposed, f"{FORGED}&state=one&{STATED}"))
    return Sent(f"A callback with two states got {status_text(answer)}.", bool(answer.status))


def forged_error(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """A page says that the user has denied the request."""
    stated = yield from Ask(forged(exposed, f"{DENIAL}&{STATED}"))
    bare = yield from Ask(forged(exposed, DENIAL))
    said = f"A forged error with a wrong state got {status_text(stated)}, without one {status_text(bare)}."
    return Sent(said, bool(stated.status or bare.status))


def by_page(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """A script of the page fetches it in the background, and a form of the page is sent to it."""
    uri = exposed.redirect_uri
    script = yield from Ask(from_script(f"{uri}?{FORGED}&{STATED}"))
    form = yield from Ask(from_page(uri, f"{FORGED}&{STATED}"))
    preflight = yield from Ask(_preflight(exposed, f"{path(uri)}?{FORGED}&{STATED}"))
    said = f"a script {status_text(script)}, a form {status_text(form)}, a preflight {status_text(preflight)}"
    seen = bool(script.status or form.status or preflight.status)
    return Sent(f"Forged callbacks from a web page got: {said}.", seen)


def _fetch(url: str) -> HttpRequest:
    """Make a request whose answer the script of a foreign page wants to read (Fetch §3.3)."""
    mode = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    plain = from_script(url)
    kept = [(name, mode.get(name, value)) for name, value in plain.headers]
    return HttpRequest(plain.method, plain.url, (*kept, ("Origin", ATTACKER_PAGE)))


def _preflight(exposed: Exposed, target: str) -> HttpRequest:
    plain = request_of(exposed, target, method="OPTIONS")
    return HttpRequest(
        "OPTIONS",
        plain.url,
        (
            *plain.headers,
            ("Origin", ATTACKER_PAGE),
            ("Access-Control-Request-Method", "GET"),
            ("Access-Control-Request-Private-Network", "true"),
        ),
    )


FORGED_CODE_SENT = Question(
    "forged-code",
    "high",
    "A forged callback brings a code that the server never issued.",
    "A forged code is not exchanged, or PKCE makes it useless",
    "It exchanges forged codes, and does not use PKCE.",
    "RFC 6749 §10.12; RFC 9700 §2.1, §4.7",
    "Send only codes that came with the state of the request.",
    "attack",
)


def _accepted(result: ProgramResult) -> Mapping[str, Judgement]:
    """Judge whether the program has used what was forged."""
    if all(one.parameters.get("code") != FORGED_CODE for one in result.token_requests):
        return {FORGED_CODE_SENT.id: passed("The forged code was not sent to the token endpoint.")}
    if result.request.get("code_challenge_method") == "S256":
        # RFC 9700 §2.1: clients MAY rely on the CSRF protection provided by PKCE.
        return {FORGED_CODE_SENT.id: passed("The forged code was sent, but PKCE makes it useless.")}
    return {FORGED_CODE_SENT.id: failed("The forged code was sent to the token endpoint.")}


def _attack(id: str, title: str, what: str, source: str = "RFC 8252 §8.9; RFC 6749 §10.12") -> Question:
    statement, fault = f"{what} does not end the sign-in", f"{what} ends the sign-in."
    return Question(id, "medium", title, statement, fault, source, ADVICE, "attack")


FORGERIES = Series(
    "forgeries",
    "While the program waits, a web page sends forged callbacks to its port; then the user's response comes.",
    (
        Probe(
            _attack(
                "wrong-state",
                "A web page sends a code with a wrong state.",
                "A callback with a wrong state",
            ),
            wrong_state,
        ),
        Probe(
            _attack(
                "missing-state",
                "A web page sends a code without state, or with an empty one.",
                "A callback without state",
            ),
            missing_state,
        ),
        Probe(
            _attack(
                "repeated-state",
                "A web page sends a code with two states.",
                "A callback with two states",
                "RFC 6749 §3.1, §10.12",
            ),
            repeated_state,
        ),
        Probe(
            _attack(
                "forged-error",
                "A web page tells the program that the user has denied the request.",
                "A forged error",
                "RFC 8252 §8.9; RFC 6749 §4.1.2.1",
            ),
            forged_error,
        ),
        Probe(
            _attack(
                "forged-by-script",
                "A web page sends forged callbacks by a script, a form and a CORS preflight.",
                "A forged callback from a script or form",
            ),
            by_page,
        ),
    ),
    judge=_accepted,
    further=(FORGED_CODE_SENT,),
)

OTHER_HOST = Question(
    "other-host",
    "low",
    "The response comes under another host name, as in DNS rebinding.",
    "A callback under another host name is not accepted",
    "A callback under another host name is accepted.",
    "RFC 9110 §7.4",
    "Answer 421 unless the Host header is exactly that of the redirect URI.",
    "attack",
)
OPENED = Question(
    "cors",
    "medium",
    "A page of another origin asks whether it may read what the port answers.",
    "The port lets no page of another origin read its answers",
    "Any web page may read what its port answers.",
    "Fetch §3.3",
    "Send no Access-Control-Allow headers.",
)
TAKEN_WITHIN = 3.0
"""Seconds in which a program that has accepted a callback sends its code."""


def cors(_: AttackContext) -> ProgramScenario:
    """A script of a foreign page fetches the callback's address, and asks whether it may send more."""
    exposed = yield from waiting()
    # First, because it needs no permission (Fetch §4.1, "simple" requests), and some programs answer once.
    fetched = yield from Ask(_fetch(exposed.redirect_uri))
    preflight = yield from Ask(_preflight(exposed, path(exposed.redirect_uri)))
    yield from End()
    if fetched.header("access-control-allow-origin") in ("*", ATTACKER_PAGE):
        return {OPENED.id: failed("A script of a foreign page may read the answer to its request.")}
    named = [name for name, _ in preflight.headers if name.lower().startswith("access-control-allow")]
    if named:
        return {OPENED.id: failed(f"The preflight of a foreign page got {', '.join(named)}.")}
    if not fetched.status and not preflight.status:
        return {OPENED.id: unseen("The foreign page got no answer.")}
    said = f"A script got {status_text(fetched)}, its preflight {status_text(preflight)}"
    return {OPENED.id: passed(f"{said}, without Access-Control headers.")}


def rebinding(_: AttackContext) -> ProgramScenario:
    """The right response comes under the attacker's host name, and the user's tab is closed."""
    exposed = yield from waiting()
    if exposed.answer is None:
        return {}
    real, port = exposed.answer.request(), authority(exposed.redirect_uri).rpartition(":")[2]
    others = tuple(pair for pair in real.headers if pair[0] != "Host")
    renamed = (("Host", f"attacker.example:{port}"), *others)
    answer = yield from Ask(HttpRequest(real.method, real.url, renamed, real.body))
    result = yield from Abandon(TAKEN_WITHIN)
    said = f"A callback for attacker.example got {status_text(answer)}"
    if result.token_requests:
        return {OTHER_HOST.id: failed(f"{said}, and its code was used.")}
    return {OTHER_HOST.id: passed(f"{said}, and its code was not used.")}


CORS = Trial(
    "cors",
    "A script of a web page sends a request and a CORS preflight, and wants to read what the port answers.",
    cors,
    (OPENED,),
    needs=("port", "code"),
)
REBINDING = Trial(
    "rebinding",
    "The user's response comes under the host name of an attacker's page; the user's own tab is closed.",
    rebinding,
    (OTHER_HOST,),
    needs=("port", "code"),
)
