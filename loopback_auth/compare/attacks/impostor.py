"""The attacker's authorization server, which redirects browsers to an honest one (mix-up).

A client that signs in there gets a code of the honest server. If it does not detect that, it sends the code
and its verifier to the attacker's token endpoint: PKCE does not help (RFC 9700 §4.4.1).
"""

from __future__ import annotations

from collections.abc import Callable

from loopback_auth import pages
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.setup import PATHS
from loopback_auth.demo.wire import Refused, error_reply
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.records import replace

PRIZES = ("/token", "/userinfo")
"""Paths to which a client sends codes and tokens."""


class Impostor(DemoServer):
    """A server with its own issuer and metadata, and without accounts.

    Args:
        issuer: an origin.
        honest: the server that is imitated; in memory it is reached through this one.
        entropy: as in `DemoServer`.
    """

    def __init__(self, issuer: str, honest: DemoServer, *, entropy: Callable[[int], bytes]) -> None:
        super().__init__(issuer, entropy=entropy)
        self.got: list[HttpRequest] = []
        """Requests with codes and tokens from clients."""
        self._honest = honest

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer one request, whatever it is; never raises."""
        if request.url.startswith(f"{self._honest.issuer}/"):
            return self._honest.handle(request, now)
        path, _, query = request.url.removeprefix(self.issuer).partition("?")
        if path == "/authorize":
            location = f"{self._honest.issuer}/authorize?{query}"
            return HttpResponse(302, (("Location", location), *pages.safe_headers()))
        if path == PATHS["pushed_authorization_request_endpoint"]:
            # Anyone who can make the request can push it, too: the client is public.
            headers = tuple(pair for pair in request.headers if pair[0].lower() != "host")
            return self._honest.handle(replace(request, url=self._honest.issuer + path, headers=headers), now)
        if path in PRIZES:
            self.got.append(request)
            return error_reply(Refused("invalid_grant", "This is not known here."))
        return super().handle(request, now)

    def metadata(self) -> dict[str, object]:
        """Leave out `iss`, which this server could not send."""
        return {**super().metadata(), "authorization_response_iss_parameter_supported": False}
