"""Our own requests against servers that lie, dawdle, pour and point elsewhere."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import socket
import ssl
import sys
import tempfile
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from name_directory import Names
from patience import SOON
from relays import listening, method_of

from loopback_auth.errors import MalformedResponse, TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse, form_request
from loopback_auth.model import Network
from loopback_auth.network.failures import NOT_RUNNING, NOT_TLS
from loopback_auth.network.resolver import Resolver
from loopback_auth.network.transport import Transport

by_openssl = pytest.mark.skipif(
    sys.platform == "win32",
    reason="there the system verifies certificates, which Wine does by rules of its own",
)

SECRET = "code-canary-0123456789"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Recorded(list[bytes]):
    """What a server received, one entry a connection, and its port."""

    port = 0


@asynccontextmanager
async def server(reply: bytes | Reply, *, context: ssl.SSLContext | None = None) -> AsyncIterator[Recorded]:
    """Serve one fixed answer, or whatever a function writes."""
    received = Recorded()
    serving: set[asyncio.Task[object]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            serving.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            lines = [line.lower() for line in head.split(b"\r\n")]
            length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
            received.append(head + await reader.readexactly(length))
            if isinstance(reply, bytes):
                writer.write(reply)
            else:
                await reply(writer)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
            await writer.wait_closed()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with listener:
        received.port = listener.sockets[0].getsockname()[1]
        try:
            yield received
        finally:
            # Also when the client failed: since Python 3.12 a closing server waits for its connections.
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)


async def ask(
    reply: bytes | Reply,
    *,
    request: Callable[[int], HttpRequest] | None = None,
    transport: Callable[[], Transport] = Transport,
    times: int = 1,
) -> tuple[HttpResponse, Recorded]:
    """Send a token request to a server with this answer."""
    async with asyncio.timeout(SOON), server(reply) as received, transport() as opened:
        made = request or (lambda port: token_request(f"http://127.0.0.1:{port}/token"))
        for _ in range(times):
            answer = await opened.send(made(received.port), step="token request")
        return answer, received


def token_request(url: str) -> HttpRequest:
    """Make a request that must not go astray."""
    return form_request(url, [("grant_type", "authorization_code"), ("code", SECRET)])


async def test_request_arrives_as_built() -> None:
    """Method, path, headers and body are the protocol's; the transport adds its name and nothing secret."""
    answer, received = await ask(
        OK, request=lambda port: token_request(f"http://127.0.0.1:{port}/to%6ben%2F?a=%7e")
    )

    head, _, body = received[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /to%6ben%2F?a=%7e HTTP/1.1\r\n")
    assert b"Accept: application/json" in head
    assert b"User-Agent: loopback_auth/" in head
    assert body == f"grant_type=authorization_code&code={SECRET}".encode()
    assert (answer.status, answer.body) == (200, b"{}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    """A 307 would carry the code and its verifier to wherever the server points."""
    async with asyncio.timeout(SOON), server(OK) as second, Transport() as transport:
        reply = (
            f"HTTP/1.1 {status} There\r\nLocation: http://127.0.0.1:{second.port}/\r\n"
            "Content-Length: 0\r\n\r\n"
        )
        async with server(reply.encode()) as first:
            answer = await transport.send(token_request(f"http://127.0.0.1:{first.port}/"), step="x")

    assert answer.status == status
    assert second == []


async def test_cookies_are_not_kept() -> None:
    """A sign-in has no use for them, and the next one least of all."""
    cookie = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\nConnection: close\r\n\r\n", 1)
    _, received = await ask(cookie, times=2)

    assert len(received) == 2
    assert b"cookie" not in received[1].lower()


async def test_compressed_bomb_is_bounded() -> None:
    """50 MB of zeroes are 50 kB on the wire; nobody has to unpack them."""
    body = gzip.compress(bytes(50_000_000))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    tracemalloc.start()
    try:
        with pytest.raises(MalformedResponse, match="larger than"):
            await ask(head.encode() + body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 20_000_000


async def test_endless_body_is_bounded() -> None:
    """A server that never stops is stopped."""

    async def pour(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()

    with pytest.raises(MalformedResponse, match="larger than"):
        await ask(pour)


async def stay(_writer: asyncio.StreamWriter) -> None:
    """Say nothing more."""
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Promise a body, and begin it."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\na")
    await stay(writer)


@pytest.mark.parametrize("reply", [stay, drip], ids=["no answer", "half an answer"])
async def test_slow_server_is_given_up(reply: Reply) -> None:
    """A person waits in front of this."""
    with pytest.raises(TransportError, match="too long") as caught:
        await ask(reply, transport=lambda: Transport(total_seconds=0.05))

    assert caught.value.hint


BROKEN = {
    "nothing": b"",
    "no HTTP": b"220 mail.example ESMTP\r\n\r\n",
    "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
    "the code in the status line": f"{SECRET} HTTP/1.1 oops\r\n\r\n".encode(),
    "the code in a bad header": f"HTTP/1.1 200 OK\r\n{SECRET}\r\n\r\n".encode(),
    "a bad length": f"HTTP/1.1 200 OK\r\nContent-Length: {SECRET}\r\n\r\n".encode(),
    "bad compression": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
async def test_broken_answer_is_one_of_our_errors_without_a_quotation(reply: bytes) -> None:
    """The library's errors quote what came; a traceback of ours must not."""
    with pytest.raises(TransportError) as caught:
        await ask(reply)

    error = caught.value
    assert error.message.startswith("The token request to 127.0.0.1:")
    assert error.hint
    assert SECRET not in f"{error}{error!r}{error.args}{error.hint}"
    assert error.__suppress_context__


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_refused_connection_is_named(host: str) -> None:
    """A server that is not there is the commonest trouble; on this machine it has not been started yet."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    async with Transport() as transport:
        with pytest.raises(
            TransportError, match=f"metadata request to {host}:{port} got no answer"
        ) as caught:
            await transport.send(token_request(f"http://{host}:{port}/"), step="metadata request")

    assert "efused" in caught.value.message
    assert caught.value.hint == NOT_RUNNING


async def test_reset_connection_is_named() -> None:
    """A crash on the other side looks like this."""

    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    with pytest.raises(TransportError, match=r"connection was cut|reset"):
        await ask(reset)


async def test_unknown_name_is_named() -> None:
    """A typing mistake in the issuer ends here."""
    async with Transport(resolver=Resolver(Names({}))) as transport:
        with pytest.raises(TransportError, match=r"nowhere\.example got no answer: the name is not known"):
            await transport.send(token_request("https://nowhere.example/"), step="token request")


async def test_refusal_to_go_inside_is_explained() -> None:
    """It must not look like a name that does not exist."""
    names = Names({"as.example": ["93.184.216.34"], "token.example": ["127.0.0.1"]})

    resolver = Resolver(names)
    await resolver.resolve("as.example", 443)
    async with Transport(resolver=resolver) as transport:
        with pytest.raises(TransportError, match="is a private address, but") as caught:
            await transport.send(token_request("https://token.example/"), step="token request")

    assert SECRET not in str(caught.value)


HOSTILE = ["a\r\nX-Evil: 1", "a\nb", "a\0b"]


@pytest.mark.parametrize("value", HOSTILE)
async def test_header_cannot_become_two(value: str) -> None:
    """A token with a line break in it would (CVE-2024-50338)."""

    def request(port: int) -> HttpRequest:
        return HttpRequest("GET", f"http://127.0.0.1:{port}/", (("Authorization", f"Bearer {value}"),))

    with pytest.raises(TransportError) as caught:
        await ask(OK, request=request)

    assert "Evil" not in str(caught.value)


async def test_loopback_is_reached_past_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is meant for this machine stays on it (RFC 8252 §8.3)."""
    async with asyncio.timeout(SOON), server(OK) as proxy, server(OK) as target:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with Transport() as transport:
            await transport.send(token_request(f"http://127.0.0.1:{target.port}/"), step="x")

    assert (len(proxy), len(target)) == (0, 1)


@pytest.mark.parametrize("spelling", ["http://127.0.0.1:{}", "127.0.0.1:{}"])
async def test_proxy_of_the_environment_is_asked_without_the_secret(
    spelling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Companies let nobody out otherwise; the proxy sees the host's name and no more."""
    async with asyncio.timeout(SOON), server(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("https_proxy", spelling.format(proxy.port))
        monkeypatch.setenv("no_proxy", "")
        async with Transport() as transport:
            with pytest.raises(TransportError) as caught:
                await transport.send(token_request("https://as.example/token"), step="token request")
        error = caught.value

    assert [seen.split(b"\r\n")[0] for seen in proxy] == [b"CONNECT as.example:443 HTTP/1.1"]
    assert SECRET.encode() not in proxy[0]
    assert "proxy answered with HTTP status 403" in error.message
    assert "https_proxy" in error.hint


async def test_no_proxy_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts inside a company are reached directly."""
    async with asyncio.timeout(SOON), server(OK) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "as.example")
        async with Transport(resolver=Resolver(Names({}))) as transport:
            with pytest.raises(TransportError):
                await transport.send(token_request("https://as.example/token"), step="x")

    assert proxy == []


async def test_dead_proxy_is_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the person looks for the mistake at the authorization server."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("no_proxy", "")

    async with Transport() as transport:
        with pytest.raises(TransportError, match=r"the proxy 127\.0\.0\.1 cannot be reached"):
            await transport.send(token_request("https://as.example/token"), step="x")


async def test_netrc_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords for other programs are not for token endpoints."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    _, received = await ask(OK)

    assert b"authorization:" not in received[0].lower()


def certificate(name: str, *, days: int = 1) -> ssl.SSLContext:
    """Make a server of TLS that signed its own certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away")])
    now = datetime.datetime.now(datetime.UTC)
    alternative: x509.GeneralName = (
        x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    )
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "certificate.pem")
        file.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
        context.load_cert_chain(file)
    return context


async def ask_tls(context: ssl.SSLContext, *, scheme: str = "https") -> tuple[TransportError, Recorded]:
    """Send a token request over TLS, which has to fail."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # the server's side of a failed handshake
    async with asyncio.timeout(SOON), server(OK, context=context) as received, Transport() as transport:
        with pytest.raises(TransportError) as caught:
            await transport.send(
                token_request(f"{scheme}://127.0.0.1:{received.port}/"), step="token request"
            )
        return caught.value, received


@by_openssl
async def test_self_signed_certificate_is_refused_with_a_way_out() -> None:
    """Companies sign their own; the person must name the authority, never switch the check off."""
    error, received = await ask_tls(certificate("127.0.0.1"))

    assert "self-signed" in error.message
    assert error.parameter == "ca_file"
    assert received == []


async def test_plain_server_behind_https_is_refused() -> None:
    """Nothing is sent before the other side has proved who it is."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(65536))
        writer.write(OK)
        writer.close()
        await writer.wait_closed()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with asyncio.timeout(SOON), listener, Transport() as transport:
        with pytest.raises(TransportError) as caught:
            await transport.send(token_request(f"https://127.0.0.1:{port}/"), step="x")
        error = caught.value

    assert "TLS" in error.message
    assert error.hint == NOT_TLS
    assert all(SECRET.encode() not in seen for seen in received)


@by_openssl
@pytest.mark.parametrize(
    ("name", "days", "words"),
    [("other.example", 1, "mismatch"), ("127.0.0.1", -1, "expired")],
    ids=["another host", "expired"],
)
async def test_wrong_certificate_of_a_trusted_authority_is_refused(
    name: str, days: int, words: str, tmp_path: Path
) -> None:
    """It is somebody else's, or old; a hint to trust another authority would be the wrong one."""
    context = certificate(name, days=days)
    authority = tmp_path / "authority.pem"
    authority.write_text(ssl.DER_cert_to_PEM_cert(_certificate_of(context)))
    network = Network(ca_file=str(authority))

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, _context: None)
    async with (
        asyncio.timeout(SOON),
        server(OK, context=context) as received,
        Transport(network) as transport,
    ):
        with pytest.raises(TransportError) as caught:
            await transport.send(token_request(f"https://127.0.0.1:{received.port}/"), step="x")
        error = caught.value

    assert words in error.message
    assert "Do not go on" in error.hint
    assert received == []


def _certificate_of(context: ssl.SSLContext) -> bytes:
    client_side, server_side = ssl.MemoryBIO(), ssl.MemoryBIO()
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    client = careless.wrap_bio(server_side, client_side)
    server_end = context.wrap_bio(client_side, server_side, server_side=True)
    for _ in range(4):
        for one in (client, server_end):
            with suppress(ssl.SSLWantReadError):
                one.do_handshake()
    found = client.getpeercert(binary_form=True)
    assert found is not None
    return found


async def test_unopened_transport_says_so() -> None:
    """A mistake of ours must not look like one of the network."""
    with pytest.raises(TransportError, match="not open"):
        await Transport().send(token_request("https://as.example/"), step="x")


async def test_closing_takes_no_time() -> None:
    """Between the tokens and the person's prompt there is nothing left to wait for."""
    async with server(OK) as received, AsyncExitStack() as stack:
        transport = await stack.enter_async_context(Transport())
        await transport.send(token_request(f"http://127.0.0.1:{received.port}/"), step="x")
        closing = asyncio.create_task(stack.aclose())
        for _ in range(1000):
            # In so many turns of the loop there is time for all but for time to pass.
            await asyncio.sleep(0)
        closed = closing.done()
        await closing

    assert closed


class Connections(list[list[bytes]]):
    """The methods of the requests on every connection that a server has got."""


@asynccontextmanager
async def keeping_alive(replies: Callable[[bytes], bytes | None]) -> AsyncIterator[tuple[int, Connections]]:
    """Serve connections that stay open; None in place of a reply cuts one."""
    seen = Connections()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: list[bytes] = []
        seen.append(mine)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                mine.append(await method_of(reader))
                reply = replies(mine[-1])
                if reply is None:
                    writer.transport.abort()
                    return
                writer.write(reply)

    async with listening(serve) as port:
        yield port, seen


async def test_code_never_rides_on_an_idle_connection() -> None:
    """The server may close it in that instant, and the code is lost (RFC 9112 §9.3.1, RFC 9110 §9.2.2)."""
    async with asyncio.timeout(SOON), keeping_alive(lambda _: OK) as (port, seen), Transport() as opened:
        for _ in range(2):
            await opened.send(HttpRequest("GET", f"http://127.0.0.1:{port}/"), step="metadata request")
        for _ in range(2):
            await opened.send(token_request(f"http://127.0.0.1:{port}/"), step="token request")

    assert seen == [[b"GET", b"GET"], [b"POST"], [b"POST"]]


async def test_lost_answer_is_not_asked_for_again() -> None:
    """Nobody knows whether the code was redeemed; and the network is not what has to be looked at."""
    async with (
        asyncio.timeout(SOON),
        keeping_alive(lambda _: None) as (port, seen),
        Transport() as opened,
    ):
        with pytest.raises(TransportError) as caught:
            await opened.send(token_request(f"http://127.0.0.1:{port}/"), step="token request")
        error = caught.value

    assert seen == [[b"POST"]]
    assert "network" not in error.hint


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", "encoding"),
        (b"Content-Encoding: zstd\r\nContent-Length: 2\r\n\r\n{}", "encoding"),
        (b"Content-Encoding: of-mine\r\nContent-Length: 2\r\n\r\n{}", "encoding"),
        (b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "encoding"),
        (b"Content-Length: 20\r\n\r\n{}", "it broke off"),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}", "it broke off"),
    ],
)
async def test_damaged_answer_is_told_from_what_is_no_http(head: bytes, words: str) -> None:
    """An appliance on the way packs it anew, or cuts it; the server speaks HTTP well enough."""
    with pytest.raises(TransportError, match=words):
        await ask(b"HTTP/1.1 200 OK\r\n" + head)
