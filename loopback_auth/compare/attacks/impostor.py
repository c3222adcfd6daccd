"""An authorization server of the attacker's, which sends browsers on to an honest one (mix-up).

A client that signs in there, because somebody told it to, ends with a code of the honest server in hand. If
it does not notice, it brings that code to the attacker's token endpoint, and its verifier along: PKCE is no
help (RFC 9700 §4.4.1).
"""

from __future__ import annotations

from collections.abc import Callable

from loopback_auth import pages
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.wire import Refused, error_reply
from loopback_auth.model import HttpRequest, HttpResponse

PRIZES = ("/token", "/userinfo")
"""Where a client brings what it takes for this server's own."""


class Impostor(DemoServer):
    """Has a name and metadata of its own, and no accounts.

    Args:
        issuer: an origin.
        honest: the server that is imitated; in memory it is reached through this one.
        entropy: as in `DemoServer`.
    """

    def __init__(self, issuer: str, honest: DemoServer, *, entropy: Callable[[int], bytes]) -> None:
        super().__init__(issuer, entropy=entropy)
        self.got: list[HttpRequest] = []
        """What clients have brought."""
        self._honest = honest

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer one request, whatever it is; never raises."""
        if request.url.startswith(f"{self._honest.issuer}/"):
            return self._honest.handle(request, now)
        path, _, query = request.url.removeprefix(self.issuer).partition("?")
        if path == "/authorize":
            location = f"{self._honest.issuer}/authorize?{query}"
            return HttpResponse(302, (("Location", location), *pages.safe_headers()))
        if path in PRIZES:
            self.got.append(request)
            return error_reply(Refused("invalid_grant", "This is not known here."))
        return super().handle(request, now)

    def metadata(self) -> dict[str, object]:
        """Say nothing of `iss`, which this server could not send."""
        return {**super().metadata(), "authorization_response_iss_parameter_supported": False}
