"""Read what a person pastes when the browser is on another machine: the URL on which it failed, in any form.

A browser on another machine cannot reach our redirect URI, but its address bar contains the response. Here
the response is only extracted, and refused when it is for another redirect URI or another sign-in: phishing
also asks people to paste such URLs. `protocol.response` then checks it like any other response.

Source: RFC 8252 §7.3; RFC 6749 §4.1.2, §10.12; Google, "Out-Of-Band (OOB) flow migration guide" (phishing).
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from urllib.parse import unquote, urlencode

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.protocol.parameters import parse_parameters
from loopback_auth.protocol.request_checks import carrier, is_signed
from loopback_auth.protocol.response import same_secret, states_in

SHORTEST_CODE = 8
"""Characters of a code; a shorter word is not one."""

CODE_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F))) - {"?"}
"""RFC 6749 appendix A.11, without blanks and the characters that show that it is a URL or a query."""

BARE_CODE = (
    "A code alone does not show that it belongs to this sign-in; only PKCE protects it. Paste the whole "
    "address next time."
)

UNESCAPED = "The code was copied from a URL with its % escapes, which were decoded."

_ESCAPED = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class Pasted:
    """What was pasted is a response to this sign-in.

    Args:
        callback: the response; its state is right, or it is a code alone.
        warning: for the person; empty when there is none.
    """

    callback: Callback
    warning: str = ""


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """What was pasted is not a response to this sign-in.

    Args:
        reason: for the person who pasted it.
    """

    reason: str


def pasted_callback(text: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    """Read a pasted response.

    Accepted are the whole URL, its query or fragment alone, either of them in base64, JSON in base64,
    `code#state`, and a code alone.

    Args:
        text: as it came from the terminal, with marks of bracketed paste, line breaks and quotes.
        request: the authorization request that it must answer.

    Returns:
        The callback, of which only the state is checked, and without the time; or why it is refused.

    Source: RFC 6749 §4.1.2, §4.2.2 (query and fragment), §10.12 (state).
    """
    bare = _unwrapped(text)
    if not bare:
        return NotAccepted("Nothing was pasted.")
    head, answer = _split(bare, request)
    # Browsers hide `http://`, so a URL may lack it; in `code#state` no name=value follows.
    behind = "=" in answer or f"http://{head}" == request.redirect_uri
    if "://" in head or (head and "=" not in head and behind):
        return _with_address(head, answer, request)
    if "=" in head.rstrip("=") or (not head and "=" in answer):
        return _with_state(head or answer, request)
    decoded = _decoded(bare)
    if any(f"{name}=" in decoded for name in ("code", "state", "error", "response")):
        return _with_state(decoded.lstrip("?#&"), request)
    code, separator, state = bare.partition("#")
    if separator:
        return _with_pair(code, state, request)
    if " " in text.strip():
        # A terminal breaks a long line without a blank, so these are words.
        return NotAccepted("That is neither a URL nor a code.")
    return _with_code(bare, request)


def _unwrapped(text: str) -> str:
    for mark in ("\x1b[200~", "\x1b[201~"):
        text = text.replace(mark, "")
    # A narrow terminal breaks a long URL into lines; a URL itself has no white space.
    return "".join(text.split()).strip("\"'<>`")


def _split(text: str, request: AuthorizationRequest) -> tuple[str, str]:
    """Split a URL into the part before the first `?` or `#`, and the response behind it."""
    path, _, fragment = text.partition("#")
    head, _, query = path.partition("?")
    # Netlify sends `#?access_token=…`, and some servers append an empty `#` or `#_=_` to a query.
    fragment = fragment.removeprefix("?")
    if carrier(request.response_mode, request.response_type) != "fragment":
        return head, query or fragment
    # Some servers put the issuer into the query as well (RFC 9207 §2).
    issuer = [pair for pair in query.split("&") if pair.startswith("iss=")]
    if fragment and issuer and "&iss=" not in f"&{fragment}":
        fragment = "&".join([fragment, *issuer])
    return head, fragment or query


def _with_address(address: str, answer: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    ours = request.redirect_uri
    bare_host = ours.count("/") == 2  # Browsers append a slash.
    spellings = {ours, ours + "/" if bare_host else ours}
    if address not in spellings and f"http://{address}" not in spellings:
        return NotAccepted(
            f"That is not the address of this sign-in; it begins with {ours}"
            " and is the one on which the browser could not go on."
        )
    if not answer:
        return NotAccepted("That URL has no response in it. Copy all of it, with the part after the path.")
    return _with_state(answer, request)


def _with_code(code: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    code, unescaped = _unescaped(code)
    # JARM §2.4: without the signed response nothing says that the code is the server's.
    alone = request.response_type == "code" and not is_signed(request.response_mode)
    if request.code_verifier is None or not alone:
        return NotAccepted("A code alone is not enough here. Paste the whole URL.")
    if len(code) < SHORTEST_CODE or not CODE_CHARACTERS.issuperset(code):
        return NotAccepted("That is neither a URL nor a code.")
    parameters = (("code", code), ("state", request.state))
    return Pasted(Callback(parameters, via="paste"), warning=f"{BARE_CODE} {unescaped}".rstrip())


def _with_state(raw: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    parameters = parse_parameters(raw.encode("utf-8", "surrogatepass"))
    if parameters is None:
        return NotAccepted("That could not be read. Copy the whole URL again.")
    states = states_in(parameters, request.response_mode)
    if not states:
        return NotAccepted("The state parameter is missing. Copy the whole URL.")
    if len(states) != 1 or not same_secret(states[0], request.state):
        return NotAccepted(
            "That is the response to another sign-in. Open the link shown here, and paste the URL on which "
            "that tab ends."
        )
    return Pasted(Callback(parameters, via="paste"))


def _with_pair(code: str, state: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    if not code or not same_secret(state, request.state) or is_signed(request.response_mode):
        return NotAccepted("That code belongs to another sign-in.")
    code, unescaped = _unescaped(code)
    return Pasted(Callback((("code", code), ("state", state)), via="paste"), warning=unescaped)


def _unescaped(code: str) -> tuple[str, str]:
    """Return a code without % escapes, and a warning if there were any.

    A code may contain a per cent sign (RFC 6749 appendix A.11). It counts as an escape only if all other
    characters need no escape in a URL (RFC 3986 §2.3), because such a code looks like a copied one.
    """
    if "%" not in code or not _ESCAPED.fullmatch(code):
        return code, ""
    try:
        return unquote(code, errors="strict"), UNESCAPED
    except UnicodeDecodeError:
        return code, ""


def _decoded(text: str) -> str:
    """Return the query string or the JSON members that are encoded in base64, or else the text itself."""
    try:
        raw = urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))
        unpacked = raw.decode("utf-8")
        if unpacked.startswith("{"):
            # As pairs: a repeated name stays repeated.
            pairs = json.loads(unpacked, object_pairs_hook=list)
            return urlencode([(name, value) for name, value in pairs if isinstance(value, str)])
    except (ValueError, RecursionError):
        return text
    return unpacked if unpacked.isprintable() else text
