"""Every flow through the door for programs, on real sockets, against the demonstration server."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from functools import partial

import demo_client
import pytest
from patience import SOON

from loopback_auth.api import login
from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.demo.agent import PROGRAM, browse
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.demo.serve import serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import AttemptCancelled, ConfigError, EndpointMissing, Unavailable
from loopback_auth.events import Event, PasteReady, VerificationPrompted, Warned, silent
from loopback_auth.flow_table import FlowName
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.protocol.paste import Pasted, pasted_callback
from loopback_auth.signin import session
from loopback_auth.signin.embedded_plan import planned
from loopback_auth.signin.logout import logout
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn

pytestmark = pytest.mark.slow

SIGNER = rsa_signer()

client = partial(demo_client.client, scope="openid email")


def signing(issuer: str) -> DemoServer:
    """Make a demo server whose device codes may be polled quickly."""
    return DemoServer(issuer, entropy=os.urandom, signer=SIGNER, device_interval=1)


FLOWS: tuple[FlowName, ...] = (
    "code",
    "token",
    "id_token",
    "id_token token",
    "code id_token",
    "ticket",
    "device",
)


@pytest.mark.parametrize("flow", FLOWS)
async def test_flow_signs_in_and_is_kept(flow: FlowName) -> None:
    """One door for all of them, and what comes out can be used afterwards."""
    user, store = SimulatedUser(), MemoryTokenStore()
    async with serve_demo(server_factory=signing) as demo, asyncio.timeout(SOON):
        sign_in = await login(
            client(demo.issuer),
            store=store,
            flow=flow,
            open_browser=user.open,
            notify=silent,
        )
        await user.done()

    assert sign_in.tokens.account == "demo@example.com"
    assert store.load("demo") == sign_in
    assert bool(sign_in.tokens.access_token) is (flow != "id_token")


@pytest.mark.parametrize("vendor", ["npm", "heroku", "stripe", "doppler"])
async def test_ticket_of_another_vendor_signs_in(vendor: str) -> None:
    """The contracts are data; none of them needs code of its own."""
    user = SimulatedUser()
    async with serve_demo(server_factory=signing) as demo, asyncio.timeout(SOON):
        sign_in = await login(client(demo.issuer, vendor), flow="ticket", open_browser=user.open)
        await user.done()

    tokens = sign_in.tokens

    assert tokens.access_token
    assert tokens.account in ("demo@example.com", "Demo Account")


async def test_ticket_without_a_page_of_ours_opens_the_vendors() -> None:
    """Where no port can be had, or none is wanted, the approval page is opened itself."""
    user = SimulatedUser()
    events: list[Event] = []
    async with serve_demo(server_factory=signing) as demo, asyncio.timeout(SOON):
        await session.sign_in(
            client(demo.issuer),
            planned(client(demo.issuer), "ticket"),
            start_page=False,
            open_browser=user.open,
            notify=events.append,
        )
        await user.done()

    invited = [event for event in events if isinstance(event, VerificationPrompted)]

    assert [event.opened_with for event in invited] == [PROGRAM]


@pytest.mark.parametrize("plain", [False, True])
async def test_unwanted_account_is_not_kept(plain: bool) -> None:
    """Whoever learns a pending ticket can approve it with an account of their own (RFC 6749 §10.16)."""

    def no(sign_in: SignIn) -> bool:
        assert sign_in.tokens.account == "demo@example.com"
        return False

    async def no_later(sign_in: SignIn) -> bool:
        return no(sign_in)

    not_me = no if plain else no_later

    user, store = SimulatedUser(), MemoryTokenStore()
    async with serve_demo(server_factory=signing) as demo, asyncio.timeout(SOON):
        with pytest.raises(AttemptCancelled, match=r"demo@example\.com"):
            await login(
                client(demo.issuer), store=store, flow="ticket", open_browser=user.open, confirm=not_me
            )
        await user.done()

    assert store.names() == ()


async def test_logout_gives_a_tickets_token_up_in_the_vendors_way() -> None:
    """Netlify's own client forgets the token and leaves it valid (netlify/cli#1123)."""
    user, store = SimulatedUser(), MemoryTokenStore()
    async with serve_demo(server_factory=signing) as demo, asyncio.timeout(SOON):
        sign_in = await login(client(demo.issuer), store=store, flow="ticket", open_browser=user.open)
        await user.done()
        token = sign_in.tokens.access_token
        before = demo.server.active(token, sign_in.tokens.obtained_at)
        revoked = await logout(sign_in, store=store)
        seen = before, revoked, demo.server.active(token, sign_in.tokens.obtained_at)

    assert seen == (True, True, False)


async def test_redirect_still_counts_when_nobody_can_paste() -> None:
    """Without a terminal the paste is out, but the browser may reach us all the same."""

    async def nobody(_request: AuthorizationRequest) -> Callback:
        raise Unavailable("There is no terminal.", hint="Use one.")

    user = SimulatedUser()
    events: list[Event] = []

    def notify(event: Event) -> None:
        events.append(event)
        if isinstance(event, PasteReady):
            user.open(event.url)

    async with serve_demo(server_factory=signing) as demo, asyncio.timeout(SOON):
        await login(client(demo.issuer), flow="paste", paste=nobody, notify=notify)
        await user.done()

    warnings = [event.text for event in events if isinstance(event, Warned)]

    assert any("There is no terminal." in text for text in warnings)


async def test_pasted_answer_counts_when_the_browser_cannot_reach_us() -> None:
    """The point of pasting: the redirect never arrives."""
    links: list[str] = []

    def elsewhere(event: Event) -> None:
        if isinstance(event, PasteReady):
            links.append(event.url)

    async with serve_demo(server_factory=signing) as demo, asyncio.timeout(SOON):

        async def paste(request: AuthorizationRequest) -> Callback:
            user = browse(links[0])
            step = next(user)
            while not step.url.startswith(request.redirect_uri):
                step = user.send(demo.server.handle(step, time.time()))
            verdict = pasted_callback(step.url, request)
            assert isinstance(verdict, Pasted)
            return verdict.callback

        signed_in = await login(client(demo.issuer), flow="paste", paste=paste, notify=elsewhere)

    assert signed_in.tokens.account == "demo@example.com"


async def test_missing_contract_is_told_before_anything_happens() -> None:
    """It is not worth opening a browser for."""
    user = SimulatedUser()
    async with serve_demo(server_factory=signing) as demo:
        known = client(demo.issuer)
        without = replace(known, provider=replace(known.provider, ticket=None))
        with pytest.raises(EndpointMissing):
            await login(without, flow="ticket", open_browser=user.open)
    assert user.links == []


async def test_endpoint_that_was_given_by_hand_is_checked() -> None:
    """An embedding tool may have got it from somebody else's file."""
    user = SimulatedUser()
    metadata = ServerMetadata(
        authorization_endpoint="https://as.example/authorize", token_endpoint="http://as.example/token"
    )
    with pytest.raises(ConfigError, match="token_endpoint"):
        await login(ClientConfig(Provider("x", metadata), "id"), open_browser=user.open)
    assert user.links == []


async def test_source_says_that_a_flow_brings_no_access_token() -> None:
    """An empty string would be sent as if it were one."""
    user = SimulatedUser()
    async with serve_demo(server_factory=signing) as demo, asyncio.timeout(SOON):
        source = TokenSource(
            client(demo.issuer), store=MemoryTokenStore(), flow="id_token", open_browser=user.open
        )
        with pytest.raises(ConfigError, match="without an access token"):
            await source.token()
