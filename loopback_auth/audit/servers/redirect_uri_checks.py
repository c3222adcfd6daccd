"""Checks of redirect URIs: which of those that are not registered are accepted all the same.

A redirect URI is accepted where the server answers at it, or goes on as it does for the registered one while
it refuses one at another host.

Source: RFC 9700 §2.1, §4.1.3, §4.11.2; RFC 6749 §3.1.2, §3.1.2.4, §4.1.2.1; RFC 8252 §7.3, §8.3.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.authorization_questions import GOOD, REPEATED, STRANGER
from loopback_auth.audit.servers.endpoint_questions import LOGOUT
from loopback_auth.audit.servers.reactions import Reaction, reaction, sentence
from loopback_auth.audit.servers.redirect_uri_variants import (
    CASE,
    ELSEWHERE_HOST,
    ESCAPE,
    FRAGMENT,
    NAME,
    NO_PORT,
    OTHER_HOST,
    PORT,
    QUERY,
    SUFFIX,
    TRAVERSAL,
    USER_INFO,
)
from loopback_auth.audit.servers.server_check import ServerCheck
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed, unseen
from loopback_auth.compare.model import Severity
from loopback_auth.doctor.destination import destination

EXACT = "RFC 9700 §2.1, §4.1.3"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
COMPARE = (
    "Compare redirect URIs as strings with the registered ones; only the port of a loopback one may differ."
)


def accepted(observed: Observed, question: str) -> tuple[bool | None, str]:
    """Return whether another redirect URI is accepted, None where it cannot be seen, and what shows it."""
    good = reaction(observed, GOOD)
    if good.kind == "refused" and not good.returned:
        return (
            None,
            f"The redirect URI itself is refused, so nothing follows: {good.told}. {_register(observed)}",
        )
    if good.kind == "unknown":
        return None, f"Nothing can be compared with the good request: {good.told}."
    found = reaction(observed, question)
    if found.returned or found.kind == "taken":
        return True, sentence(found.told)
    if found.kind == "refused":
        return False, sentence(found.told)
    if found.kind == "unknown":
        return None, sentence(found.told)
    return _by_page(observed, question, good, found)


def _by_page(observed: Observed, question: str, good: Reaction, found: Reaction) -> tuple[bool | None, str]:
    if good.returned or good.kind == "taken":
        return False, f"The registered one is taken, and for this {found.told}."
    if question == OTHER_HOST or reaction(observed, OTHER_HOST).kind != "refused":
        return None, f"The same page comes for every redirect URI, so it may be checked later: {found.told}."
    return True, f"As for the registered one, {found.told}."


def _register(observed: Observed) -> str:
    asked = observed.answers[GOOD].authorization if GOOD in observed.answers else None
    uri = asked.redirect_uri if asked is not None else ""
    return f"Register {uri}, or give the registered one with --redirect-uri."


def _other(question: str, observed: Observed) -> Judgement:
    found, told = accepted(observed, question)
    return unseen(told) if found is None else failed(told) if found else passed(told)


def _port(observed: Observed) -> Judgement:
    answer = observed.answers.get(GOOD)
    uri = answer.authorization.redirect_uri if answer is not None and answer.authorization else ""
    if urlsplit(uri).hostname not in LOOPBACK:
        return idle("The redirect URI is not on this machine.")
    good, without = reaction(observed, GOOD), reaction(observed, NO_PORT)
    if good.kind == "refused" and without.kind in ("taken", "goes on"):
        return failed(f"It is refused with a port, and without one {without.told}.")
    found, told = accepted(observed, PORT)
    return unseen(told) if found is None else passed(told) if found else failed(told)


def _unknown_client(observed: Observed) -> Judgement:
    return _not_elsewhere(observed, STRANGER, "an unknown client")


def _second(observed: Observed) -> Judgement:
    return _not_elsewhere(observed, REPEATED, "a second redirect_uri")


def _repeated(observed: Observed) -> Judgement:
    found, good = reaction(observed, REPEATED), reaction(observed, GOOD)
    if good.kind not in ("taken", "goes on"):
        return unseen(f"Nothing can be compared with the good request: {good.told}.")
    if found.kind == "refused":
        return passed(sentence(found.told))
    if found.kind == "taken" or (found.kind == "goes on" and good.kind == "taken"):
        return failed(f"One of the two is taken: {found.told}.")
    return unseen(sentence(found.told))


def _logout(observed: Observed) -> Judgement:
    return _not_elsewhere(observed, LOGOUT, "a post_logout_redirect_uri of no client")


def _not_elsewhere(observed: Observed, question: str, of_what: str) -> Judgement:
    """Judge whether the browser is sent to a host that belongs to no client."""
    response = observed.response(question)
    if response is None:
        return unseen(observed.silence(question))
    found = destination(observed.answers[question].request.url, response)
    status = f"HTTP status {response.status}"
    if _host(found.address) == ELSEWHERE_HOST:
        return failed(f"The server sends the browser to the host of {of_what}: {status}.")
    if response.status >= 500 or response.status in (404, 405, 429):
        return unseen(f"The answer says nothing either way: {status}.")
    return passed(f"The browser is not sent to the host of {of_what}: {status}.")


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _exact(name: str, severity: Severity, what: str, question: str, source: str = EXACT) -> ServerCheck:
    """Make the check that one other redirect URI is refused."""
    return ServerCheck(
        name,
        severity,
        f"A redirect URI {what} is refused",
        f"It accepts a redirect URI {what}.",
        source,
        COMPARE,
        (question, GOOD),
        partial(_other, question),
    )


CHECKS = (
    ServerCheck(
        "open-redirector",
        "high",
        "A request of an unknown client is not redirected",
        "It redirects the browser to any address for an unknown client.",
        "RFC 6749 §4.1.2.1; RFC 9700 §4.11.2",
        "Show a page of the server when the client or the redirect URI is not known, and redirect nowhere.",
        (STRANGER,),
        _unknown_client,
    ),
    _exact("redirect-host", "high", "at another host", OTHER_HOST),
    _exact("redirect-user-info", "high", "with the registered host as user information", USER_INFO),
    _exact("redirect-suffix", "high", "with a longer path", SUFFIX),
    _exact("redirect-traversal", "high", "with /../ in its path", TRAVERSAL),
    _exact("redirect-query", "medium", "with another query", QUERY),
    _exact("redirect-fragment", "medium", "with a fragment", FRAGMENT, "RFC 6749 §3.1.2"),
    _exact("redirect-escape", "low", "with a percent-encoded letter", ESCAPE),
    _exact("redirect-case", "low", "with another case", CASE),
    _exact("redirect-name", "info", "with the other name of this machine", NAME, "RFC 8252 §8.3"),
    ServerCheck(
        "loopback-port",
        "medium",
        "A loopback redirect URI may have any port",
        "It refuses a loopback redirect URI with another port.",
        "RFC 8252 §7.3",
        "Ignore the port of the loopback redirect URIs of native apps, which take one that is free.",
        (PORT, GOOD, NO_PORT),
        _port,
    ),
    ServerCheck(
        "redirect-second",
        "high",
        "The browser is not redirected to a second redirect_uri in a request",
        "It sends the browser to the second of two redirect URIs.",
        "RFC 6749 §3.1; RFC 9700 §4.11.2",
        "Refuse requests in which a parameter comes more than once.",
        (REPEATED,),
        _second,
    ),
    ServerCheck(
        "parameter-repeated",
        "low",
        "A request in which a parameter comes twice is refused",
        "It accepts a request in which a parameter comes twice.",
        "RFC 6749 §3.1",
        "Refuse requests in which a parameter comes more than once.",
        (REPEATED, GOOD),
        _repeated,
    ),
    ServerCheck(
        "logout-redirect",
        "medium",
        "The logout endpoint redirects to registered addresses only",
        "Its logout endpoint sends the browser to any address.",
        "OpenID Connect RP-Initiated Logout 1.0 §3; RFC 9700 §4.11.2",
        "Redirect after a logout only to a URI that is registered for the client.",
        (LOGOUT,),
        _logout,
    ),
)
