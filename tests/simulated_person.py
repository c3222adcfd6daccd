"""The person of the tests that sign in on real sockets, and the client that every demo server knows."""

from __future__ import annotations

import asyncio

from loopback_auth.demo.agent import Decision
from loopback_auth.demo.serve import run_agent
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.events import Event
from loopback_auth.model import ClientConfig, HttpResponse, Provider, ServerMetadata
from loopback_auth.network.browser import Opening


class Person:
    """Follows links with a simulated browser.

    Args:
        decision: which button to press on the consent page.
    """

    def __init__(self, decision: Decision = "approve") -> None:
        self.events: list[Event] = []
        self.links: list[str] = []
        self.visits: list[asyncio.Task[HttpResponse]] = []
        self._decision = decision

    def open(self, url: str) -> Opening:
        """Be an opener of browsers."""
        self.visit(url)
        return Opening(program="agent")

    def visit(self, url: str, user_code: str = "") -> None:
        """Follow a link."""
        self.links.append(url)
        self.visits.append(asyncio.create_task(run_agent(url, decision=self._decision, user_code=user_code)))

    async def page(self) -> str:
        """Return the text of the page where the last browser has ended."""
        return (await self.visits[-1]).body.decode()

    async def done(self) -> None:
        """Wait until every browser has its last page, or none at all."""
        await asyncio.gather(*self.visits, return_exceptions=True)


def client(issuer: str, vendor: str = "netlify", *, scope: str = "profile email") -> ClientConfig:
    """Make the client that every demo server knows."""
    contract = demo_contract(vendor, issuer, binding=vendor == "netlify")
    provider = Provider("demo", ServerMetadata(issuer=issuer), ticket=contract)
    return ClientConfig(provider, "loopback-auth-demo", scope=scope)
