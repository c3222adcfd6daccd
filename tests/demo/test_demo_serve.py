"""The demo server on real sockets of this machine, and the simulated user agent on real connections."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
from contextlib import closing
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import trustme
from aiohttp import ClientError, ClientSession
from demo_conversation import VERIFIER, request
from patience import SOON

from loopback_auth import words
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.run_agent import run_agent
from loopback_auth.demo.serve import Demo, demo_thread, factory, serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.setup import DEVICE_CODE
from loopback_auth.errors import ConfigError, TransportError

WELL_KNOWN = "/.well-known/oauth-authorization-server"


async def sign_in(demo: Demo) -> tuple[int, dict[str, object]]:
    """Sign in with one listening socket, the agent and one token request."""
    arrived: asyncio.Queue[str] = asyncio.Queue()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.put_nowait((await reader.readline()).split()[1].decode())
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
        )
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(receive, "127.0.0.1", 0) as receiver:
        redirect_uri = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/callback"
        page = await run_agent(f"{demo.issuer}/authorize?{urlencode(request(redirect_uri=redirect_uri))}")
        callback = dict(parse_qsl(urlsplit(await arrived.get()).query))
    form = {
        "grant_type": "authorization_code",
        "code": callback["code"],
        "redirect_uri": redirect_uri,
        "client_id": "loopback-auth-demo",
        "code_verifier": VERIFIER,
    }
    assert page.body == b"ok"
    async with ClientSession() as session, session.post(f"{demo.issuer}/token", data=form) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_sign_in_over_sockets(host: str) -> None:
    """What works in memory works on the wire, on both families."""
    async with serve_demo(host=host) as demo:  # type: ignore[arg-type]
        status, tokens = await sign_in(demo)

    assert (status, tokens["scope"]) == (200, "profile email")


async def test_large_body_is_refused() -> None:
    """A token request never needs more than 64 KiB."""
    async with (
        serve_demo() as demo,
        ClientSession() as session,
        session.post(f"{demo.issuer}/token", data=b"x" * 70_000) as response,
    ):
        status = response.status

    assert status == 413


@pytest.mark.slow
async def test_delay_holds_one_path_back() -> None:
    """Time-outs of a client can be tried against a slow endpoint, while the others stay quick."""
    async with serve_demo(delay={"/token": 60}) as demo, ClientSession() as session:
        async with session.get(demo.issuer + WELL_KNOWN) as response:
            quick = response.status
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), session.post(f"{demo.issuer}/token"):
                pass

    assert quick == 200


async def test_hanging_path_is_never_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client needs a time-out of its own; the server still goes down at once, and has seen nothing."""
    monkeypatch.setattr("loopback_auth.demo.serve.SHUTDOWN", 2 * SOON)
    loop = asyncio.get_running_loop()
    async with serve_demo(hang={"/token"}) as demo, ClientSession() as session:
        asked = asyncio.ensure_future(session.post(f"{demo.issuer}/token"))
        async with session.get(demo.issuer + WELL_KNOWN) as response:
            quick = response.status
        done, _ = await asyncio.wait([asked], timeout=0.1)
        assert (done, demo.server.log["POST", "/token"]) == (set(), 0)
        ending = loop.time()
    with pytest.raises(ClientError):
        await asked
    status, seconds = quick, loop.time() - ending

    assert status == 200
    assert seconds < SOON


async def test_half_closed_path_breaks_off() -> None:
    """Half a document must not be taken for a whole one."""
    async with (
        serve_demo(half_close={WELL_KNOWN}) as demo,
        ClientSession() as session,
        session.get(demo.issuer + WELL_KNOWN) as response,
    ):
        with pytest.raises(ClientError):
            await response.read()
        status = response.status

    assert status == 200


async def test_device_is_approved_over_sockets() -> None:
    """The agent enters the code on the wire as it does in memory."""
    client = {"client_id": "loopback-auth-demo"}
    async with serve_demo() as demo, ClientSession() as session:
        async with session.post(f"{demo.issuer}/device_authorization", data=client) as response:
            grant = await response.json()
        page = await run_agent(grant["verification_uri"], user_code=grant["user_code"])
        form = {"grant_type": DEVICE_CODE, "device_code": grant["device_code"], **client}
        async with session.post(f"{demo.issuer}/token", data=form) as response:
            status = response.status

    assert words.DEMO_APPROVED.encode() in page.body
    assert status == 200


async def test_factory_brings_faults_along() -> None:
    """What holds in memory holds on the wire."""
    with demo_thread(server_factory=factory(faults=Faults(ticket_status=404))) as demo:
        page = await run_agent(f"{demo.issuer}/doppler/v3/auth/cli/generate/2")

    assert page.status == 404


async def test_taken_port_is_reported() -> None:
    """Another program may have a fixed port."""

    async def main(port: int) -> None:
        async with serve_demo(port=port):
            pass

    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError, match=r"cannot listen.*in use"),
    ):
        await main(taken.getsockname()[1])


async def test_agent_reports_a_dead_server() -> None:
    """Errors of the HTTP library stay inside."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(TransportError):
        await run_agent(f"http://127.0.0.1:{port}/")


def test_thread_serves_code_without_event_loop() -> None:
    """Tests of other projects are mostly not asynchronous."""
    with demo_thread() as demo:
        client = http.client.HTTPConnection(urlsplit(demo.issuer).netloc, timeout=SOON)
        with closing(client):
            client.request("GET", WELL_KNOWN)
            published = json.load(client.getresponse())
        counted = demo.server.log["GET", WELL_KNOWN]

    assert (published["issuer"], counted) == (demo.issuer, 1)
    with pytest.raises(ConnectionRefusedError):
        client.connect()


def test_thread_passes_errors_on() -> None:
    """A port that is taken must not leave the caller waiting."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError),
        demo_thread(port=taken.getsockname()[1]),
    ):
        pass


def test_failing_factory_leaves_no_socket() -> None:
    """A server that cannot be made must not keep the port."""
    issuers: list[str] = []

    def fail(issuer: str) -> DemoServer:
        issuers.append(issuer)
        raise ConfigError("impossible")

    with pytest.raises(ConfigError, match="impossible"), demo_thread(server_factory=fail):
        pass

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(issuers[0].rpartition(":")[2])), timeout=SOON)


async def test_tls() -> None:
    """A client that wants https of its server can be tried as well; the issuer says so."""
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    asking = ssl.create_default_context()
    authority.configure_trust(asking)

    async with (
        serve_demo(tls=serving) as demo,
        ClientSession() as session,
        session.get(f"{demo.issuer}{WELL_KNOWN}", ssl=asking) as response,
    ):
        document = await response.json()

    assert demo.issuer.startswith("https://127.0.0.1:")
    assert document["issuer"] == demo.issuer
