"""Plan a sign-in for a program that embeds the package: it has a client and no settings.

Called before the browser is started; imports next to nothing.
"""

from __future__ import annotations

import os
import sys

from loopback_auth.environment import look_around
from loopback_auth.errors import EndpointMissing, Unavailable
from loopback_auth.flow_table import APPROVED_BY_ANYBODY, CHOOSABLE, POLLED
from loopback_auth.plan.model import LIKELY, NO, YES, Capabilities
from loopback_auth.plan.routes import DECLARED, NOBODY_CONFIRMS, NOBODY_PASTES, capabilities, plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from loopback_auth.model import ClientConfig
    from loopback_auth.plan.model import Plan


def not_waiting(chosen: Plan, why: str = "") -> Unavailable:
    """Return the error for a place where the program must not wait for a user.

    Args:
        chosen: the plan.
        why: what has been tried to reach a user, as a clause; empty: nothing.
    """
    hint = f"{chosen.place.advice} The program can also be told to wait for a user.".strip()
    return Unavailable(
        f"Not waiting for a login: {chosen.facts.waits.reason}{f', and {why}' * bool(why)}.",
        hint=hint,
        parameter="wait",
    )


def link_not_shown(why: str) -> Unavailable:
    """Return the error for a link that no user can see.

    Args:
        why: why no browser was opened, as a clause.
    """
    return Unavailable(
        f"The link cannot be shown: {why}, and no messages are shown.",
        hint="Show the messages of the sign-in, or open the link in a browser.",
        parameter="notify open_browser",
    )


def planned(
    client: ClientConfig,
    flow: str | None = None,
    allowed: Sequence[str] = CHOOSABLE,
    *,
    opener: bool = False,
    opens_here: bool = False,
    pastes: bool = False,
    confirms: bool = False,
    wait: bool | None = True,
) -> Plan:
    """Plan a sign-in for a program that embeds the package.

    Args:
        client: the client, with its provider.
        flow: the only flow; None: choose.
        allowed: the flows to choose from.
        opener: the program opens pages itself.
        opens_here: it opens them on this machine, as the module `webbrowser` does, so that it follows from
            this machine whether the browser can come back.
        pastes: the program can ask the user for an address.
        confirms: the program asks whose account it is. Without that, flows that another person could approve
            are used only if `flow` names them.
        wait: whether the program may wait for a user; None: it follows from this machine.

    Raises:
        EndpointMissing: the provider does not offer the only flow.
    """
    overrides = {"person": (YES, "the program can ask") if pastes else (NO, "this program does not ask you")}
    if wait is not None:
        overrides["waits"] = (YES if wait else NO, f"the program says so (wait={wait})")
    if opener:
        overrides["opens"] = (YES, "the program opens pages")
    if opener and not opens_here:
        overrides["reaches"] = (LIKELY, "the program opens pages")
    able = _capabilities(client)
    if flow in POLLED and (why := able.refused.get(flow, "")):
        lacks = "device_authorization_endpoint" if flow == "device" else "ticket"
        raise EndpointMissing(why, hint="Choose another flow.", parameter=f"flow {lacks}")
    unable = {} if confirms else dict.fromkeys(APPROVED_BY_ANYBODY, NOBODY_CONFIRMS)
    if not pastes:
        unable["paste"] = NOBODY_PASTES
    able = Capabilities({**unable, **able.refused}, any_port=able.any_port)
    surroundings = look_around(os.environ, stdin=sys.stdin, stderr=sys.stderr)
    # `confirms` says what follows if no user is at the terminal.
    chosen = plan(surroundings, able, overrides=overrides, allowed=tuple(allowed), unconfirmed=True)
    return chosen.only(flow) if flow is not None else chosen


def _capabilities(client: ClientConfig) -> Capabilities:
    provider = client.provider
    known = {name for name in DECLARED if getattr(provider.metadata, name, None) is not None}
    known |= {"ticket"} if provider.ticket is not None else set()
    known |= {"issuer"} if client.resource_server else set()  # The resource will name one.
    takes_secret = provider.client_auth in ("client_secret_basic", "client_secret_post")
    return capabilities(
        known,
        client_secret_missing=takes_secret and client.client_secret is None and bool(client.client_id),
        any_port=provider.redirect.ports == (0,),
    )
