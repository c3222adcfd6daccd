"""What the settings say to the plan: what the person knows better than any detection, and what is declared.

Loaded before the browser is started; imports next to nothing.
"""

from __future__ import annotations

from loopback_auth.plan.capabilities import DECLARED, capabilities
from loopback_auth.plan.model import NO, YES
from loopback_auth.settings import needs_secret, redirect_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_auth.plan.model import Capabilities
    from loopback_auth.settings import Settings

_WISHES = {"opens": "browser", "reaches": "reachable", "person": "person", "waits": "wait"}
"""Facts, and the switch that overrides each."""


def overrides_of(settings: Settings) -> Mapping[str, tuple[str, str]]:
    """Return the facts that the person has decided: name to level, and where that was said.

    A default is nobody's wish.
    """
    overrides: dict[str, tuple[str, str]] = {}
    for fact, name in _WISHES.items():
        value = settings.switch(name)
        if value is not None and settings.origin(name) != "default":
            origin = settings.origin(name) if value else _negative(settings.origin(name))
            overrides[fact] = (YES if value else NO, origin)
    return overrides


def capabilities_of(settings: Settings) -> Capabilities:
    """Say which flows the provider and this client allow, as far as it is declared; the demo allows all."""
    known = {name for name in DECLARED if settings.is_demo or settings.text(name)}
    missing, any_port = needs_secret(settings), redirect_of(settings)[1] == (0,)
    return capabilities(known, client_secret_missing=missing, any_port=any_port)


def _negative(origin: str) -> str:
    # The flag that says no has a name of its own.
    return origin.replace("flag --", "flag --no-", 1)
