"""A proxy on a port of this machine, in front of a server that a test makes up byte by byte."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import ClientSession, DummyCookieJar

from loopback_auth.clients.presentation import Presentation
from loopback_auth.errors import LoopbackAuthError, StillRefused
from loopback_auth.model import Network
from loopback_auth.proxy.forwarding import Forwarding
from loopback_auth.proxy.guards import Rules
from loopback_auth.proxy.listening import on_port
from loopback_auth.proxy.serving import served
from loopback_auth.proxy.source import Source
from loopback_auth.proxy.target import base_of
from loopback_auth.proxy.upstream import upstream

SOON = 30.0
"""Seconds after which a test fails instead of hanging."""
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Tokens:
    """A source whose tokens are canary-0, canary-1 and so on.

    Args:
        failure: raised in place of a token.
        most: renewals, after which new tokens count as refused.
    """

    failure: LoopbackAuthError | None = None
    most: int = 100
    renewals: int = 0
    renewed: asyncio.Event = field(default_factory=asyncio.Event)

    async def presentation(self, *, refused: str | None = None, challenge: str | None = None) -> Presentation:
        """Return the token, another one if this one was refused."""
        if self.failure is not None:
            raise self.failure
        if refused == f"canary-{self.renewals}":
            if self.renewals >= self.most:
                raise StillRefused("The tokens are refused although they are new.")
            self.renewals += 1
            self.renewed.set()
        return Presentation(f"canary-{self.renewals}")


@dataclass
class Head:
    """The beginning of a request as the server got it."""

    line: str
    fields: list[tuple[str, str]]

    def values(self, name: str) -> list[str]:
        """Return every value of a field."""
        return [value for key, value in self.fields if key.lower() == name.lower()]


@dataclass
class World:
    """The proxy and what was seen of it.

    Args:
        url: of the proxy, with its secret.
        port: of the proxy.
        tokens: of the proxy.
        told: lines for the person.
        heads: of the requests that the server got.
        arrived: the same, to be waited for.
    """

    url: str
    port: int
    tokens: Tokens
    told: list[str] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    arrived: asyncio.Queue[Head] = field(default_factory=asyncio.Queue)

    async def raw(self, data: bytes) -> bytes:
        """Send bytes to the proxy, and return all that comes back until it closes the connection."""
        async with asyncio.timeout(SOON):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            received = b""
            with suppress(ConnectionError):
                writer.write(data)
                await writer.drain()
                while chunk := await reader.read(65536):
                    received += chunk
            writer.close()
        return received

    def request(self, line: str = "GET /key/a HTTP/1.1", *fields: str, body: bytes = b"") -> bytes:
        """Return a request in bytes, the last of its connection."""
        head = [line, f"Host: 127.0.0.1:{self.port}", "Connection: close", *fields]
        return "\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


@asynccontextmanager
async def proxied(
    serve: Serve,
    *,
    tokens: Tokens | None = None,
    path: str = "",
    read_only: bool = False,
    patience: float = SOON,
    grace: float = 0.1,
    source: Source | None = None,
    tls: ssl.SSLContext | None = None,
    network: Network | None = None,
) -> AsyncIterator[World]:
    """Serve by a function of a connection, and a proxy in front of that."""
    async with _listening(serve, tls) as port:
        base = base_of(f"http{'s' * bool(tls)}://127.0.0.1:{port}{path}", mount="/key")
        bound = on_port(0)
        number = bound.getsockname()[1]
        authority = f"127.0.0.1:{number}"
        world = World(f"http://{authority}/key", number, tokens or Tokens())
        rules = Rules(frozenset((authority,)), "/key", read_only, "us-1")
        _WORLDS[port] = world
        async with upstream(base.origin, network or Network()) as server:
            forwarding = Forwarding(
                source or world.tokens, server, base, rules, tell=world.told.append, patience=patience
            )
            async with served(bound, forwarding.handle, world.told.append, grace=grace):
                yield world


@asynccontextmanager
async def client() -> AsyncIterator[ClientSession]:
    """Open an ordinary client that changes nothing of what it gets."""
    async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False) as session:
        yield session


_WORLDS: dict[int, World] = {}


@asynccontextmanager
async def _listening(serve: Serve, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, family=socket.AF_INET, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def head_of(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Head:
    """Read the head of a request, and note it for the test."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = [(name, value.strip()) for name, _, value in (one.partition(":") for one in lines[1:-2])]
    head = Head(lines[0], pairs)
    world = _WORLDS[writer.get_extra_info("sockname")[1]]
    world.heads.append(head)
    world.arrived.put_nowait(head)
    return head


async def content_of(head: Head, reader: asyncio.StreamReader) -> bytes:
    """Read the content of a request."""
    if head.values("Transfer-Encoding"):
        content = b""
        while size := int(await reader.readline(), 16):
            content += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return content
    return await reader.readexactly(int((head.values("Content-Length") or ["0"])[0]))


def answering(*answers: bytes) -> Serve:
    """Return what gives these answers to requests, one after the other; the last one again and again."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await content_of(await head_of(reader, writer), reader)
            writer.write(left.pop(0) if len(left) > 1 else left[0])
            await writer.drain()

    return serve


def answer(status: str = "200 OK", *fields: str, body: bytes = b"") -> bytes:
    """Return an answer in bytes."""
    lines = (f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


REFUSED = answer("401 Unauthorized", 'WWW-Authenticate: Bearer error="invalid_token"', body=b"no")
