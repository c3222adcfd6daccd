"""Plan a sign-in for a command, which has settings; `embedded_plan` does it for a program, which has none.

Called before the browser is started; imports next to nothing.
"""

from __future__ import annotations

import os
import sys

from loopback_auth.environment import look_around
from loopback_auth.errors import ConfigError, EndpointMissing, NoFlowAvailable, Unavailable
from loopback_auth.flow_table import APPROVED_BY_ANYBODY, CHOOSABLE, POLLED
from loopback_auth.plan.model import NO, UNKNOWN, UNLIKELY, confirmation_needed
from loopback_auth.plan.routes import parameters_of, plan
from loopback_auth.settings import needs_secret
from loopback_auth.settings.overrides import capabilities_of, overrides_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_auth.plan.model import Plan, Surroundings
    from loopback_auth.settings import Settings


def plan_for(settings: Settings, *, unconfirmed: bool, simulate: bool | None = False) -> Plan:
    """Plan a sign-in by the settings.

    Args:
        settings: of the provider and the client; what they say of this machine overrides what was detected.
        unconfirmed: keep the sign-in even if no person has confirmed the account.
        simulate: let a simulated person sign in, at the demonstration only; None: if no person can be asked.

    Raises:
        ConfigError: the chosen flow is not allowed, or needs a person who confirms the account; or a
            simulated person was chosen for a real server.
        NoFlowAvailable: no flow can work; the error lists the reasons.
        Unavailable: this is no place to wait for a person, such as a CI job.
    """
    flow = settings.text("flow")
    check_allowed(settings, flow)
    _check_asked(settings, flow)
    overrides = overrides_of(settings)
    chosen = _chosen(settings, overrides, unconfirmed=unconfirmed)
    if settings.is_demo:
        chosen = _demonstrated(settings, chosen, overrides, unconfirmed=unconfirmed, simulate=simulate)
    elif simulate:
        raise ConfigError(
            f"A simulated person signs in to the built-in demonstration only, not to {settings.name}.",
            hint="Leave --simulate-person out.",
        )
    if chosen.simulated:
        return chosen
    if chosen.facts.waits.level == NO:
        # The place has no part in it where a setting says so.
        advice = "" if "waits" in overrides else chosen.place.advice
        hint = f"{advice} To wait all the same: --wait."
        if not settings.is_demo:
            hint += (
                " For two steps: python -m loopback_auth start --json with the same arguments, then finish."
            )
        raise Unavailable(f"Not waiting for a login: {chosen.facts.waits.reason}.", hint=hint.strip())
    if flow is not None:
        chosen = chosen.only(flow)
        _check_confirmed(chosen, flow, unconfirmed=unconfirmed)
    if not chosen.routes:
        from loopback_auth.settings.checks import SECRET_HINT  # Start-up.

        raise NoFlowAvailable(
            dict(chosen.refused),
            hint=SECRET_HINT if needs_secret(settings) else "",
            parameter=parameters_of(chosen.refused),
        )
    chosen.patience = settings.seconds("patience") or chosen.patience
    chosen.second_look = settings.seconds("second_look") or chosen.second_look
    # Without a start page a visit cannot be seen, but a callback can.
    chosen.start_page = chosen.start_page and settings.switch("start_page") is not False
    return chosen


def _demonstrated(
    settings: Settings,
    chosen: Plan,
    overrides: Mapping[str, tuple[str, str]],
    *,
    unconfirmed: bool,
    simulate: bool | None,
) -> Plan:
    """Plan a sign-in to the built-in demonstration."""
    from loopback_auth.signin.demo_plan import nobody_to_ask, redirect_first, simulated  # Start-up.

    flow, why = settings.text("flow"), "--simulate-person was given" if simulate else ""
    if simulate is None and flow != "paste":
        why = nobody_to_ask(chosen, overrides)
    if why:
        chosen = simulated(chosen, flow=flow, allowed=settings.words("allowed_flows"))
        chosen.start_page, chosen.simulated = settings.switch("start_page") is not False, why
        return chosen
    if chosen.facts.reaches.level == NO:
        # Its server is on this machine: no browser could do without reaching it.
        possible = {"reaches": (UNKNOWN, "it is only the demonstration")}
        chosen = _chosen(settings, {**possible, **overrides}, unconfirmed=unconfirmed)
    redirect_first(chosen)
    return chosen


def _chosen(settings: Settings, overrides: Mapping[str, tuple[str, str]], *, unconfirmed: bool) -> Plan:
    return plan(
        surroundings_of(settings),
        capabilities_of(settings),
        overrides=overrides,
        allowed=settings.words("allowed_flows"),
        unconfirmed=unconfirmed,
    )


def surroundings_of(settings: Settings) -> Surroundings:
    """Return what is detected of this machine, with the signals that the settings override."""
    return look_around(os.environ, stdin=sys.stdin, stderr=sys.stderr, overrides=settings.pairs("signal"))


def check_allowed(settings: Settings, flow: str | None) -> None:
    """Refuse a chosen flow that is not allowed.

    Raises:
        ConfigError: the error says where each of the two was set.
    """
    if flow in CHOOSABLE and flow not in settings.words("allowed_flows"):
        raise ConfigError(
            f"The flow {flow} (from {settings.origin('flow')}) is not among those that are allowed "
            f"(from {settings.origin('allowed_flows')}).",
            hint="Leave one of the two out.",
            parameter="flow allowed_flows",
        )


def _check_asked(settings: Settings, flow: str | None) -> None:
    """Refuse parameters that no authorization request may have, and a flow that the provider lacks."""
    if flow in POLLED:
        why = capabilities_of(settings).refused.get("device", "") if flow == "device" else ""
        if why:
            raise EndpointMissing(
                why,
                hint="Give --device-authorization-endpoint, or choose another --flow.",
                parameter="device_authorization_endpoint flow",
            )
        return
    extra, mode = settings.pairs("extra"), settings.text("response_mode")
    if extra or mode is not None:
        # Few people set either, and every import delays the browser.
        from loopback_auth.protocol.request_checks import (
            check_extra,
            check_package,
            check_response_mode,
            is_signed,
        )

        optional = ("audience", "login_hint", "prompt", "resource")
        check_extra(extra, [name for name in optional if settings.get(name)])
        if mode is not None and flow != "paste":
            check_response_mode(flow or "code", mode)
        if mode is not None and is_signed(mode):
            check_package("The authorization response cannot be checked", "response_mode")


def _check_confirmed(chosen: Plan, flow: str, *, unconfirmed: bool) -> None:
    """Refuse a flow that another person could approve, if no person is here to confirm the account."""
    unattended = chosen.facts.person.level in (NO, UNLIKELY)
    if flow in APPROVED_BY_ANYBODY and unattended and not unconfirmed:
        raise ConfigError(
            confirmation_needed(flow),
            hint="Run this in a terminal, or add --yes to accept whichever account approved.",
        )
