"""What reaches every port of a machine with a browser, without any ill will: it must not end a sign-in."""

from __future__ import annotations

from loopback_auth.audit.programs.actions import ProgramActions, SendBytes
from loopback_auth.audit.programs.scenarios.series import Probe, Sent, Series
from loopback_auth.audit.programs.scenarios.steps import authority, origin, path, status_text
from loopback_auth.audit.programs.trial import Question
from loopback_auth.compare.attacks.attack_actions import Ask, Exposed
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.compare.model import Severity
from loopback_auth.demo.agent import USER_AGENT
from loopback_auth.http_messages import HttpRequest

LONG = 70_000
"""Bytes of a line that is too long for most servers."""
HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""How an HTTP/2 connection begins (RFC 9113 §3.4)."""
ASIDE = "/audit"
"""A path where nothing is."""
WAIT = 0.5
"""Seconds in which an answer to raw bytes may come."""


def client_hello() -> bytes:
    """Return how a TLS 1.2 connection begins (RFC 8446 §4.1.2, §5.1)."""
    hello = b"\x03\x03" + b"\x01" * 32 + b"\x00" + b"\x00\x04\xc0\x2f\xc0\x30" + b"\x01\x00"
    handshake = b"\x01" + len(hello).to_bytes(3, "big") + hello
    return b"\x16\x03\x01" + len(handshake).to_bytes(2, "big") + handshake


def request_of(
    exposed: Exposed, target: str, *, method: str = "GET", destination: str = "empty"
) -> HttpRequest:
    """Make a request that a browser sends to the program's port by itself."""
    headers = (
        ("Host", authority(exposed.redirect_uri)),
        ("User-Agent", USER_AGENT),
        ("Accept", "*/*"),
        ("Sec-Fetch-Mode", "no-cors"),
        ("Sec-Fetch-Dest", destination),
    )
    return HttpRequest(method, origin(exposed.redirect_uri) + target, headers)


