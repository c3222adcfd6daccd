"""Through which proxy a request goes, as the person's environment or else the system says.

`HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, lower case first, are read as curl and Go read them. `HTTP_PROXY`
is not: what is not https stays on this machine, and in a CGI program any client can set that variable with a
header called Proxy (CVE-2016-1000110). A proxy that cannot be used is refused by the name of its variable,
before anything is sent; its user name and password appear in no message. macOS and Windows are asked only
when no variable names a proxy.
"""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from loopback_auth.protocol.urls import is_loopback_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.network.proxy_address import Proxy

PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
EXCEPTIONS = ("no_proxy", "NO_PROXY")
"""The variables, the first that is set being the one that counts."""


def proxy_for(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a URL; None: connect directly. On some systems this asks a name server.

    Raises:
        ConfigError: the proxy that is set cannot be used.
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
    return None if bypasses(host, parts.port or 443, no_proxy) else _parsed(named, environ[named])


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


def _parsed(variable: str, address: str) -> Proxy:
    from loopback_auth.network.proxy_address import parsed  # Most people have no proxy.

    return parsed(variable, address)


def _of_system(host: str) -> Proxy | None:
    if sys.platform not in ("darwin", "win32"):
        return None
    address = urllib.request.getproxies().get("https")
    if not address or urllib.request.proxy_bypass(host):
        return None
    return _parsed("The network settings of this system", address)
