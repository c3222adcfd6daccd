"""What a person pastes when the browser is elsewhere: the address on which it failed, in any shape.

A browser on another machine cannot reach our redirect URI, but its address bar holds the answer. The answer
is judged like one that arrived by itself; here it is only unwrapped, and an address that is not ours is told
from one that is. To be asked for a pasted address is also how sign-ins are stolen, so nothing that another
sign-in produced is ever taken.

Source: RFC 8252 §7.3; OAuth 2.1 §7.9 (phishing by asking for an address); RFC 6749 §4.1.2, §10.12.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass

from loopback_auth.model import AuthorizationRequest, Callback
from loopback_auth.protocol.redirect import parse_parameters
from loopback_auth.protocol.response import same_secret

BARE_CODE = (
    "A code alone does not show that it belongs to this sign-in; only PKCE protects it. Paste the whole "
    "address next time."
)


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
        The callback, its parameters still unchecked but for the state; or why there is none.

    Source: RFC 6749 §4.1.2, §4.2.2 (query and fragment), §10.12 (state).
    """
    bare = _unwrapped(text)
    if not bare:
        return NotAccepted("Nothing was pasted.")
    if "://" in bare.partition("?")[0].partition("#")[0]:
        address, tail = _split(bare)
        if address != request.redirect_uri and address.rstrip("/") != request.redirect_uri:
            return NotAccepted(
                f"That is not the address of this sign-in; it begins with {request.redirect_uri}"
                " and is the one on which the browser could not go on."
            )
        if not tail:
            return NotAccepted(
                "That address holds no answer: copy all of it, with what comes after the path."
            )
        return _with_state(tail, request)
    decoded = bare if "=" in bare.rstrip("=") else _decoded(bare)
    if "code=" in decoded or "state=" in decoded or "error=" in decoded:
        return _with_state(decoded.lstrip("?#&"), request)
    code, separator, state = bare.partition("#")
    if separator:
        return _with_pair(code, state, request)
    if request.code_verifier is None:
        return NotAccepted("Without PKCE a code alone is not enough: paste the whole address.")
    if len(bare) < 4 or not all("!" <= character <= "~" for character in bare):
        return NotAccepted("That is no address and no code.")
    parameters = (("code", bare), ("state", request.state))
    return Pasted(Callback(parameters, via="paste"), warning=BARE_CODE)


def _unwrapped(text: str) -> str:
    for mark in ("\x1b[200~", "\x1b[201~"):
        text = text.replace(mark, "")
    # A narrow terminal breaks a long address into lines; no part of one is white space.
    return "".join(text.split()).strip("\"'<>`")


def _split(address: str) -> tuple[str, str]:
    head, _, fragment = address.partition("#")
    path, _, query = head.partition("?")
    # Netlify writes `#?access_token=…`, and some servers leave an empty `#_` or `#` at the end.
    return path, query or fragment.removeprefix("?")


def _with_state(raw: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    parameters = parse_parameters(raw.encode("utf-8", "surrogateescape"))
    if parameters is None:
        return NotAccepted("That could not be read as an answer; copy the whole address again.")
    states = [value for name, value in parameters if name == "state" and value]
    if len(states) != 1 or not same_secret(states[0], request.state):
        return NotAccepted(
            "That is the answer to another sign-in. Open the link shown here, and paste the address on which "
            "that tab ends."
        )
    return Pasted(Callback(parameters, via="paste"))


def _with_pair(code: str, state: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
    if not same_secret(state, request.state):
        return NotAccepted("That code belongs to another sign-in.")
    return Pasted(Callback((("code", code), ("state", state)), via="paste"))


def _decoded(text: str) -> str:
    """Return a query string that was packed into base64, or the text itself."""
    try:
        raw = urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))
        unpacked = raw.decode("utf-8")
        if unpacked.startswith("{"):
            pair = json.loads(unpacked)
            return f"code={pair['code']}&state={pair['state']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return text
    return unpacked if unpacked.isprintable() else text
