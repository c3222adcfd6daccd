"""Servers with certificates of an authority of our own, and proxies that lead to them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trustme

HOST = "as.example"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Authority:
    """A certificate authority that nobody trusts until its file is named."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._folder = folder
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def server(self, *, wants: bool = False, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """Return what a server at `HOST` and on this machine needs, which may want a client certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(HOST, "127.0.0.1", "localhost").configure_cert(context)
        if version is not None:
            context.maximum_version = version
        if wants:
            context.verify_mode = ssl.CERT_REQUIRED
            self._authority.configure_trust(context)
        return context

    def client(self) -> tuple[Path, Path]:
        """Make a client certificate; return its file and that of the key."""
        made = self._authority.issue_cert("client@example.com")
        certificate, key = self._folder / "client.pem", self._folder / "client.key"
        made.cert_chain_pems[0].write_to_path(str(certificate))
        made.private_key_pem.write_to_path(str(key))
        return certificate, key


class Relay:
    """A proxy on this machine: CONNECT or SOCKS5, whichever it is asked; everything leads to one port.

    Args:
        port: where everything leads.
        refusal: the answer to CONNECT in place of a connection.
    """

    def __init__(self, port: int, refusal: bytes = b"") -> None:
        self.port = 0
        self.asked: list[bytes] = []
        """The heads of CONNECT requests, or what SOCKS was asked for."""
        self._to = port
        self._refusal = refusal

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            first = await reader.readexactly(1)
            ready = await (self._socks(reader, writer) if first == b"\5" else self._connect(reader, writer))
            if ready:
                await self._carry(reader, writer)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.asked.append(b"C" + await reader.readuntil(b"\r\n\r\n"))
        writer.write(self._refusal or b"HTTP/1.1 200 Connection established\r\n\r\n")
        return not self._refusal

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        with_password = b"\2" in methods
        writer.write(b"\5\2" if with_password else b"\5\0")
        if with_password:
            version, length = await reader.readexactly(2)
            user = await reader.readexactly(length)
            password = await reader.readexactly((await reader.readexactly(1))[0])
            self.asked.append(user + b":" + password)
            writer.write(bytes((version, 0)))
        kind = (await reader.readexactly(4))[3]
        assert kind == 3, "the name is resolved by the proxy"
        self.asked.append(await reader.readexactly((await reader.readexactly(1))[0]))
        await reader.readexactly(2)
        writer.write(b"\5\0\0\1\0\0\0\0\0\0")
        return True

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            await asyncio.gather(_copy(reader, to_server), _copy(from_server, writer))
        finally:
            to_server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def listening(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Listen on this machine, and end every connection at the end."""
    serving: set[asyncio.Task[object]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        with suppress(asyncio.CancelledError):
            await serve(reader, writer)
        writer.close()
        with suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
            await writer.wait_closed()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


@asynccontextmanager
async def relaying(relay: Relay, context: ssl.SSLContext | None = None) -> AsyncIterator[Relay]:
    """Have a proxy listen."""
    async with listening(relay.serve, context) as port:
        relay.port = port
        yield relay


async def method_of(reader: asyncio.StreamReader) -> bytes:
    """Read a request to its end, and return its method."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = [line.lower() for line in head.split(b"\r\n")]
    length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
    await reader.readexactly(length)
    return head.split()[0]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request on a connection, until it is closed."""
    with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
        while True:
            await method_of(reader)
            writer.write(OK)
            await writer.drain()
