"""The authorization request of a program: from its link, from what it pushed, or from a signed request."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from loopback_auth.audit.programs.links import parameters_of, repeated
from loopback_auth.audit.programs.server import AuditServer
from loopback_auth.demo.jwts import parts


class AuthorizationRequested:
    """The first authorization request with which the browser is sent to the server.

    Args:
        server: to which it is sent.
    """

    def __init__(self, server: AuditServer) -> None:
        self.link: str = ""
        """The link as the browser opened it at the server; empty before that."""
        self.repeated: tuple[str, ...] = ()
        """Names of parameters that it has more than once."""
        self._server = server
        self._own: dict[str, str] = {}

    @property
    def parameters(self) -> Mapping[str, str]:
        """All parameters, by name: what was pushed or signed counts more (RFC 9126 §4, RFC 9101 §5)."""
        return self._own

    @property
    def redirect_uri(self) -> str:
        """Where the response is going to come; empty while it is not known."""
        return self._own.get("redirect_uri", "")

    def at_device_page(self, url: str) -> bool:
        """Return whether a URL is that of the page where device codes are entered."""
        return self._server.path_of(url) == "/device"

    def saw(self, url: str, body: bytes = b"") -> None:
        """Look at a URL that the browser opens, and the form that it sends there."""
        if self.link or self._server.path_of(url) != "/authorize":
            return
        pairs = [*parameters_of(url), *parse_qsl(body.decode("latin-1"), keep_blank_values=True)]
        self.link, self.repeated = url, repeated(name for name, _ in pairs)
        self._own = dict(pairs)
        signed = parts(self._own.get("request", ""))
        if signed is not None:
            self._own |= {name: value for name, value in signed[1].items() if isinstance(value, str)}
        if self._own.get("request_uri"):
            pushed = [one.record for one in self._server.served if one.record.path == "/par"]
            self._own |= pushed[-1].parameters if pushed else {}
