"""The address on which a browser ends that cannot reach this machine: what its user copies."""

from __future__ import annotations

from urllib.parse import urlsplit

from loopback_auth.demo.run_agent import run_agent
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.effects import Observer
from loopback_auth.errors import TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse


class _AddressBar(Observer):
    shown = ""

    def browsed(
        self, request: HttpRequest, answer: HttpResponse | None, *, address: str, begun: float, ended: float
    ) -> None:
        self.shown = address or self.shown


async def pasted_by(user: SimulatedUser, url: str) -> str:
    """Return what the address bar shows when the user has approved."""
    bar = _AddressBar()
    parts = urlsplit(url)
    try:
        await run_agent(url, decision=user.decision, observer=bar, reaches=f"{parts.scheme}://{parts.netloc}")
    except TransportError:
        return bar.shown
    raise AssertionError("The browser could reach this machine.")
