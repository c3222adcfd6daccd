"""Redirect URIs that differ from the registered one: what a server with exact matching has to refuse.

Hosts in them are below `.invalid`, which cannot exist (RFC 2606 §2), or this machine.

Source: RFC 9700 §2.1, §4.1.1-4.1.3; RFC 8252 §7.3, §8.3; RFC 3986 §3.2.1, §6.2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

ELSEWHERE_HOST = "loopback-auth-audit.invalid"
ELSEWHERE = f"https://{ELSEWHERE_HOST}"
"""An origin at which there can be nothing."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to differ from the registered redirect URI.

    Args:
        question: name of the question that asks about it.
        change: makes it of the registered one; the empty string: that one has nothing to change.
    """

    question: str
    change: Callable[[str], str]


def _other_host(uri: str) -> str:
    return f"{ELSEWHERE}{_path(uri)}"


def _other_port(uri: str) -> str:
    """Return it with another port, which a native app may choose freely (RFC 8252 §7.3)."""
    parts = urlsplit(uri)
    port = parts.port or 80
    return f"{parts.scheme}://{_host(uri)}:{port % 60000 + 1024}{parts.path}"


def _without_port(uri: str) -> str:
    """Return it without a port, as it may be registered for a client that takes any."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{_host(uri)}{parts.path}" if parts.port is not None else ""


def _user_info(uri: str) -> str:
    """Return another host behind what looks like the registered one (RFC 3986 §7.6)."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}@{ELSEWHERE_HOST}{_path(uri)}"


def _suffix(uri: str) -> str:
    return f"{uri.rstrip('/')}/extra"


def _traversal(uri: str) -> str:
    return f"{uri.rstrip('/')}/../extra"


def _query(uri: str) -> str:
    return f"{uri}?extra=1"


def _fragment(uri: str) -> str:
    return f"{uri}#extra"


def _other_name(uri: str) -> str:
    """Return it with the other name of this machine."""
    names = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}
    host = _host(uri)
    return uri.replace(host, names[host], 1) if host in names else ""


def _escaped(uri: str) -> str:
    """Return it with its last letter percent-encoded: equivalent, and another string (RFC 3986 §6.2.2.2)."""
    last = uri[-1:]
    return f"{uri[:-1]}%{ord(last):02X}" if len(_path(uri)) > 1 and last.isalnum() else ""


def _uppercase(uri: str) -> str:
    path = urlsplit(uri).path
    return uri.removesuffix(path) + path.upper() if path.upper() != path else ""


def _host(uri: str) -> str:
    host = urlsplit(uri).hostname or ""
    return f"[{host}]" if ":" in host else host


def _path(uri: str) -> str:
    return urlsplit(uri).path or "/"


OTHER_HOST, PORT, USER_INFO = "redirect_uri: host", "redirect_uri: port", "redirect_uri: user info"
SUFFIX, TRAVERSAL, QUERY = "redirect_uri: suffix", "redirect_uri: traversal", "redirect_uri: query"
FRAGMENT, NAME = "redirect_uri: fragment", "redirect_uri: name of this machine"
NO_PORT = "redirect_uri: no port"
ESCAPE, CASE = "redirect_uri: escape", "redirect_uri: case"

VARIANTS = (
    Variant(OTHER_HOST, _other_host),
    Variant(PORT, _other_port),
    Variant(USER_INFO, _user_info),
    Variant(SUFFIX, _suffix),
    Variant(TRAVERSAL, _traversal),
    Variant(QUERY, _query),
    Variant(FRAGMENT, _fragment),
    Variant(NO_PORT, _without_port),
    Variant(NAME, _other_name),
    Variant(ESCAPE, _escaped),
    Variant(CASE, _uppercase),
)
"""Every variant, those that tell the most first."""
