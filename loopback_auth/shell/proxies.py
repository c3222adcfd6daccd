"""Through which proxy a request goes, as the person's environment or else the system says.

`HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, lower case first, are read as curl and Go read them. `HTTP_PROXY`
is not: what is not https stays on this machine, and in a CGI program that variable is set by whoever sends a
header called Proxy (CVE-2016-1000110). A proxy that cannot be used is refused by the name of its variable,
before anything is sent; its user name and password appear in no message. macOS and Windows are asked only
when no variable names a proxy.
"""

from __future__ import annotations

import base64
import re
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import unquote_to_bytes, urlsplit

from loopback_auth.errors import ConfigError
from loopback_auth.protocol.urls import is_loopback_url

SOCKS = ("socks5h", "socks5", "socks4a", "socks4", "socks")
SCHEMES = ("http", "https", *SOCKS)
DEFAULT_PORTS = {"http": 80, "https": 443}
SOCKS_PORT = 1080
PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
EXCEPTIONS = ("no_proxy", "NO_PROXY")
"""The variables, the first that is set being the one that counts."""

ADDRESS = "Write it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with special characters as %XX."
_HOST = re.compile(r"[^\s%<>\"\\|^`{}]+")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that can be used.

    Args:
        named_by: the variable, or what else named it.
        port: its scheme's own if none was given.
        user: the bytes that were given, UTF-8 if they were not percent-encoded (RFC 7617 §2.1).
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
        """What tells an HTTP proxy who we are (RFC 7617 §2)."""
        if not self.user:
            return {}
        given = base64.b64encode(self.user + b":" + self.password).decode("ascii")
        return {"Proxy-Authorization": f"Basic {given}"}


def proxy_for(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a URL; None for the direct way. On some systems this asks a name server.

    Raises:
        ConfigError: one is named that cannot be used.
    """
    # RFC 8252 §8.3: what is meant for loopback stays there.
    if is_loopback_url(url):
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    named = named_by(environ)
    if not named:
        return _of_system(host)
    no_proxy = next((environ[name] for name in EXCEPTIONS if name in environ), "")
    return None if bypasses(host, parts.port or 443, no_proxy) else parsed(named, environ[named])


def named_by(environ: Mapping[str, str]) -> str:
    """Return the variable that names the proxy; empty when none does.

    As for curl and urllib, an empty `https_proxy` switches off what the others name.
    """
    if not environ.get("https_proxy", "on").strip():
        return ""
    return next((name for name in PROXIES if environ.get(name, "").strip()), "")


def bypasses(host: str, port: int, no_proxy: str) -> bool:
    """Return whether `NO_PROXY` takes a host out.

    Its entries are hosts with all below them (`host`, `.host`), only what is below (`*.host`), addresses,
    networks (`10.0.0.0/8`), each but networks also with a port, and `*` for everything.
    """
    host = host.lower().removesuffix(".")
    entries = no_proxy.lower().replace(",", " ").split()
    return any(entry == "*" or _matches(host, port, entry) for entry in entries)


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


def _matches(host: str, port: int, entry: str) -> bool:
    if "/" in entry:
        return _within(host, entry)
    name, wanted = _split(entry)
    if wanted and wanted != str(port):
        return False
    if (address := _address(host)) is not None:
        return address == _address(name)
    below = name.removeprefix("*").removeprefix(".").removesuffix(".")
    return bool(below) and ((host == below and not name.startswith("*")) or host.endswith(f".{below}"))


def _split(entry: str) -> tuple[str, str]:
    """Split an entry into host and port; a bare IPv6 address has colons of its own."""
    if entry.startswith("["):
        name, _, port = entry[1:].partition("]")
        return name, port.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _within(host: str, network: str) -> bool:
    address = _address(host)
    try:
        return address is not None and address in ip_network(network, strict=False)
    except ValueError:
        return False


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _bytes(text: str) -> bytes:
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape"))


def _of_system(host: str) -> Proxy | None:
    if sys.platform not in ("darwin", "win32"):
        return None
    address = urllib.request.getproxies().get("https")
    if not address or urllib.request.proxy_bypass(host):
        return None
    return parsed("The network settings of this system", address)
