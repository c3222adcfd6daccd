"""A token endpoint that answers as it is told, and a sign-in that is kept for it: for tests of renewals."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from loopback_auth.demo.serve import serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.errors import StoreError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ServerMetadata
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.tokens import SignIn, TokenSet

NAME = "example"
JSON = (("Content-Type", "application/json"),)


def keeping(sign_in: SignIn) -> MemoryTokenStore:
    """Return a store that keeps it."""
    store = MemoryTokenStore()
    store.save(sign_in)
    return store


class TokenEndpoint(DemoServer):
    """Renews tokens as rotating servers do, unless it is told to answer something else.

    Args:
        issuer: its address.
    """

    def __init__(self, issuer: str) -> None:
        super().__init__(issuer, entropy=secrets.token_bytes)
        self.sent: list[dict[str, str]] = []
        self.status = 200
        self.document: dict[str, object] = {}

    @property
    def last(self) -> tuple[str, str]:
        """The access and refresh token that are good now."""
        return f"access-{len(self.sent)}", f"refresh-{len(self.sent)}"

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer at the token endpoint alone."""
        if urlsplit(request.url).path != "/token":
            return super().handle(request, now)
        form = parse_qs(request.body.decode())
        self.sent.append({name: values[0] for name, values in form.items()})
        access_token, refresh_token = self.last
        document = {
            "access_token": access_token,
            "refresh_token": refresh_token,
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        body = json.dumps(document | self.document if self.status == 200 else self.document)
        return HttpResponse(self.status, JSON, body.encode())


@asynccontextmanager
async def token_endpoint() -> AsyncIterator[tuple[TokenEndpoint, SignIn]]:
    """Serve the endpoint; give it with a sign-in whose access token has ended."""
    made: list[TokenEndpoint] = []

    def factory(issuer: str) -> TokenEndpoint:
        made.append(TokenEndpoint(issuer))
        return made[-1]

    async with serve_demo(server_factory=factory) as demo:
        yield made[-1], sign_in_at(demo.issuer)


def sign_in_at(issuer: str, **tokens: object) -> SignIn:
    """Make up a sign-in of an hour ago."""
    now = time.time()
    made = TokenSet("access-0", "Bearer", now - 3600, now - 1, "refresh-0", scope="read write")
    metadata = ServerMetadata(issuer, token_endpoint=f"{issuer}/token")
    return SignIn(NAME, "client", "none", metadata, "read write", replace(made, **tokens))  # type: ignore[arg-type]


def ending_in(sign_in: SignIn, seconds: float, lifetime: float = 3600.0) -> SignIn:
    """Return the same sign-in with a token that ends then."""
    end = time.time() + seconds
    return replace(sign_in, tokens=replace(sign_in.tokens, obtained_at=end - lifetime, expires_at=end))


class FailingStore(MemoryTokenStore):
    """A disk that is full: reading goes on, writing fails.

    Args:
        failures: how many times saving fails.
        writable: whether it looks writable beforehand.
    """

    def __init__(self, sign_in: SignIn, *, failures: int = 1000, writable: bool = True) -> None:
        super().__init__()
        super().save(sign_in)
        self.failures = failures
        self.writable = writable

    def save(self, sign_in: SignIn) -> None:
        """Fail, or keep it."""
        if self.failures:
            self.failures -= 1
            raise StoreError("No space is left.", hint="Free some.")
        super().save(sign_in)

    def check_writable(self) -> None:
        """Say what a look beforehand shows."""
        if not self.writable:
            raise StoreError("The disk can only be read.", hint="Make it writable.")
