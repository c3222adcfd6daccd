"""An MCP client and an MCP server that do what a test says, with the bridge between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from loopback_auth.clients.presentation import Presentation
from loopback_auth.errors import SignInRequired
from loopback_auth.model import Network
from loopback_auth.proxy.stdio import bridge

MODERN = "2026-07-28"
TIME = 20.0
"""Seconds, after which a test has failed; nothing waits for so long."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Tokens:
    """Where the token of the bridge comes from."""

    tokens: list[str] = field(default_factory=lambda: ["token-1", "token-2"])
    refused: list[str] = field(default_factory=list)
    signed_in: bool = True

    async def presentation(self, *, refused: str | None = None, challenge: str | None = None) -> Presentation:
        """Return the first token that no server has refused."""
        if not self.signed_in:
            raise SignInRequired("You are not signed in.", hint="Sign in: python -m loopback_auth login")
        if refused is not None and refused == self.tokens[0]:
            self.refused.append(refused)
            if self.tokens[1:]:
                self.tokens.pop(0)
        return Presentation(self.tokens[0])


class Server:
    """Answers as its handlers say; without one, as a plain server with a session does."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        """Method, headers in lower case, and body of each one so far."""
        self.handlers: dict[str, Handler] = {}
        """By the method of the message, or of a request without one: GET, DELETE."""
        self.sessions = 0
        self.url = ""

    def sent(self, method: str) -> list[dict[str, str]]:
        """Return the headers of all requests with a message, or an HTTP method, of this name."""
        return [headers for name, headers, _ in self.requests if name == method]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        text = await request.text()
        message: dict[str, Any] = json.loads(text) if text else {}
        headers = {name.lower(): value for name, value in request.headers.items()}
        name = message.get("method") or ("response" if message else request.method)
        self.requests.append((name, headers, message))
        if handler := self.handlers.get(name):
            return await handler(request)
        if request.method == "GET":
            return web.Response(status=405)
        if request.method == "DELETE" or "id" not in message or "method" not in message:
            return web.Response(status=202)
        if name == "initialize":
            return self.begun(message)
        return web.json_response(result(message["id"], {"echo": message.get("params")}))

    def begun(self, message: dict[str, Any]) -> web.Response:
        """Begin a session."""
        self.sessions += 1
        found = result(message["id"], {"protocolVersion": "2025-06-18", "capabilities": {}})
        return web.json_response(found, headers={"Mcp-Session-Id": f"session-{self.sessions}"})


class Client:
    """Writes lines to the bridge, and reads what it answers."""

    def __init__(self) -> None:
        self._input: asyncio.Queue[bytes] = asyncio.Queue()
        self._output: asyncio.Queue[bytes] = asyncio.Queue()
        self._rest = b""
        self.reads = asyncio.Event()
        self.reads.set()
        self.told: list[str] = []

    def say(self, *messages: dict[str, Any]) -> None:
        """Write messages."""
        for message in messages:
            self._input.put_nowait(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def say_bytes(self, data: bytes) -> None:
        """Write what may be no message; empty: the end."""
        self._input.put_nowait(data)

    async def hear(self) -> dict[str, Any]:
        """Return the next message."""
        line = await self.hear_line()
        document: dict[str, Any] = json.loads(line)
        assert document.pop("jsonrpc") == "2.0"
        return document

    async def hear_line(self) -> bytes:
        """Return the next line."""
        async with asyncio.timeout(TIME):
            while b"\n" not in self._rest:
                self._rest += await self._output.get()
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    @property
    def has_heard_more(self) -> bool:
        """Whether there is a message that was not read."""
        return bool(self._rest) or not self._output.empty()

    async def begin(self) -> None:
        """Begin a session, as clients did before 2026-07-28."""
        self.say({"id": 0, "method": "initialize", "params": {"protocolVersion": "2025-06-18"}})
        assert (await self.hear())["id"] == 0
        self.say({"method": "notifications/initialized"})

    async def read(self) -> bytes:
        """Give the bridge what was written."""
        return await self._input.get()

    async def write(self, data: bytes) -> None:
        """Take what the bridge writes, if the client reads."""
        await self.reads.wait()
        self._output.put_nowait(data)


def result(id: object, found: object) -> dict[str, object]:
    """Return a response."""
    return {"jsonrpc": "2.0", "id": id, "result": found}


def modern(method: str, id: int, **params: object) -> dict[str, object]:
    """Return a request of version 2026-07-28."""
    meta = {"io.modelcontextprotocol/protocolVersion": MODERN}
    return {"id": id, "method": method, "params": {**params, "_meta": meta}}


async def stream(request: web.Request, *events: bytes) -> web.StreamResponse:
    """Send a stream of events, and end it."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for event in events:
        await response.write(event)
    return response


def event(message: dict[str, object], id: str = "") -> bytes:
    """Return a message as an event."""
    named = f"id: {id}\n" if id else ""
    return f"event: message\n{named}data: {json.dumps(message)}\n\n".encode()


@asynccontextmanager
async def bridged(
    tokens: Tokens | None = None, path: str = "/mcp"
) -> AsyncGenerator[tuple[Client, Server, asyncio.Task[None]]]:
    """Run a server, and a bridge between it and a client."""
    server, client = Server(), Client()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", server.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    running = asyncio.create_task(
        bridge(
            tokens or Tokens(),
            server.url + path,
            network=Network(),
            read=client.read,
            write=client.write,
            tell=client.told.append,
        )
    )
    try:
        async with asyncio.timeout(TIME):
            yield client, server, running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await runner.cleanup()
