"""A websocket through the proxy: the handshake has the token, and the bytes are carried as they are."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.web_request import BaseRequest
from forward_world import REFUSED, SOON, answering, client, head_of, proxied

from loopback_auth.proxy.tunnel import HIGH, Incoming

UPGRADE = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


async def test_messages_go_both_ways() -> None:
    """The library's own client and server do not notice the proxy, compression included."""
    seen: list[str] = []

    async def serve(request: BaseRequest) -> web.StreamResponse:
        seen.append(request.headers["Authorization"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data * 2)
        return socket

    server = web.Server(serve)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)

        async def copy(one: asyncio.StreamReader, other: asyncio.StreamWriter) -> None:
            while data := await one.read(65536):
                other.write(data)
                await other.drain()
            other.close()

        await asyncio.gather(copy(reader, back), copy(there, writer))

    try:
        async with proxied(pass_on) as world, client() as session, asyncio.timeout(SOON):
            socket = await session.ws_connect(f"{world.url}/chat", compress=15)
            for text in ("a", "b" * 300_000):
                await socket.send_str(text)
                assert (await socket.receive_str()) == text * 2
            await socket.close()
    finally:
        await runner.cleanup()

    assert seen == ["Bearer canary-0"]


async def test_what_follows_the_handshake_at_once_is_carried_too() -> None:
    """Either side may speak first, in the same packet as its head."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        writer.write(SWITCHED + b"first")
        assert await reader.readexactly(5) == b"early"
        writer.write(b"last")

    async with proxied(serve) as world:
        request = world.request("GET /key/chat HTTP/1.1", *UPGRADE, body=b"early").replace(
            b"Connection: close\r\n", b""
        )
        received = await world.raw(request)

    assert received.startswith(b"HTTP/1.1 101 ")
    assert received.endswith(b"\r\n\r\nfirstlast")
    assert b"\r\nUpgrade: websocket\r\n" in received


async def test_a_handshake_with_a_refused_token_is_made_again() -> None:
    """A websocket has no other place for the token than its handshake."""
    async with proxied(answering(REFUSED, SWITCHED)) as world, client() as session:
        async with asyncio.timeout(SOON):
            with pytest.raises(aiohttp.WSServerHandshakeError):  # The answer to its key is made up.
                await session.ws_connect(f"{world.url}/chat")

        assert [one.values("Authorization") for one in world.heads] == [
            ["Bearer canary-0"],
            ["Bearer canary-1"],
        ]


async def test_a_server_that_declines_is_heard() -> None:
    """The answer is an ordinary one, and the connection goes on in HTTP."""
    async with proxied(answering(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno")) as world:
        first = world.request("GET /key/chat HTTP/1.1", *UPGRADE).replace(b"Connection: close\r\n", b"")
        received = await world.raw(first + world.request())

    assert received.count(b"HTTP/1.1 426 ") == 2


async def test_a_side_that_does_not_read_stops_the_other() -> None:
    """Memory stays bounded."""
    told: list[str] = []

    class Flow:
        def pause_reading(self) -> None:
            told.append("pause")

        def resume_reading(self) -> None:
            told.append("resume")

    incoming = Incoming(Flow())
    for _ in range(3):
        incoming.feed_data(b"x" * HIGH)

    assert told == ["pause"]
    assert len(await incoming.read()) == 3 * HIGH
    assert told == ["pause", "resume"]
    incoming.feed_eof()
    assert await incoming.read() == b""
