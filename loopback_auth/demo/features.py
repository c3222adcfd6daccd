"""What a demo server offers beyond the sign-in itself; its metadata announces exactly what is on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Features:
    """Switches of one demo server, which stay as they are while it runs.

    Args:
        registration: clients can register themselves (RFC 7591) and manage that registration (RFC 7592).
    """

    registration: bool = True