def favicon(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """The browser asks for the icon of the page."""
    answer = yield from Ask(request_of(exposed, "/favicon.ico", destination="image"))
    return Sent(f"The request for /favicon.ico got {status_text(answer)}.", bool(answer.status))


def preconnect(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """The browser opens a connection in advance, does not need it, and closes it."""
    yield from SendBytes(authority(exposed.redirect_uri), wait=0.1)
    return Sent("A connection was opened and closed without a word.")


def other_paths(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """Another program asks what is on this port."""
    targets = ("/", "/robots.txt", f"{path(exposed.redirect_uri).rstrip('/')}/more")
    said, seen = list[str](), False
    for target in targets:
        if target == path(exposed.redirect_uri):
            continue
        answer = yield from Ask(request_of(exposed, target))
        said.append(f"{target} {status_text(answer)}")
        seen = seen or bool(answer.status)
    return Sent(f"Requests for other paths got: {', '.join(said)}.", seen)


def without_parameters(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """The callback's address is opened without any response in it."""
    answer = yield from Ask(request_of(exposed, path(exposed.redirect_uri), destination="document"))
    said = f"The callback's address without parameters got {status_text(answer)}."
    return Sent(said, bool(answer.status))


def other_methods(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """A scanner of links or ports asks with other methods."""
    said, seen = list[str](), False
    for method in ("HEAD", "OPTIONS", "PUT", "TRACE"):
        answer = yield from Ask(request_of(exposed, path(exposed.redirect_uri), method=method))
        said.append(f"{method} {status_text(answer)}")
        seen = seen or bool(answer.status)
    return Sent(f"Requests without parameters got: {', '.join(said)}.", seen)


def tls(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """The browser speaks https to this port, because it knows the host name so (HSTS)."""
    came = yield from SendBytes(authority(exposed.redirect_uri), (client_hello(),), wait=WAIT)
    return Sent(f"A TLS connection attempt got {_came(came)}.")


def oversize(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """A request has a query, and another a header, that is too long."""
    first = yield from Ask(request_of(exposed, f"{ASIDE}?x={'x' * LONG}"))
    long = request_of(exposed, ASIDE)
    second = yield from Ask(HttpRequest("GET", long.url, (*long.headers, ("Cookie", f"a={'x' * LONG}"))))
    said = f"A query of {LONG} bytes got {status_text(first)}, such a header {status_text(second)}."
    return Sent(said)


def malformed(_: AttackContext, exposed: Exposed) -> ProgramActions[Sent]:
    """Requests come whose encoding or form is broken."""
    host = b" HTTP/1.1\r\nHost: " + authority(exposed.redirect_uri).encode("ascii", "replace") + b"\r\n\r\n"
    sent = {
        "percent-encoding": b"GET /audit?x=%ff%zz%&y=%e2%28%00" + host,
        "UTF-8": b"GET /audit?x=\xff\xfe&y=\xc3\x28" + host,
        "HTTP/2": HTTP_2,
        "noise": b"\x00\r\n\r\n",
    }
    said: list[str] = []
    for how, data in sent.items():
        came = yield from SendBytes(authority(exposed.redirect_uri), (data,), wait=WAIT)
        said.append(f"{how} {_came(came)}")
    return Sent(f"Malformed requests got: {', '.join(said)}.")


def _came(data: bytes) -> str:
    first = data.split(b"\r\n", 1)[0].split(b" ")
    if len(first) > 1 and first[0].startswith(b"HTTP/") and first[1].isdigit():
        return first[1].decode("ascii")
    return "an answer that is not HTTP" if data else "no answer"


def _question(id: str, severity: Severity, title: str, what: str, source: str) -> Question:
    advice = "Answer what is not the callback with an error, and go on waiting."
    statement, fault = f"{what} does not end the sign-in", f"{what} ends the sign-in."
    return Question(id, severity, title, statement, fault, source, advice)


STRAY_REQUESTS = Series(
    "stray-requests",
    "Browsers and scanners send requests of their own to the port; then the user's response comes.",
    (
        Probe(
            _question(
                "favicon",
                "medium",
                "The browser asks for /favicon.ico before the response comes.",
                "A request for the favicon",
                "RFC 8252 §8.9; googleapis/google-auth-library-python-oauthlib#276",
            ),
            favicon,
        ),
        Probe(
            _question(
                "preconnect",
                "medium",
                "The browser opens a connection in advance and closes it without a request.",
                "A connection without a request",
                "browser-use/browser-harness#691",
            ),
            preconnect,
        ),
        Probe(
            _question(
                "other-paths",
                "low",
                "Another program asks for other paths of the port.",
                "A request for another path",
                "RFC 8252 §7.3",
            ),
            other_paths,
        ),
        Probe(
            _question(
                "empty-callback",
                "low",
                "The callback's address is opened without parameters.",
                "A callback without parameters",
                "RFC 6749 §4.1.2",
            ),
            without_parameters,
        ),
        Probe(
            _question(
                "other-methods",
                "low",
                "The callback's address is asked with HEAD, OPTIONS, PUT and TRACE.",
                "A request with another method",
                "RFC 9110 §15.5.6",
            ),
            other_methods,
        ),
        Probe(
            _question(
                "tls-hello",
                "low",
                "The browser begins a TLS connection on the port, as with HSTS for localhost.",
                "A TLS connection attempt",
                "googleapis/google-auth-library-python-oauthlib#69",
            ),
            tls,
        ),
        Probe(
            _question(
                "oversize",
                "low",
                "Requests with a query and a header of 70,000 bytes come.",
                "An oversize request",
                "RFC 9110 §15.5.15; RFC 6585 §5",
            ),
            oversize,
        ),
        Probe(
            _question(
                "malformed",
                "low",
                "Requests with broken percent-encoding, broken UTF-8 and other protocols come.",
                "A malformed request",
                "RFC 9112 §3",
            ),
            malformed,
        ),
    ),
)
