"""Check URLs: which can be an issuer, an endpoint or a resource, and which can be opened in a browser.

URLs stay strings, byte for byte as they were given: issuers and redirect URIs are compared as strings (RFC
8414 §3.3, RFC 6749 §3.1.2.3), and a library that parses and prints a URL may change its spelling. This module
refuses to know about connections: that a *name* resolves to a private address is noticed when connecting.

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
"""Characters; the shortest limit of the operating systems for an argument that opens a browser."""

URL_SHOWN = 120
"""Characters of a URL in a message."""

_COATS = tuple(map(IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")))
"""Networks whose last 32 bits are an IPv4 address: IPv4-compatible (RFC 4291 §2.5.5.1), IPv4-translated
(RFC 7915 §1), NAT64 (RFC 6052 §2.1) and its local-use prefix (RFC 8215). Python knows the others."""
_NOT_GLOBAL = tuple(map(ip_network, ("192.0.0.0/24", "3fff::/20", "5f00::/16")))
"""Networks that some versions of Python do not know: protocol assignments, where a cloud has its metadata
(RFC 6890), documentation (RFC 9637) and segment routing (RFC 9602)."""
_LOCAL_ENDS = tuple(
    f".{one}"
    for one in ("corp", "home", "home.arpa", "internal", "intranet", "lan", "local", "localdomain", "private")
)
"""Domains whose names differ in each network: RFC 6762 §3 and appendix G, RFC 8375; ICANN has reserved
`internal` for this."""
_RESERVED = ":/?#[]@!$&'()*+,;="
_URL_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%" + _RESERVED)
"""RFC 3986 §2: all other characters are percent-encoded, so quotes, blanks, `|`, `^` and `<` never appear."""

_DEFAULT_PORTS = {"https": 443, "http": 80}
_QUERY = re.compile("[?#]")
_USER = re.compile("^([^/@]*//?)?[^/]*@")
"""User information, also where a scheme or a slash is missing."""
_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
"""A bracketed IPv6 address, an IPv4 address or a domain name; RFC 3986 §3.2.2 would allow far more."""


def check_endpoint(url: str, *, name: str) -> str:
    """Return the URL of an endpoint unchanged, or refuse it.

    Args:
        url: as configured or as found in a metadata document; untrusted.
        name: of the metadata member, for the message.

    Raises:
        ConfigError: not absolute, not https (or http on this machine), with user information or a fragment,
            or with characters that RFC 3986 requires to be encoded.

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
        exc = _refused("issuer", "that is the URL of its metadata", url)
        exc.hint = "Leave out /.well-known/ and what follows."
        raise exc
    return url


