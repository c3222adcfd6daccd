"""Which addresses belong to this machine: attacks go nowhere else, nor do questions to a server on it.

An address is looked at before the first request, and again whenever a name is resolved, so that neither a
name server nor a redirect nor metadata lead to another machine.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from loopback_auth.errors import ConfigError
from loopback_auth.model import Network
from loopback_auth.network.resolver import PrivateAddressError, Resolver, SystemResolver
from loopback_auth.network.transport import Transport

HINT = "Attacks are tried only at a server of your own, on this machine. Without --attack it is examined."


class ElsewhereError(PrivateAddressError):
    """A name led to another machine.

    Args:
        host: the name.
    """

    def __init__(self, host: str) -> None:
        OSError.__init__(self, f"{host} is not on this machine")
        self.hint: str = HINT


class ResolverOfThisMachine(Resolver):
    """Resolves names, and refuses every address of another machine."""

    def judge(self, host: str, addresses: Sequence[str]) -> None:
        """Refuse a host with an address elsewhere.

        Raises:
            ElsewhereError: it has one, or none at all.
        """
        if not addresses or not all(map(is_here, addresses)):
            raise ElsewhereError(host)


def is_here(address: str) -> bool:
    """Return whether an IP address is of this machine: a loopback one, or one of its interfaces."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_loopback or ip.is_unspecified or ip.is_multicast:
        return ip.is_loopback
    family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
    try:
        # Only an address of its own can be bound, and a datagram socket that is bound sends nothing.
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(ip), 0))
    except OSError:
        return False
    return True


def transport_here(network: Network) -> Transport:
    """Make a transport that uses no proxy, and reaches this machine alone."""
    # The empty environment of the transport has no proxy; a proxy of the system is switched off by the star.
    environ = {**os.environ, "https_proxy": "http://127.0.0.1", "no_proxy": "*"}
    return Transport(network, environ=environ, resolver=ResolverOfThisMachine())


async def check_here(url: str) -> None:
    """Refuse a URL of another machine, before anything is sent.

    Raises:
        ConfigError: it is, or its name has no address.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host:
        raise ConfigError("There is no server to attack.", hint="Give its issuer.")
    try:
        found = await SystemResolver().resolve(host, parts.port or 443)
    except OSError as exc:
        raise ConfigError(f"{host} cannot be found: {exc.strerror or 'no address'}.", hint=HINT) from None
    if not found or not all(is_here(one["host"]) for one in found):
        raise ConfigError(f"{host} is not on this machine.", hint=HINT)
