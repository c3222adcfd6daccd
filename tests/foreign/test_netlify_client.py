"""Tickets at the demo server: Netlify's own client goes through them as it does at Netlify, and so do we.

Where its client is content, the demo server speaks as the vendor does; and what works with the demo server
for its client works for ours.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from command_line import missing, program

from foreign.conftest import HERE
from loopback_auth.demo.agent import Decision
from loopback_auth.demo.clients import DEMO_CLIENT
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.serve import Demo, demo_thread, factory
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import TicketError
from loopback_auth.events import Event, VerificationPrompted
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.network.browser import Opening
from loopback_auth.signin import session
from loopback_auth.signin.embedded_plan import planned

pytestmark = pytest.mark.foreign

MESSAGE = "Started at 12:00 on this machine"
TICKETS = "/netlify/api/v1/oauth/tickets"
POLL = ("GET", f"{TICKETS}/{{id}}")
EXCHANGE = ("POST", f"{TICKETS}/{{id}}/exchange")
ACCOUNT = "second@example.com"


@dataclass(frozen=True)
class Theirs:
    """Netlify's client under way; it says one JSON object for each thing that it has done."""

    process: subprocess.Popen[str]

    def says(self) -> dict[str, object]:
        """Wait for the next thing."""
        assert self.process.stdout is not None
        said = json.loads(self.process.stdout.readline())
        assert isinstance(said, dict)
        return said


@contextmanager
def theirs(issuer: str, client_id: str = DEMO_CLIENT.client_id) -> Iterator[Theirs]:
    """Run Netlify's client against a server, until the block ends."""
    node = program("node", purpose="Netlify's client")
    if not (HERE / "node_modules" / "@netlify" / "api").is_dir():
        missing("@netlify/api is not installed")
    arguments = [node, str(HERE / "netlify_client.mjs"), urlsplit(issuer).netloc, client_id, MESSAGE]
    environment = {"PATH": os.environ.get("PATH", "")}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield Theirs(process)
        finally:
            process.kill()


def approval(demo: Demo, ticket: dict[str, object], decision: Decision = "approve") -> str:
    """Do what a person does at the page where Netlify sends people; return what the last page says."""
    url = f"{demo.issuer}/netlify/authorize?response_type=ticket&ticket={ticket['id']}"
    user = SimulatedUser(decision, account=ACCOUNT)
    user.open(url)
    return user.page_sync()


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(Faults(approve_after=2), id="approved later"),
        pytest.param(Faults(rate_limited=1, rate_limit_header="X-RateLimit-Reset"), id="rate limited"),
    ],
)
def test_their_client(faults: Faults) -> None:
    """Create, show until authorized, exchange, use: their client finds all it looks for, where it looks."""
    with demo_thread(server_factory=factory(faults=faults)) as demo, theirs(demo.issuer) as client:
        ticket = client.says()
        page = approval(demo, ticket)
        done = client.says()

    assert (ticket["authorized"], ticket["client_id"]) == (False, DEMO_CLIENT.client_id)
    assert "Approved" in page
    assert isinstance(done["token"], str)
    assert isinstance(done["user"], dict)
    assert done["user"]["email"] == ACCOUNT
    assert demo.server.log[POLL] >= 2
    assert demo.server.log[EXCHANGE] == 1


def test_their_client_is_denied() -> None:
    """A denied ticket is unknown from then on, which ends their waiting with an error."""
    with demo_thread() as demo, theirs(demo.issuer) as client:
        approval(demo, client.says(), "deny")
        done = client.says()

    assert (done["failed"], done["status"]) == ("JSONHTTPError", 404)
    assert demo.server.log[EXCHANGE] == 0


def test_their_client_is_unknown() -> None:
    """Their client understands the refusal of a client that nobody has registered."""
    with demo_thread() as demo, theirs(demo.issuer, "nobody") as client:
        done = client.says()

    assert (done["failed"], done["status"]) == ("JSONHTTPError", 401)


@pytest.mark.parametrize("binding", [False, True])
async def test_our_client(binding: bool) -> None:
    """The same conversation by ours: the same requests, and once the polls see the approval, the token."""
    account, log = await ours(Faults(approve_after=1), binding=binding)

    assert account == ACCOUNT
    assert log[POLL] == 2
    assert (log["POST", TICKETS], log[EXCHANGE]) == (1, 1)


async def test_our_client_is_denied() -> None:
    """It ends for us as it does for them."""
    with pytest.raises(TicketError):
        await ours(Faults(), decision="deny")


async def ours(
    faults: Faults, *, binding: bool = False, decision: Decision = "approve"
) -> tuple[str, dict[tuple[str, str], int]]:
    """Sign in by ticket with the real thing; return the account, and what the server was asked."""
    with demo_thread(server_factory=factory(faults=faults)) as demo:
        contract = demo_contract("netlify", demo.issuer, binding=binding)
        provider = Provider("demo", ServerMetadata(issuer=demo.issuer), ticket=contract)
        user = SimulatedUser(decision, account=ACCOUNT)

        def notify(event: Event) -> None:
            if isinstance(event, VerificationPrompted):
                user.visit(event.url)

        try:
            client = ClientConfig(provider, DEMO_CLIENT.client_id)
            kept = await session.sign_in(
                client,
                planned(client, "ticket", opener=True),
                message=MESSAGE,
                notify=notify,
                open_browser=lambda _url: Opening(why_not="it is played by a script"),
                start_page=False,
                timeout=60,
            )
        finally:
            await user.page()
        return kept.tokens.account, demo.server.log
