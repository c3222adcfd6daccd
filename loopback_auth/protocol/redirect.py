"""The redirect endpoint: which of the requests that reach our port is the callback.

Theory of operation. Anybody can send requests to a port on 127.0.0.1: every page in every browser, every
other user and process. Only two things tell the callback from the rest: it is a top-level navigation to the
exact authority and path that we announced, and it carries our state. Whatever fails that is *turned away*:
it gets an answer, it is counted, and the sign-in goes on waiting, because a request that ends the waiting is
a way for any web page to end it. What passes is believed to come from our browser and no more; what it says
is judged by `protocol.response`, where a bad answer does end the attempt.

Weak spots, admitted. Fetch metadata headers are believed when present and not demanded, since curl through
an SSH tunnel sends none. A local process that can read our memory or the browser's has the state.

Source: RFC 8252 §7.3, §8.3, §8.9; RFC 9110 §7.1, §9.2.1; Fetch Metadata Request Headers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote_to_bytes

from loopback_auth.model import FORM, AuthorizationRequest, Callback, HttpRequest
from loopback_auth.protocol.response import FREE_TEXT, KNOWN_PARAMETERS, same_secret

FIELD_LIMIT = 32
"""Parameters in one callback; real ones have fewer than ten."""

BODY_LIMIT = 64 * 1024
"""Bytes of a form_post body; also the limit of the request line and of each header."""


@dataclass(frozen=True, slots=True)
class RedirectEndpoint:
    """What the callback has to look like."""

    authority: str
    """Host and port as announced, for example `127.0.0.1:49152`."""
    path: str
    request: AuthorizationRequest | None = field(default=None, repr=False)
    """None until the browser has been sent away: then nothing can be a callback."""
    answered: bool = False
    relay_path: str = field(default="", repr=False)
    """Where our own page posts the fragment of its address to."""
    relay_token: str = field(default="", repr=False)
    """What that page sends along to be known by."""


@dataclass(frozen=True, slots=True)
class RelayPage:
    """The answer is in the fragment, which no request carries: a page of ours has to read it."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A request that is not the callback: the status to answer, and why, in words of ours."""

    status: int
    reason: str
    forged: bool = False
    """It reached the callback path as a navigation, so something may be trying to interfere."""


DECISIVE = KNOWN_PARAMETERS - FREE_TEXT
"""Parameters that have to be UTF-8 without control characters, or else the whole is not read."""

PAGE_TOKEN = "x-loopback-relay"
"""The header by which the scripts of our pages are known."""

NOTHING_HERE = TurnedAway(404, "There is nothing at this address.")
NOT_USED = TurnedAway(405, "This method is not used here.")


def redirect_endpoint(endpoint: RedirectEndpoint, request: HttpRequest) -> Callback | RelayPage | TurnedAway:
    """Decide whether a request is the callback.

    Args:
        endpoint: what was announced to the authorization server.
        request: `url` is the raw request target, `body` at most `BODY_LIMIT` bytes; untrusted.

    Returns:
        The callback, its parameters still unchecked except for the state; or why it is none. Where the
        answer comes in the fragment, a page that fetches it.

    Source: RFC 8252 §8.9; RFC 6749 §3.1, §4.1.2, §4.2 (steps D to F), §10.12.
    """
    refusal = admission(endpoint, request)
    if refusal is not None or endpoint.request is None:
        return refusal or NOTHING_HERE
    via: Literal["query", "form_post", "relay"] = "query"
    if request.method == "POST":
        via = "relay" if endpoint.request.response_mode == "fragment" else "form_post"
    query = _as_sent(request.url.partition("?")[2])
    # Form Post Response Mode §2: the parameters are in the body; those of the URL have no meaning.
    # Netlify's own clients find `#?access_token=…` in the address.
    parameters = parse_parameters(query if via == "query" else request.body.removeprefix(b"?"))
    if parameters is None:
        return TurnedAway(400, "The parameters of this address could not be read.", forged=True)
    states = [value for name, value in parameters if name == "state" and value]
    if via == "query" and endpoint.request.response_mode == "fragment" and not states:
        return RelayPage()
    if len(states) != 1 or not same_secret(states[0], endpoint.request.state):
        return TurnedAway(400, "This is not the answer to the sign-in that is waiting here.", forged=True)
    if endpoint.answered:
        return TurnedAway(410, "This sign-in has already been answered.")
    return Callback(parameters, via)