def check_resource_server(url: str) -> str:
    """Return the URL of a protected resource unchanged, or refuse it.

    Raises:
        ConfigError: as `check_endpoint`.

    Source: RFC 9728 §1.2 (resource identifier); RFC 8707 §2.
    """
    parts = _split(url, "resource_server")
    if parts.fragment or url.endswith("#"):
        raise _refused("resource_server", "a resource has no fragment", url)
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

    Such a program gets the URL as one argument. It may parse it again, take a leading dash for an option, or
    start a program that is registered for the scheme. Therefore only some characters and two schemes are
    allowed.

    Raises:
        ConfigError: not https, or http on this machine; or a URL that changes when it is split and joined
            again, so that two programs could read it differently.

    Source: CVE-2025-6514 (mcp-remote), CVE-2026-4519 (CPython webbrowser), CVE-2022-45299.
    """
    parts = _split(url, "the authorization request")
    if parts.geturl() != url:
        raise _refused("the authorization request", "it has more than one spelling", url)
    return url


def is_loopback_url(url: str) -> bool:
    """Return whether a URL names this machine by a loopback IP literal or as `localhost`.

    Source: RFC 8252 §7.3; RFC 6761 §6.3.
    """
    host = urlsplit(url).hostname or ""
    return is_localhost(host) or _is_loopback_literal(host)


def shown_url(url: str) -> str:
    """Return a URL as messages have it: without what may hold a secret, and not without end.

    Args:
        url: or what was given as one.

    Source: RFC 9700 §4.3.2, RFC 6750 §5.3 (what stands in the query of a URL is written to logs); RFC 3986
    §7.5 (passwords in the user information); RFC 6749 §4.2.2 (tokens in the fragment).
    """
    end = _QUERY.search(url)
    shown, mark = (url[: end.start()], f"{end[0]}...") if end else (url, "")
    return _USER.sub(r"\1...@", shown[:URL_LIMIT])[:URL_SHOWN] + mark


def plain_host(host: str) -> str:
    """Return a host in the form in which hosts are compared: lower case, without brackets and final dot.

    Source: RFC 3986 §3.2.2, §6.2.2.1; RFC 1034 §3.1 (the dot of the root).
    """
    return host.lower().strip("[]").removesuffix(".")


def is_localhost(host: str) -> bool:
    """Return whether a host is `localhost` or a name below it, with or without a final dot.

    Source: RFC 6761 §6.3.
    """
    host = plain_host(host)
    return host == "localhost" or host.endswith(".localhost")


def is_public_address(address: str) -> bool:
    """Return whether an IP address is public: not loopback, private or link-local.

    Source: RFC 9728 §7.7 (server-side request forgery); RFC 6890.
    """
    parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        parsed = _inner_address(parsed)
    site_local = isinstance(parsed, IPv6Address) and parsed.is_site_local
    reserved = site_local or any(parsed in network for network in _NOT_GLOBAL)
    return parsed.is_global and not parsed.is_multicast and not reserved


def is_inside(url: str) -> bool:
    """Return whether a URL names this machine or an address in a private network; no name is looked up.

    Source: RFC 9728 §7.7.
    """
    if is_loopback_url(url):
        return True
    try:
        return not is_public_address(urlsplit(url).hostname or "")
    except ValueError:
        return False


def leads_inside(url: str, *, by: str, allowed: Collection[str] = ()) -> bool:
    """Return whether a server has named a URL that is on this machine or in a private network.

    A server in a private network must not name this machine either.

    Args:
        url: a usable endpoint.
        by: an address of the server that named it.
        allowed: hosts in the private network that the settings allow.

    Source: RFC 9728 §7.7.
    """
    if _is_allowed(url, allowed):
        return False
    return (is_inside(url) and not is_inside(by)) or (is_loopback_url(url) and not is_loopback_url(by))


def check_approval_url(url: str, *, by: str, allowed: Collection[str] = ()) -> str:
    """Return the URL of an approval page unchanged, or refuse it.

    Args:
        url: as the server named it; untrusted.
        by: an address of that server.
        allowed: as in `leads_inside`.

    Raises:
        ConfigError: as `check_browser_url`, or it is in the person's own network.

    Source: RFC 9728 §7.7; RFC 8628 §5.2.
    """
    inside = leads_inside(check_browser_url(url), by=by, allowed=allowed)
    # When the program connects, it checks the address of a name; a browser does not.
    local = _has_local_name(url) and not (_has_local_name(by) or is_inside(by) or _is_allowed(url, allowed))
    if inside or local:
        raise _refused("the address to approve at", "it is on this machine or in its network", url)
    return url


def origin(url: str) -> str:
    """Return scheme and authority of a URL as they are spelled, but in lower case: to request or to show it.

    Source: RFC 6454 §4.
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def compared_origin(url: str) -> str:
    """Return scheme, host and port of a URL, in the one form that all URLs of this origin have.

    Args:
        url: absolute; a user name and password in it are left out.

    Source: RFC 6454 §4; RFC 3986 §6.2.2.1, §6.2.3; RFC 5890 §2.3.2.1 (a name in ASCII).
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    shown = f"[{host}]" if ":" in host else host
    ending = "" if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{port}"
    return f"{parts.scheme}://{shown}{ending}"


def _is_allowed(url: str, allowed: Collection[str]) -> bool:
    return plain_host(urlsplit(url).hostname or "") in map(plain_host, allowed)


def _has_local_name(url: str) -> bool:
    """Return whether the host of a URL is a name that exists only in a local network."""
    name = (urlsplit(url).hostname or "").removesuffix(".")
    return not _is_address(name) and ("." not in name or name.endswith(_LOCAL_ENDS))


def _inner_address(address: IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that is embedded in an IPv6 address, or else the address itself."""
    if any(address in network for network in _COATS) and int(address) > 1:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


def _split(url: str, name: str) -> SplitResult:
    if len(url) > URL_LIMIT:
        raise _refused(name, f"longer than {URL_LIMIT} characters", url)
    if not url or not _URL_CHARACTERS.issuperset(url) or not _well_escaped(url):
        raise _refused(name, "not a valid URL (blanks, quotes, control or non-ASCII characters)", url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise _refused(name, "not a URL", url) from exc
    if not host or port == 0:
        raise _refused(name, "not an absolute URL with a host", url)
    if "@" in parts.netloc:
        raise _refused(name, "user information is not allowed", url)
    # CVE-2025-0938: `[` and `]` may only enclose the whole host; otherwise a name is taken for an address.
    if not _HOST.fullmatch(parts.netloc.removesuffix(f":{port}").removesuffix(":")):
        raise _refused(name, "its host is neither a name nor an address", url)
    if _ends_in_number(host) and not _is_address(host):
        raise _refused(name, "an IPv4 address must be written as four numbers with dots", url)
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
    # WHATWG URL §3.5: some programs read such a host as an IPv4 address: 127.1, 0x7f000001 or 2130706433.
    last = host.removesuffix(".").rpartition(".")[2]
    return last.isdigit() or last.startswith("0x")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)  # One sign-in asks for the same few hosts many times.
def _is_loopback_literal(host: str) -> bool:
    if not _is_address(host):
        return False
    address = ip_address(host)
    # A mapped address connects to the IPv4 address in it. Python calls it loopback only since 3.13.
    return ((isinstance(address, IPv6Address) and address.ipv4_mapped) or address).is_loopback


def _refused(name: str, reason: str, url: str) -> ConfigError:
    # The query of an authorization URL has the state.
    return ConfigError(
        f"The URL of {name} was refused: {reason}: {shown_url(url)!a}",
        hint="Give the address that the provider documents, starting with https://.",
        parameter=name if name.isidentifier() else "",
    )
