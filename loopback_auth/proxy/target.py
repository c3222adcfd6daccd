"""Where a request is forwarded to: below one base URL, whatever its target says.

The URL is put together from text and never parsed again by a rule that could find another host in it: the
origin is that of the base, and what comes from a client begins with a slash behind it. A path that climbs is
refused, not resolved, because servers disagree on what is resolved when: `..`, `%2e%2e`, `..%2f`, `..;x`.

Source: RFC 9112 §3.2; RFC 3986 §3.3, §5.2.4; RFC 9110 §10.2.2 (Location).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from loopback_auth.errors import ConfigError
from loopback_auth.protocol.urls import check_endpoint, compared_origin
from loopback_auth.proxy.headers import Fields

_VISIBLE = re.compile(r"[!-~]*")
_FORBIDDEN = re.compile(r"[\\#]")
"""`#` begins no part of a request target; a backslash is a slash for some servers and none for others."""
_CLIMBS = re.compile(r"(^|[/\\])\.\.?($|[/\\;])")
"""A segment of dots; what follows a semicolon is a parameter of the segment for some servers."""
MOST_DECODINGS = 3
"""Times that a segment is decoded to look for dots in it; each server on the way may decode it once."""


@dataclass(frozen=True, slots=True)
class Base:
    """The URL below which requests are forwarded.

    Args:
        origin: scheme, host and port, without a final slash.
        path: as the person gave it.
        prefix: the path without its final slash, before the path of each request.
        mount: what stands before the path of each request to the proxy: a slash and its secret, or nothing.
    """

    origin: str
    path: str
    prefix: str
    mount: str

    def url(self, target: str) -> str:
        """Return the URL for a target of which `check_target` has found nothing wrong, without its mount.

        Args:
            target: path and query behind the mount; `/`, the root of the proxy is the base as it was given.
        """
        path, mark, query = target.partition("?")
        return f"{self.origin}{self.path if path == '/' else self.prefix + path}{mark}{query}"

    def location(self, value: str, url: str) -> str:
        """Return the value of a `Location` for the client: where it leads below the base, through the proxy.

        What leads to elsewhere is left to the client, which has no token for it.

        Args:
            value: as the server sent it.
            url: of the request that was answered.

        Source: RFC 9110 §10.2.2.
        """
        try:
            there = urljoin(url, value)
            if compared_origin(there) != compared_origin(self.origin):
                return there
            parts = urlsplit(there)
        except ValueError:
            return value
        path = parts.path or "/"
        if path == self.path:
            path = self.prefix
        elif not path.startswith(f"{self.prefix}/"):
            return there
        if "@" in parts.netloc or why_climbing(path):
            return there
        below = f"{self.mount}{path.removeprefix(self.prefix)}"
        if below.startswith("//"):  # Without a scheme this would name a host.
            return there
        query, fragment = f"?{parts.query}" * bool(parts.query), f"#{parts.fragment}" * bool(parts.fragment)
        return f"{below or '/'}{query}{fragment}"

    def request_fields(self, fields: Fields) -> Fields:
        """Return the fields of a request without the secret of the mount, which is for clients alone.

        An address of the proxy becomes that of the server, as in `Referer` and in `Destination` of WebDAV; a
        field that has the secret in another form is left out.

        Args:
            fields: for the server.

        Source: RFC 9110 §10.1.3 (`Referer`), §17.9 (what an address discloses); RFC 4918 §10.3.
        """
        secret = self.mount[1:]
        if not secret or not any(secret in value or secret in name for name, value in fields):
            return fields
        address = re.compile(rf"https?://[^/\s]*{re.escape(self.mount)}(?=[/?#]|$)", re.IGNORECASE)
        there = f"{self.origin}{self.prefix}"
        changed = [(name, address.sub(lambda _: there, value)) for name, value in fields]
        return [(name, value) for name, value in changed if secret not in value and secret not in name]


def base_of(url: str, *, mount: str = "", name: str = "url") -> Base:
    """Read the URL below which requests are forwarded.

    Args:
        url: https, or http on this machine.
        mount: see `Base`.
        name: of the argument, for the message.

    Raises:
        ConfigError: it is neither, or it has a query, a fragment, or user information.

    Source: RFC 6750 §5.3 (a token goes over TLS only).
    """
    check_endpoint(url, name=name)
    parts = urlsplit(url)
    if "?" in url or why_climbing(parts.path):
        raise ConfigError(
            f"{name} has a query, or a path with `..`: requests cannot be forwarded below it.",
            hint="Give the address that all requests have in common.",
            parameter=name,
        )
    path = parts.path or "/"
    return Base(f"{parts.scheme}://{parts.netloc}", path, path.rstrip("/"), mount)


def check_target(target: str) -> str:
    """Return why a request target cannot be forwarded, as a clause; empty when it can.

    Args:
        target: path and query, as received.

    Source: RFC 9112 §3.2.1; RFC 3986 §3.3.
    """
    if not target.startswith("/") or not _VISIBLE.fullmatch(target) or _FORBIDDEN.search(target):
        return "its target is not a path of visible ASCII characters"
    return why_climbing(target.partition("?")[0])


def why_climbing(path: str) -> str:
    """Return that a path leads out of a folder for a server that decodes it, as a clause; or nothing.

    Source: RFC 3986 §5.2.4, §6.2.2.3.
    """
    for _ in range(MOST_DECODINGS):
        if _CLIMBS.search(path):
            return "its path has a segment `.` or `..`"
        decoded = unquote(path, "latin-1") if "%" in path else path
        if decoded == path:
            return ""
        path = decoded
    return "its path is encoded again and again"
