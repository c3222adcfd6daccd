"""The redirect endpoint: decide which of the requests that reach our port is the callback.

Theory of operation. Every web page, every other user and every process can send requests to a port on
127.0.0.1. Two things identify the callback: it is a top-level navigation to exactly the authority and path of
the redirect URI, and it has our state. Any other request is *turned away*: it gets an error status, it is
counted and reported, and the sign-in goes on waiting. Otherwise any web page could end the sign-in. A
callback that passes came from our browser; what it says is checked by `protocol.response`, where a bad
response does end the attempt. The same response again comes from the same browser: a GET may be repeated at
any time, and only the program and the server know the state.

Known weaknesses. Fetch Metadata headers are checked when present but not required, because curl through an
SSH tunnel sends none. A local process that can read our memory, or the browser's, knows the state.

Source: RFC 8252 §7.3, §8.3, §8.9; RFC 9110 §7.1, §9.2.1, §9.2.2; Fetch Metadata Request Headers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from loopback_auth.authorization_messages import Callback
from loopback_auth.http_messages import FORM, HttpRequest
from loopback_auth.protocol.parameters import as_sent, parse_parameters
from loopback_auth.protocol.response import DECISIVE, same_secret, states_in
from loopback_auth.redact import error_code
from loopback_auth.words import Words


class ExpectedRequest(Protocol):
    """What the redirect endpoint knows of an authorization request, ours or another program's.

    Source: RFC 6749 §10.12; OAuth 2.0 Multiple Response Types §2.1.
    """

    @property
    def state(self) -> str | None:
        """The callback must have the same; None: this protocol has none."""
        ...

    @property
    def response_mode(self) -> str:
        """How the response was asked to travel; with `form_post` it may come by POST."""
        ...


@dataclass(frozen=True, slots=True)
class RedirectEndpoint:
    """What is known about the callback, and about this request's connection to the sign-in."""

    authority: str
    """Host and port of the redirect URI, for example `127.0.0.1:49152`."""
    path: str
    """Path of the redirect URI, for example `/callback`."""
    request: ExpectedRequest | None = field(default=None, repr=False)
    """None until the browser was sent to the server; until then nothing can be the callback."""
    answered: bool = False
    """A response was accepted, to this authorization request or to another one of the same sign-in."""
    answer: Callback | None = field(default=None, repr=False)
    """The accepted response, if it was to this authorization request."""
    withdrawn: bool = False
    """The link that led to this authorization request is not valid any more."""
    guarded: bool = False
    """Other users of the machine could read the link; `network.receiver` decides what follows."""
    relay_path: str = field(default="", repr=False)
    """The path to which our page posts the fragment of its URL."""
    relay_token: str = field(default="", repr=False)
    """What that page sends in a header to identify itself."""


@dataclass(frozen=True, slots=True)
class RelayPage:
    """The response is in the fragment, which browsers do not send: a page of ours must read it."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The accepted response again: a reload, or a browser that repeats the request."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A request that is not the callback.

    Args:
        status: of the HTTP response.
        reason: for the page that is shown, a sentence.
        forged: it was a navigation to the callback path: perhaps an attempt to interfere.
        why: for the terminal; completes the sentence "it was refused: it ...".
        allow: the methods that can be used here, for the header `Allow` of a 405 (RFC 9110 §15.5.6).
    """

    status: int
    """HTTP status of the answer."""
    reason: str
    """The reason for the page, as a sentence."""
    forged: bool = False
    why: str = ""
    allow: str = ""


PAGE_TOKEN = "x-loopback-relay"
"""The header that identifies the scripts of our pages."""

NOTHING_HERE = TurnedAway(404, Words.REFUSED_NOTHING_HERE)
OTHER_NAME = TurnedAway(
    421,
    Words.REFUSED_OTHER_NAME,
    why=Words.REFUSED_WHY_OTHER_NAME,
)
OPENED_BEFORE = TurnedAway(410, Words.REFUSED_OPENED_BEFORE)
WITHDRAWN = TurnedAway(
    410,
    Words.REFUSED_WITHDRAWN,
    why=Words.REFUSED_WHY_WITHDRAWN,
)
OVER = TurnedAway(410, Words.REFUSED_OVER, why=Words.REFUSED_WHY_LATE)


