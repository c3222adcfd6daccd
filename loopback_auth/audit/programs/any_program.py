"""The client of any audited program: the server takes it as registered with whatever the program does."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from loopback_auth.demo.clients import DemoClient
from loopback_auth.model import ClientAuth

LOOPBACK = ("127.0.0.1", "::1", "localhost")
WEB = ("http", "https")


@dataclass(frozen=True, slots=True)
class AnyProgram(DemoClient):
    """The client of any program: every redirect URI on this machine is registered, and every private one."""

    def allows(self, redirect_uri: str, *, exactly: bool = False) -> bool:
        """Return whether a redirect URI leads to a program on this machine (RFC 8252 §7.1, §7.3)."""
        try:
            parts = urlsplit(redirect_uri)
        except ValueError:
            return False
        if parts.scheme not in WEB:
            return "." in parts.scheme and not parts.fragment
        return parts.hostname in LOOPBACK and not parts.fragment and "@" not in parts.netloc

    def accepts(self, method: ClientAuth) -> bool:
        """Return whether this client may authenticate by this method: a secret may come in both ways.

        A public client may send Basic with an empty secret (RFC 6749 §2.3.1).
        """
        with_secret = ("client_secret_basic", "client_secret_post")
        return method in (with_secret if self.client_secret else ("none", "client_secret_basic"))
