"""The demo server on a real socket.

The socket is bound before the issuer is built from its port, so that no other program can take the port in
between.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import socket
import ssl
import threading
import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Generator,
    Mapping,
)
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web
from multidict import CIMultiDict

from loopback_auth.demo.faults import Faults
from loopback_auth.demo.fetching import fetch_locally
from loopback_auth.demo.keys import Signer
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.wire import BODY_LIMIT
from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpRequest, HttpResponse

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

SHUTDOWN = 1.0
ServerFactory = Callable[[str], DemoServer]
Host = Literal["127.0.0.1", "::1"]


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo server that can be reached; what is wrong with its connections may be changed while it runs.

    Args:
        issuer: origin, with the port that was bound.
        server: that answers there; its `log` has the requests.
        delay: seconds to wait before each answer, by path.
        hang: paths that are never answered; their connections end with the server.
        half_close: paths whose answers break off in the middle of the body.
    """

    issuer: str
    server: DemoServer = field(repr=False)
    delay: dict[str, float] = field(default_factory=dict[str, float])
    hang: set[str] = field(default_factory=set[str])
    half_close: set[str] = field(default_factory=set[str])


def factory(*, signer: Signer | None = None, faults: Faults | None = None) -> ServerFactory:
    """Make a factory of demo servers that sign, or break rules."""

    def made(issuer: str) -> DemoServer:
        return DemoServer(
            issuer,
            entropy=secrets.token_bytes,
            signer=signer,
            faults=faults,
            fetch=fetch_locally,
        )

    return made


plain_server: ServerFactory = factory()
"""Makes a demo server without ID tokens; the factory when none is given."""


@asynccontextmanager
async def serve_demo(
    *,
    port: int = 0,
    host: Host = "127.0.0.1",
    server_factory: ServerFactory = plain_server,
    delay: Mapping[str, float] | None = None,
    hang: Collection[str] = (),
    half_close: Collection[str] = (),
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[Demo]:
    """Serve a demo server on this machine for as long as the block lasts.

    Args:
        port: 0 means any free one.
        host: loopback address to bind.
        server_factory: makes the server from its issuer.
        delay: seconds to wait before each answer, by path.
        hang: paths that are never answered; their connections end with the block.
        half_close: paths whose answers break off in the middle of the body.
        tls: has the certificate of the server; None: it speaks plain HTTP.

    Raises:
        ConfigError: the address is in use, or this machine does not have it.
    """
    bound = _bind(host, port)
    authority = f"[{host}]" if ":" in host else host
    issuer = f"{'http' if tls is None else 'https'}://{authority}:{bound.getsockname()[1]}"
    end = asyncio.Event()
    try:
        demo = Demo(issuer, server_factory(issuer), dict(delay or {}), set(hang), set(half_close))
        handler = web.Server(_handler(demo, end), access_log=None)
        runner = web.ServerRunner(handler, shutdown_timeout=SHUTDOWN)
        await runner.setup()
    except BaseException:
        bound.close()
        raise
    try:
        await web.SockSite(runner, bound, ssl_context=tls).start()
        yield demo
    finally:
        end.set()
        await runner.cleanup()
        bound.close()


@contextmanager
def demo_thread(
    *,
    port: int = 0,
    host: Host = "127.0.0.1",
    server_factory: ServerFactory = plain_server,
    delay: Mapping[str, float] | None = None,
    hang: Collection[str] = (),
    half_close: Collection[str] = (),
) -> Generator[Demo]:
    """Serve a demo server from a thread of its own, for code that is not asynchronous.

    The arguments and errors are those of `serve_demo`.
    """
    started: Future[tuple[Demo, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        end = asyncio.Event()
        async with serve_demo(
            port=port,
            host=host,
            server_factory=server_factory,
            delay=delay,
            hang=hang,
            half_close=half_close,
        ) as demo:
            started.set_result((demo, asyncio.get_running_loop(), end))
            await end.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except Exception as exc:
            if started.done():
                raise
            started.set_exception(exc)

    thread = threading.Thread(target=run, name="demo server", daemon=True)
    thread.start()
    demo, loop, end = started.result()
    try:
        yield demo
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()


def _bind(host: Host, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # a fixed port again at once; on Windows this would let others share the port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except (OSError, OverflowError) as exc:
        bound.close()
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else "there is no such port"
        if isinstance(exc, OSError) and exc.errno == errno.EADDRINUSE:
            why = "it is in use by another program"  # Each system has words of its own for this one.
        message = f"The demo server cannot listen at {host} port {port}: {why}"
        raise ConfigError(message, hint="Choose another port, or 0 for any free one.") from exc
    return bound


def _handler(demo: Demo, end: asyncio.Event) -> Handler:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        body = await _body(request)
        path = request.raw_path.partition("?")[0]
        if delay := demo.delay.get(path):
            with suppress(TimeoutError):
                await asyncio.wait_for(end.wait(), delay)
        if path in demo.hang:
            return await _never(request, end)
        headers = tuple(request.headers.items())
        asked = HttpRequest(request.method, request.raw_path, headers, body)
        now = time.time()
        if demo.server.wants(asked, now):  # Its document may be served by the loop that runs here.
            reply = await asyncio.to_thread(demo.server.handle, asked, now)
        else:
            reply = demo.server.handle(asked, now)
        headed = CIMultiDict(reply.headers)
        if path in demo.half_close:
            return await _broken_off(request, web.StreamResponse(status=reply.status, headers=headed), reply)
        return web.Response(status=reply.status, headers=headed, body=reply.body)

    return answer


async def _never(request: web.BaseRequest, end: asyncio.Event) -> web.StreamResponse:
    """Send no answer while the server runs; the server does not see the request."""
    await end.wait()
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _broken_off(
    request: web.BaseRequest, started: web.StreamResponse, reply: HttpResponse
) -> web.StreamResponse:
    """Promise the whole body, send half of it, and close the connection."""
    started.content_length = len(reply.body)
    await started.prepare(request)
    await started.write(reply.body[: len(reply.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return started


async def _body(request: web.BaseRequest) -> bytes:
    """Read one byte more than the server allows at most, so that the server itself can refuse it."""
    chunks: list[bytes] = []
    while sum(map(len, chunks)) <= BODY_LIMIT and (chunk := await request.content.readany()):
        chunks.append(chunk)
    return b"".join(chunks)
