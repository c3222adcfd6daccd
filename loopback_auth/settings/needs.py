"""What a person has to bring for a provider: a registration, a client secret, or nothing."""

from __future__ import annotations

from loopback_auth.settings import Settings, needs_secret, resolve
from loopback_auth.settings.checks import TICKETS_FOR_CLIENTS, has_other_way, needs_client_id, registers

NOTHING = "nothing to register"


def needs_of(settings: Settings) -> str:
    """Return what has to be brought for a provider, as a phrase."""
    if registers(settings):
        return "nothing to register, where the server lets programs register themselves"
    if not needs_client_id(settings):
        return NOTHING
    if not needs_secret(settings):
        return "client ID" if settings.text("client_secret") else "client ID, no client secret"
    if not has_other_way(settings):
        return "client ID and client secret"
    if vendor := settings.text("ticket"):
        if vendor in TICKETS_FOR_CLIENTS:
            return "client ID and client secret; by ticket, the client ID alone"
        return "client ID and client secret; by ticket, nothing"
    if settings.text("device_authorization_endpoint"):
        return "client ID and client secret; by device code, the client ID alone"
    return "client ID and client secret"


def known_needs(name: str) -> str:
    """Return what has to be brought for a provider that is known by name."""
    return needs_of(resolve(provider=name, flags={}, environ={}, config={}, config_path=""))
