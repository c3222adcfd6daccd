"""The address of a proxy, taken apart; its user name and password appear in no message.

What looks for a proxy is `proxies`, which imports this only where there is one.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit

from loopback_auth.errors import ConfigError

SOCKS = ("socks5h", "socks5", "socks4a", "socks4", "socks")
SCHEMES = ("http", "https", *SOCKS)
DEFAULT_PORTS = {"http": 80, "https": 443}
SOCKS_PORT = 1080
ADDRESS = "Write it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with special characters as %XX."
_HOST = re.compile(r"[^\s%<>\"\\|^`{}]+")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that can be used.

    Args:
        named_by: the variable, or what else named it.
        scheme: http, https, or a variant of SOCKS.
        host: name or address, without brackets.
        port: that of the scheme if none was given.
        user: the bytes that were given, UTF-8 if they were not percent-encoded (RFC 7617 §2.1); empty: none.
        password: the same.
    """

    named_by: str
    scheme: str
    host: str
    port: int
    user: bytes = field(default=b"", repr=False)
    password: bytes = field(default=b"", repr=False)

    @property
    def url(self) -> str:
        """Its address without user name and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS, and not HTTP."""
        return self.scheme in SOCKS

    @property
    def headers(self) -> dict[str, str]:
        """The credentials for an HTTP proxy, as a header value (RFC 7617 §2)."""
        if not self.user:
            return {}
        given = base64.b64encode(self.user + b":" + self.password).decode("ascii")
        return {"Proxy-Authorization": f"Basic {given}"}


def parsed(variable: str, address: str) -> Proxy:
    """Take the address of a proxy apart.

    Raises:
        ConfigError: it cannot be used; the message repeats none of it but a scheme.
    """
    scheme, separator, rest = address.strip().partition("://")
    scheme, rest = (scheme.lower(), rest) if separator else ("http", scheme)
    if scheme not in SCHEMES:
        known = scheme if scheme.isascii() and scheme.isalnum() else "another protocol"
        raise ConfigError(
            f"{variable} names a proxy that speaks {known}, which is not known here.",
            hint="Name a proxy whose address starts with http://, https:// or socks5h://.",
        )
    given, _, place = rest.rpartition("@")
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if port == 0 or not _HOST.fullmatch(host):
        raise ConfigError(f"{variable} names a proxy whose address cannot be read.", hint=ADDRESS)
    default = SOCKS_PORT if scheme in SOCKS else DEFAULT_PORTS[scheme]
    user, _, password = given.partition(":")
    return Proxy(variable, scheme, host, port or default, _bytes(user), _bytes(password))


def _bytes(text: str) -> bytes:
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape"))
