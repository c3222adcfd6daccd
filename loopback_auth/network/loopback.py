"""Own a port on the loopback interface, from the first moment to the last.

The socket is bound once and kept: probing for a free port, closing it and binding it again lets another
process take it in between. It listens at once, so that a fast browser waits in the backlog instead of being
refused while the rest of the program is still being imported. Hence this module, like `network.browser`,
imports nothing that costs.

Source: RFC 8252 §7.3, §8.3.
"""

from __future__ import annotations

import errno
import os
import socket
import sys

from loopback_auth.errors import ConfigError, RedirectUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.network.after_exit import Respond
    from loopback_auth.network.browser import Opening
    from loopback_auth.network.opener import OpenerCall

BACKLOG = 512
"""Connections; the kernel may lower it. Others knocking must not keep the browser out."""

TRIES = 20
"""How many free ports are tried until one is free on IPv6 too, for `localhost`, and no browser refuses it."""

BAD_PORTS = frozenset(
    {1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104}
    | {109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514}
    | {515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723}
    | {2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
)
"""Fetch §2.9: browsers go to none of these, on any machine, because other protocols live there."""


class BoundRedirect:
    """Sockets that listen on the redirect URI's authority, and the key of the start page served there.

    Args:
        sockets: one, or one for each family.
        authority: host and port of the redirect URI.
        path: raw path of the redirect URI.
        key: path of the start page, without the slash.
        any_port: the system chose the port, so that the next sign-in does not need the same one.
    """

    __slots__ = (
        "after_exit",
        "any_port",
        "authority",
        "key",
        "lingers",
        "opening",
        "path",
        "shown",
        "sockets",
    )

    def __init__(
        self,
        sockets: tuple[socket.socket, ...],
        *,
        authority: str,
        path: str,
        key: str,
        any_port: bool = False,
    ) -> None:
        self.sockets: tuple[socket.socket, ...] = sockets
        self.any_port: bool = any_port
        self.authority: str = authority
        self.path: str = path
        self.key: str = key
        self.lingers: bool = False
        """Whether the last page is to stay up for a moment when the sign-in has ended."""
        self.after_exit: tuple[tuple[socket.socket, ...], Respond] | None = None
        """Copies of the sockets for a child process, and how it answers there; None: the port closes."""
        self.opening: Opening | OpenerCall | None = None
        """The browser that was sent to the start page already."""
        self.shown: bool = True
        """Whether the user has been shown the link to that page."""

    def __repr__(self) -> str:
        return f"BoundRedirect({self.authority!r})"

    @property
    def redirect_uri(self) -> str:
        """The redirect URI as it has to be sent and registered."""
        return f"http://{self.authority}{self.path}"

    @property
    def start_url(self) -> str:
        """The URL of the start page; it works once."""
        return f"http://{self.authority}/{self.key}"

    @property
    def port(self) -> int:
        """The bound port."""
        return int(self.authority.rpartition(":")[2])

    def copy(self) -> BoundRedirect:
        """Return copies of the sockets, which must be closed too, and a start page with a new key."""
        sockets = tuple(one.dup() for one in self.sockets)
        return BoundRedirect(
            sockets, authority=self.authority, path=self.path, key=new_key(), any_port=self.any_port
        )

    def close(self) -> None:
        """Close the sockets, so that the port is free."""
        for one in self.sockets:
            one.close()


def new_key() -> str:
    """Make the key of a start page: 128 bits from the operating system, in hex."""
    return os.urandom(16).hex()


def bind(host: str, ports: tuple[int, ...], path: str, *, address: str = "") -> BoundRedirect:
    """Bind the first port of a list that is free and listen on it.

    Args:
        host: `127.0.0.1`, `[::1]` or `localhost` (both families on one port).
        ports: in order of preference; 0 is any free port.
        path: raw path of the redirect URI.
        address: to listen on in place of the host, for a container whose port is published to the host's own
            loopback interface; the redirect URI stays what it is (cloudflare/workers-sdk#10603).

    Raises:
        ConfigError: one of them is a port that browsers never go to.
        RedirectUnavailable: every port is taken or forbidden.
    """
    for port in BAD_PORTS.intersection(ports):
        raise ConfigError(
            f"Browsers refuse to open port {port}, on any machine (Fetch §2.9, bad ports)",
            hint="Choose another port for the redirect URI, such as 8400, and register it at the provider.",
            parameter="ports",
        )
    troubles: list[str] = []
    numbers: set[int | None] = set()
    for port in ports:
        try:
            sockets = _bind(host, port, address)
        except (OSError, OverflowError) as exc:
            reason = getattr(exc, "strerror", None) or exc
            numbers.add(getattr(exc, "errno", None))
            troubles.append(f"port {port or 'of any number'} on {host}: {reason}")
            continue
        number = sockets[0].getsockname()[1]
        authority, any_port = f"{host}:{number}", ports == (0,)
        return BoundRedirect(sockets, authority=authority, path=path, key=new_key(), any_port=any_port)
    hint, parameter = _advice(numbers)
    raise RedirectUnavailable(
        f"No port is free for the redirect URI: {'; '.join(troubles)}", hint=hint, parameter=parameter
    )


def _advice(numbers: set[int | None]) -> tuple[str, str]:
    """Return what to do when the system refuses to bind, and the parameter that it is about."""
    if numbers == {errno.EADDRNOTAVAIL}:
        return "This machine has no such address: use a redirect URI at 127.0.0.1.", "host"
    if numbers == {errno.EACCES}:
        return "Use a port from 1024 on, in a redirect URI that is registered at the provider.", "ports"
    return (
        "End the program that uses it, or register a redirect URI with another port at the provider and use "
        "that port.",
        "ports",
    )


def _bind(host: str, port: int, address: str) -> tuple[socket.socket, ...]:
    """Listen on a port; where the system chooses one, on one that browsers go to."""
    refused: list[socket.socket] = []
    try:
        for _ in range(TRIES):
            sockets = _bind_families(host, port) if not address else (_listen_wide(address, port),)
            if sockets[0].getsockname()[1] not in BAD_PORTS:
                return sockets
            refused += sockets  # Held until there is a better one, or it would come again.
    finally:
        for one in refused:
            one.close()
    raise OSError("browsers go to none of the ports that are free")


def _bind_families(host: str, port: int) -> tuple[socket.socket, ...]:
    if host != "localhost":
        family = socket.AF_INET6 if host == "[::1]" else socket.AF_INET
        return (listen(family, host.strip("[]"), port),)
    if not _has_ipv6():
        return (listen(socket.AF_INET, "127.0.0.1", port),)
    # A browser may try either family first; a program with the other one on this port would get the code.
    for _ in range(TRIES):
        ipv4 = listen(socket.AF_INET, "127.0.0.1", port)
        try:
            return (ipv4, listen(socket.AF_INET6, "::1", ipv4.getsockname()[1]))
        except OSError:
            ipv4.close()
            if port:
                raise
    raise OSError("no port is free on both 127.0.0.1 and ::1")


def _listen_wide(address: str, port: int) -> socket.socket:
    return listen(socket.AF_INET6 if ":" in address else socket.AF_INET, address, port)


def listen(family: int, address: str, port: int) -> socket.socket:
    """Listen on one address, which no other socket shares.

    Args:
        family: `socket.AF_INET` or `socket.AF_INET6`.
        address: of this machine.
        port: 0 is any free one.

    Raises:
        OSError: the system refuses.
        OverflowError: there is no such port.
    """
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # Windows lets a second socket share a port unless the first one forbids it.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # On POSIX this only passes over connections of the past (TIME_WAIT); SO_REUSEPORT would share.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((address, port))
        one.listen(BACKLOG)
        one.setblocking(False)
    except BaseException:
        one.close()
        raise
    return one


def _has_ipv6() -> bool:
    if not socket.has_ipv6:
        return False
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
