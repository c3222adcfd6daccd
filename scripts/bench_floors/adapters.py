"""What each adapter adds to a request with a fresh token: adapters.py COUNT. Prints names and microseconds.

The source answers at once here; `measure_launch` and its like time the source itself. What a library does by
itself is left out: only what the adapter is called for before a request is sent, and after an answer with
status 200.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import timeit
from collections.abc import Callable, Coroutine
from itertools import repeat
from typing import cast

import aiohttp
import httpx
import requests
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from loopback_auth import ClientConfig, Provider, ServerMetadata, TokenSource
from loopback_auth.clients import aiohttp as for_aiohttp
from loopback_auth.clients import azure as for_azure
from loopback_auth.clients import google as for_google
from loopback_auth.clients import httpx as for_httpx
from loopback_auth.clients import requests as for_requests
from loopback_auth.tokens import SignIn, Token, TokenSet

URL_ASKED = "https://api.example/things"
NOW = time.time()
TOKENS = TokenSet("token", "Bearer", NOW, NOW + 3600)
SIGN_IN = SignIn("bench", "bench", "none", ServerMetadata("https://as.example"), "", TOKENS)


class Instant(TokenSource):
    """A source that has the token at hand."""

    async def token(self, *, refused: str | None = None, challenge: str | None = None) -> str:
        """Return it."""
        return "token"

    def token_sync(self, *, refused: str | None = None, challenge: str | None = None) -> str:
        """Return it."""
        return "token"

    def sign_in_sync(
        self, *, refused: str | None = None, challenge: str | None = None, of: Token = "access_token"
    ) -> SignIn:
        """Return what it is of."""
        return SIGN_IN


def contenders(source: TokenSource) -> dict[str, Callable[[], object]]:
    """Return one request for each adapter."""
    auth, request = for_httpx.BearerAuth(source), httpx.Request("GET", URL_ASKED)
    answered = httpx.Response(200, request=request)

    def with_httpx() -> None:
        flow = auth.sync_auth_flow(request)
        next(flow)
        try:
            flow.send(answered)
        except StopIteration:
            return

    session_auth, prepared = for_requests.BearerAuth(source), requests.Request("GET", URL_ASKED).prepare()
    response = requests.Response()
    response.status_code = 200

    def with_requests() -> None:
        prepared.hooks["response"] = []
        session_auth(prepared).hooks["response"][0](response)

    google, headers = for_google.Credentials(source), dict[str, str]()
    azure = for_azure.TokenCredential(source)
    return {
        "httpx": with_httpx,
        "requests": with_requests,
        "google-auth": lambda: google.before_request(None, "GET", URL_ASKED, headers),
        "azure-core": lambda: azure.get_token_info(),
    }


class Asked:
    """As much of a request of aiohttp as a middleware sees."""

    def __init__(self) -> None:
        self.url = URL(URL_ASKED)
        self.headers: CIMultiDict[str] = CIMultiDict()
        self.body = b""


class Answered:
    """As much of an answer."""

    ok, status, headers = True, 200, CIMultiDictProxy(CIMultiDict[str]())


async def with_aiohttp(source: TokenSource, count: int) -> float:
    """Return the seconds of so many requests."""
    middleware = for_aiohttp.bearer(source)
    answered = cast("aiohttp.ClientResponse", Answered())
    asked = cast("aiohttp.ClientRequest", Asked())

    async def handler(_: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
        return answered

    async def bare() -> None:
        for _ in repeat(None, count):
            asked.headers.popall("Authorization", None)
            await handler(asked)

    async def whole() -> None:
        for _ in repeat(None, count):
            asked.headers.popall("Authorization", None)
            await middleware(asked, handler)

    return await _seconds(whole()) - await _seconds(bare())


async def _seconds(work: Coroutine[object, object, None]) -> float:
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


def main(count: int) -> None:
    """Write one line for each adapter: the best of five runs."""
    client = ClientConfig(Provider("bench", ServerMetadata("https://as.example")), "bench")
    source = Instant(client)
    best = {
        name: min(timeit.repeat(call, number=count, repeat=5)) for name, call in contenders(source).items()
    }
    best["aiohttp"] = min(asyncio.run(with_aiohttp(source, count)) for _ in range(5))
    for name, seconds in best.items():
        sys.stdout.write(f"{json.dumps([name, seconds / count * 1e6])}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
