"""Connections through a SOCKS proxy, by the library `aiohttp-socks`, which is an extra of this package.

The names of servers are resolved by the proxy, whatever the variant is called: only that works in a network
whose names are not known here. The proxy's own name is resolved here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import aiohttp

from loopback_auth.errors import ConfigError
from loopback_auth.network.proxy_address import Proxy

T = TypeVar("T")


class SocksError(OSError):
    """The proxy could not be reached, or did not let a connection through."""


def socks_connector(
    proxy: Proxy, address: str, *, force_close: bool = False, limit: int = 4
) -> aiohttp.TCPConnector:
    """Return what makes connections through a proxy at an address.

    Args:
        proxy: through which they go.
        address: of the proxy.
        force_close: no connection is used twice.
        limit: connections at the same time; 0: any number.

    Raises:
        ConfigError: the library is missing, or the user name is one that it cannot send.
    """
    try:
        from aiohttp_socks import ProxyConnector, ProxyType  # Optional package.
    except ImportError:
        raise ConfigError(
            f"{proxy.named_by} names a SOCKS proxy, and this needs a package that is not installed.",
            hint="Install the extra: pip install 'loopback-auth[socks]'. Or name an HTTP proxy.",
        ) from None
    if not (proxy.user.isascii() and proxy.password.isascii()):
        raise ConfigError(
            f"{proxy.named_by} has a user name or password beyond ASCII, which cannot be sent by SOCKS.",
            hint="Ask for another password, or name an HTTP proxy.",
        )
    made: aiohttp.TCPConnector = ProxyConnector(
        host=address,
        port=proxy.port,
        proxy_type=ProxyType.SOCKS4 if proxy.scheme in ("socks4", "socks4a") else ProxyType.SOCKS5,
        username=proxy.user.decode("ascii") or None,
        password=proxy.password.decode("ascii") or None,
        rdns=True,
        limit=limit,
        force_close=force_close,
    )
    return made


async def through(addresses: Sequence[str], exchange: Callable[[str], Awaitable[T]]) -> T:
    """Make an exchange through the first address of a proxy that can be reached.

    Args:
        addresses: of the proxy; IPv4 ones first, for many listen on these alone.
        exchange: sends nothing before the proxy is reached.

    Raises:
        SocksError: none can be reached, or the proxy refused.
    """
    from aiohttp_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError  # Optional package.

    for address in sorted(addresses, key=lambda one: ":" in one):
        try:
            return await exchange(address)
        except ProxyConnectionError:
            continue
        except (ProxyError, ProxyTimeoutError):
            raise SocksError("did not let it through") from None
    raise SocksError("cannot be reached")
