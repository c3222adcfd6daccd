"""How the built-in demonstration is signed in to: by the redirect first, or by a simulated person.

Its server is on this machine, so its links can be opened only where the redirect works as well. No other flow
works better there, so the others begin only when the person asks for them. No real account is involved, so a
person can be simulated: a machine without a browser or a person shows a whole sign-in all the same. At no
other server is a person ever simulated.

Loaded before the browser is started; imports next to nothing.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import CHOOSABLE
from loopback_auth.plan.model import ASKED, AT_ONCE, NO, UNLIKELY, YES, Place, Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_auth.plan.model import Plan

LOCAL = "The demonstration runs on this machine, and so does every link to it; it begins when you ask for it."
SIMULATED = "A simulated person approves it at the built-in demonstration."
NO_BROWSER_HERE = (
    "No browser? A simulated person can sign in: python -m loopback_auth login --simulate-person. "
    "The command compare shows every flow that way."
)


def redirect_first(chosen: Plan) -> None:
    """Begin with the redirect alone; if no browser is opened, advise what else there is."""
    code = chosen.route("code")
    if code is not None:
        others = (Route(one.flow, ASKED, LOCAL) for one in chosen.routes if one is not code)
        chosen.routes = (code, *others)
    if not chosen.opens:
        chosen.place = Place(chosen.place.name, chosen.place.title, NO_BROWSER_HERE)


def nobody_to_ask(chosen: Plan, overrides: Mapping[str, tuple[str, str]]) -> str:
    """Return why no person can be asked here; empty if one can, or if the settings decide.

    Args:
        chosen: the plan for a real person.
        overrides: facts that the settings decide: name to level, and where that was set.
    """
    wished = {fact for fact, (level, _) in overrides.items() if level == YES}
    waits = chosen.facts.waits
    if "waits" in overrides or wished & {"opens", "person"}:
        return ""
    if waits.level == NO:
        return waits.reason
    # A person who sets something about the browser has one.
    if waits.level == UNLIKELY and not chosen.opens and not overrides.keys() & {"opens", "reaches"}:
        return f"{waits.reason}, and no browser is opened: {chosen.why_not}"
    return ""


def simulated(chosen: Plan, *, flow: str | None, allowed: tuple[str, ...]) -> Plan:
    """Return the plan for a simulated person, who has a browser on this machine.

    Args:
        chosen: the plan for a real person.
        flow: the only flow; None: the first that is allowed.
        allowed: the flows to choose from.

    Raises:
        ConfigError: the flow needs a person at a terminal.
    """
    flow = flow or next((one for one in CHOOSABLE if one in allowed and one != "paste"), "paste")
    if flow == "paste":
        raise ConfigError(
            "A simulated person has no terminal to paste an address into.", hint="Choose another flow."
        )
    chosen = chosen.only(flow)
    chosen.routes = (Route(flow, AT_ONCE, SIMULATED),)
    return chosen
