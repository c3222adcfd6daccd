"""Which URLs are fit to be an issuer, an endpoint, or to be handed to a browser.

URLs stay strings, byte for byte as they were given: comparing issuers and redirect URIs is comparing
strings (RFC 8414 §3.3, RFC 6749 §3.1.2.3), and every library that parses and prints a URL may respell it.
This file knows nothing about fetching; that a *name* resolves to a private address is seen when connecting.

Source: RFC 8414 §2 and §6; RFC 6749 §3.1; RFC 3986; CVE-2025-6514, CVE-2026-4519.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from loopback_auth.errors import ConfigError

URL_LIMIT = 8192
"""Characters; the shortest of the limits that operating systems put on an argument that opens a browser."""

_COATS = tuple(map(IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")))
"""Networks whose last 32 bits are an IPv4 address: IPv4-compatible (RFC 4291 §2.5.5.1), IPv4-translated
(RFC 7915 §1), NAT64 (RFC 6052 §2.1) and its local-use prefix (RFC 8215). Python knows the others."""
_NOT_GLOBAL = tuple(map(ip_network, ("192.0.0.0/24", "3fff::/20", "5f00::/16")))
"""Not everywhere known to Python: protocol assignments, where a cloud has its metadata (RFC 6890),
documentation (RFC 9637) and segment routing (RFC 9602)."""
_LOCAL_ENDS = tuple(
    f".{one}"
    for one in ("corp", "home", "home.arpa", "internal", "intranet", "lan", "local", "localdomain", "private")
)
"""Names below these mean something else in each network: RFC 6762 §3 and appendix G, RFC 8375; `internal` was
set aside for that by ICANN."""
_RESERVED = ":/?#[]@!$&'()*+,;="
_URL_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%" + _RESERVED)
"""RFC 3986 §2: all else has to be percent-encoded, so quotes, blanks, `|`, `^` and `<` never appear."""

_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
"""A bracketed IPv6 address, an IPv4 address or a domain name; RFC 3986 §3.2.2 would allow far more."""


def check_endpoint(url: str, *, name: str) -> str:
    """Return the URL of an endpoint unchanged, or refuse it.

    Args:
        url: as configured or as found in a metadata document; untrusted.
        name: the metadata name, for the message.

    Raises:
        ConfigError: not absolute, not https (http is for this machine), with user information or a
            fragment, or with characters that RFC 3986 wants encoded.

    Source: RFC 6749 §3.1, §3.2; RFC 8414 §2.
    """
    parts = _split(url, name)
    if parts.fragment or url.endswith("#"):
        raise _refused(name, "an endpoint has no fragment", url)
    return url


def check_issuer(url: str) -> str:
    """Return an issuer identifier unchanged, or refuse it.

    Raises:
        ConfigError: as `check_endpoint`, or with a query.

    Source: RFC 8414 §2.
    """
    parts = _split(url, "issuer")
    if parts.query or parts.fragment or url[-1] in "?#":
        raise _refused("issuer", "an issuer has neither query nor fragment", url)
    if "/.well-known/" in parts.path:
        exc = _refused("issuer", "that is the address of its metadata", url)
        exc.hint = "Leave out /.well-known/ and what follows."
        raise exc
    return url


def check_resource(url: str) -> str:
    """Return a resource indicator unchanged, or refuse it.

    Raises:
        ConfigError: not an absolute URI, or with a fragment.

    Source: RFC 8707 §2.
    """
    try:
        scheme = urlsplit(url).scheme
    except ValueError as exc:
        raise _refused("resource", "not a URI", url) from exc
    if not scheme or "#" in url or not _URL_CHARACTERS.issuperset(url) or not _well_escaped(url):
        raise _refused("resource", "a resource is an absolute URI without a fragment", url)
    return url


def check_browser_url(url: str) -> str:
    """Return a URL that may be handed to a program that opens browsers, or refuse it.

    Such a program gets the URL as one argument and may still re-parse it, treat a leading dash as an
    option, or start whatever is registered for an unusual scheme; hence a closed alphabet and two schemes.

    Raises:
        ConfigError: anything but https, or http on this machine; or a URL that changes when it is taken
            apart and put together again, so that two programs could read it differently.

    Source: CVE-2025-6514 (mcp-remote), CVE-2026-4519 (CPython webbrowser), CVE-2022-45299.
    """
    parts = _split(url, "the authorization URL")
    if parts.geturl() != url:
        raise _refused("the authorization URL", "it can be spelled in another way", url)
    return url


def is_loopback_url(url: str) -> bool:
    """Return whether a URL names this machine by a loopback IP literal or as `localhost`.

    Source: RFC 8252 §7.3; RFC 6761 §6.3.
    """
    host = urlsplit(url).hostname or ""
    return is_localhost(host) or _is_loopback_literal(host)


def plain_host(host: str) -> str:
    """Return a host as two of them are compared: in lower case, without brackets and a dot at the end.

    Source: RFC 3986 §3.2.2, §6.2.2.1; RFC 1034 §3.1 (the dot of the root).
    """
    return host.lower().strip("[]").removesuffix(".")


def is_localhost(host: str) -> bool:
    """Return whether a host is `localhost` or a name below it, which are this machine, dot at the end or not.

    Source: RFC 6761 §6.3.
    """
    host = plain_host(host)
    return host == "localhost" or host.endswith(".localhost")


def is_public_address(address: str) -> bool:
    """Return whether an IP address may belong to a server elsewhere: not loopback, private or link-local.

    Source: RFC 9728 §7.7 (server-side request forgery); RFC 6890.
    """
    parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        parsed = _inner_address(parsed)
    site_local = isinstance(parsed, IPv6Address) and parsed.is_site_local
    reserved = site_local or any(parsed in network for network in _NOT_GLOBAL)
    return parsed.is_global and not parsed.is_multicast and not reserved


def is_inside(url: str) -> bool:
    """Return whether a URL names, without any name look-up, this machine or an address of a private network.

    Source: RFC 9728 §7.7.
    """
    if is_loopback_url(url):
        return True
    try:
        return not is_public_address(urlsplit(url).hostname or "")
    except ValueError:
        return False


def leads_inside(url: str, *, by: str, allowed: Collection[str] = ()) -> bool:
    """Return whether a server elsewhere has named a URL at this machine or in its network.

    Nor may a server of a private network point at this machine: plain http would even let it through.

    Args:
        url: fit to be an endpoint.
        by: an address of the server that named it.
        allowed: hosts that may be inside all the same, because the user says so.

    Source: RFC 9728 §7.7.
    """
    if _is_allowed(url, allowed):
        return False
    return (is_inside(url) and not is_inside(by)) or (is_loopback_url(url) and not is_loopback_url(by))


def check_approval_url(url: str, *, by: str, allowed: Collection[str] = ()) -> str:
    """Return a URL where a server wants the person to approve unchanged, or refuse it.

    Args:
        url: as the server named it; untrusted.
        by: an address of that server.
        allowed: as in `leads_inside`.

    Raises:
        ConfigError: as `check_browser_url`, or it leads into the person's own network.

    Source: RFC 9728 §7.7; RFC 8628 §5.2.
    """
    inside = leads_inside(check_browser_url(url), by=by, allowed=allowed)
    # Where we connect ourselves the resolver sees where a name leads; a browser follows it anywhere.
    local = _has_local_name(url) and not (_has_local_name(by) or is_inside(by) or _is_allowed(url, allowed))
    if inside or local:
        raise _refused("the address to approve at", "it leads to this machine or its network", url)
    return url


def origin(url: str) -> str:
    """Return scheme and authority of a URL as they are spelled, lower case.

    Source: RFC 6454 §4.
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _is_allowed(url: str, allowed: Collection[str]) -> bool:
    return plain_host(urlsplit(url).hostname or "") in map(plain_host, allowed)


