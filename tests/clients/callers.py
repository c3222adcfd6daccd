"""One way to call an API for every HTTP library, so that all adapters are tested alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

import aiohttp
import httpx
import httpx2
import requests
from google.auth.transport.requests import AuthorizedSession

from loopback_auth import TokenSource
from loopback_auth.clients import aiohttp as for_aiohttp
from loopback_auth.clients import google as for_google
from loopback_auth.clients import httpx as for_httpx
from loopback_auth.clients import httpx2 as for_httpx2
from loopback_auth.clients import requests as for_requests

THREADS = 8


@dataclass(frozen=True)
class Call:
    """A request.

    Args:
        url: of it.
        method: of HTTP.
        content: its body: bytes, a form, a file, or the pieces that a generator will yield.
        upload: a file for a multipart form.
    """

    url: str
    method: str = "GET"
    content: bytes | dict[str, str] | BinaryIO | list[bytes] | None = None
    upload: BinaryIO | None = None


@dataclass(frozen=True)
class Answer:
    """What came of it.

    Args:
        status: of HTTP.
        text: the body.
        history: statuses of the answers before, as far as the library shows them.
    """

    status: int
    text: str = field(repr=False, default="")
    history: tuple[int, ...] = ()


class Caller(Protocol):
    """Makes calls, all of them at the same time, and returns the answers in order."""

    def __call__(self, source: TokenSource, calls: Sequence[Call]) -> list[Answer]:
        """Make the calls."""
        ...


def with_httpx(source: TokenSource, calls: Sequence[Call]) -> list[Answer]:
    """By `httpx.Client`, in threads."""
    with httpx.Client(auth=for_httpx.BearerAuth(source), follow_redirects=True) as client:

        def make(call: Call) -> Answer:
            return _httpx_answer(client.request(call.method, call.url, **_httpx_body(call, pieces)))  # type: ignore[arg-type]

        return _in_threads(make, calls)


def with_httpx2(source: TokenSource, calls: Sequence[Call]) -> list[Answer]:
    """By `httpx2.Client`, in threads."""
    with httpx2.Client(auth=for_httpx2.BearerAuth(source), follow_redirects=True) as client:

        def make(call: Call) -> Answer:
            return _httpx_answer(client.request(call.method, call.url, **_httpx_body(call, pieces)))  # type: ignore[arg-type]

        return _in_threads(make, calls)


def with_async_httpx(source: TokenSource, calls: Sequence[Call]) -> list[Answer]:
    """By `httpx.AsyncClient`, in tasks."""
    return asyncio.run(
        _with_async_client(httpx.AsyncClient(auth=for_httpx.BearerAuth(source), follow_redirects=True), calls)
    )


def with_async_httpx2(source: TokenSource, calls: Sequence[Call]) -> list[Answer]:
    """By `httpx2.AsyncClient`, in tasks."""
    return asyncio.run(
        _with_async_client(
            httpx2.AsyncClient(auth=for_httpx2.BearerAuth(source), follow_redirects=True), calls
        )
    )


def with_requests(source: TokenSource, calls: Sequence[Call]) -> list[Answer]:
    """By a session of requests, in threads."""
    with requests.Session() as session:
        session.auth = for_requests.BearerAuth(source)
        return _in_threads(lambda call: _with_session(session, call), calls)


def with_google(source: TokenSource, calls: Sequence[Call]) -> list[Answer]:
    """By an authorized session of google-auth, in threads."""
    session = AuthorizedSession(for_google.Credentials(source))  # type: ignore[no-untyped-call]
    with session:
        return _in_threads(lambda call: _with_session(session, call), calls)


def with_aiohttp(source: TokenSource, calls: Sequence[Call]) -> list[Answer]:
    """By a session of aiohttp, in tasks."""

    async def main() -> list[Answer]:
        async with aiohttp.ClientSession(middlewares=[for_aiohttp.bearer(source)]) as session:

            async def make(call: Call) -> Answer:
                data: object = async_pieces(call.content) if isinstance(call.content, list) else call.content
                if call.upload is not None:
                    data = {"file": call.upload}
                async with session.request(call.method, call.url, data=data) as answer:
                    return Answer(
                        answer.status, await answer.text(), tuple(one.status for one in answer.history)
                    )

            return list(await asyncio.gather(*map(make, calls)))

    return asyncio.run(main())


def pieces(content: list[bytes]) -> Iterator[bytes]:
    """Yield the pieces, once."""
    yield from content


async def async_pieces(content: list[bytes]) -> AsyncIterator[bytes]:
    """Yield the pieces, once."""
    for piece in content:
        yield piece


async def _with_async_client(
    client: httpx.AsyncClient | httpx2.AsyncClient, calls: Sequence[Call]
) -> list[Answer]:
    async with client:

        async def make(call: Call) -> Answer:
            body = _httpx_body(call, async_pieces)
            return _httpx_answer(await client.request(call.method, call.url, **body))  # type: ignore[arg-type]

        return list(await asyncio.gather(*map(make, calls)))


def _httpx_body(call: Call, generator: Callable[[list[bytes]], object]) -> dict[str, object]:
    if call.upload is not None:
        return {"files": {"file": call.upload}}
    if isinstance(call.content, dict):
        return {"data": call.content}
    return {"content": generator(call.content) if isinstance(call.content, list) else call.content}


def _httpx_answer(answer: httpx.Response | httpx2.Response) -> Answer:
    return Answer(answer.status_code, answer.text, tuple(one.status_code for one in answer.history))


def _with_session(session: requests.Session, call: Call) -> Answer:
    data = pieces(call.content) if isinstance(call.content, list) else call.content
    files = {"file": call.upload} if call.upload is not None else None
    answer = session.request(call.method, call.url, data=data, files=files)
    return Answer(answer.status_code, answer.text, tuple(one.status_code for one in answer.history))


def _in_threads(make: Callable[[Call], Answer], calls: Sequence[Call]) -> list[Answer]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(make, calls))


OURS: dict[str, Caller] = {
    "httpx": with_httpx,
    "httpx async": with_async_httpx,
    "httpx2": with_httpx2,
    "httpx2 async": with_async_httpx2,
    "requests": with_requests,
    "aiohttp": with_aiohttp,
}
"""Adapters that decide themselves what is sent again."""
ALL: dict[str, Caller] = {**OURS, "google": with_google}
"""With google-auth it is their session that decides."""
