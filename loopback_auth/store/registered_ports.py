"""The ports of the redirect URIs that are registered: a port is bound before anything else of a sign-in.

A server may compare a redirect URI with its port (RFC 6749 §3.1.2.3), so the next sign-in tries the same port
first. This runs before the browser is started, so it imports next to nothing.
"""

# Paths stay text, as in `private_files`: pathlib takes longer to import.
# ruff: noqa: PTH118

from __future__ import annotations

import os

from loopback_auth.narrow import NAME_LIMIT, is_list, is_object, is_strings
from loopback_auth.store.private_files import check_folder, read_kept, system_refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = "registrations"
SUFFIX = ".json"
MOST_FILES = 32
"""Issuers whose ports are looked at."""
MOST_PORTS = 16
"""Ports that are tried before any other."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
_HASHED = 32
"""Hexadecimal digits of a hash in the name of a long issuer."""


def registration_name(issuer: str) -> str:
    """Return the name of an issuer: for two issuers two names, because one server must not use up another's.

    Returns:
        1 to 100 characters out of `a-z0-9._-`, of which the first is a letter or a digit.
    """
    # The scheme of nearly all goes without saying; that of the others is escaped like the rest.
    text = issuer.removeprefix("https://")
    spelled = "".join(each if each in _PLAIN else f"_{ord(each):02x}_" for each in text)
    if spelled[:1] in ("", ".", "-", "_"):
        spelled = f"0_{spelled}"
    if len(spelled) <= NAME_LIMIT - 2 - _HASHED:
        return spelled
    from hashlib import sha256  # Few issuers are that long.

    digest = sha256(issuer.encode("utf-8", "surrogatepass")).hexdigest()[:_HASHED]
    return f"{spelled[: NAME_LIMIT - 2 - _HASHED]}__{digest}"


def registered_ports(folder: str, issuer: str) -> tuple[int, ...]:
    """Return the ports of the redirect URIs that are registered, those that were used last first.

    What is damaged, or cannot be read, counts as none: another port is bound then.

    Args:
        folder: the data folder.
        issuer: whose ports come first; empty: none is preferred.

    Raises:
        StoreError: a file or the folder is unsafe.
    """
    within = os.path.join(folder, FOLDER)
    if not check_folder(within):
        return ()
    first = [os.path.join(within, registration_name(issuer) + SUFFIX)] if issuer else []
    paths = dict.fromkeys((*first, *_latest_first(within)))
    contents = (read_kept(path, lost_is_none=True) for path in paths)
    return ports_of(uri for content in contents if content is not None for uri in _redirect_uris(content))


def preferred_ports(ports: tuple[int, ...], registered: tuple[int, ...]) -> tuple[int, ...]:
    """Return the ports to try: those that are registered first, as far as they are allowed.

    Args:
        ports: that are allowed, in order; 0 means any.
        registered: as `registered_ports` returned them.
    """
    first = [port for port in registered if 0 in ports or port in ports][:MOST_PORTS]
    return tuple(dict.fromkeys((*first, *ports)))


def ports_of(redirect_uris: Iterable[str]) -> tuple[int, ...]:
    """Return the ports of redirect URIs, in order and each once."""
    texts = (uri.partition("://")[2].partition("/")[0].rpartition(":")[2] for uri in redirect_uris)
    ports = (int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) <= 5)
    return tuple(dict.fromkeys(port for port in ports if 0 < port < 65536))


def _latest_first(within: str) -> list[str]:
    try:
        with os.scandir(within) as entries:
            times = [(entry.stat().st_mtime, entry.path) for entry in entries if entry.name.endswith(SUFFIX)]
    except OSError as exc:
        raise system_refused(exc, within, "listed") from exc
    return [path for _, path in sorted(times, reverse=True)[:MOST_FILES]]


def _redirect_uris(content: bytes) -> list[str]:
    import json  # Start-up: not before there is a registration.

    try:
        members: object = json.loads(content.decode("ascii"))
    except (ValueError, RecursionError):
        return []
    clients = members.get("clients") if is_object(members) else None
    lists = [one.get("redirect_uris") for one in clients if is_object(one)] if is_list(clients) else []
    return [uri for each in lists if is_strings(each) for uri in each]
