"""The redirect endpoint: which of the requests that reach our port is the callback.

Theory of operation. Anybody can send requests to a port on 127.0.0.1: every page in every browser, every
other user and process. Only two things tell the callback from the rest: it is a top-level navigation to the
exact authority and path that we announced, and it carries our state. Whatever fails that is *turned away*:
it gets an answer, it is counted and told, and the sign-in goes on waiting, because a request that ends the
waiting is a way for any web page to end it. What passes is believed to come from our browser and no more;
what it says is judged by `protocol.response`, where a bad answer does end the attempt. Whoever brings the
same answer once more is that browser again: a GET may be repeated at any time, and nobody else has the state.

Weak spots, admitted. Fetch metadata headers are believed when present and not demanded, since curl through
an SSH tunnel sends none. A local process that can read our memory or the browser's has the state.

Source: RFC 8252 §7.3, §8.3, §8.9; RFC 9110 §7.1, §9.2.1, §9.2.2; Fetch Metadata Request Headers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from loopback_auth.model import FORM, AuthorizationRequest, Callback, HttpRequest
from loopback_auth.protocol.parameters import DECISIVE, as_sent, parse_parameters
from loopback_auth.protocol.response import same_secret
from loopback_auth.redact import error_code


@dataclass(frozen=True, slots=True)
class RedirectEndpoint:
    """What the callback has to look like."""

    authority: str
    """Host and port as announced, for example `127.0.0.1:49152`."""
    path: str
    request: AuthorizationRequest | None = field(default=None, repr=False)
    """None until the browser has been sent away: then nothing can be a callback."""
    answered: bool = False
    """An answer was taken, to this request or to another one of the same sign-in."""
    answer: Callback | None = field(default=None, repr=False)
    """The one to this request, if it was that."""
    withdrawn: bool = False
    """The link that led to this request is not used any more."""
    guarded: bool = False
    """It was led to by a link that other users could read; what that means is the shell's to know."""
    relay_path: str = field(default="", repr=False)
    """Where our own page posts the fragment of its address to."""
    relay_token: str = field(default="", repr=False)
    """What that page sends along to be known by."""


@dataclass(frozen=True, slots=True)
class RelayPage:
    """The answer is in the fragment, which no request carries: a page of ours has to read it."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The answer that was taken, once more: a reload, or a browser that asks again by itself."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A request that is not the callback: the status to answer, and why, in words of ours."""

    status: int
    reason: str
    forged: bool = False
    """It reached the callback path as a navigation, so something may be trying to interfere."""
    why: str = ""
    """The same for whoever waits at the terminal: completes "it was turned away: it ..."."""


PAGE_TOKEN = "x-loopback-relay"
"""The header by which the scripts of our pages are known."""

NOTHING_HERE = TurnedAway(404, "There is nothing at this address.")
NOT_USED = TurnedAway(405, "This method is not used here.", why="was not made by the method of a visit")
NO_VISIT = "was not made by a visit to the page"
OTHER_NAME = TurnedAway(
    421,
    "This address was reached under another name than the one it has.",
    why="was addressed to another name than the redirect URI has",
)
OPENED_BEFORE = TurnedAway(410, "This link has been opened before; the terminal shows a new one.")
WITHDRAWN = TurnedAway(
    410,
    "This sign-in began with a link that is not used any more. Open the new one, which the terminal shows.",
    why="belonged to a link that is not used any more",
)
OVER = TurnedAway(410, "This sign-in has been answered; the terminal says how it ended.", why="came too late")


