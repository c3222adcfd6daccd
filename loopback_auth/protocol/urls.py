"""Which URLs are fit to be an issuer, an endpoint, or to be handed to a browser.

URLs stay strings, byte for byte as they were given: comparing issuers and redirect URIs is comparing
strings (RFC 8414 §3.3, RFC 6749 §3.1.2.3), and every library that parses and prints a URL may respell it.
This file knows nothing about fetching; that a *name* resolves to a private address is seen when connecting.

Source: RFC 8414 §2 and §6; RFC 6749 §3.1; RFC 3986; CVE-2025-6514, CVE-2026-4519.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from loopback_auth.errors import ConfigError

URL_LIMIT = 8192
"""Characters; the shortest of the limits that operating systems put on an argument that opens a browser."""

_RESERVED = ":/?#[]@!$&'()*+,;="
_URL_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%" + _RESERVED)
"""RFC 3986 §2: all else has to be percent-encoded, so quotes, blanks, `|`, `^` and `<` never appear."""


def check_endpoint(url: str, *, name: str) -> str:
    """Return the URL of an endpoint unchanged, or refuse it.

    Args:
        url: as configured or as found in a metadata document; untrusted.
        name: the metadata name, for the message.

    Raises:
        ConfigError: not absolute, not https (http is for loopback literals), with user information or a
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
    return url


def check_resource(url: str) -> str:
    """Return a resource indicator unchanged, or refuse it.

    Raises:
        ConfigError: not an absolute URI, or with a fragment.

    Source: RFC 8707 §2.
    """
    parts = urlsplit(url)
    if not parts.scheme or parts.fragment or not _URL_CHARACTERS.issuperset(url) or "#" in url:
        raise _refused("resource", "a resource is an absolute URI without a fragment", url)
    return url


def check_browser_url(url: str) -> str:
    """Return a URL that may be handed to a program that opens browsers, or refuse it.

    Such a program gets the URL as one argument and may still re-parse it, treat a leading dash as an
    option, or start whatever is registered for an unusual scheme; hence a closed alphabet and two schemes.

    Raises:
        ConfigError: anything but https, or http on a loopback literal.

    Source: CVE-2025-6514 (mcp-remote), CVE-2026-4519 (CPython webbrowser), CVE-2022-45299.
    """
    _split(url, "the authorization URL")
    return url


def is_loopback_url(url: str) -> bool:
    """Tell whether a URL names this machine by a loopback IP literal or as `localhost` (RFC 8252 §7.3)."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or _is_loopback_literal(host)


def is_public_address(address: str) -> bool:
    """Tell whether an IP address may belong to a server elsewhere: neither loopback, private nor link-local.

    Source: RFC 9728 §7.7 (server-side request forgery); RFC 6890.
    """
    parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return parsed.is_global and not parsed.is_multicast


def is_inside(url: str) -> bool:
    """Tell whether a URL names, without any name look-up, this machine or an address of a private network.

    Source: RFC 9728 §7.7.
    """
    if is_loopback_url(url):
        return True
    try:
        return not is_public_address(urlsplit(url).hostname or "")
    except ValueError:
        return False


def origin(url: str) -> str:
    """Return scheme and authority of a URL as they are spelled, lower case (RFC 6454 §4)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


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
    if host.isdigit() or host.startswith("0x"):
        raise _refused(name, "an IP address has to be written with dots", url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback_literal(host)):
        return parts
    if parts.scheme == "http":
        raise _refused(name, "plain http is accepted on 127.0.0.1 and [::1] only", url)
    raise _refused(name, "https is required", url)


def _well_escaped(url: str) -> bool:
    escapes = url.split("%")[1:]
    return all(len(rest) >= 2 and _is_hex(rest[0]) and _is_hex(rest[1]) for rest in escapes)


def _is_hex(character: str) -> bool:
    return character in "0123456789abcdefABCDEF"


def _is_loopback_literal(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(name: str, reason: str, url: str) -> ConfigError:
    return ConfigError(
        f"The URL of {name} was refused: {reason}: {url[:120]!a}",
        hint="Give the address that the provider documents, starting with https://.",
    )