def redirect_endpoint(
    endpoint: RedirectEndpoint, request: HttpRequest
) -> Callback | RelayPage | Repeated | TurnedAway:
    """Decide whether a request is the callback.

    Args:
        endpoint: what the callback must look like.
        request: `url` is the raw request target, `body` at most `BODY_LIMIT` bytes; untrusted.

    Returns:
        The callback, of which only the state is checked; or why it is not the callback. Where the response
        may be in the fragment, `RelayPage`.

    Source: RFC 8252 §8.9; RFC 6749 §3.1, §4.1.2, §4.2 (steps D to F), §10.12.
    """
    refusal = admission(endpoint, request)
    if refusal is not None or endpoint.request is None:
        return refusal or NOTHING_HERE
    via: Literal["query", "form_post", "relay"] = "query"
    if request.method == "POST":
        via = "relay" if _path(request) == endpoint.relay_path else "form_post"
    # Form Post Response Mode §2: the parameters are in the body; those in the URL are ignored.
    # Netlify sends `#?access_token=…`.
    parameters = parse_parameters(_query(request) if via == "query" else request.body.removeprefix(b"?"))
    if parameters is None:
        return _not_ours(Words.REFUSED_UNREADABLE, Words.REFUSED_WHY_UNREADABLE)
    expected = endpoint.request.state
    deciding = _deciding(parameters, expected)
    names = {name for name, _ in deciding}
    # Servers answer in the fragment unasked (Multiple Response Types §5), some with `iss` in the query.
    if via == "query" and endpoint.relay_path and names <= {"iss"}:
        return OVER if endpoint.answered else WITHDRAWN if endpoint.withdrawn else RelayPage()
    states = states_in(parameters, endpoint.request.response_mode)
    if not (bool(names) if expected is None else len(states) == 1 and same_secret(states[0], expected)):
        no_state = Words.REFUSED_WHY_STATES if states else Words.REFUSED_WHY_NO_STATE
        carried = Words.REFUSED_WHY_STATE if len(states) == 1 else no_state
        return _not_ours(Words.REFUSED_NOT_OURS, carried if names else Words.REFUSED_WHY_NO_ANSWER)
    if endpoint.withdrawn:
        return WITHDRAWN
    if endpoint.answered and endpoint.answer is None:
        return OVER
    if endpoint.answer is None:
        return Callback(parameters, via)
    # RFC 9110 §9.2.2, RFC 9112 §9.3.1: a browser may repeat a GET by itself, and a person reloads.
    if deciding == _deciding(endpoint.answer.parameters, expected):
        return Repeated()
    return TurnedAway(410, OVER.reason, forged=True, why=Words.REFUSED_WHY_DIFFERED)


def error_in_callback(request: HttpRequest) -> str:
    """Return the error code in a request to the redirect URI, cleaned; empty when there is none.

    Source: RFC 6749 §4.1.2.1, appendix A.7.
    """
    raw = request.body.removeprefix(b"?") if request.method == "POST" else _query(request)
    errors = [value for name, value in parse_parameters(raw) or () if name == "error" and value]
    return error_code(errors[0]) if errors else ""


def _not_ours(reason: str, why: str) -> TurnedAway:
    return TurnedAway(400, reason, forged=True, why=why)


def _deciding(parameters: tuple[tuple[str, str], ...], state: str | None) -> list[tuple[str, str]]:
    # A protocol without a state is not OAuth, so any of its parameters may be the one that decides.
    every = state is None
    return sorted((name, value) for name, value in parameters if value and (name in DECISIVE or every))


def _path(request: HttpRequest) -> str:
    return request.url.partition("?")[0]


def _query(request: HttpRequest) -> bytes:
    return as_sent(request.url.partition("?")[2])


def admission(endpoint: RedirectEndpoint, request: HttpRequest) -> TurnedAway | None:
    """Decide by the head alone whether a request may be the callback, so that no other body is read.

    A server that redirects a log-in form with 307 makes the browser send the password in the body.

    Source: RFC 9700 §4.12; RFC 9110 §9.2.1; Form Post Response Mode §2.
    """
    path, expected = _path(request), endpoint.request
    if expected is not None and endpoint.relay_path and path == endpoint.relay_path:
        refusal = own_page(request, authority=endpoint.authority, token=endpoint.relay_token)
        return refusal or _form_only(request, "POST")
    refusal = navigation(request, authority=endpoint.authority)
    if refusal is not None:
        return refusal
    # The raw path is compared: /%63allback is not /callback, although RFC 3986 §6.2.2.2 calls them
    # equivalent.
    if path != (endpoint.path or "/") or expected is None:
        return NOTHING_HERE
    if request.method == "GET":
        return None  # Also by query instead of form_post: the error of such a response is reported.
    by_form = expected.response_mode in ("form_post", "form_post.jwt")
    return _form_only(request, "GET, POST") if by_form else _not_used("GET")