def admission(endpoint: RedirectEndpoint, request: HttpRequest) -> TurnedAway | None:
    """Decide by the head alone whether a request may be the callback, so that no other body is ever read.

    A server that redirects a log-in form with 307 sends the person's password along.

    Source: RFC 9700 §4.12; RFC 9110 §9.2.1; Form Post Response Mode §2.
    """
    path = request.url.partition("?")[0]
    expected = endpoint.request
    if expected is not None and expected.response_mode == "fragment" and path == endpoint.relay_path:
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
        return TurnedAway(421, "This address was reached under another name than the one it has.")
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
        return TurnedAway(415, "A form was expected here.")
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
    path = request.url.partition("?")[0]
    if not same_secret(path, f"/{key}"):
        return NOTHING_HERE
    if used:
        return TurnedAway(410, "This link has been opened before; the terminal shows a new one.")
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
        return TurnedAway(421, "This address was reached under another name than the one it has.")
    mode, destination = request.header("sec-fetch-mode"), request.header("sec-fetch-dest")
    if (mode and mode != "navigate") or (destination and destination != "document"):
        return TurnedAway(403, "A page was expected here, not a request by a script, an image or a frame.")
    # Not Sec-Fetch-Site: a genuine redirect says none, same-site or cross-site.
    purposes = "".join(request.header(name) for name in ("sec-purpose", "purpose", "x-moz", "x-purpose"))
    if any(word in purposes.lower() for word in ("prefetch", "prerender", "preview")):
        return TurnedAway(403, "This address cannot be loaded in advance.")
    return None


def parse_parameters(raw: bytes) -> tuple[tuple[str, str], ...] | None:
    """Split a query or form body; None when what matters in it has no single reading.

    `&` is the only separator, and there are at most `FIELD_LIMIT` fields. What decides has to be UTF-8
    without control characters. A client MUST ignore the parameters that it does not know, and a description
    is optional: whatever cannot be read in those is replaced, for they may not take the answer along.

    Source: RFC 6749 §4.1.2, §4.1.2.1, appendix A, appendix B; WHATWG URL §5.1.
    """
    if not raw:
        return ()
    fields = raw.split(b"&")
    if len(fields) > FIELD_LIMIT or len(raw) > BODY_LIMIT:
        return None
    parameters = []
    for one in fields:
        encoded_name, _, encoded = one.partition(b"=")
        name = _legible(encoded_name)  # Those that are known are ASCII: none comes of an unreadable one.
        value = _legible(encoded, breaks="" if name in DECISIVE else "\r\n\t")
        if name in DECISIVE and value != _octets(encoded).decode("utf-8", "surrogateescape"):
            return None
        parameters.append((name, value))
    return tuple(parameters)


def _as_sent(text: str) -> bytes:
    """Return the bytes of a request line: those that were no UTF-8 are in it as escaped surrogates."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")  # Another surrogate, which stays unreadable.


def _legible(encoded: bytes, *, breaks: str = "") -> str:
    """Decode a name or a value; what is no UTF-8, and every control character but some, is replaced.

    Microsoft puts line breaks into each `error_description`.
    """
    text = _octets(encoded).decode("utf-8", "replace")
    return "".join(
        "\ufffd" if _is_control(character) and character not in breaks else character for character in text
    )


def _is_control(character: str) -> bool:
    return character < "\x20" or character == "\x7f"


def _octets(encoded: bytes) -> bytes:
    return unquote_to_bytes(encoded.replace(b"+", b" "))
