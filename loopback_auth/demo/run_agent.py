"""The simulated user agent on real connections: each of its steps is a request to a server."""

from __future__ import annotations

import asyncio
import time

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, StreamReader
from yarl import URL

from loopback_auth.demo.agent import Decision, Navigation, follow
from loopback_auth.effects import UNOBSERVED, Observer
from loopback_auth.errors import TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse

BROWSING_SECONDS = 60.0
"""Seconds that the simulated browser waits for one page."""


async def run_agent(
    url: str,
    *,
    decision: Decision = "approve",
    account: str = "",
    user_code: str = "",
    observer: Observer = UNOBSERVED,
    thinking: float = 0.0,
    reaches: str = "",
) -> HttpResponse:
    """Let the simulated user agent open a URL over real connections; return the page where it ends.

    Args:
        url: where the browser is sent.
        decision: which button to press on the consent page.
        account: value or label of the account to choose; empty: the first.
        user_code: to enter where a page asks for it.
        observer: sees every request with its answer, in monotonic seconds.
        thinking: seconds before the decision.
        reaches: the only origin that this browser can reach, as one on another machine; empty: all.

    Raises:
        MalformedResponse: see `follow`.
        TransportError: there was no answer, or it took longer than a minute.
    """
    agent = follow(url, decision=decision, account=account, user_code=user_code)
    limits = ClientTimeout(total=BROWSING_SECONDS)
    async with ClientSession(cookie_jar=DummyCookieJar(), timeout=limits, auto_decompress=False) as session:
        step = next(agent)
        while True:
            if thinking and step.decides:
                await asyncio.sleep(thinking)
            response = await _seen(session, step, observer, reaches)
            try:
                step = agent.send(response)
            except StopIteration as end:
                last: HttpResponse = end.value
                return last


async def _seen(session: ClientSession, step: Navigation, observer: Observer, reaches: str) -> HttpResponse:
    """Make one step, and show it to the observer even if it fails."""
    request, begun = step.request(), time.monotonic()
    response: HttpResponse | None = None
    try:
        if reaches and not request.url.startswith(f"{reaches}/"):
            raise TransportError("The simulated user agent cannot reach this address")
        response = await fetch(session, request)
        return response
    finally:
        ended = time.monotonic()
        observer.browsed(request, response, address=step.address, begun=begun, ended=ended)


async def fetch(session: ClientSession, request: HttpRequest, *, most: int | None = None) -> HttpResponse:
    """Make one request and follow no redirect.

    Args:
        session: makes the connection.
        request: with an absolute URL.
        most: bytes of the body that are read; None: all.

    Raises:
        TransportError: there was no answer.
    """
    try:
        async with session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.body or None,
            allow_redirects=False,
            skip_auto_headers=("Accept-Encoding",),
        ) as reply:
            body = await (reply.read() if most is None else _beginning(reply.content, most))
    except (ClientError, TimeoutError) as exc:
        raise TransportError("The simulated user agent got no answer") from exc
    return HttpResponse(reply.status, tuple(reply.headers.items()), body, received_at=time.time())


async def _beginning(content: StreamReader, most: int) -> bytes:
    pieces, left = list[bytes](), most
    while left and (piece := await content.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
