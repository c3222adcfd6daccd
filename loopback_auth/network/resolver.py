"""Find the addresses of a name, and refuse private ones after public ones.

A public authorization server must not lead the program into this machine or its network (RFC 9728 §7.7):
after a request to a public address, a private one is refused. `localhost` and the names below it are this
machine, whatever a name server says (RFC 6761 §6.3).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Sequence

from aiohttp.abc import AbstractResolver, ResolveResult

from loopback_auth.network.threads import apart
from loopback_auth.protocol.urls import is_localhost, is_public_address, plain_host

LOOPBACK = ("::1", "127.0.0.1")
"""Loopback addresses in the order of browsers and curl, so that all speak to the same server."""


class PrivateAddressError(OSError):
    """A name of a public server led to a private address.

    Args:
        host: the name.
    """

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is a private address, but the authorization server is a public one")
        self.hint: str = (
            "The server leads this program to where only you can go: do not go on, unless you know that "
            f"{host} is inside your own network; then allow this host."
        )


class SystemResolver(AbstractResolver):
    """Asks the system, in a thread that is abandoned when no name server answers.

    Args:
        seconds: until it gives up; the system tries one name server after the other.
    """

    def __init__(self, seconds: float = 15.0) -> None:
        self._seconds = seconds

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Find the addresses of a name.

        Raises:
            OSError: it has none, or no name server has answered.
        """
        if is_localhost(host):
            return [_found(host, address, port) for address in LOOPBACK]
        try:
            async with asyncio.timeout(self._seconds):
                found = await apart(
                    socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
                )
        except TimeoutError:
            raise socket.gaierror(socket.EAI_AGAIN, "no name server answered") from None
        return [_found(host, str(address[0]), port) for *_, address in found]

    async def close(self) -> None:
        """Close nothing."""


class Resolver(AbstractResolver):
    """Resolves names, and refuses private addresses once a public one has been spoken to.

    Args:
        inner: asks the system; another one in tests.
        allowed: hosts that may lead inside.
        public: a public address was spoken to before.
    """

    def __init__(
        self,
        inner: AbstractResolver | None = None,
        *,
        allowed: Collection[str] = (),
        public: bool = False,
    ) -> None:
        self.inner: AbstractResolver = inner or SystemResolver()
        self.seen_public: bool = public
        self._allowed = frozenset(map(plain_host, allowed))

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Find the addresses of a name.

        Raises:
            PrivateAddressError: it leads inside after others have led outside.
            OSError: it has none.
        """
        found = await self.inner.resolve(host, port, family)
        self.judge(host, [one["host"] for one in found])
        return found

    def judge(self, host: str, addresses: Sequence[str]) -> None:
        """Refuse a host with a private address after one with a public address.

        Raises:
            PrivateAddressError: it is refused, unless the person has allowed it.
        """
        public = [is_public_address(one) for one in addresses]
        if self.seen_public and not all(public) and plain_host(host) not in self._allowed:
            raise PrivateAddressError(host)
        # One public address among private ones is enough: a server could add private ones to stay unseen.
        self.seen_public = self.seen_public or any(public)

    async def close(self) -> None:
        """Close what the lookups have opened."""
        await self.inner.close()


def _found(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=family,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST,
    )
