"""An API to test clients against: protected, with redirects and refusals as they are asked for."""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from loopback_auth import MemoryTokenStore, TokenSource
from loopback_auth.demo.features import Features
from loopback_auth.demo.request_log import LoggingServer, logged
from loopback_auth.demo.serve import demo_thread
from loopback_auth.demo.wire import query_of, read_parameters
from loopback_auth.events import silent
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser


class Api(LoggingServer):
    """A demo server with two more paths.

    `/to?url=URL&status=302` redirects. `/answer?status=401&challenge=TEXT` answers so.
    """

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer a request."""
        path, parameters = request.url.partition("?")[0], read_parameters(query_of(request.url))
        if path not in ("/to", "/answer"):
            return super().handle(request, now)
        status = int(parameters.get("status") or "302")
        names = {"url": "Location", "challenge": "WWW-Authenticate"}
        given = [(header, parameters.get(name)) for name, header in names.items()]
        headers = tuple(pair for pair in given if pair[1])
        self.requests.append(logged(request, status, now))
        return HttpResponse(status, (*headers, ("Set-Cookie", "seen=1")), b"nothing")


@contextmanager
def api(features: Features | None = None) -> Generator[DemoAuthorizationServer]:
    """Serve an API, and the authorization server that issues its tokens, at one origin."""

    def made(issuer: str) -> Api:
        return Api(issuer, entropy=secrets.token_bytes, features=features)

    with demo_thread(server_factory=made) as demo:
        yield DemoAuthorizationServer(demo)


def source_at(
    server: DemoAuthorizationServer, *, scope: str = "profile", interactive: bool = True
) -> TokenSource:
    """Return a source whose user has signed in."""
    store, client, user = MemoryTokenStore(), server.client(scope=scope), SimulatedUser()
    store.save(server.sign_in(scope=scope))
    return TokenSource(client, store=store, interactive=interactive, open_browser=user.open, notify=silent)


def expired(source: TokenSource) -> TokenSource:
    """Return a source for the same tokens, which have expired by the clock."""
    kept = source.sign_in_sync()
    past = time.time() - 10
    store = MemoryTokenStore()
    store.save(replace(kept, tokens=replace(kept.tokens, obtained_at=past - 3600, expires_at=past)))
    return TokenSource(source.client, store=store, interactive=False)
