"""A running receiver, and a client that may break every rule of HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from patience import SOON

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.events import Event, LinkRequested
from loopback_auth.http_messages import FORM, HttpResponse
from loopback_auth.model import ResponseMode, ServerMetadata
from loopback_auth.network.loopback import BoundRedirect, bind
from loopback_auth.network.receiver import REQUEST_SECONDS, Receiver

STATE = "state-canary-0123456789abcdef"
CODE = "code-canary-0123456789abcdef"
GOOD = f"/callback?code={CODE}&state={STATE}"
DONE = HttpResponse(200, (("Content-Type", "text/html; charset=utf-8"),), b"<p>all is well</p>")


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 when the connection was cut without an answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> tuple[str, ...]:
        """Return every value of a header."""
        return tuple(value for key, value in self.headers if key.lower() == name)


def parse(raw: bytes) -> Answer:
    """Read an answer apart; it has to be complete."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not raw:
        return Answer(0, (), b"")
    pairs = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
    return Answer(int(lines[0].split(" ")[1]), pairs, body)


async def exchange(port: int, data: bytes, *, host: str = "127.0.0.1", seconds: float = SOON) -> Answer:
    """Send bytes and read until the other side closes."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(host, port)
        received = b""
        try:
            with suppress(ConnectionError):
                writer.write(data)
                await writer.drain()
                while chunk := await reader.read(65536):
                    received += chunk
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
    return parse(received)


@dataclass
class Waiting:
    """A receiver that waits for the callback of one request, and what it told."""

    bound: BoundRedirect
    receiver: Receiver
    request: AuthorizationRequest
    events: list[Event] = field(default_factory=list)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a browser asks for the start page."""

    def notify(self, event: Event) -> None:
        """Note an event."""
        self.events.append(event)
        if isinstance(event, LinkRequested):
            self.opened.set()

    def message(
        self,
        target: str = GOOD,
        *,
        method: str = "GET",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        version: str = "HTTP/1.1",
        host: str | None = None,
    ) -> bytes:
        """Spell a request; `host` "" leaves the header out."""
        authority = self.bound.authority if host is None else host
        pairs = ([("Host", authority)] if authority else []) + list(headers)
        if body and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in pairs):
            pairs.append(("Content-Length", str(len(body))))
        lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in pairs), "", ""]
        return "\r\n".join(lines).encode("latin-1") + body

    async def ask(
        self,
        target: str = GOOD,
        *,
        method: str = "GET",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        version: str = "HTTP/1.1",
        host: str | None = None,
    ) -> Answer:
        """Make one request on a connection of its own."""
        data = self.message(target, method=method, headers=headers, body=body, version=version, host=host)
        return await exchange(self.bound.port, data)

    async def send(self, data: bytes) -> Answer:
        """Send any bytes at all."""
        return await exchange(self.bound.port, data)

    async def post(self, body: bytes, *headers: tuple[str, str]) -> Answer:
        """Post a form to the redirect URI."""
        return await self.ask(
            "/callback", method="POST", headers=(("Content-Type", FORM), *headers), body=body
        )

    async def complete(self) -> Answer:
        """Prove that the sign-in still waits: a good callback is accepted, held, and answered at the end."""
        if self.request.response_mode == "form_post":
            visit = asyncio.create_task(self.post(f"code={CODE}&state={STATE}".encode()))
        else:
            visit = asyncio.create_task(self.ask())
        async with asyncio.timeout(SOON):
            callback = await self.receiver.receive(self.request)
            await self.receiver.finish(DONE)
            answer = await visit
        assert dict(callback.parameters)["code"] == CODE
        assert (answer.status, answer.body) == (200, DONE.body)
        return answer

    async def receive(self) -> Callback:
        """Wait for the callback."""
        async with asyncio.timeout(SOON):
            return await self.receiver.receive(self.request)

    def told(self, kind: type[Event]) -> list[Event]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def request_for(bound: BoundRedirect, mode: ResponseMode = "query") -> AuthorizationRequest:
    """Make the request whose callback is awaited."""
    return AuthorizationRequest(
        url="https://as.example/authorize",
        parameters=(),
        redirect_uri=bound.redirect_uri,
        response_type="code",
        response_mode=mode,
        state=STATE,
        code_verifier=None,
        nonce=None,
        metadata=ServerMetadata(),
    )


@asynccontextmanager
async def waiting(
    *,
    mode: ResponseMode = "query",
    expecting: bool = True,
    start_page: bool = True,
    any_port: bool = False,
    request_seconds: float = REQUEST_SECONDS,
    host: str = "127.0.0.1",
    bound: BoundRedirect | None = None,
    closed: bool = True,
) -> AsyncIterator[Waiting]:
    """Run a receiver; afterwards no task of its connections is left, and the port is closed."""
    bound = bound or bind(host, (0,), "/callback")
    events: list[Event] = []
    told = events.append
    receiver = Receiver(
        bound,
        lambda event: told(event),
        start_page=start_page,
        any_port=any_port,
        request_seconds=request_seconds,
    )
    world = Waiting(bound, receiver, request_for(bound, mode), events)
    told = world.notify
    async with receiver:
        if expecting:
            receiver.expect(world.request)
        yield world
    left = [task for task in asyncio.all_tasks() if "RequestHandler" in repr(task.get_coro())]
    assert left == []
    if closed:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", bound.port)
