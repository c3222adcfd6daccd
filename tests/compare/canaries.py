"""Secrets that the test knows: every one that a demo server or a client makes, collected on the wire."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, quote, unquote

from loopback_auth.compare.running.simulate import Entropy
from loopback_auth.demo.server import DemoServer
from loopback_auth.http_messages import HttpRequest, HttpResponse

COOKIE = "cookie-canary-7Qk2vX0pLw9sRt4u"
NAMES = ("state", "nonce", "code_verifier", "client_secret", "request_uri")
JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
USER_CODE = re.compile(r"\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b")

SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "JSON": lambda text: json.dumps(text)[1:-1],
}


def leaks(canaries: set[str], text: str) -> list[tuple[str, int]]:
    """Return the spellings that were found, each with the length of the canary, which itself is not told."""
    return [
        (name, len(canary))
        for canary in canaries
        for name, spell in SPELLINGS.items()
        if spell(canary) in text
    ]


class Tap:
    """Draws what a server draws, sees what passes it, and sets a cookie on everybody."""

    def __init__(self, seed: str) -> None:
        self.canaries = {COOKIE}
        self.wire = ""
        self._entropy = Entropy(seed)

    def entropy(self, size: int) -> bytes:
        """Draw, and remember what the server makes of it: base64url, as in `Ledger.unguessable`."""
        drawn = self._entropy(size)
        self.canaries.add(base64.urlsafe_b64encode(drawn).decode().rstrip("="))
        return drawn

    def on(self, server: DemoServer) -> DemoServer:
        """Tap a server."""
        handle = server.handle

        def tapped(request: HttpRequest, now: float) -> HttpResponse:
            answer = handle(request, now)
            self._see(request, answer)
            return replace(answer, headers=(*answer.headers, ("Set-Cookie", f"session={COOKIE}; Path=/")))

        server.handle = tapped  # type: ignore[method-assign]
        return server

    def _see(self, request: HttpRequest, answer: HttpResponse) -> None:
        location = unquote(answer.header("location"))
        self.wire += (
            f"{request.url} {request.body.decode()} {location} {answer.body.decode('utf-8', 'replace')}\n"
        )
        parameters = (*parse_qsl(request.url.partition("?")[2]), *parse_qsl(request.body.decode()))
        self.canaries |= {value for name, value in parameters if name in NAMES}
        seen = f"{location} {answer.body.decode('utf-8', 'replace')}"
        for token in JWT.findall(seen):
            self.canaries |= {token, *token.split(".")[1:]}
        self.canaries |= set(USER_CODE.findall(seen))
