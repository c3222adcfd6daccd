"""Fifty calls at once with a token that is no longer good, as far as each library deals with that by itself.

    crowd.py expired|refused

`expired`: the client knows; `refused`: only the server does, and answers 401. The server gives a new refresh
token at each renewal, and revokes everything when one is used twice (RFC 9700 §4.14.2). Prints a line of JSON
for each library: its name, how many renewals were asked for, and how many calls failed.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import httpx
import requests
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.integrations.requests_client import OAuth2Session
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials
from requests_oauth2client import BearerToken, OAuth2AccessTokenAuth, OAuth2Client

from loopback_auth import MemoryTokenStore, SignIn, TokenSource
from loopback_auth.clients.httpx import BearerAuth as HttpxAuth
from loopback_auth.clients.requests import BearerAuth
from loopback_auth.records import replace
from loopback_auth.testing import DemoAuthorizationServer, serve

COUNT = 50
SCOPE = "profile offline_access"
Call = Callable[[], int]
"""Calls the API, and returns the status of the answer."""


def source(server: DemoAuthorizationServer, kept: SignIn) -> TokenSource:
    """Return ours, without anybody to ask."""
    store = MemoryTokenStore()
    store.save(kept)
    return TokenSource(server.client(scope=SCOPE), store=store, interactive=False)


def ours(server: DemoAuthorizationServer, kept: SignIn) -> Call:
    """`BearerAuth` in a session of requests."""
    session = requests.Session()
    session.auth = BearerAuth(source(server, kept))
    return lambda: session.get(server.resource, timeout=30).status_code


def google(server: DemoAuthorizationServer, kept: SignIn) -> Call:
    """`AuthorizedSession` of google-auth."""
    session = AuthorizedSession(  # type: ignore[no-untyped-call]
        Credentials(  # type: ignore[no-untyped-call]
            kept.tokens.access_token,
            refresh_token=kept.tokens.refresh_token,
            token_uri=f"{server.issuer}/token",
            client_id=server.client_id,
            client_secret="",
            expiry=datetime.fromtimestamp(kept.tokens.expires_at or 0, UTC).replace(tzinfo=None),
        )
    )
    return lambda: int(session.get(server.resource).status_code)


def requests_oauth2client(server: DemoAuthorizationServer, kept: SignIn) -> Call:
    """`OAuth2AccessTokenAuth` in a session of requests."""
    client = OAuth2Client(f"{server.issuer}/token", client_id=server.client_id, testing=True)
    token = BearerToken(
        kept.tokens.access_token,
        expires_at=datetime.fromtimestamp(kept.tokens.expires_at or 0, UTC),
        refresh_token=kept.tokens.refresh_token,
    )
    session = requests.Session()
    session.auth = OAuth2AccessTokenAuth(client, token)
    return lambda: session.get(server.resource, timeout=30).status_code


def authlib_token(kept: SignIn) -> dict[str, object]:
    """Write the tokens as Authlib has them."""
    tokens = kept.tokens
    return {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": int(tokens.expires_at or 0),
        "token_type": "Bearer",
    }


def authlib(server: DemoAuthorizationServer, kept: SignIn) -> Call:
    """`OAuth2Session` of Authlib."""
    token, endpoint = authlib_token(kept), f"{server.issuer}/token"
    session = OAuth2Session(server.client_id, token=token, token_endpoint=endpoint)
    return lambda: int(session.get(server.resource).status_code)


def in_threads(call: Call) -> int:
    """Call from so many threads at once; return how many failed."""
    barrier = Barrier(COUNT)

    def once(_: int) -> bool:
        barrier.wait()
        try:
            return call() != 200
        except Exception:
            return True

    with ThreadPoolExecutor(COUNT) as pool:
        return sum(pool.map(once, range(COUNT)))


async def ours_async(server: DemoAuthorizationServer, kept: SignIn) -> int:
    """`BearerAuth` in a client of httpx; return how many failed."""
    async with httpx.AsyncClient(auth=HttpxAuth(source(server, kept)), timeout=30) as client:
        calls = (client.get(server.resource) for _ in range(COUNT))
        answers = await asyncio.gather(*calls, return_exceptions=True)
    return sum(getattr(answer, "status_code", 0) != 200 for answer in answers)


async def authlib_async(server: DemoAuthorizationServer, kept: SignIn) -> int:
    """`AsyncOAuth2Client` of Authlib; return how many failed."""
    token, endpoint = authlib_token(kept), f"{server.issuer}/token"
    async with AsyncOAuth2Client(
        server.client_id, token=token, token_endpoint=endpoint, timeout=30
    ) as client:
        calls = (client.get(server.resource) for _ in range(COUNT))
        answers = await asyncio.gather(*calls, return_exceptions=True)
    return sum(getattr(answer, "status_code", 0) != 200 for answer in answers)


WITH_THREADS = {
    "loopback_auth": ours,
    "google AuthorizedSession": google,
    "requests_oauth2client": requests_oauth2client,
    "Authlib OAuth2Session": authlib,
}
IN_A_LOOP = {"loopback_auth, async": ours_async, "Authlib AsyncOAuth2Client": authlib_async}


def main(case: str) -> None:
    """Let each library have a server of its own."""
    for name in (*WITH_THREADS, *IN_A_LOOP):
        with serve() as server:
            kept = server.sign_in(scope=SCOPE)
            server.expire_tokens()
            if case == "expired":
                kept = replace(kept, tokens=replace(kept.tokens, expires_at=time.time() - 1))
            if name in WITH_THREADS:
                failed = in_threads(WITH_THREADS[name](server, kept))
            else:
                failed = asyncio.run(IN_A_LOOP[name](server, kept))
            renewals = server.requests(grant="refresh_token")
        print(json.dumps([name, renewals, failed]))


if __name__ == "__main__":
    main(sys.argv[1])
