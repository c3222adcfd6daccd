"""Attacks go to addresses of this machine alone."""

from __future__ import annotations

import asyncio
import secrets
import socket
from dataclasses import replace

import pytest

from loopback_auth.audit.asking import asked
from loopback_auth.audit.examining import examine_servers
from loopback_auth.audit.servers.server import Server
from loopback_auth.audit.this_machine import ElsewhereError, ResolverOfThisMachine, check_here, is_here
from loopback_auth.demo.serve import serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.effects import Flow, Send
from loopback_auth.errors import ConfigError, TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.network.transport import Transport


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_here(address: str) -> None:
    """Every address of the loopback network."""
    assert is_here(address)


ELSEWHERE = ("192.0.2.1", "8.8.8.8", "2001:db8::1", "::ffff:192.0.2.1", "169.254.169.254")
NO_ADDRESS = ("::", "224.0.0.1", "ff02::1", "", "here", "127.0.0.1.x")


@pytest.mark.parametrize("address", [*ELSEWHERE, *NO_ADDRESS])
def test_other_addresses_are_elsewhere(address: str) -> None:
    """Also those that a careless comparison takes for loopback, and a cloud's metadata."""
    assert not is_here(address)


def test_own_interface_is_here() -> None:
    """The address by which other machines would reach this one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # A datagram socket that is connected sends nothing.
        except OSError:
            pytest.skip("this machine has no network")
        own = probe.getsockname()[0]

    assert is_here(own)


@pytest.mark.parametrize("addresses", [["127.0.0.1", "192.0.2.1"], ["192.0.2.1"], []])
def test_name_with_an_address_elsewhere_is_refused(addresses: list[str]) -> None:
    """One of several is enough: which of them is used is up to the system."""
    with pytest.raises(ElsewhereError):
        ResolverOfThisMachine().judge("as.example", addresses)


@pytest.mark.parametrize("url", ["https://192.0.2.1", "https://nowhere.invalid", "", "https://"])
def test_server_elsewhere_is_refused_before_anything_is_sent(url: str) -> None:
    """It is not even connected to."""
    with pytest.raises(ConfigError) as refused:
        asyncio.run(check_here(url))

    assert refused.value.hint


def test_redirect_leads_no_attack_elsewhere() -> None:
    """Every connection is judged by its address, whatever has named it."""

    def flow() -> Flow[HttpResponse]:
        return (yield from Send(HttpRequest("GET", "https://192.0.2.1/"), step="page"))

    async def run() -> None:
        async with Transport(environ={}, resolver=ResolverOfThisMachine()) as transport:
            await asked(flow(), transport)

    with pytest.raises(TransportError, match="not on this machine"):
        asyncio.run(run())


def test_no_more_requests_are_made_than_allowed() -> None:
    """A server that always leads on does not get a flood."""

    def flow() -> Flow[int]:
        failed = 0
        for _ in range(5):
            try:
                yield from Send(HttpRequest("GET", "http://127.0.0.1:9/"), step="page")
            except TransportError as exc:
                failed += "requests were made already" in exc.message
        return failed

    async def run() -> int:
        async with Transport(environ={}) as transport:
            return await asked(flow(), transport, most=2)

    assert asyncio.run(run()) == 3


class Misleading(DemoServer):
    """A server on this machine whose token endpoint is on another one."""

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Name the other machine in the metadata."""
        answer = super().handle(request, now)
        elsewhere = answer.body.replace(f"{self.issuer}/token".encode(), b"https://192.0.2.1/token")
        return replace(answer, body=elsewhere) if ".well-known" in request.url else answer


async def test_server_here_leads_no_question_elsewhere() -> None:
    """The person has named this machine, and not what the metadata of a server on it name."""
    serving = serve_demo(server_factory=lambda issuer: Misleading(issuer, entropy=secrets.token_bytes))
    async with serving as demo:
        client = ClientConfig(Provider("here", ServerMetadata(demo.issuer)), "")
        comparison = await examine_servers([Server("here", client)])
    (run,) = comparison.runs
    said = [one.because for one in run.findings if "192.0.2.1" in one.because]

    assert run.outcome == "examined"
    assert any("not on this machine" in one for one in said)
