"""The clients of the demo server: what each is registered with.

Redirect URIs are compared as strings, except for the port of a loopback one (RFC 8252 §7.3, RFC 9700 §2.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loopback_auth.errors import ConfigError
from loopback_auth.model import ClientAuth

LOOPBACK = ("http://127.0.0.1", "http://[::1]", "http://localhost")


@dataclass(frozen=True, slots=True)
class DemoClient:
    """A client as registered at the demo server.

    Args:
        client_id: its name at the server.
        client_secret: None makes a public client (RFC 6749 §2.1).
        redirect_uris: without fragment; the port of a loopback one does not matter.
        client_auth: the only method; None: Basic or the form with a secret, `none` without.
        client_name: shown to the person, who is told that it is not verified; empty: the ID is shown.
        grant_types: the only grants that it may use (RFC 7591 §2); empty: all.
        client_secret_expires_at: in Unix seconds; 0: never (RFC 7591 §3.2.1).
        dpop_bound: it gets only tokens that are bound to a key (RFC 9449 §5.2).
        jwks: its public keys, as a JWK Set, for `private_key_jwt` and for signed requests; None: it has none.

    Raises:
        ConfigError: no ID, no redirect URI or one with a fragment, an empty secret, or a secret or keys
            that do not fit `client_auth`.
    """

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = ()
    client_auth: ClientAuth | None = None
    client_name: str = ""
    grant_types: tuple[str, ...] = ()
    client_secret_expires_at: float = 0.0
    dpop_bound: bool = False
    jwks: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        if not self.client_id or not self.redirect_uris or any("#" in uri for uri in self.redirect_uris):
            raise ConfigError("A demo client needs an id, and redirect URIs without fragment")
        if self.client_secret == "":
            raise ConfigError(f"The demo client {self.client_id} has an empty secret; None makes it public")
        secret = self.client_auth in ("client_secret_basic", "client_secret_post")
        unfit = self.client_auth is not None and secret != (self.client_secret is not None)
        if unfit or (self.client_auth == "private_key_jwt" and self.jwks is None):
            raise ConfigError(
                f"The client_auth of the demo client {self.client_id} does not fit its secret or keys"
            )

    def allows(self, redirect_uri: str, *, exactly: bool = False) -> bool:
        """Return whether a redirect URI is registered for this client.

        Args:
            redirect_uri: as it was sent.
            exactly: for a fault: the port of a loopback one matters.

        Source: RFC 8252 §7.3; RFC 9700 §2.1.
        """
        if exactly:
            return redirect_uri in self.redirect_uris
        asked = _without_loopback_port(redirect_uri)
        return any(asked == _without_loopback_port(registered) for registered in self.redirect_uris)

    def resembles(self, redirect_uri: str) -> bool:
        """Return whether a redirect URI begins like a registered one, up to the host name; for a fault."""
        return any(redirect_uri.startswith(_host(registered)) for registered in self.redirect_uris)

    @property
    def public(self) -> bool:
        """Whether it cannot prove itself (RFC 6749 §2.1)."""
        return self.accepts("none")

    def may_use(self, grant_type: str) -> bool:
        """Return whether this client is registered for a grant (RFC 7591 §2)."""
        return not self.grant_types or grant_type in self.grant_types

    def accepts(self, method: ClientAuth) -> bool:
        """Return whether this client may authenticate by this method."""
        if self.client_auth is not None:
            return method == self.client_auth
        return (method == "none") == (self.client_secret is None)


DEMO_CLIENT = DemoClient("loopback-auth-demo", redirect_uris=tuple(f"{host}/callback" for host in LOOPBACK))
"""The public client that every demo server knows."""


def _host(uri: str) -> str:
    """Return the beginning of a URI, up to the end of its host name."""
    scheme, separator, rest = uri.partition("://")
    return scheme + separator + rest.partition("/")[0]


def _without_loopback_port(uri: str) -> str:
    """Return a loopback redirect URI without its port; other URIs and malformed ports stay unchanged."""
    for host in LOOPBACK:
        if uri.startswith(f"{host}:"):
            port, slash, path = uri[len(host) + 1 :].partition("/")
            # str.isdigit alone would let superscripts and other scripts pass
            if port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536:
                return f"{host}{slash}{path}"
    return uri
