"""What the plan takes from the settings: facts that the person has set, and what the provider supports.

This module is loaded before the browser is started, and imports next to nothing.
"""

from __future__ import annotations

from loopback_auth.plan.model import NO, YES
from loopback_auth.plan.routes import DECLARED, capabilities
from loopback_auth.settings import needs_secret, redirect_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_auth.plan.model import Capabilities
    from loopback_auth.settings import Settings

LOGIN_IN_CONTAINER = "login --port {port} --bind 0.0.0.0"
"""The command with which a browser outside of a container reaches the port that the container publishes."""

_WISHES = {"opens": "browser", "reaches": "reachable", "person": "person", "waits": "wait"}
"""Facts, and the switch that overrides each."""


def overrides_of(settings: Settings) -> Mapping[str, tuple[str, str]]:
    """Return the facts that the person has set: name to level and origin; defaults are not among them."""
    overrides: dict[str, tuple[str, str]] = {}
    for fact, name in _WISHES.items():
        value = settings.switch(name)
        if value is not None and settings.origin(name) != "default":
            origin = settings.origin(name) if value else _negative(settings.origin(name))
            overrides[fact] = (YES if value else NO, origin)
    return overrides


def capabilities_of(settings: Settings) -> Capabilities:
    """Return which flows the settings of provider and client allow; the demonstration allows all."""
    known = {name for name in DECLARED if settings.is_demo or settings.text(name)}
    if settings.text("resource_server"):
        known.add("issuer")  # It is found there.
    missing, any_port = needs_secret(settings), redirect_of(settings)[1] == (0,)
    return capabilities(known, client_secret_missing=missing, any_port=any_port)


def _negative(origin: str) -> str:
    # The flag that switches off has another name.
    return origin.replace("flag --", "flag --no-", 1)
