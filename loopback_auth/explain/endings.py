"""The flow of a recorded sign-in, and how it ended.

Decides both from the recorded exchanges alone; an end that they do not show is reported as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loopback_auth.compare.model import FORM_POST, Outcome, Tokens
from loopback_auth.flow_table import NAMES, POLLED
from loopback_auth.protocol.json import number
from loopback_auth.trace.evidence import RESPONSES
from loopback_auth.trace.reading import (
    form_parameters,
    fragment_parameters,
    query_parameters,
    response_members,
)
from loopback_auth.trace.records import Exchange, Trace

PUSHED = "pushed authorization request"
NO_END = "The recording does not show how it ended."
AFTER_SIGN_IN = frozenset(
    {"UserInfo request", "introspection request", "refresh request", "revocation request"}
)
"""Requests that come after a sign-in."""


def flow_of(entries: Sequence[Exchange]) -> str:
    """Return the name of the flow, from what was requested, or from the response."""
    steps = {entry.step for entry in entries}
    for name in POLLED:
        if any(step.startswith(name) for step in steps):
            return name
    asked = [entry for entry in entries if entry.step in ("authorization request", PUSHED)]
    along = {
        name: value
        for entry in asked
        for name, value in (*query_parameters(entry.url), *form_parameters(entry))
    }
    if along.get("response_mode") == "form_post" and along.get("response_type", "code") == "code":
        return FORM_POST
    wanted = set(along.get("response_type", "").split())
    if not wanted:
        came = {name for entry in entries for name, _ in fragment_parameters(entry.address)}
        wanted = {"token"} if "access_token" in came else {"code"}
    return next((name for name in NAMES if set(name.split()) == wanted), "code")


def ending_of(trace: Trace) -> tuple[Outcome, str, Tokens | None]:
    """Return the outcome, the reason if it failed, and the tokens, as far as the recording shows them."""
    scope = next(
        (
            value
            for each in trace.exchanges()
            for name, value in query_parameters(each.url)
            if name == "scope"
        ),
        "",
    )
    for exchange in trace.exchanges():
        if exchange.step == "authorization request" and exchange.status >= 400:
            # RFC 6749 §4.1.2.1: when the client or redirect URI is wrong, the browser is not redirected.
            return "refused", f"{exchange.step}: status {exchange.status}", None
        along = dict(
            (
                *query_parameters(exchange.url),
                *form_parameters(exchange),
                *fragment_parameters(exchange.address),
            )
        )
        for came in (dict(response_members(exchange)), along if exchange.step in RESPONSES else {}):
            if "access_token" in came and exchange.step != "refresh request":
                return "signed in", "", _tokens(came, scope)
            if "error" in came and came["error"] not in ("authorization_pending", "slow_down"):
                return "refused", f"{exchange.step}: {came['error']}", None
    if any(each.step in RESPONSES for each in trace.exchanges()):
        return "signed in", "", None
    return "failed", NO_END, None


def _tokens(came: Mapping[str, str], scope: str) -> Tokens:
    return Tokens(
        token_type=came.get("token_type", ""),
        lifetime=number(came.get("expires_in")),
        refresh_token="refresh_token" in came,
        id_token="not verified" if "id_token" in came else "",
        scope_asked=scope,
        scope_granted=came.get("scope", scope),
        account="",
    )