def redirect_endpoint(
    endpoint: RedirectEndpoint, request: HttpRequest
) -> Callback | RelayPage | Repeated | TurnedAway:
    """Decide whether a request is the callback.

    Args:
        endpoint: what was announced to the authorization server.
        request: `url` is the raw request target, `body` at most `BODY_LIMIT` bytes; untrusted.

    Returns:
        The callback, its parameters still unchecked except for the state; or why it is none. Where the
        answer may be in the fragment, a page that fetches it.

    Source: RFC 8252 §8.9; RFC 6749 §3.1, §4.1.2, §4.2 (steps D to F), §10.12.
    """
    refusal = admission(endpoint, request)
    if refusal is not None or endpoint.request is None:
        return refusal or NOTHING_HERE
    via: Literal["query", "form_post", "relay"] = "query"
    if request.method == "POST":
        via = "relay" if _path(request) == endpoint.relay_path else "form_post"
    # Form Post Response Mode §2: the parameters are in the body; those of the URL have no meaning.
    # Netlify's own clients find `#?access_token=…` in the address.
    parameters = parse_parameters(_query(request) if via == "query" else request.body.removeprefix(b"?"))
    if parameters is None:
        return _not_ours("The parameters of this address could not be read.", "could not be read")
    names = {name for name, value in parameters if value and name in DECISIVE}
    # Servers answer in the fragment unasked (Multiple Response Types §5), some with `iss` in the query.
    if via == "query" and endpoint.relay_path and names <= {"iss"}:
        return OVER if endpoint.answered else WITHDRAWN if endpoint.withdrawn else RelayPage()
    states = [value for name, value in parameters if name == "state" and value]
    if len(states) != 1 or not same_secret(states[0], endpoint.request.state):
        carried = "another state" if len(states) == 1 else "more than one state" if states else "no state"
        return _not_ours(
            "This is not the answer to the sign-in that is waiting here.",
            f"carried {carried}" if names else "carried no answer",
        )
    if endpoint.withdrawn:
        return WITHDRAWN
    if endpoint.answered and endpoint.answer is None:
        return OVER
    if endpoint.answer is None:
        return Callback(parameters, via)
    # RFC 9110 §9.2.2, RFC 9112 §9.3.1: a browser may repeat a GET by itself, and a person reloads.
    if _deciding(parameters) == _deciding(endpoint.answer.parameters):
        return Repeated()
    return TurnedAway(410, OVER.reason, forged=True, why="differed from the answer that was taken")


def said(request: HttpRequest) -> str:
    """Return the error code that a request to the redirect URI carries, cleaned; mostly there is none.

    Source: RFC 6749 §4.1.2.1, appendix A.7.
    """
    raw = request.body.removeprefix(b"?") if request.method == "POST" else _query(request)
    errors = [value for name, value in parse_parameters(raw) or () if name == "error" and value]
    return error_code(errors[0]) if errors else ""


def _not_ours(reason: str, why: str) -> TurnedAway:
    return TurnedAway(400, reason, forged=True, why=why)


def _deciding(parameters: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in parameters if name in DECISIVE and value)


def _path(request: HttpRequest) -> str:
    return request.url.partition("?")[0]


def _query(request: HttpRequest) -> bytes:
    return as_sent(request.url.partition("?")[2])


def admission(endpoint: RedirectEndpoint, request: HttpRequest) -> TurnedAway | None:
    """Decide by the head alone whether a request may be the callback, so that no other body is ever read.

    A server that redirects a log-in form with 307 sends the person's password along.

    Source: RFC 9700 §4.12; RFC 9110 §9.2.1; Form Post Response Mode §2.
    """
    path, expected = _path(request), endpoint.request
    if expected is not None and endpoint.relay_path and path == endpoint.relay_path:
        refusal = own_page(request, authority=endpoint.authority, token=endpoint.relay_token)
        return refusal or _form_only(request)
    refusal = navigation(request, authority=endpoint.authority)
    if refusal is not None:
        return refusal
    # The raw path is compared: /%63allback is not /callback, although RFC 3986 §6.2.2.2 would fold the two.
    if path != (endpoint.path or "/") or expected is None:
        return NOTHING_HERE
    if request.method == "POST" and expected.response_mode == "form_post":
        return _form_only(request)
    # A genuine answer by query where a form was asked for is let through: its error is worth reporting.
    return None if request.method == "GET" else NOT_USED


