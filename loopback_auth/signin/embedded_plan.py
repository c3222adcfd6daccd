"""Work out how to sign in here for a program that embeds us, which has a client and no settings."""

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

NOBODY_CONFIRMS = (
    "Anyone could approve it, and this program does not check whose account it was: pass confirm."
)


def planned(
    client: ClientConfig,
    flow: str | None = None,
    allowed: Sequence[str] = CHOOSABLE,
    *,
    opener: bool = False,
    pastes: bool = False,
    confirms: bool = False,
) -> Plan:
    """Plan a sign-in for a program that embeds us.

    Args:
        client: who asks, at which provider.
        flow: the only one that is wanted; None: choose.
        allowed: to be chosen from.
        opener: the caller has its own way to open a page.
        pastes: the caller can ask a person for an address.
        confirms: the caller asks whose account it was; without that, a flow that anybody could approve is
            not opened but where it is wanted by name.
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
    # What it means that nobody is at the terminal is said by `confirms`.
    chosen = plan(surroundings, able, overrides=overrides, allowed=tuple(allowed), unconfirmed=True)
    return chosen.only(flow) if flow is not None else chosen
