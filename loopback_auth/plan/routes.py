"""Choose the flows, from what is known about the machine and the provider.

Theory of operation. Nothing that is known before the start proves that a browser can reach this machine.
Therefore the likely flows are opened together, and events decide: a visit to our start page, a browser that
cannot be started, an answer through another flow. A visit proves that the browser can reach this machine, but
not that the server redirects there: when no response comes for a while, the next flow is opened as well. The
levels of the facts decide only the order, and which flows wait. A flow is removed only when it certainly
cannot work (*no*).

Known weaknesses. The program cannot detect a port that a person has forwarded, an HSTS rule that turns
`localhost` into https (cli/cli#650), or a VPN between Windows and WSL (microsoft/WSL#8905).

Source: RFC 8252 §7.3 (code), RFC 8628 (device).
"""

from __future__ import annotations

from loopback_auth.flow_table import BY_NAME, CHOOSABLE, POLLED, REDIRECTING
from loopback_auth.plan.derived_signals import derived_signals
from loopback_auth.plan.facts import facts_of, place_of
from loopback_auth.plan.model import (
    ASKED,
    AT_ONCE,
    LIKELY,
    NO,
    UNKNOWN,
    UNLIKELY,
    UNVISITED,
    YES,
    Capabilities,
    Plan,
    Route,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Set

    from loopback_auth.plan.derived_signals import Traits
    from loopback_auth.plan.model import Facts, Surroundings

VISIT_SECONDS = 10.0
"""Seconds for a started browser to visit our start page; a browser that was not running needs five."""
VISIT_SECONDS_BY_HAND = 20.0
"""The same when the person has to open the link, or when Windows starts the browser for WSL."""

RETURN_SECONDS = 40.0
"""Seconds after a visit to our start page until the next flow is opened: longer than most people need for a
password, a second factor and the approval."""

NO_SECRET = "The server requires a client secret to exchange the code, and none is set."
_NO_TICKET = "No ticket contract is known for this provider."

DECLARED = tuple(dict.fromkeys(("issuer", *(name for flow in CHOOSABLE for name in BY_NAME[flow].needs))))
"""What must be known about a provider for a flow to be possible."""

NOT_ALLOWED = "It is not among the allowed flows."
NO_TERMINAL_TO_CONFIRM = "There is no terminal to confirm the account on."
NO_TERMINAL_TO_PASTE = "There is no terminal to paste an address into."
NOBODY_CONFIRMS = "Anyone could approve it, and this program does not check whose account it was."
NOBODY_PASTES = "This program does not ask for the address."
PARAMETERS = {
    NOT_ALLOWED: "allowed_flows",
    NO_TERMINAL_TO_CONFIRM: "confirm",
    NOBODY_CONFIRMS: "confirm",
    NOBODY_PASTES: "paste",
    NO_SECRET: "client_secret",
}
"""The parameter that a reason is about, as in `LoopbackAuthError`; the others are about the machine."""

_SAID = {
    "flag": "{} was given",
    "environment": "{} says so",
    "file": "the configuration file says so",
    "preset": "the preset says so",
}
"""Clauses for the origin of an override, by its first word; any other origin is a clause already."""

_REACHES_US = {
    YES: "Your browser can come back to this machine",
    LIKELY: "Your browser can probably come back to this machine",
    UNKNOWN: "Your browser may be able to come back to this machine",
    UNLIKELY: "Your browser can come back only if it can reach a port of this machine",
}


def plan(
    surroundings: Surroundings,
    capabilities: Capabilities,
    *,
    overrides: Mapping[str, tuple[str, str]],
    allowed: Collection[str] = CHOOSABLE,
    unconfirmed: bool = False,
) -> Plan:
    """Choose the flows with which to sign in here.

    Args:
        surroundings: what was detected.
        capabilities: what the provider and the client allow.
        overrides: name of a fact to level and origin; they take precedence over what was detected.
        allowed: flows that may be chosen.
        unconfirmed: a sign-in that anybody can approve may be kept without a person who confirms the account.
    """
    traits = derived_signals(surroundings)
    facts, place = facts_of(surroundings, traits, overrides), place_of(traits)
    why_not = _why_not(surroundings, traits, facts, overrides)
    patience = VISIT_SECONDS_BY_HAND if why_not or place.name.startswith("wsl") else VISIT_SECONDS
    refused = _refused(facts, capabilities, allowed, overrides, unconfirmed=unconfirmed)
    return Plan(
        place=place,
        facts=facts,
        routes=_routes(facts, refused, overrides, patience),
        refused=refused,
        opens=not why_not,
        why_not=why_not,
        start_page=facts.reaches.level != NO,
        patience=patience,
        second_look=RETURN_SECONDS,
    )


def _why_not(
    surroundings: Surroundings, traits: Traits, facts: Facts, overrides: Mapping[str, tuple[str, str]]
) -> str:
    """Return why no browser is started; empty when one is."""
    opens = facts.opens
    if traits["text_browser"]:
        # A text browser never gets the terminal, even if the person overrides the fact.
        return f"BROWSER names a text browser, {traits['text_browser']}"
    if traits["print_only"]:
        return f"BROWSER is set to {traits['print_only']}"
    wanted = opens.level in (YES, LIKELY) or (opens.level == UNKNOWN and surroundings.openers)
    return "" if wanted else _clause("opens", facts, overrides)


def _clause(name: str, facts: Facts, overrides: Mapping[str, tuple[str, str]]) -> str:
    """Return the reason of a fact as a clause, without file paths."""
    reason: str = getattr(facts, name).because[0]
    kind, _, place = reason.partition(" ")
    return _SAID[kind].format(place) if name in overrides and kind in _SAID else reason


def _refused(
    facts: Facts,
    capabilities: Capabilities,
    allowed: Collection[str],
    overrides: Mapping[str, tuple[str, str]],
    *,
    unconfirmed: bool,
) -> dict[str, str]:
    """Return the flows that are not used, each with one sentence."""
    unreachable = f"Your browser cannot come back to this machine: {_clause('reaches', facts, overrides)}."
    here = dict.fromkeys(REDIRECTING, unreachable if facts.reaches.level == NO else "")
    here |= dict.fromkeys(
        POLLED, NO_TERMINAL_TO_CONFIRM if facts.person.level == NO and not unconfirmed else ""
    )
    here["paste"] = "" if facts.person.level in (YES, LIKELY) else NO_TERMINAL_TO_PASTE
    refused: dict[str, str] = {}
    for flow in CHOOSABLE:
        why = capabilities.refused.get(flow, "") if flow in allowed else NOT_ALLOWED
        if why := why or here[flow]:
            refused[flow] = why
    return refused


def _routes(
    facts: Facts, refused: Mapping[str, str], overrides: Mapping[str, tuple[str, str]], patience: float
) -> tuple[Route, ...]:
    """Return the remaining flows in order, each with the moment at which it starts."""
    open_ = [flow for flow in CHOOSABLE if flow not in refused]
    reaches, because = facts.reaches.level, _clause("reaches", facts, overrides)
    elsewhere = [flow for flow in open_ if flow in POLLED]
    hopeful = "code" in open_ and reaches in (YES, LIKELY)
    doubtful = "code" in open_ and reaches == UNKNOWN
    late = f"if no browser opens the link within {patience:.0f} seconds"
    back = f", or none comes back from the server within {RETURN_SECONDS:.0f}"
    routes: list[Route] = []
    if "code" in open_:
        routes.append(Route("code", AT_ONCE, f"{_REACHES_US[reaches]}: {because}."))
    if elsewhere:
        approve = "You can approve in any browser"
        one = Route(elsewhere[0], UNVISITED, f"{approve}, {late}{back}.")
        if not hopeful:
            one = Route(elsewhere[0], AT_ONCE, f"{approve}.")
        routes.insert(1 if hopeful or doubtful else 0, one)
    routes += [Route(flow, ASKED, f"This flow begins if the {elsewhere[0]} fails.") for flow in elsewhere[1:]]
    if "paste" in open_:
        routes.append(_paste(elsewhere, hopeful or doubtful, late))
    return tuple(routes)


def _paste(elsewhere: Collection[str], code_first: bool, late: str) -> Route:
    paste = "You can paste the address on which your browser ends"
    if elsewhere:
        return Route("paste", ASKED, f"{paste}, if you ask for it.")
    if code_first:
        return Route("paste", UNVISITED, f"{paste}, {late}.")
    return Route("paste", AT_ONCE, f"{paste}: that works from any machine.")


def parameters_of(refused: Mapping[str, str]) -> str:
    """Return what can be changed so that a refused flow is used, as in `LoopbackAuthError.parameter`."""
    return " ".join(dict.fromkeys(PARAMETERS[why] for why in refused.values() if why in PARAMETERS))


def capabilities(
    known: Set[str], *, client_secret_missing: bool = False, any_port: bool = True
) -> Capabilities:
    """Return the impossible flows with their reasons; with an issuer, its metadata may still have endpoints.

    Args:
        known: those of `DECLARED` that are known. With an issuer, its metadata may name the others.
        client_secret_missing: the token request with a code needs a secret that is not set; a device code
            does not.
        any_port: the redirect URI may have any port.
    """
    refused = {flow: _missing(flow, known, client_secret_missing) for flow in CHOOSABLE}
    return Capabilities({flow: why for flow, why in refused.items() if why}, any_port=any_port)


def _missing(flow: str, known: Set[str], client_secret_missing: bool) -> str:
    """Say what the flow lacks; empty: nothing."""
    traits = BY_NAME[flow]
    for name in traits.needs:
        if name in known or (name != "ticket" and "issuer" in known):
            continue
        if name == "ticket":
            return _NO_TICKET
        words = name.replace("_", " ")
        return f"Neither {'an' if words[0] in 'aeiou' else 'a'} {words} nor an issuer is known."
    return NO_SECRET if client_secret_missing and traits.brings_code else ""
