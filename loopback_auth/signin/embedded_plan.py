"""Plan a sign-in for a program that embeds the package: it has a client and no settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from loopback_auth.environment import look_around
from loopback_auth.flow_table import APPROVED_BY_ANYBODY, CHOOSABLE
from loopback_auth.model import ClientConfig
from loopback_auth.plan.capabilities import DECLARED, capabilities
from loopback_auth.plan.model import LIKELY, NO, YES, Capabilities, Plan
from loopback_auth.plan.routes import plan

NOBODY_CONFIRMS = "Anyone could approve it, and this program does not check whose account it was."


def planned(
    client: ClientConfig,
    flow: str | None = None,
    allowed: Sequence[str] = CHOOSABLE,
    *,
    opener: bool = False,
    pastes: bool = False,
    confirms: bool = False,
) -> Plan:
    """Plan a sign-in for a program that embeds the package.

    Args:
        client: the client, with its provider.
        flow: the only flow; None: choose.
        allowed: the flows to choose from.
        opener: the program opens pages itself.
        pastes: the program can ask a person for an address.
        confirms: the program asks whose account it is. Without that, flows that another person could approve
            are used only if `flow` names them.
    """
    overrides = {"person": (YES, "the program can ask") if pastes else (NO, "this program does not ask you")}
    if opener:
        overrides |= {
            "opens": (YES, "the program opens pages"),
            "reaches": (LIKELY, "the program opens pages"),
        }
    provider = client.provider
    known = {name for name in DECLARED if getattr(provider.metadata, name, None) is not None}
    known |= {"ticket"} if provider.ticket is not None else set()
    takes_secret = provider.client_auth in ("client_secret_basic", "client_secret_post")
    able = capabilities(
        known,
        client_secret_missing=takes_secret and client.client_secret is None,
        any_port=provider.redirect.ports == (0,),
    )
    if not confirms:
        able = Capabilities(
            {**dict.fromkeys(APPROVED_BY_ANYBODY, NOBODY_CONFIRMS), **able.refused}, any_port=able.any_port
        )
    surroundings = look_around(os.environ, stdin=sys.stdin, stderr=sys.stderr)
    # `confirms` says what follows if no person is at the terminal.
    chosen = plan(surroundings, able, overrides=overrides, allowed=tuple(allowed), unconfirmed=True)
    return chosen.only(flow) if flow is not None else chosen
