"""The proxy's port on a machine with several users."""

from __future__ import annotations

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse
from other_users import asked_by_another, needs_another_user
from raw_http import exchange

from loopback_auth.proxy.listening import on_port
from loopback_auth.proxy.serving import served

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@needs_another_user
async def test_another_user_gets_no_answer_even_with_the_secret() -> None:
    """Its secret shows in the arguments of a client such as curl."""
    asked: list[str] = []
    told: list[str] = []

    async def handle(request: BaseRequest) -> StreamResponse:
        asked.append(request.raw_path)
        return Response(text="for you alone")

    bound = on_port(0)
    port = bound.getsockname()[1]
    async with served(bound, handle, told.append, grace=0.1):
        theirs = await asked_by_another(port, REQUEST)
        count = len(asked)
        own = await exchange(port, REQUEST)

    assert (theirs.status, count) == (0, 0)
    assert (own.status, len(asked)) == (200, 1)
    assert "another user" in told[0]