def own_page(request: HttpRequest, *, authority: str, token: str) -> TurnedAway | None:
    """Turn away every request that does not come from the script of one of our pages; None: it does.

    Before a browser sends the token's header for another origin, it asks with a preflight request, which is
    refused. The origin `null` of sandboxed frames and local files is refused too.

    Source: Fetch §3.2 (Origin), §3.3.2 (preflight); Fetch Metadata §2.
    """
    hosts, origins = request.values("host"), request.values("origin")
    if not request.url.startswith("/") or len(hosts) != 1 or hosts[0].lower() != authority.lower():
        return OTHER_NAME
    if request.method not in ("GET", "POST"):
        return _not_used("GET, POST")
    # A same-origin GET has no Origin; one that is present must be right.
    if origins != (f"http://{authority}",) and (origins or request.method == "POST"):
        return TurnedAway(403, Words.REFUSED_OTHER_PAGE)
    if request.header("sec-fetch-site") not in ("", "same-origin"):
        return TurnedAway(403, Words.REFUSED_OTHER_SITE)
    if not same_secret(request.header(PAGE_TOKEN), token):
        return TurnedAway(403, Words.REFUSED_NOT_OUR_PAGE)
    return None


def _not_used(allow: str) -> TurnedAway:
    reason, why = Words.REFUSED_METHOD, Words.REFUSED_WHY_METHOD
    return TurnedAway(405, reason, why=why, allow=allow)


def _form_only(request: HttpRequest, allow: str) -> TurnedAway | None:
    if request.method != "POST":
        return _not_used(allow)
    if request.header("content-type").partition(";")[0].strip().lower() != FORM:
        return TurnedAway(415, Words.REFUSED_NO_FORM, why=Words.REFUSED_WHY_NO_FORM)
    return None


def start_page(request: HttpRequest, *, authority: str, key: str, used: bool) -> TurnedAway | None:
    """Turn away every request that does not open our start page for the first time; None: it does.

    The key leads to the authorization URL, which contains the state; therefore it works once.

    Source: RFC 6749 §10.12; jupyter/notebook#4260 (a key in a link that other users can list).
    """
    refusal = navigation(request, authority=authority)
    if refusal is not None:
        return refusal
    if request.method != "GET":
        return _not_used("GET")
    if not same_secret(_path(request), f"/{key}"):
        return NOTHING_HERE
    if used:
        return OPENED_BEFORE
    return None


def forwarded_authority(request: HttpRequest) -> str:
    """Return the loopback authority in the Host of a request; empty when it is not a loopback name.

    A forwarded port may have another number on the browser's machine, as with `ssh -L 9000:127.0.0.1:43210`.
    Any other name could belong to a web page whose name resolves to this machine (DNS rebinding).

    Source: RFC 8252 §7.3; RFC 9110 §7.2; CVE-2022-41924.
    """
    hosts = request.values("host")
    host, _, port = hosts[0].lower().rpartition(":") if len(hosts) == 1 else ("", "", "")
    number = port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65535
    return f"{host}:{port}" if number and host in ("127.0.0.1", "[::1]", "localhost") else ""


def navigation(request: HttpRequest, *, authority: str) -> TurnedAway | None:
    """Turn away a request that no browser sends when a person opens a page; None: it may be such a visit.

    Source: RFC 9110 §7.1, §7.2 (target form, Host); RFC 9112 §3.2; Fetch Metadata; CVE-2022-41924
    (rebinding); Local Network Access (no preflight is ever answered).
    """
    if not request.url.startswith("/"):
        return TurnedAway(400, Words.REFUSED_NO_PATH)
    hosts = request.values("host")
    if len(hosts) != 1 or hosts[0].lower() != authority.lower():
        return OTHER_NAME
    mode, destination = request.header("sec-fetch-mode"), request.header("sec-fetch-dest")
    if (mode and mode != "navigate") or (destination and destination != "document"):
        reason = Words.REFUSED_NO_PAGE
        return TurnedAway(403, reason, why=Words.REFUSED_WHY_NO_VISIT)
    # A WebSocket handshake is a GET without Fetch Metadata in Chromium, and any page can make one. A visit by
    # GET never has an Origin (Fetch §3.2) nor an Upgrade (RFC 9110 §7.8, RFC 6455 §4.1).
    names = {name.lower() for name, _ in request.headers}
    handshake = "upgrade" in names or any(name.startswith("sec-websocket-") for name in names)
    if handshake or (request.method == "GET" and "origin" in names):
        return TurnedAway(403, Words.REFUSED_CONNECTION, why=Words.REFUSED_WHY_NO_VISIT)
    # Sec-Fetch-Site is not checked: a genuine redirect has none, same-site or cross-site.
    purposes = "".join(request.header(name) for name in ("sec-purpose", "purpose", "x-moz", "x-purpose"))
    if any(word in purposes.lower() for word in ("prefetch", "prerender", "preview")):
        return TurnedAway(403, Words.REFUSED_IN_ADVANCE, why=Words.REFUSED_WHY_IN_ADVANCE)
    return None