def own_page(request: HttpRequest, *, authority: str, token: str) -> TurnedAway | None:
    """Turn away whatever is no request by the script of a page of ours; None means that it is one.

    The token's header makes a browser ask first before it lets another origin send it, and is refused then;
    `null`, which sandboxed frames and local files send, is no origin of ours.

    Source: Fetch §3.2 (Origin), §3.3.2 (preflight); Fetch Metadata §2.
    """
    hosts, origins = request.values("host"), request.values("origin")
    if not request.url.startswith("/") or len(hosts) != 1 or hosts[0].lower() != authority.lower():
        return OTHER_NAME
    if request.method not in ("GET", "POST"):
        return NOT_USED
    # A same-origin GET has no Origin; whatever is said has to be right.
    if origins != (f"http://{authority}",) and (origins or request.method == "POST"):
        return TurnedAway(403, "This request comes from another page.")
    if request.header("sec-fetch-site") not in ("", "same-origin"):
        return TurnedAway(403, "This request comes from another site.")
    if not same_secret(request.header(PAGE_TOKEN), token):
        return TurnedAway(403, "This request does not come from the page of this sign-in.")
    return None


def _form_only(request: HttpRequest) -> TurnedAway | None:
    if request.method != "POST":
        return NOT_USED
    if request.header("content-type").partition(";")[0].strip().lower() != FORM:
        return TurnedAway(415, "A form was expected here.", why="was not a form")
    return None


def start_page(request: HttpRequest, *, authority: str, key: str, used: bool) -> TurnedAway | None:
    """Decide whether a request is the first opening of our start page; None means that it is.

    The key opens the way to the authorization URL, and with it to the state; so it works once.

    Source: RFC 6749 §10.12; jupyter/notebook#4260 (a key in a link that other users can list).
    """
    refusal = navigation(request, authority=authority)
    if refusal is not None:
        return refusal
    if request.method != "GET":
        return NOT_USED
    if not same_secret(_path(request), f"/{key}"):
        return NOTHING_HERE
    if used:
        return OPENED_BEFORE
    return None


def forwarded_authority(request: HttpRequest) -> str:
    """Return the loopback authority by which a request came; empty when it came by any other name.

    A forwarded port may have another number where the browser is, as with `ssh -L 9000:127.0.0.1:43210`. Only
    a literal loopback name counts: any other one could be a stranger's page that points here (rebinding).

    Source: RFC 8252 §7.3; RFC 9110 §7.2; CVE-2022-41924.
    """
    hosts = request.values("host")
    host, _, port = hosts[0].lower().rpartition(":") if len(hosts) == 1 else ("", "", "")
    number = port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65535
    return f"{host}:{port}" if number and host in ("127.0.0.1", "[::1]", "localhost") else ""


def navigation(request: HttpRequest, *, authority: str) -> TurnedAway | None:
    """Turn away what no person's browser sends when it goes to a page; None means that it may be one.

    Source: RFC 9110 §7.1, §7.2 (target form, Host); RFC 9112 §3.2; Fetch Metadata; CVE-2022-41924
    (rebinding); Local Network Access (no preflight is ever answered).
    """
    if not request.url.startswith("/"):
        return TurnedAway(400, "Only a plain path is understood here.")
    hosts = request.values("host")
    if len(hosts) != 1 or hosts[0].lower() != authority.lower():
        return OTHER_NAME
    mode, destination = request.header("sec-fetch-mode"), request.header("sec-fetch-dest")
    if (mode and mode != "navigate") or (destination and destination != "document"):
        reason = "A page was expected here, not a request by a script, an image or a frame."
        return TurnedAway(403, reason, why=NO_VISIT)
    # A WebSocket handshake is a GET without Fetch Metadata in Chromium, from any page. No visit by GET has an
    # Origin (Fetch §3.2), and none asks for another protocol (RFC 9110 §7.8, RFC 6455 §4.1).
    names = {name.lower() for name, _ in request.headers}
    handshake = "upgrade" in names or any(name.startswith("sec-websocket-") for name in names)
    if handshake or (request.method == "GET" and "origin" in names):
        return TurnedAway(403, "A page was expected here, not a connection of a script.", why=NO_VISIT)
    # Not Sec-Fetch-Site: a genuine redirect says none, same-site or cross-site.
    purposes = "".join(request.header(name) for name in ("sec-purpose", "purpose", "x-moz", "x-purpose"))
    if any(word in purposes.lower() for word in ("prefetch", "prerender", "preview")):
        return TurnedAway(403, "This address cannot be loaded in advance.", why="was made in advance")
    return None
