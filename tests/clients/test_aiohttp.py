"""The middleware for aiohttp: which origins it knows."""

from __future__ import annotations

from collections.abc import Iterator

import aiohttp
import pytest

from clients.api import api, source_at
from loopback_auth import TokenSource
from loopback_auth.clients.aiohttp import bearer
from loopback_auth.errors import ConfigError
from loopback_auth.testing import DemoAuthorizationServer


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve an API."""
    with api() as served:
        yield served


@pytest.fixture
def source(server: DemoAuthorizationServer) -> TokenSource:
    """Return a source whose user has signed in."""
    return source_at(server)


async def statuses(source: TokenSource, *urls: str, origins: tuple[str, ...] | str = ()) -> list[int]:
    """Ask one URL after the other, in one session."""
    found: list[int] = []
    async with aiohttp.ClientSession(middlewares=[bearer(source, origins=origins)]) as session:
        for url in urls:
            async with session.get(url) as answer:
                found.append(answer.status)
    return found


async def test_first_origin_is_the_one(server: DemoAuthorizationServer, source: TokenSource) -> None:
    """A request to another one may be a redirect, which nothing tells apart."""
    with api() as other:
        assert await statuses(source, server.resource, other.resource, server.resource) == [200, 401, 200]
        assert [one.header("authorization") for one in other.log] == [""]


async def test_origins_can_be_named(server: DemoAuthorizationServer, source: TokenSource) -> None:
    """An API may have a second host for uploads, and the first request may go elsewhere."""
    with api() as other:
        named = (f"{server.issuer}/any/path", server.issuer)

        assert await statuses(source, other.resource, server.resource, origins=named) == [401, 200]
        assert await statuses(source, other.resource, server.resource, origins=server.issuer) == [401, 200]


async def test_header_of_the_program_is_left_alone(
    server: DemoAuthorizationServer, source: TokenSource
) -> None:
    """It has been written for this request."""
    async with (
        aiohttp.ClientSession(middlewares=[bearer(source)]) as session,
        session.get(server.resource, headers={"Authorization": "Bearer of another kind"}) as answer,
        session.get(server.resource) as next_answer,
    ):
        assert (answer.status, next_answer.status) == (401, 200)
    assert server.requests("token", grant="refresh_token") == 0


@pytest.mark.parametrize("origin", ["api.example", "", "http://api.example", "https://"])
def test_what_is_not_an_origin_is_refused_at_once(origin: str) -> None:
    """Otherwise the token would go nowhere, without a word."""
    with pytest.raises(ConfigError), api() as server:
        bearer(source_at(server), origins=[origin])
