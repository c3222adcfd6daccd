"""Servers outside that lead inside: refused before a person is troubled, unless the host is allowed by name.

No public server can be reached from a test. So that the one on this machine counts as one, it is told that a
public one was seen, and allowed to be where it is.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace

import pytest
from patience import SOON
from renewing import sign_in_at, token_endpoint

from loopback_auth.api import login
from loopback_auth.demo.run_agent import run_agent
from loopback_auth.demo.serve import serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import TransportError
from loopback_auth.events import silent
from loopback_auth.flow_table import FlowName
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Network, Provider, ServerMetadata
from loopback_auth.signin.logout import logout
from loopback_auth.signin.refresh import renew
from loopback_auth.signin.two_step import begin, resume
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.store.pending_sign_in import from_json, to_json

OUTSIDE = Network(public=True, allow_private=("127.0.0.1",))


class Watched(DemoServer):
    """A demo server that remembers which paths were asked for, and answers to localhost, too.

    Args:
        issuer: its own address.
        page: the host where a person approves.
    """

    def __init__(self, issuer: str, page: str = "127.0.0.1") -> None:
        super().__init__(issuer, entropy=secrets.token_bytes)
        self._page = page
        self.asked: list[str] = []

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Note the path, and answer."""
        self.asked.append(request.url.partition("?")[0])
        headers = tuple((name, value.replace("localhost:", "127.0.0.1:")) for name, value in request.headers)
        answer = super().handle(replace(request, headers=headers), now)
        if self.asked[-1] != "/device_authorization":
            return answer
        return replace(answer, body=answer.body.replace(b"127.0.0.1", self._page.encode()))


def client_of(
    issuer: str, network: Network, page: str = "127.0.0.1", token: str = "localhost"
) -> ClientConfig:
    """Make a client of a server whose endpoints have names of their own."""
    metadata = ServerMetadata(
        authorization_endpoint=f"{issuer.replace('127.0.0.1', page)}/authorize",
        token_endpoint=f"{issuer.replace('127.0.0.1', token)}/token",
        device_authorization_endpoint=f"{issuer}/device_authorization",
    )
    return ClientConfig(Provider("demo", metadata, network=network), "loopback-auth-demo")


async def signed_in(
    network: Network, flow: FlowName, *, page: str = "127.0.0.1", token: str = "localhost"
) -> tuple[list[str], Network | TransportError]:
    """Sign in; return what the server was asked for, and what came of it."""
    made: list[Watched] = []
    user = SimulatedUser()

    def factory(issuer: str) -> Watched:
        made.append(Watched(issuer, page))
        return made[-1]

    async with asyncio.timeout(SOON), serve_demo(server_factory=factory) as demo:
        client = client_of(demo.issuer, network, page, token)
        try:
            sign_in = await login(client, flow=flow, open_browser=user.open, notify=silent)
        except TransportError as exc:
            return made[-1].asked, exc
        finally:
            await user.done()
        return made[-1].asked, sign_in.network


@pytest.mark.parametrize("flow", ["code", "device"])
async def test_endpoint_inside_is_refused_before_the_browser_is_sent_away(flow: FlowName) -> None:
    """Afterwards the person has approved, and the code is spent."""
    asked, error = await signed_in(OUTSIDE, flow)

    assert isinstance(error, TransportError)
    assert error.parameter == "allow_private"
    assert not {"/authorize", "/device", "/token"} & set(asked)


@pytest.mark.parametrize("flow", ["code", "device"])
async def test_browser_is_not_sent_to_a_name_that_leads_inside(flow: FlowName) -> None:
    """No look-up of ours stands between a browser and where a name leads (RFC 9728 §7.7)."""
    asked, error = await signed_in(OUTSIDE, flow, page="localhost", token="127.0.0.1")

    assert isinstance(error, TransportError)
    assert error.parameter == "allow_private"
    assert not {"/authorize", "/device", "/token"} & set(asked)


async def test_endpoint_inside_is_used_when_its_host_is_allowed() -> None:
    """Split name servers and private links are no attack; what is known of them is kept with the tokens."""
    allowed = replace(OUTSIDE, allow_private=("127.0.0.1", "LOCALHOST."))
    asked, network = await signed_in(allowed, "code")

    assert "/token" in asked
    assert network == allowed


async def test_refresh_token_is_not_sent_inside_by_a_later_process() -> None:
    """The name of the server may lead elsewhere by then (RFC 9728 §7.7)."""
    async with asyncio.timeout(SOON), token_endpoint() as (server, sign_in):
        kept = replace(sign_in, network=Network(public=True))
        store = MemoryTokenStore()
        store.save(kept)
        with pytest.raises(TransportError, match="is a private address"):
            await renew(kept, store=store)
        seen = server.sent

    assert seen == []


async def test_what_is_allowed_later_counts_and_is_kept() -> None:
    """The server has moved, or the company has got an authority of its own, since the person signed in."""

    async def main() -> Network:
        async with asyncio.timeout(SOON), token_endpoint() as (_, sign_in):
            kept = replace(sign_in, network=Network("old.pem", public=True, allow_private=("other.example",)))
            store = MemoryTokenStore()
            store.save(kept)
            given = Network(allow_private=("127.0.0.1",))
            return (await renew(kept, store=store, network=given)).network

    assert await main() == Network("old.pem", public=True, allow_private=("other.example", "127.0.0.1"))


def test_certificate_of_now_comes_with_its_own_key() -> None:
    """A new certificate and an old key do not belong together."""
    kept = Network("a.pem", "old.pem", "old.key", public=True)

    assert kept.updated(Network(client_cert="new.pem")) == Network("a.pem", "new.pem", "", public=True)
    assert kept.updated(Network(ca_file="b.pem")) == Network("b.pem", "old.pem", "old.key", public=True)


async def test_tokens_are_not_sent_inside_to_be_revoked() -> None:
    """They are still good."""
    async with asyncio.timeout(SOON), serve_demo() as demo:
        kept = replace(sign_in_at(demo.issuer), network=Network(public=True))
        kept = replace(kept, metadata=replace(kept.metadata, revocation_endpoint=f"{demo.issuer}/revoke"))
        store = MemoryTokenStore()
        store.save(kept)
        with pytest.raises(TransportError, match="is a private address"):
            await logout(kept, store=store)


async def test_sign_in_in_two_steps_looks_before_the_first_and_remembers_at_the_second() -> None:
    """What the first process has seen of the server is known to the second."""
    async with asyncio.timeout(SOON), serve_demo(server_factory=Watched) as demo:
        with pytest.raises(TransportError, match="cannot be used"):
            await begin(client_of(demo.issuer, OUTSIDE), "paste")
        allowed = replace(OUTSIDE, allow_private=("127.0.0.1", "localhost"))
        handed = await begin(client_of(demo.issuer, allowed), "device")
        handed = from_json(type(handed), to_json(handed), handed.handle)
        assert handed.client.provider.network == allowed
        await run_agent(handed.url, user_code=handed.user_code)
        sign_in = await resume(handed, save=lambda _: None)
        assert sign_in.network == allowed
