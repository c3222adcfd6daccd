"""A served demo server fetches the documents of its clients, from this machine alone."""

from __future__ import annotations

import json
import secrets
import socket
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession
from demo_conversation import request

from loopback_auth.demo.client_documents import MOST_BYTES
from loopback_auth.demo.fetching import fetch_locally
from loopback_auth.demo.serve import demo_thread, serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.http_messages import HttpRequest, HttpResponse


class Hosting(DemoServer):
    """A server that also hosts the document of a client, with further members in the query."""

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer the one path, and leave the others to the demo server."""
        path, _, size = request.url.partition("?")
        if path == "/moved":
            return HttpResponse(302, (("Location", "/client"),))
        if path != "/client":
            return super().handle(request, now)
        members = {
            "client_id": f"{self.issuer}/client",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "client_name": "x" * int(size or 1),
        }
        return HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(members).encode())


def hosting(issuer: str) -> DemoServer:
    """Make a server that fetches, and hosts what it fetches."""
    return Hosting(issuer, entropy=secrets.token_bytes, fetch=fetch_locally)


async def test_document_may_be_hosted_by_the_same_loop() -> None:
    """A test serves both at once, and neither waits for the other."""
    async with serve_demo(server_factory=hosting) as demo, ClientSession() as session:
        query = urlencode(request(client_id=f"{demo.issuer}/client"))
        async with session.get(f"{demo.issuer}/authorize?{query}") as response:
            status = response.status

    assert status == 200


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "http://192.0.2.1/x", "http://tool.example/x", "x"])
def test_nothing_else_is_asked(url: str) -> None:
    """A page that a user visits must not make the server send requests anywhere."""
    assert fetch_locally(url) is None


def test_what_comes_back() -> None:
    """No more is read than is needed to refuse it, and a redirect is not followed."""
    with demo_thread(server_factory=hosting) as demo:
        found = [fetch_locally(f"{demo.issuer}/{path}") for path in ("client", "client?9999", "moved")]

    assert [(each.status, len(each.body) > MOST_BYTES) for each in found if each] == [
        (200, False),
        (200, True),
        (302, False),
    ]


def test_no_answer() -> None:
    """A document that is not there is no reason to fail otherwise."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Not listening, so that a connection is refused.

        assert fetch_locally(f"http://127.0.0.1:{taken.getsockname()[1]}/client") is None
