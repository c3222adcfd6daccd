"""An error whose text is hostile, and a user who gives up."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

from loopback_auth.audit.programs.actions import Abandon, End, ProgramScenario
from loopback_auth.audit.programs.observed import ProgramResult
from loopback_auth.audit.programs.scenarios.forgeries import forged
from loopback_auth.audit.programs.scenarios.steps import status_text, waiting
from loopback_auth.audit.programs.trial import Question, Trial
from loopback_auth.compare.attacks.attack_actions import Ask, Until
from loopback_auth.compare.attacks.context import ATTACKER_STATE, AttackContext
from loopback_auth.compare.judging.verdicts import Judgement, failed, passed, unseen
from loopback_auth.http_messages import HttpResponse

MARKUP = Question(
    "markup",
    "medium",
    "The error of a response has HTML in it.",
    "The page shows no HTML that came with the response",
    "The page shows HTML that came with the response.",
    "CVE-2025-66040; CVE-2025-62800",
    "Escape what comes with the response, or do not show it.",
    "attack",
)
ESCAPES = Question(
    "terminal-escapes",
    "low",
    "The error of a response has control characters for the terminal in it.",
    "The output has no control characters that came with the response",
    "The output has control characters that came with the response.",
    "CVE-2024-50349; CWE-150",
    "Remove control characters from texts of the server before they are printed.",
    "attack",
)
REDIRECT = Question(
    "open-redirect",
    "medium",
    "A web page opens the callback's address with the address of another page as parameters.",
    "The port redirects to no address that came with a request",
    "The port redirects to any address that comes with a request.",
    "RFC 9700 §4.11.1",
    "Redirect to fixed addresses alone.",
    "attack",
)
AWAY = "https://attacker.example/"
TAG = "<img src=x onerror=audit()>"
ESCAPE = "\x1b]0;audit"
"""How a sequence begins that changes the title of a terminal (xterm, OSC 0)."""
TRACEBACK = "Traceback (most recent call last)"
_LINKED = re.compile(rb"""(?:href|src|action)\s*=\s*["']?javascript:audit""", re.IGNORECASE)


_PLACES = urlencode(dict.fromkeys(("next", "redirect", "redirect_to", "return_to", "url"), AWAY))


def hostile_error(_: AttackContext) -> ProgramScenario:
    """Errors come with markup and control characters: one with a wrong state, one with the right one."""
    exposed = yield from waiting()
    parameters = {
        "error": f"access_denied{TAG}",
        "error_description": f"{TAG}{ESCAPE}\x07",
        "error_uri": f"javascript:audit()//{TAG}",
    }
    # A page can send the first; the second needs a hostile server.
    wrong = urlencode(parameters | {"state": ATTACKER_STATE + TAG}, quote_via=quote)
    genuine = {"error": "access_denied", "error_description": f"{TAG}{ESCAPE}\x07", "state": exposed.state}
    if exposed.answer is not None and (issuer := exposed.brought("iss")):
        genuine["iss"] = issuer
    first = yield from Ask(forged(exposed, f"{wrong}&{_PLACES}"))
    right = urlencode(genuine, quote_via=quote)
    second = yield from Ask(forged(exposed, f"{right}&{_PLACES}"))
    result = yield from End()
    said = f"One with a wrong state got {status_text(first)}, one with the right state {status_text(second)}."
    answers = [one for one in (first, second) if one.status]
    return {
        MARKUP.id: _marked_up(answers, said),
        ESCAPES.id: _escaped(result),
        REDIRECT.id: _redirected(answers),
    }


def _marked_up(answers: list[HttpResponse], said: str) -> Judgement:
    """Judge whether HTML of the response came back as HTML."""
    if any(TAG.encode() in one.body and _is_html(one.header("content-type"), one.body) for one in answers):
        return failed(f"{said} The HTML came back unchanged.")
    if any(_LINKED.search(one.body) for one in answers):
        return failed(f"{said} The page has a link to javascript:.")
    return passed(f"{said} The HTML did not come back.") if answers else unseen(said)


def _escaped(result: ProgramResult) -> Judgement:
    """Judge whether control characters of the response were printed."""
    if ESCAPE not in result.seen.output:
        return passed("No control characters were printed.")
    if TRACEBACK in result.seen.output:
        return unseen("They were printed in the traceback of an error that was not caught.")
    return failed("The control characters were printed unchanged.")


def _redirected(answers: list[HttpResponse]) -> Judgement:
    if any(one.header("location").startswith(AWAY) for one in answers):
        return failed("The port redirected to the address that came with the request.")
    return passed("There was no such redirect.") if answers else unseen("There was no answer.")


def _is_html(content_type: str, body: bytes) -> bool:
    """Return whether a browser would show it as HTML; without a type it looks at the text."""
    return "html" in content_type.lower() or (not content_type and b"<" in body)


CANCEL = Question(
    "ctrl-c",
    "low",
    "The user closes the tab, waits for 15 seconds, and presses Ctrl-C.",
    "Ctrl-C ends a sign-in that waits, within 5 seconds",
    "Ctrl-C does not end a sign-in that waits.",
    "POSIX.1-2024 XBD 11.1.9, INTR",
    "Let the thread that waits for the response be interrupted.",
)
GIVES_UP = Question(
    "gives-up",
    "info",
    "The user closes the tab, and waits for 15 seconds: the program should end by itself.",
    "A sign-in whose tab was closed ends by itself",
    "A sign-in whose tab was closed goes on waiting.",
    "googleapis/google-auth-library-python-oauthlib#239",
    "Set a time limit for the whole sign-in, and say it.",
)
TAB_CLOSED = 15.0
"""Seconds after the tab was closed at which the user presses Ctrl-C."""


def closed_tab(_: AttackContext) -> ProgramScenario:
    """The user closes the tab on the provider's page, waits, and gives up."""
    yield from Until("link")
    result = yield from Abandon(TAB_CLOSED)
    if result.status is not None and result.seconds < TAB_CLOSED:
        said = f"The program ended by itself after {result.seconds:.0f} s."
        return {CANCEL.id: unseen(said), GIVES_UP.id: passed(said)}
    waited = unseen(f"It still waited when the user pressed Ctrl-C, after {TAB_CLOSED:.0f} s.")
    if result.status is None:
        return {CANCEL.id: failed("The program still ran 5 s after Ctrl-C."), GIVES_UP.id: waited}
    ended = passed(f"The program waited, and ended after Ctrl-C (exit status {result.status}).")
    return {CANCEL.id: ended, GIVES_UP.id: waited}


HOSTILE = Trial(
    "hostile-error",
    "Errors come with HTML and control characters, first with a wrong state and then with the right one.",
    hostile_error,
    (MARKUP, ESCAPES, REDIRECT),
    needs=("port", "code"),
)
CLOSED_TAB = Trial(
    "closed-tab",
    "The user closes the tab on the provider's page, and presses Ctrl-C after 15 seconds.",
    closed_tab,
    (CANCEL, GIVES_UP),
)