def _has_local_name(url: str) -> bool:
    """Return whether the host of a URL is a name that only the local network can have given."""
    name = (urlsplit(url).hostname or "").removesuffix(".")
    return not _is_address(name) and ("." not in name or name.endswith(_LOCAL_ENDS))


def _inner_address(address: IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 one stands for, or else the address itself."""
    if any(address in network for network in _COATS) and int(address) > 1:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


def _split(url: str, name: str) -> SplitResult:
    if len(url) > URL_LIMIT:
        raise _refused(name, f"longer than {URL_LIMIT} characters", url)
    if not url or not _URL_CHARACTERS.issuperset(url) or not _well_escaped(url):
        raise _refused(name, "not a URL of RFC 3986 (blanks, quotes, control or non-ASCII characters)", url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise _refused(name, "not a URL", url) from exc
    if not host or port == 0:
        raise _refused(name, "no absolute URL with a host", url)
    if "@" in parts.netloc:
        raise _refused(name, "user information is not allowed", url)
    # CVE-2025-0938: `[` and `]` may only enclose the whole host, else a name passes for an address.
    if not _HOST.fullmatch(parts.netloc.removesuffix(f":{port}").removesuffix(":")):
        raise _refused(name, "its host is neither a name nor an address", url)
    if _ends_in_number(host) and not _is_address(host):
        raise _refused(name, "an IP address has to be written with four numbers and dots", url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback_url(url)):
        return parts
    if parts.scheme == "http":
        raise _refused(name, "plain http is accepted on localhost, 127.0.0.1 and [::1] only", url)
    raise _refused(name, "https is required", url)


def _well_escaped(url: str) -> bool:
    escapes = url.split("%")[1:]
    return all(len(rest) >= 2 and _is_hex(rest[0]) and _is_hex(rest[1]) for rest in escapes)


def _is_hex(character: str) -> bool:
    return character in "0123456789abcdefABCDEF"


def _ends_in_number(host: str) -> bool:
    # WHATWG URL §3.5: such a host is read as an IPv4 address by some, as in 127.1, 0x7f000001 or 2130706433.
    last = host.removesuffix(".").rpartition(".")[2]
    return last.isdigit() or last.startswith("0x")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)  # The same few hosts come by dozens of times in one sign-in.
def _is_loopback_literal(host: str) -> bool:
    if not _is_address(host):
        return False
    address = ip_address(host)
    # A mapped address is connected to as the IPv4 one in it. Python calls it loopback since 3.13 only.
    return ((isinstance(address, IPv6Address) and address.ipv4_mapped) or address).is_loopback


def _refused(name: str, reason: str, url: str) -> ConfigError:
    return ConfigError(
        f"The URL of {name} was refused: {reason}: {url[:120]!a}",
        hint="Give the address that the provider documents, starting with https://.",
    )
