"""What a person pastes when the browser is elsewhere: the address on which it failed, in any shape.

A browser on another machine cannot reach our redirect URI, but its address bar holds the answer. The answer
is judged like one that arrived by itself; here it is only unwrapped, and an address that is not ours is told
from one that is. To be asked for a pasted address is also how sign-ins are stolen, so nothing that another
sign-in produced is ever taken.

Source: RFC 8252 §7.3; RFC 6749 §4.1.2, §10.12; Google, "Out-Of-Band (OOB) flow migration guide" (phishing).
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from urllib.parse import unquote, urlencode

from loopback_auth.model import AuthorizationRequest, Callback
from loopback_auth.protocol.parameters import parse_parameters
from loopback_auth.protocol.response import same_secret

SHORTEST_CODE = 8
"""Characters; a shorter word was meant for somebody else."""

CODE_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F))) - {"?"}
"""RFC 6749 appendix A.11, less the blank and the mark by which an address or a question is known."""

BARE_CODE = (
    "A code alone does not show that it belongs to this sign-in; only PKCE protects it. Paste the whole "
    "address next time."
)

UNESCAPED = "The code was copied as it stands in an address, with % signs, and was unescaped."

_ESCAPED = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class Pasted:
    """A pasted answer with our state, or a bare code, and then a warning."""

    callback: Callback
    warning: str = ""


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """Why a paste is not the answer, in words for the one who pasted it."""

    reason: str


def pasted_callback(text: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    """Make a callback out of whatever was pasted.

    Understood are the whole address, its query or fragment alone, both in base64 as one piece, JSON in
    base64, `code#state`, and a bare code.

    Args:
        text: as it came from the terminal, marks of bracketed paste, line breaks and quotes included.
        request: whose answer is awaited.

    Returns:
        The callback, its parameters still unchecked but for the state, and without the time; or why there is
        none.

    Source: RFC 6749 §4.1.2, §4.2.2 (query and fragment), §10.12 (state).
    """
    bare = _unwrapped(text)
    if not bare:
        return NotAccepted("Nothing was pasted.")
    head, answer = _split(bare, request)
    # Browsers hide `http://`, so an address need not have it; `code#state` has no name=value behind.
    behind = "=" in answer or f"http://{head}" == request.redirect_uri
    if "://" in head or (head and "=" not in head and behind):
        return _with_address(head, answer, request)
    if "=" in head.rstrip("=") or (not head and "=" in answer):
        return _with_state(head or answer, request)
    decoded = _decoded(bare)
    if "code=" in decoded or "state=" in decoded or "error=" in decoded:
        return _with_state(decoded.lstrip("?#&"), request)
    code, separator, state = bare.partition("#")
    if separator:
        return _with_pair(code, state, request)
    return _with_code(bare, request)


def _unwrapped(text: str) -> str:
    for mark in ("\x1b[200~", "\x1b[201~"):
        text = text.replace(mark, "")
    # A narrow terminal breaks a long address into lines; no part of one is white space.
    return "".join(text.split()).strip("\"'<>`")


def _split(text: str, request: AuthorizationRequest) -> tuple[str, str]:
    """Take apart what stands before the first `?` or `#`, and the answer behind it."""
    path, _, fragment = text.partition("#")
    head, _, query = path.partition("?")
    # Netlify writes `#?access_token=…`, and some servers put an empty `#` or `#_=_` behind a query.
    fragment = fragment.removeprefix("?")
    if request.response_mode != "fragment":
        return head, query or fragment
    # Some servers put the issuer into the query beside it (RFC 9207 §2).
    issuer = [pair for pair in query.split("&") if pair.startswith("iss=")]
    if fragment and issuer and "&iss=" not in f"&{fragment}":
        fragment = "&".join([fragment, *issuer])
    return head, fragment or query


def _with_address(address: str, answer: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    ours = request.redirect_uri
    bare_host = ours.count("/") == 2  # Browsers put a slash behind it.
    spellings = {ours, ours + "/" if bare_host else ours}
    if address not in spellings and f"http://{address}" not in spellings:
        return NotAccepted(
            f"That is not the address of this sign-in; it begins with {ours}"
            " and is the one on which the browser could not go on."
        )
    if not answer:
        return NotAccepted("That address holds no answer: copy all of it, with what comes after the path.")
    return _with_state(answer, request)


def _with_code(code: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    code, unescaped = _unescaped(code)
    if request.code_verifier is None or request.response_type != "code":
        return NotAccepted("A code alone is not enough here: paste the whole address.")
    if len(code) < SHORTEST_CODE or not CODE_CHARACTERS.issuperset(code):
        return NotAccepted("That is no address and no code.")
    parameters = (("code", code), ("state", request.state))
    return Pasted(Callback(parameters, via="paste"), warning=f"{BARE_CODE} {unescaped}".rstrip())


def _with_state(raw: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    parameters = parse_parameters(raw.encode("utf-8", "surrogatepass"))
    if parameters is None:
        return NotAccepted("That could not be read as an answer; copy the whole address again.")
    states = [value for name, value in parameters if name == "state" and value]
    if not states:
        return NotAccepted(
            "That has no state, by which the answer to this sign-in is known: copy the whole address."
        )
    if len(states) != 1 or not same_secret(states[0], request.state):
        return NotAccepted(
            "That is the answer to another sign-in. Open the link shown here, and paste the address on which "
            "that tab ends."
        )
    return Pasted(Callback(parameters, via="paste"))


def _with_pair(code: str, state: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    if not code or not same_secret(state, request.state):
        return NotAccepted("That code belongs to another sign-in.")
    code, unescaped = _unescaped(code)
    return Pasted(Callback((("code", code), ("state", state)), via="paste"), warning=unescaped)


def _unescaped(code: str) -> tuple[str, str]:
    """Return a code as it was meant, and a sentence where it was copied as it stands in an address.

    A code may hold a per cent sign of its own (RFC 6749 appendix A.11). It is taken for an escape where all
    else is what no address has to escape (RFC 3986 §2.3), for then nothing tells it from a copied one.
    """
    if "%" not in code or not _ESCAPED.fullmatch(code):
        return code, ""
    try:
        return unquote(code, errors="strict"), UNESCAPED
    except UnicodeDecodeError:
        return code, ""


def _decoded(text: str) -> str:
    """Return a query string or the members of an object that were packed into base64, or the text itself."""
    try:
        raw = urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))
        unpacked = raw.decode("utf-8")
        if unpacked.startswith("{"):
            # As pairs: a name that is there twice stays there twice.
            pairs = json.loads(unpacked, object_pairs_hook=list)
            return urlencode([(name, value) for name, value in pairs if isinstance(value, str)])
    except (ValueError, RecursionError):
        return text
    return unpacked if unpacked.isprintable() else text
